import { PoolClosedError } from '../errors/pool-closed.error.js';
import type { PoolRegistry } from '../nest/pool-registry.js';
import type { Pool } from '../postgres/pool/pool.js';
import { errorSentence } from '../errors/error-sentence.js';
import type { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { bouncerBefore } from './bouncer-before.js';
import { physicalPoolsOf, ReplicaPool } from '../routing/replica-pool.js';
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
      const degradedBy = physicalPoolsOf(pool).flatMap((each) => this.alerts.of(each.name));
      const isDegraded = degradedBy.length > 0;
      const details = {
        ...poolLoad(pool.stats()),
        ...shown(pong),
        ...replicasOf(pool),
        ...(pgbouncer && { pgbouncer }),
      };
      if (pool instanceof ReplicaPool && pool.isOut) return { status: 'down', details };
      return isDegraded
        ? { status: 'degraded', details: { ...details, degradedBy } }
        : { status: 'up', details };
    } catch (error) {
      const pgbouncer = await bouncer;
      const details = {
        ...poolLoad(pool.stats()),
        ...replicasOf(pool),
        ...(pgbouncer && { pgbouncer }),
        error: errorSentence(error),
      };
      return { status: 'down', details };
    }
  }
}

/** How each replica is, and how busy. */
function replicasOf(pool: Pool): object {
  if (!(pool instanceof ReplicaPool)) return {};
  const loads = new Map(pool.members.map((member) => [member.name, member.stats()]));
  const replicas = pool.replicas().map((replica) => {
    const { leased, waiting, max } = loads.get(replica.pool)!;
    return Object.assign(replica, { leased, waiting, max });
  });
  return { replicas };
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
