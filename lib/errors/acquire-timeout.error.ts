import { duration } from './duration.js';
import { errorSentence } from './error-sentence.js';
import { PoolError } from './pool.error.js';

/** The pool's numbers at the moment a caller gave up. */
export interface AcquireTimeoutStats {
  readonly total: number;
  readonly max: number;
  readonly leased: number;
  readonly idle: number;
  readonly connecting: number;
  readonly waiting: number;
  /** Age of the oldest waiter still in the queue, in milliseconds; undefined when none waits. */
  readonly oldestWaiterMs: number | undefined;
}

/** Who had a connection at that moment, the longest lease first. */
export interface LeaseHolder {
  /** The label given to `acquire()`, or undefined. */
  readonly label: string | undefined;
  /** For how long the connection has been out, in milliseconds. */
  readonly ageMs: number;
  /** Where it was acquired; undefined when no stack was taken for this lease. */
  readonly stack: string | undefined;
}

export interface AcquireTimeoutDetails {
  readonly pool: string;
  readonly waitedMs: number;
  readonly stats: AcquireTimeoutStats;
  readonly holders: readonly LeaseHolder[];
  /** How long the event loop was blocked when the deadline came, in milliseconds. */
  readonly loopLagMs: number;
  readonly lastConnectError: { readonly agoMs: number; readonly error: unknown } | undefined;
}

const NOTABLE_LAG_MS = 50;

/**
 * No connection came free within the deadline of the acquire.
 *
 * The message keeps node-postgres' phrase `timeout exceeded when trying to connect`, which
 * applications match, and adds the numbers that tell the three usual causes apart: connections
 * held too long, a pool too small, a database that cannot be reached (then it is the `cause`).
 *
 * @publicApi
 */
export class AcquireTimeoutError extends PoolError {
  readonly code = 'POOL_ACQUIRE_TIMEOUT';
  readonly waitedMs: number;
  readonly stats: AcquireTimeoutStats;
  readonly holders: readonly LeaseHolder[];

  constructor(details: AcquireTimeoutDetails) {
    super(sentence(details), { pool: details.pool, cause: details.lastConnectError?.error });
    this.waitedMs = details.waitedMs;
    this.stats = details.stats;
    this.holders = details.holders;
  }
}

function sentence({
  waitedMs,
  stats,
  holders,
  loopLagMs,
  lastConnectError,
}: AcquireTimeoutDetails) {
  const oldest =
    stats.oldestWaiterMs === undefined ? '' : `, oldest waiter ${duration(stats.oldestWaiterMs)}`;
  const parts = [
    `timeout exceeded when trying to connect: waited ${Math.round(waitedMs)} ms` +
      ` (total ${stats.total}/${stats.max}, leased ${stats.leased}, idle ${stats.idle},` +
      ` connecting ${stats.connecting}, waiting ${stats.waiting}${oldest})`,
  ];
  const longest = holders[0];
  if (longest) {
    const by = longest.label ? ` by ${longest.label}` : '';
    parts.push(`longest lease ${duration(longest.ageMs)}${by}`);
  }
  if (lastConnectError) {
    const { agoMs, error } = lastConnectError;
    parts.push(`last connect error ${duration(agoMs)} ago: ${errorSentence(error)}`);
  }
  if (loopLagMs > NOTABLE_LAG_MS) {
    parts.push(`the event loop was blocked for ${duration(loopLagMs)}`);
  }
  parts.push(advice(stats, lastConnectError !== undefined));
  return parts.join('; ');
}

function advice(stats: AcquireTimeoutStats, cannotConnect: boolean): string {
  if (cannotConnect && stats.leased < stats.max) return 'check that the database can be reached';
  if (stats.leased >= stats.max) {
    return 'shorten what holds connections, release them on every path, or raise max';
  }
  return 'the connections were being opened: raise min or acquireTimeoutMs';
}
