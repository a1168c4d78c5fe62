import { duration } from '../errors/duration.js';
import { evidenceOf, type PoolEvidence } from './evidence.js';
import { HOUR_MINUTES, type UsageMinute } from './usage-history.js';

/**
 * What should be done about a pool's size.
 *
 * @publicApi
 */
export interface PoolAdvice {
  readonly pool: string;
  /**
   * - `raise`: callers wait although connections are held only briefly
   * - `at the limit`: they wait, and more connections are of no use to the server, or not to be had
   * - `slow statements`: they wait because connections are held for long
   * - `lower`: in a whole hour most connections were never needed
   * - `fine`: nothing of these
   * - `not enough seen`: nothing can be said yet
   */
  readonly verdict:
    'raise' | 'at the limit' | 'slow statements' | 'lower' | 'fine' | 'not enough seen';
  /** The advice and its reason as one sentence for people. */
  readonly sentence: string;
  readonly max: number;
  /** What `max` should be; undefined where it may stay. */
  readonly recommendedMax: number | undefined;
  /** What it rests upon. */
  readonly evidence: PoolEvidence;
}

/** Whether somebody should act upon it. */
export function isWorthTelling({ verdict }: PoolAdvice): boolean {
  return verdict !== 'fine' && verdict !== 'not enough seen';
}

/** What is known of a pool. */
export interface AdvisedPool {
  readonly name: string;
  /** What it keeps warm: a smaller max would be refused. */
  readonly min: number;
  readonly max: number;
  /** What it cannot make use of more than; undefined where nobody has said. */
  readonly ceiling: Ceiling | undefined;
}

/** Why more connections would be of no use, or are not to be had. */
export interface Ceiling {
  readonly connections: number;
  /** The cores of its server, or what the budget of a fleet leaves this instance. */
  readonly setBy: 'server' | 'fleet';
}

const RECENT_MINUTES = 10;
const LEAST_ACQUIRES = 200;

/** Callers who wait are normal now and then; one in twenty is felt. */
const FELT_SHARE = 0.05;
const FELT_WAIT_MS = 5;

/** Held for longer than this, or than so many times the usual, a connection is held for long. */
const LONG_USE_MS = 500;
const TIMES_THE_USUAL = 3;

/** With more of a pool in use than this, queues form by chance alone. */
const HEALTHY_UTILIZATION = 0.7;

/** Where the waits come in bursts that the mean does not show. */
const BURST_STEP = 0.2;

/** What is kept above the most that were ever in use, when the rest is given up. */
const RESERVE = 1.5;

/** One connection less is not worth a change. */
const WORTH_LOWERING = 2;

/**
 * Weighs the last ten minutes, and the hour before them. Never on less: ten full minutes with 200
 * acquires for "raise" and "slow", a full hour for "lower".
 *
 * @param minutes the oldest first
 */
export function advise(pool: AdvisedPool, minutes: readonly UsageMinute[]): PoolAdvice {
  const recentMinutes = minutes.slice(-RECENT_MINUTES);
  const recent = evidenceOf(recentMinutes);
  const hour = evidenceOf(minutes);
  if (recent.minutes < RECENT_MINUTES) {
    return told(pool, 'not enough seen', recent, `seen for ${recent.minutes} of 10 min`);
  }
  if (isFelt(recent) && recent.acquires + recent.failures >= LEAST_ACQUIRES) {
    return relief(pool, recent, minutes.slice(0, -RECENT_MINUTES));
  }
  if (hour.minutes >= HOUR_MINUTES) {
    const enough = Math.max(2, pool.min, Math.ceil(hour.leasedMost * RESERVE));
    if (pool.max - enough >= WORTH_LOWERING && hour.leasedMost <= pool.max / 2)
      return lowered(pool, hour, enough);
  }
  if (recent.acquires < LEAST_ACQUIRES) {
    const seen = `seen ${count(recent.acquires)} of ${LEAST_ACQUIRES} acquires in the last 10 min`;
    return told(pool, 'not enough seen', recent, seen);
  }
  return told(pool, 'fine', recent, `max ${pool.max} is right: ${waits(recent)}`);
}

function isFelt({ failures, waited, waitP95Ms }: PoolEvidence): boolean {
  return failures > 0 || (waited > FELT_SHARE && waitP95Ms > FELT_WAIT_MS);
}

