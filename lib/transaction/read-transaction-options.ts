import { InvalidTransactionOptionsError } from '../errors/invalid-transaction-options.error.js';
import { nearestName } from '../postgres/options/nearest-name.js';
import { ISOLATION_LEVELS, PROPAGATIONS, type TransactionOptions } from './transaction-options.js';

/** What is wrong with a value; undefined when nothing is. */
type Check = (value: unknown, options: TransactionOptions) => string | undefined;

const isPositive = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 1;

const text: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a text';
const truth: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const milliseconds: Check = (value) =>
  isPositive(value) ? undefined : 'must be a whole number of milliseconds, at least 1';
const rules: Check = (value) =>
  [value].flat().every((rule) => typeof rule === 'function')
    ? undefined
    : 'must be a class of errors, a function, or a list of them';

function oneOf(values: readonly string[]): Check {
  return (value) => {
    if (typeof value === 'string' && values.includes(value)) return undefined;
    return `must be one of ${values.map((known) => `'${known}'`).join(', ')}`;
  };
}

const CHECKS: { readonly [Name in keyof TransactionOptions]-?: Check } = {
  pool: text,
  route: (value, options) => {
    if (options.readOnly === false) {
      return 'is for what only reads: leave out readOnly: false, or the route';
    }
    if (options.isolation === 'serializable') {
      return "cannot be with isolation: 'serializable', which no standby has; 'repeatable read' it has";
    }
    return text(value, options);
  },
  propagation: oneOf(PROPAGATIONS),
  isolation: oneOf(ISOLATION_LEVELS),
  readOnly: truth,
  deferrable: (value, options) => {
    if (typeof value !== 'boolean') return truth(value, options);
    const { isolation, readOnly } = options;
    if (!value || (isolation === 'serializable' && readOnly)) return undefined;
    return "needs isolation: 'serializable' and readOnly: true";
  },
  timeoutMs: milliseconds,
  commitTimeoutMs: milliseconds,
  signal: (value) => (value instanceof AbortSignal ? undefined : 'must be an AbortSignal'),
  settings: (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(isSetting)
      ? undefined
      : 'must be an object of texts, numbers, true or false by their names',
  retry: (value) => {
    const { attempts, codes } = (value ?? {}) as { attempts?: unknown; codes?: unknown };
    if (!isPositive(attempts)) return 'must be { attempts } with a whole number, at least 1';
    if (codes === undefined || (Array.isArray(codes) && codes.every(isSqlState))) return undefined;
    return 'must have codes that are SQLSTATEs, of five characters each';
  },
  rollbackFor: rules,
  noRollbackFor: rules,
  resolveUnknownCommit: truth,
  label: text,
};

function isSetting(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isSqlState(code: unknown): boolean {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
}

/**
 * Checks options as somebody has written them.
 *
 * @throws InvalidTransactionOptionsError that lists everything that is wrong
 */
export function checkTransactionOptions(options: TransactionOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidTransactionOptionsError(['the options must be an object']);
  }
  const problems: string[] = [];
  for (const name of Object.keys(options)) {
    const problem = problemOf(name, options);
    if (problem !== undefined) problems.push(`${name} ${problem}`);
  }
  if (problems.length > 0) throw new InvalidTransactionOptionsError(problems);
}

function problemOf(name: string, options: TransactionOptions): string | undefined {
  const known = name as keyof TransactionOptions;
  const check = CHECKS[known];
  if (!check) return unknownOption(name);
  const value = options[known];
  return value === undefined ? undefined : check(value, options);
}

function unknownOption(name: string): string {
  const meant = nearestName(name, Object.keys(CHECKS));
  return `is unknown${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
