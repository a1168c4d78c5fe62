import { REPLICA } from '../pool-names.js';
import { inTransaction, refuseWithoutCall } from './transactional.decorator.js';
import type { TransactionalOptions } from './transactional-options.js';

/**
 * Options of `@ReadOnly()`: those of `@Transactional()` that say something about reading.
 *
 * @publicApi
 */
export interface ReadOnlyOptions extends Omit<
  TransactionalOptions,
  'readOnly' | 'deferrable' | 'isolation' | 'commitTimeoutMs' | 'resolveUnknownCommit'
> {
  /** Default: the server's `default_transaction_isolation`. */
  readonly isolation?: 'read committed' | 'repeatable read' | undefined;

  /** Name of the replica pool. Default: `replica`. */
  readonly route?: string | undefined;
}

/**
 * Runs a method in a transaction that only reads, on a replica: `@Transactional()` with
 * `readOnly: true` and `route: 'replica'`, on methods and on classes.
 *
 * ```ts
 * @ReadOnly()
 * async history(account: number): Promise<Entry[]> {
 *   const { rows } = await this.primary.query<Entry>(HISTORY, [account]); // read on the replica
 *   return rows;
 * }
 * ```
 *
 * All statements of the primary and of the replica pool inside are one transaction on one replica.
 * Called inside a transaction of the primary, the method is part of that and sees what it has
 * written. Without a replica pool it reads on the primary.
 *
 * @throws InvalidTransactionOptionsError, TransactionalMisuseError where it is declared
 * @publicApi
 */
export function ReadOnly(options?: ReadOnlyOptions): ClassDecorator & MethodDecorator;
export function ReadOnly(
  options: ReadOnlyOptions = {},
  ...rest: unknown[]
): ClassDecorator & MethodDecorator {
  refuseWithoutCall('ReadOnly', options, rest);
  // What the type refuses, and somebody writes all the same, is told like everything that is wrong.
  return inTransaction({ readOnly: true, ...options, route: options.route ?? REPLICA });
}
