import type { Clock, Timer } from '../engine/clock.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import { advise, type Ceiling, isWorthTelling, type PoolAdvice } from './advise.js';
import { UsageHistory } from './usage-history.js';

const SAMPLE_MS = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const SINGLE_STATEMENT = 'pool.query()';
const LONGEST_TEXT = 60;

/** What the advisor looks at of a pool. */
export type WatchedPool = Pick<Pool, 'name' | 'stats' | 'snapshot'>;

/** What an advisor is made from. */
export interface AdvisorParts<P extends WatchedPool> {
  readonly pools: readonly P[];
  /** The most connections of a pool that were lent at once since this was asked last. */
  readonly mostLeased: (pool: P) => number;
  /** What bounds a pool beside its own max, where anything does. */
  readonly ceiling: (pool: P) => Ceiling | undefined;
  readonly clock: Clock;
  readonly log: PoolLog;
}

interface Watched<P> {
  readonly pool: P;
  readonly history: UsageHistory;
  toldAt: number;
}

/** Looks at the pools while they work, and says what should be done about their sizes. */
export class Advisor<P extends WatchedPool = Pool> {
  #watched: readonly Watched<P>[] = [];
  #timer: Timer;

  constructor(private readonly parts: AdvisorParts<P>) {}

  begin(): void {
    const now = this.parts.clock.now();
    this.#watched = this.parts.pools.map((pool) => ({
      pool,
      history: new UsageHistory(pool.stats(), now),
      toldAt: -Infinity,
    }));
    this.#lookLater();
  }

  end(): void {
    this.parts.clock.cancel(this.#timer);
  }

  /** What should be done now; nothing can be said before ten minutes were seen. */
  advice(): PoolAdvice[] {
    return this.#watched.map((watched) => this.#adviceFor(watched));
  }

  #adviceFor({ pool, history }: Watched<P>): PoolAdvice {
    const { min, max } = pool.stats();
    const ceiling = this.parts.ceiling(pool);
    return advise({ name: pool.name, min, max, ceiling }, history.minutes);
  }

  #lookLater(): void {
    this.#timer = this.parts.clock.after(SAMPLE_MS, () => this.#look(), false);
  }

  #look(): void {
    this.#lookLater();
    const now = this.parts.clock.now();
    for (const watched of this.#watched) {
      const { pool, history } = watched;
      history.sample(labelsOf(pool));
      if (history.lastingMs(now) < MINUTE_MS) continue;
      history.turn(now, pool.stats(), this.parts.mostLeased(pool));
      this.#tell(watched, now);
    }
  }

  #tell(watched: Watched<P>, now: number): void {
    if (now - watched.toldAt < HOUR_MS) return;
    const advice = this.#adviceFor(watched);
    if (!isWorthTelling(advice)) return;
    watched.toldAt = now;
    const { pool, verdict, max, recommendedMax, evidence } = advice;
    this.parts.log.info(advice.sentence, { pool, verdict, max, recommendedMax, ...evidence });
  }
}

/** The advisor of pools as they are. */
export function advisorOf(
  pools: readonly Pool[],
  parts: Omit<AdvisorParts<Pool>, 'pools' | 'mostLeased'>,
): Advisor {
  return new Advisor({
    ...parts,
    pools,
    mostLeased: (pool) => partsOf(pool).engine.takeMostLeased(),
  });
}

/** Whoever has a connection: by its label, and a single statement by its text. */
function labelsOf(pool: WatchedPool): string[] {
  return pool.snapshot().leases.map(({ label = 'a connect() without a label', statement }) => {
    const text = label === SINGLE_STATEMENT ? statement?.text : undefined;
    return text === undefined ? label : shortened(text);
  });
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}…`;
}
