import {
  type Ambience,
  type AmbientConnection,
  askForStandIns,
  type StandIns,
} from '../../postgres/pool/ambient.js';
import { TestTransactionStateError } from '../../errors/test-transaction-state.error.js';
import { membersOf } from '../../transaction/pool-group.js';
import { Scope } from '../../transaction/scope.js';
import { StandIn } from './stand-in.js';
import { StandInScope } from './stand-in-scope.js';
import type { TestTransaction } from './test-transaction.js';

/** The test that is running, by its pools: it has whatever comes from nowhere in particular. */
const running = new Map<object, TestTransaction>();

/** @throws TestTransactionStateError when another one is running on a pool of it */
export function beginTest(test: TestTransaction): void {
  for (const { name } of test.pools.filter((pool) => running.has(pool))) {
    throw new TestTransactionStateError(
      'a test with a rollback is running on this pool already; end it, and run such tests one' +
        ' after another',
      { pool: name },
    );
  }
  for (const pool of test.pools) running.set(pool, test);
  askForStandIns(findStandIn);
}

export function endTest(test: TestTransaction): void {
  for (const pool of test.pools) running.delete(pool);
}

/**
 * Pools that share a connection are one: the innermost transaction of any of them is what everything
 * else is inside of. What was begun in a test that is over is still that test's.
 */
const findStandIn: StandIns = (pool, here, beside) => {
  let isBeside = beside;
  for (let frame = here; frame; frame = frame.outer) {
    const { connection } = frame;
    if (!connection) {
      isBeside ||= frame.pool === pool;
      continue;
    }
    const test = testOf(connection);
    // A transaction that is none of a test's was begun before it.
    if (!test && frame.pool === pool) return undefined;
    if (!test) continue;
    // A transaction that is routed is one for all its pools, also for those that are none of the
    // test's.
    const isItsOwn = frame.pool === pool || takes(connection, pool);
    if (isItsOwn && !isBeside) return frame;
    if (!test.has(pool)) continue;
    const outer = connection instanceof Scope ? connection : (connection as StandIn).outer;
    return standingIn(test, pool, outer);
  }
  const test = running.get(pool);
  return test?.has(pool) ? standingIn(test, pool) : undefined;
};

function standingIn(test: TestTransaction, pool: object, outer?: Scope): Ambience {
  return { connection: test.standIn(pool as StandIn['pool'], outer), scope: undefined };
}

function takes(connection: AmbientConnection, pool: object): boolean {
  return connection instanceof Scope && membersOf(connection.parts).includes(pool);
}

/** Whose a connection is; undefined for one of a pool's own. */
function testOf(connection: AmbientConnection): TestTransaction | undefined {
  if (connection instanceof StandIn) return connection.test;
  let root = connection as Scope;
  while (root.outer) root = root.outer;
  return root instanceof StandInScope ? root.test : undefined;
}
