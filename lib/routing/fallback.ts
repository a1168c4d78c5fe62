import type { FallbackUse } from '../errors/replicas-unavailable.error.js';
import { describeHost } from '../postgres/options/host-list.js';
import type { FallbackOption, PoolOptions } from '../postgres/options/pool-options.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';

/** A connection of it is for an emergency: it does not stay when that is over. */
const IDLE_TIMEOUT_MS = 10_000;

const SETTING = 'default_transaction_read_only';

/** How many connections to the primary reads may use. */
export function fallbackMax(fallback: Exclude<FallbackOption, false>, primaryMax: number): number {
  if ('max' in fallback) return fallback.max;
  return Math.max(1, Math.floor(primaryMax * fallback.share));
}

/**
 * The options of the pool that reads use on the primary when no replica can serve them.
 *
 * @param options of the replica pool, with the address of the primary
 * @param startOptions what the session begins with otherwise
 */
export function fallbackOptions(
  options: PoolOptions,
  max: number,
  startOptions = options.options ?? process.env.PGOPTIONS,
): PoolOptions {
  return {
    ...options,
    poolSize: undefined,
    max,
    min: 0,
    startup: 'lazy',
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    idleTimeoutMillis: undefined,
    ...readOnly(options, startOptions),
  };
}

/**
 * At the start of the session and not by SET: it holds before the first statement, and behind a
 * pooler it cannot stay on a connection that somebody else gets. A PgBouncer takes no such start: in
 * session mode SET does it, and in transaction mode nothing can.
 */
function readOnly({ pooler, initSql = [] }: PoolOptions, startOptions?: string): PoolOptions {
  if (pooler === 'pgbouncer-transaction') return {};
  if (pooler === 'pgbouncer-session') return { initSql: [`SET ${SETTING} = on`, initSql].flat() };
  const start = `-c ${SETTING}=on`;
  return { options: startOptions ? `${startOptions} ${start}` : start };
}

/** The connections to the primary that reads may use when no replica can serve them. */
export class Fallback {
  readonly parts: PoolParts;
  #place: string | undefined;

  /** @param primary whose server it leads to */
  constructor(
    readonly pool: Pool,
    private readonly primary: Pool,
  ) {
    this.parts = partsOf(pool);
  }

  /**
   * To be called before a read goes there. After a failover the old primary may live on, read-only:
   * these sessions are so by themselves, and would notice nothing.
   */
  followPrimary(): void {
    const place = describeHost(this.primary.address);
    if (this.#place !== place) this.leaveOldPrimary();
    this.#place = place;
  }

  leaveOldPrimary(): void {
    this.parts.engine.softEvict();
  }

  /** Whether one more reader finds room without waiting for another one. */
  get hasRoom(): boolean {
    const { leased, waiting, max } = this.parts.engine.counts;
    return leased + waiting < max;
  }

  get use(): FallbackUse {
    const { max, leased, waiting } = this.parts.engine.counts;
    return { max, leased, waiting };
  }
}
