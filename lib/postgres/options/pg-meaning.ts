import { isIntegerRow } from './option-row.js';
import type { OptionRow } from './option-row.js';

/**
 * What pg takes a value for. pg reads its options by truth: an empty one stands for the default, and
 * for "without limit" where there is such a thing.
 */
export function pgMeaning(row: OptionRow, value: unknown): unknown {
  if (isIntegerRow(row)) {
    if (value !== null && value !== 0 && value !== false) return value;
    return row.minimum === 0 ? 0 : undefined;
  }
  if (value !== null && value !== false && value !== 0 && value !== '') return value;
  const isSwitch = row.kind === 'boolean' || row.kind === 'tls';
  return isSwitch && value !== '' ? false : undefined;
}
