import { Injectable } from '@nestjs/common';
import { ADMIN } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { sameServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';

/** Over which way the server was asked. */
export type PingRoute = 'idle connection' | 'admin pool' | 'probe';

export interface Pong {
  readonly route: PingRoute;
  readonly latencyMs: number;
}

/**
 * Asks a pool's server for a sign of life without taking a connection from anybody: over one that
 * is idle, else over the admin pool where that leads to the same server, else over a connection of
 * its own. A pool that is all lent out is therefore busy, and not down.
 */
@Injectable()
export class PoolPing {
  readonly #underWay = new Map<string, Promise<Pong>>();

  constructor(private readonly registry: PoolRegistry) {}

  /**
   * Whoever asks the same while an answer is awaited gets the same one.
   *
   * @throws what the last way that was tried failed with, within `timeoutMs`
   */
  ask(name: string, timeoutMs: number): Promise<Pong> {
    const question = `${name} within ${timeoutMs} ms`;
    let answer = this.#underWay.get(question);
    if (!answer) {
      const forget = () => this.#underWay.delete(question);
      answer = this.#ask(this.registry.get(name), timeoutMs).finally(forget);
      this.#underWay.set(question, answer);
    }
    return answer;
  }

  async #ask(pool: Pool, timeoutMs: number): Promise<Pong> {
    const startedAt = performance.now();
    const remainingMs = () => Math.max(1, Math.ceil(startedAt + timeoutMs - performance.now()));
    // A connection may be dead while the server is well: half of the time is left for another way.
    const halfMs = () => Math.ceil(remainingMs() / 2);
    const pong = (route: PingRoute) => ({ route, latencyMs: performance.now() - startedAt });

    const overIdle = pool.ping(halfMs());
    if (overIdle && (await succeeds(overIdle))) return pong('idle connection');

    const admin = this.#adminFor(pool);
    if (admin && (await succeeds(askOver(admin, halfMs())))) return pong('admin pool');

    await pool.probe(remainingMs());
    return pong('probe');
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

async function askOver(admin: Pool, limitMs: number): Promise<void> {
  const overIdle = admin.ping(limitMs);
  if (overIdle) return overIdle;
  // A connection that is new, or has just come home, has proven that the server is there.
  const lease = await admin.acquire({ timeoutMs: limitMs, label: 'health check' });
  lease.release();
}

function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
