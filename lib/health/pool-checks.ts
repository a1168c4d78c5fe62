import { PoolClosedError } from '../errors/pool-closed.error.js';
import type { PoolRegistry } from '../nest/pool-registry.js';
import type { Pool } from '../postgres/pool/pool.js';
import { errorSentence } from '../errors/error-sentence.js';
import type { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { bouncerBefore } from './bouncer-before.js';
import { poolLoad } from './pool-load.js';
import type { PoolPing, Pong } from './pool-ping.js';
import type { PoolAlerts } from './thresholds/pool-alerts.js';

/** How a pool is: its server answers, that and a threshold is crossed, or nobody answers. */
export interface PoolHealth {
  readonly status: 'up' | 'degraded' | 'down';
  readonly details: Readonly<Record<string, unknown>>;
}

/** Finds out how pools are. */
export class PoolChecks {
  constructor(
    private readonly registry: PoolRegistry,
    private readonly ping: PoolPing,
    private readonly alerts: PoolAlerts,
    private readonly timeoutMs: number,
    private readonly bouncer: PgBouncerAdmin,
  ) {}

  /** @throws UnknownPoolError */
  async check(name: string, timeoutMs = this.timeoutMs): Promise<PoolHealth> {
    const pool = this.registry.get(name);
    const bouncer = bouncerBefore(pool, this.bouncer);
    try {
      refuseEnded(name, pool);
      const pong = await this.ping.ask(name, timeoutMs);
      const pgbouncer = await bouncer;
      const degradedBy = this.alerts.of(name);
      const isDegraded = degradedBy.length > 0;
      return {
        status: isDegraded ? 'degraded' : 'up',
        details: {
          ...poolLoad(pool.stats()),
          ...shown(pong),
          ...(pgbouncer && { pgbouncer }),
          ...(isDegraded && { degradedBy }),
        },
      };
    } catch (error) {
      const pgbouncer = await bouncer;
      const details = {
        ...poolLoad(pool.stats()),
        ...(pgbouncer && { pgbouncer }),
        error: errorSentence(error),
      };
      return { status: 'down', details };
    }
  }
}

/** A pool that was ended serves nobody, however well its server is. */
function refuseEnded(name: string, pool: Pool): void {
  const { state } = pool.stats();
  if (state === 'draining' || state === 'closed') throw new PoolClosedError(name, state);
}

function shown({ route, latencyMs, role, lagMs, lagBytes }: Pong) {
  return {
    pingedOver: route,
    latencyMs: Math.round(latencyMs),
    ...(role !== undefined && { role }),
    ...(lagMs !== undefined && { replicaLagMs: lagMs }),
    ...(lagBytes !== undefined && { replicaLagBytes: lagBytes }),
  };
}
