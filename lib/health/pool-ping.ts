import { Injectable } from '@nestjs/common';
import { ADMIN } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { sameServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool.js';

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
  readonly #underWay = new Map<Pool, Promise<Pong>>();

  constructor(private readonly registry: PoolRegistry) {}

  /**
   * Whoever asks while an answer is awaited gets the same one.
   *
   * @throws what the last way that was tried failed with, within `timeoutMs`
   */
  ask(pool: Pool, timeoutMs: number): Promise<Pong> {
    let answer = this.#underWay.get(pool);
    if (!answer) {
      answer = this.#ask(pool, timeoutMs).finally(() => this.#underWay.delete(pool));
      this.#underWay.set(pool, answer);
    }
    return answer;
  }

  async #ask(pool: Pool, timeoutMs: number): Promise<Pong> {
    const startedAt = performance.now();
    const remainingMs = () => Math.max(1, Math.ceil(startedAt + timeoutMs - performance.now()));
    const pong = (route: PingRoute) => ({ route, latencyMs: performance.now() - startedAt });

    // An idle connection may be dead while the server is well: that leaves time for another way.
    const overIdle = pool.ping(Math.ceil(timeoutMs / 2));
    if (overIdle && (await succeeds(overIdle))) return pong('idle connection');

    const admin = this.#adminFor(pool);
    if (admin && (await succeeds(askOver(admin, Math.ceil(remainingMs() / 2))))) {
      return pong('admin pool');
    }
    await pool.probe(remainingMs());
    return pong('probe');
  }

  #adminFor(pool: Pool): Pool | undefined {
    if (pool.name === ADMIN || !this.registry.has(ADMIN)) return undefined;
    const admin = this.registry.get(ADMIN);
    return sameServer(admin.address, pool.address) ? admin : undefined;
  }
}

async function askOver(admin: Pool, timeoutMs: number): Promise<void> {
  await admin.use((client) => client.query(''), { timeoutMs, label: 'health check' });
}

function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
