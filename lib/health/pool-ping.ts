import { ADMIN } from '../nest/pool-names.js';
import type { PoolRegistry } from '../nest/pool-registry.js';
import { sameServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';
import { roleOverIdle, roleOverProbe } from '../postgres/pool/server-question.js';
import type { ServerRole } from '../postgres/session/server-role.js';

/** Over which way the server was asked. */
export type PingRoute = 'idle connection' | 'admin pool' | 'probe';

export interface Pong extends ServerRole {
  readonly route: PingRoute;
  readonly latencyMs: number;
}

interface Asked {
  readonly pong: Promise<Pong>;
  /** Until when the answer is given to others, too. */
  until: number;
}

/**
 * Asks a pool's server for a sign of life without taking a connection from anybody: over one that
 * is idle, else over the admin pool where that leads to the same server, else over a connection of
 * its own. A pool that is all lent out is therefore busy, and not down.
 *
 * Whoever asks the same while an answer is awaited, or for `cacheMs` after it came, gets the same
 * one: however many ask, the server hears of them only now and then.
 */
export class PoolPing {
  readonly #asked = new Map<string, Asked>();

  constructor(
    private readonly registry: PoolRegistry,
    private readonly cacheMs: number,
  ) {}

  /** @throws what the last way that was tried failed with, within `timeoutMs` */
  ask(name: string, timeoutMs: number): Promise<Pong> {
    this.#forgetOld();
    const question = `${name} within ${timeoutMs} ms`;
    const known = this.#asked.get(question);
    if (known) return known.pong;
    const asked = { pong: this.#ask(this.registry.get(name), timeoutMs), until: Infinity };
    const keep = () => (asked.until = performance.now() + this.cacheMs);
    asked.pong.then(keep, keep);
    this.#asked.set(question, asked);
    return asked.pong;
  }

  #forgetOld(): void {
    const now = performance.now();
    for (const [question, { until }] of this.#asked) {
      if (now >= until) this.#asked.delete(question);
    }
  }

  async #ask(pool: Pool, timeoutMs: number): Promise<Pong> {
    const startedAt = performance.now();
    const remainingMs = () => Math.max(1, Math.ceil(startedAt + timeoutMs - performance.now()));
    // A connection may be dead while the server is well: half of the time is left for another way.
    const halfMs = () => Math.ceil(remainingMs() / 2);
    const pong = (route: PingRoute, role: ServerRole) => ({
      ...role,
      route,
      latencyMs: performance.now() - startedAt,
    });

    const overIdle = await answered(roleOverIdle(pool, halfMs()));
    if (overIdle) return pong('idle connection', overIdle);

    const admin = this.#adminFor(pool);
    const overAdmin = admin && (await answered(roleOver(admin, halfMs())));
    if (overAdmin) return pong('admin pool', overAdmin);

    return pong('probe', await roleOverProbe(pool, remainingMs()));
  }

  /** The admin pool, where it can speak for this pool and is not busy itself. */
  #adminFor(pool: Pool): Pool | undefined {
    if (!this.registry.has(ADMIN) || isLockedOut(pool)) return undefined;
    const admin = this.registry.get(ADMIN);
    const { leased, max } = admin.stats();
    return leased < max && sameServer(admin.address, pool.address) ? admin : undefined;
  }
}

/** Whether the pool cannot connect and has nothing left: then only its own login tells the truth. */
function isLockedOut(pool: Pool): boolean {
  const { health, total, connecting, closing } = pool.stats();
  return health.status === 'failing' && total - connecting - closing === 0;
}

async function roleOver(admin: Pool, limitMs: number): Promise<ServerRole> {
  const until = performance.now() + limitMs;
  const overIdle = roleOverIdle(admin, limitMs);
  if (overIdle) return overIdle;
  // A connection that is new, or has just come home, has proven that the server is there.
  const lease = await admin.acquire({ timeoutMs: limitMs, label: 'health check' });
  lease.release();
  const remainingMs = Math.max(1, Math.ceil(until - performance.now()));
  return (await roleOverIdle(admin, remainingMs)) ?? {};
}

/** Undefined where nobody could be asked, or nobody answered. */
function answered(role: Promise<ServerRole> | undefined): Promise<ServerRole | undefined> {
  return role ? role.catch(() => undefined) : Promise.resolve(undefined);
}
