import type { OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';

/** The values with what `compatibility: 'pg-pool'` means for options that were not given. */
export function withImplied({ values, labels }: ReadOptions): ReadonlyMap<OptionName, unknown> {
  if (values.get('compatibility') !== 'pg-pool') return values;
  const implied: [OptionName, unknown][] = [['onConnectError', 'reject']];
  // pg-pool has one limit for both, and 0 is none.
  const limitMs = values.get('acquireTimeoutMs');
  if (limitMs !== 0) implied.push(['connectTimeoutMs', limitMs]);
  return new Map([...values, ...implied.filter(([name]) => !labels.has(name))]);
}
