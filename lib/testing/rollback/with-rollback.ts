import { PoolRegistry } from '../../nest/pool-registry.js';
import { Pool } from '../../postgres/pool/pool.js';
import type { RollbackOptions } from './rollback-options.js';
import { TransactionalTests } from './transactional-tests.js';

/** A Nest application, a testing module, or any other that can be asked for its providers. */
interface Application {
  get(token: typeof PoolRegistry, options: { strict: false }): PoolRegistry;
}

/**
 * What a test rolls back: an application, its `PoolRegistry`, one pool or several.
 *
 * @publicApi
 */
export type RollbackTarget = Application | Iterable<Pool> | Pool;

/**
 * Runs `work`, and rolls back whatever it did through the pools.
 *
 * ```ts
 * it('books a transfer', () =>
 *   withRollback(app, async () => {
 *     await request(app.getHttpServer()).post('/transfers').send(transfer).expect(201);
 *     expect(await accounts.balance(1)).toBe(900n);
 *   }));
 * ```
 *
 * @returns what `work` returns
 * @throws what `work` throws, unchanged
 * @throws TestTransactionLostError when something in the test has committed after all
 * @throws the server's error when a deferred constraint would have refused the COMMIT
 * @throws TestTransactionStateError when a test is running on one of the pools
 * @publicApi
 */
export async function withRollback<T>(
  target: RollbackTarget,
  work: () => Promise<T> | T,
  options: RollbackOptions = {},
): Promise<T> {
  return await new TransactionalTests(poolsOf(target), options).run(work);
}

function poolsOf(target: RollbackTarget): Iterable<Pool> {
  if (target instanceof Pool) return [target];
  return Symbol.iterator in target ? target : target.get(PoolRegistry, { strict: false });
}
