import type { PoolName } from '../../nest/pool-names.js';
import { ArgumentCheck } from '../../postgres/options/argument-check.js';
import { nearestName } from '../../postgres/options/nearest-name.js';

/**
 * How tests are rolled back.
 *
 * @publicApi
 */
export interface RollbackOptions {
  /** Names of the pools that are. Default: all of the application but `admin`. */
  readonly pools?: readonly PoolName[] | undefined;

  /**
   * Pools that use the connection of another one in a test, although they lead elsewhere, as to a
   * standby, which cannot see what a test has written: `{ replica: 'primary' }`. Pools with the same
   * host, port, database and user share one in any case.
   */
  readonly through?: Readonly<Partial<Record<PoolName, PoolName>>> | undefined;

  /**
   * How long a transaction may wait for its turn on the connection of the test, in milliseconds;
   * then it fails with TestConnectionBusyError. 0 waits without limit. Default 4000: what waits for
   * ever is told before the usual limit of a test.
   */
  readonly turnTimeoutMs?: number | undefined;
}

const DEFAULT_TURN_TIMEOUT_MS = 4_000;
const LONGEST_MS = 2 ** 31 - 1;
const OPTIONS = ['pools', 'through', 'turnTimeoutMs'];

/** @throws InvalidPoolOptionsError that lists everything that is wrong */
export function checkRollbackOptions(options: RollbackOptions): void {
  const { pools, through, turnTimeoutMs = 0 } = options;
  const check = new ArgumentCheck('TransactionalTests');
  for (const name of Object.keys(options)) {
    if (OPTIONS.includes(name)) continue;
    check.refuse(name, name, `written as ${nearestName(name, OPTIONS) ?? OPTIONS.join(' or ')}`);
  }
  if (pools !== undefined && !Array.isArray(pools)) {
    check.refuse('pools', pools, 'an array of names');
  }
  if (through !== undefined && (typeof through !== 'object' || through === null)) {
    check.refuse('through', through, "an object, as { replica: 'primary' }");
  }
  const isDuration = typeof turnTimeoutMs === 'number' && turnTimeoutMs >= 0;
  if (!isDuration || turnTimeoutMs > LONGEST_MS) {
    const range = `a number of milliseconds from 0 (no limit) to ${LONGEST_MS}`;
    check.refuse('turnTimeoutMs', turnTimeoutMs, range);
  }
  if (check.error) throw check.error;
}

export function turnTimeoutOf({ turnTimeoutMs = DEFAULT_TURN_TIMEOUT_MS }: RollbackOptions) {
  return turnTimeoutMs;
}
