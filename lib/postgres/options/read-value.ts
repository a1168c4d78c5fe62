import { connectionStringFault } from './connection-string.js';
import { readHosts } from './host-list.js';
import { isIntegerRow, maximumOf } from './option-row.js';
import type { ChoiceRow, IntegerRow, OptionRow } from './option-row.js';

/** Stands for a value that an option does not take. */
export const WRONG = Symbol('wrong');

/**
 * The value of an option in its canonical form, or {@link WRONG}. `factor` leads from the unit of
 * the name that was used to ours.
 */
export function readValue(row: OptionRow, value: unknown, factor: number): unknown {
  if (isIntegerRow(row)) return readInteger(row, value, factor);
  switch (row.kind) {
    case 'choice':
      return isChoice(row, value) ? value : WRONG;
    case 'boolean':
      return readBoolean(value);
    case 'text':
      return isText(value) ? value : WRONG;
    case 'host':
      return isText(value) && !value.includes('://') ? value : WRONG;
    case 'hosts':
      return readHosts(value).hosts ?? WRONG;
    case 'statements':
      return readStatements(value);
    case 'function':
      return typeof value === 'function' ? value : WRONG;
    case 'type parsers':
      return hasTypeParsers(value) ? value : WRONG;
    case 'tls':
      return readTls(value);
    case 'password':
      return isText(value) || typeof value === 'function' ? value : WRONG;
    case 'connection string':
      return isText(value) && connectionStringFault(value) === undefined ? value : WRONG;
    case 'fallback':
      return readFallback(value);
  }
}

function readInteger(row: IntegerRow, value: unknown, factor: number): unknown {
  if (row.zeroAs?.includes(value)) return 0;
  const number = toNumber(value);
  if (number < 0) return WRONG;
  // 1.1 seconds times 1000 is not quite 1100.
  const integer = factor === 1 ? number : Math.round(number * factor);
  const fits = integer >= row.minimum && integer <= (maximumOf(row) ?? Number.MAX_SAFE_INTEGER);
  return Number.isInteger(integer) && fits ? integer + 0 : WRONG;
}

/** Decimal notation alone: Number() would read '' as 0 and '0x10' as 16. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : NaN;
}

function readBoolean(value: unknown): unknown {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : WRONG;
}

function isChoice({ values, orFunction }: ChoiceRow, value: unknown): boolean {
  if (typeof value === 'function') return orFunction === true;
  return typeof value === 'string' && values.includes(value);
}

function readTls(value: unknown): unknown {
  if (value === 'no-verify') return { rejectUnauthorized: false };
  return isObject(value) ? value : readBoolean(value);
}

/** `false`, `{ share }` from 0 to 1, or `{ max }` of at least 1. */
function readFallback(value: unknown): unknown {
  if (value === false || value === 'false') return false;
  if (!isObject(value)) return WRONG;
  const [[name, given] = [], ...others] = Object.entries(value);
  if (others.length > 0 || typeof given !== 'number') return WRONG;
  const fits =
    name === 'share'
      ? given > 0 && given <= 1
      : name === 'max' && Number.isInteger(given) && given > 0;
  return fits ? value : WRONG;
}

function readStatements(value: unknown): unknown {
  const statements: readonly unknown[] = Array.isArray(value) ? value : [value];
  return statements.every(isText) ? Object.freeze([...statements]) : WRONG;
}

function hasTypeParsers(value: unknown): boolean {
  return isObject(value) && 'getTypeParser' in value && typeof value.getTypeParser === 'function';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