/** Callers wait: for want of connections, or because those that hold them are slow? */
function relief(
  pool: AdvisedPool,
  recent: PoolEvidence,
  before: readonly UsageMinute[],
): PoolAdvice {
  const times = timesTheUsual(recent, before);
  if (recent.useMeanMs >= LONG_USE_MS || times >= TIMES_THE_USUAL) return slow(pool, recent, times);
  const { max, ceiling } = pool;
  const wanted = Math.min(wantedFor(recent, max), ceiling?.connections ?? Infinity);
  if (ceiling && wanted <= max) return atTheLimit(pool, ceiling, recent);
  return told(
    pool,
    'raise',
    recent,
    `raise max by ${wanted - max}, to ${wanted}: ${waits(recent)}`,
    wanted,
  );
}

function atTheLimit(
  pool: AdvisedPool,
  { connections, setBy }: Ceiling,
  recent: PoolEvidence,
): PoolAdvice {
  const [bound, wayOut] =
    setBy === 'server'
      ? [
          `${connections} is all of its server that this pool can use by its cores`,
          'more connections would wait there instead, so shorten what holds them' +
            `${holders(recent)}, read from a replica, or give the server more cores`,
        ]
      : [
          "that is its share of the fleet's budget",
          `shorten what holds its connections${holders(recent)}, run fewer instances, or raise` +
            ' fleet.budget as far as the server bears it',
        ];
  const what = `max is ${pool.max}, and ${bound}; callers wait: ${waits(recent)}; ${wayOut}`;
  return told(pool, 'at the limit', recent, what);
}

/** Connections that are held at once, by Little's law, with those served as well who went without. */
function wantedFor({ leasedMean, acquires, failures }: PoolEvidence, max: number): number {
  const demand = leasedMean * ((acquires + failures) / Math.max(1, acquires));
  const burst = Math.ceil(max * (1 + BURST_STEP));
  return Math.min(max * 2, Math.max(burst, Math.ceil(demand / HEALTHY_UTILIZATION)));
}

/** How many times as long as usual connections are held; 1 where nobody knows what is usual. */
function timesTheUsual({ useMeanMs }: PoolEvidence, before: readonly UsageMinute[]): number {
  const usual = evidenceOf(before);
  const isKnown = before.length >= RECENT_MINUTES && usual.acquires >= LEAST_ACQUIRES;
  return isKnown && usual.useMeanMs > 0 ? useMeanMs / usual.useMeanMs : 1;
}

function slow(pool: AdvisedPool, recent: PoolEvidence, times: number): PoolAdvice {
  const usual = times >= TIMES_THE_USUAL ? `, ${times.toFixed(1)} times as long as before` : '';
  return told(
    pool,
    'slow statements',
    recent,
    `your statements are slow, not your pool small: a connection was held for` +
      ` ${duration(recent.useMeanMs)} on average in the last 10 min${usual}` +
      `${holders(recent)}; ${waits(recent)}`,
  );
}

function lowered(pool: AdvisedPool, hour: PoolEvidence, enough: number): PoolAdvice {
  return told(
    pool,
    'lower',
    hour,
    `lower max from ${pool.max} to ${enough}: never more than ${hour.leasedMost} in use in an hour`,
    enough,
  );
}

function waits({ acquires, waited, failures, waitP95Ms }: PoolEvidence): string {
  const failed = failures === 0 ? '' : `, ${count(failures)} went without a connection`;
  return (
    `${percent(waited)} of ${count(acquires)} acquires waited in the last 10 min` +
    ` (95 % of them not over ${duration(waitP95Ms)})${failed}`
  );
}

function holders({ heldBy }: PoolEvidence): string {
  return heldBy.length === 0 ? '' : ` (most often by ${heldBy.join(', ')})`;
}

function told(
  { name, max }: AdvisedPool,
  verdict: PoolAdvice['verdict'],
  evidence: PoolEvidence,
  what: string,
  recommendedMax?: number,
): PoolAdvice {
  return { pool: name, verdict, sentence: `${name}: ${what}`, max, recommendedMax, evidence };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function count(number: number): string {
  return number.toLocaleString('en');
}
