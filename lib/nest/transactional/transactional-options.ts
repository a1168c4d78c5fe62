import { InvalidTransactionOptionsError } from '../../errors/invalid-transaction-options.error.js';
import { checkTransactionOptions } from '../../transaction/read-transaction-options.js';
import type {
  TransactionOptions,
  TransactionSettings,
} from '../../transaction/transaction-options.js';

/**
 * Options of `@Transactional()`: those of a transaction, where `settings` may depend on what the
 * method is called with.
 *
 * @publicApi
 */
export interface TransactionalOptions extends Omit<TransactionOptions, 'settings'> {
  /**
   * Set with the first statement, gone at the end: for row-level security. A function is called
   * with the arguments of the method: `settings: ([tenant]) => ({ 'app.tenant': tenant })`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the method's arguments are
  readonly settings?: TransactionSettings | ((args: any) => TransactionSettings) | undefined;
}

/**
 * Checks options as somebody has written them.
 *
 * @param place is named with every problem
 * @throws InvalidTransactionOptionsError that lists everything that is wrong
 */
export function checkTransactionalOptions(options: TransactionalOptions, place: string): void {
  try {
    const isFunction = typeof options?.settings === 'function';
    const known = isFunction ? { ...options, settings: undefined } : options;
    checkTransactionOptions(known as TransactionOptions);
  } catch (error) {
    if (!(error instanceof InvalidTransactionOptionsError)) throw error;
    throw new InvalidTransactionOptionsError(
      error.problems.map((problem) => `${place}: ${problem}`),
    );
  }
}

/**
 * The options of one call.
 *
 * @param input what a function of settings is called with
 * @throws InvalidTransactionOptionsError when that returns no settings
 */
export function optionsOfCall(
  options: TransactionalOptions,
  label: string,
  input: unknown,
): TransactionOptions & { readonly label: string } {
  const { settings: given } = options;
  const settings = typeof given === 'function' ? settingsFrom(given, input, label) : given;
  // Not spread: V8 takes ten times as long to do that, and this is done for every call.
  return Object.assign({}, options, { settings, label: options.label ?? label });
}

/** Whoever forgets to return, or to await, must not get a transaction without any. */
function settingsFrom(
  settingsOf: (input: unknown) => TransactionSettings,
  input: unknown,
  label: string,
): TransactionSettings {
  const settings = settingsOf(input);
  const isPromise = typeof (settings as { then?: unknown } | undefined)?.then === 'function';
  if (settings === undefined || isPromise) {
    const problem = `settings has returned ${isPromise ? 'a promise' : 'nothing'}`;
    throw new InvalidTransactionOptionsError([`${label}: ${problem}; it must return an object`]);
  }
  checkTransactionalOptions({ settings }, label);
  return settings;
}
