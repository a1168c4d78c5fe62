/**
 * How the servers are asked whether the pools fit them.
 *
 * @publicApi
 */
export interface ServerCheckOptions {
  /**
   * The most connections that all instances may want to open, as a number, or as a part of what
   * the role may use: `'70%'` (default). At the server of a `fleet` the budget of that holds, and
   * the check looks whether others leave it as much.
   */
  readonly budget?: number | `${number}%`;

  /**
   * What the start does when the pools may want more than the budget: `'warn'` (default), in the
   * background, or `'refuse'`, which asks before the start is over and fails it. A server that does
   * not answer is no reason to fail.
   */
  readonly overBudget?: 'warn' | 'refuse';

  /** Milliseconds between two checks. Default 3600000 (an hour), minimum 1000; 0: at start alone. */
  readonly intervalMs?: number;

  /** Longest wait for the answer of a server in milliseconds. Default 2000, minimum 1. */
  readonly timeoutMs?: number;
}
