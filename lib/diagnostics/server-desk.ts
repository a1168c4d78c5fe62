import { Injectable } from '@nestjs/common';
import { ServerNotAskedError } from '../errors/server-not-asked.error.js';
import { ADMIN } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { sameServer } from '../postgres/options/address.js';
import { withoutAny } from '../postgres/pool/ambient.js';
import { partsOf, Pool } from '../postgres/pool/pool.js';

/** Over which way a server was asked. */
export type ServerRoute = 'admin pool' | 'connection of its own';

/** The one column of a question: JSON, because an application may have parsers for other types. */
interface Answer {
  readonly answer: string;
}

/**
 * Asks the servers behind the pools about their backends, without a connection of the pools that
 * may be in need: over the admin pool, or, where a pool leads to another server than that, over a
 * connection that is opened for the question.
 */
@Injectable()
export class ServerDesk {
  constructor(private readonly registry: PoolRegistry) {}

  /** Every pool that is one; a test may have put something else into the registry. */
  get pools(): Pool[] {
    return [...this.registry].filter((pool) => pool instanceof Pool);
  }

  routeTo(pool: Pool): ServerRoute | undefined {
    const admin = this.#admin;
    if (!admin) return undefined;
    return sameServer(admin.address, pool.address) ? 'admin pool' : 'connection of its own';
  }

  /**
   * Puts a question whose one column is called `answer`, and is JSON as text.
   *
   * @throws ServerNotAskedError within `limitMs`
   */
  async ask<T>(pool: Pool, text: string, values: unknown[], limitMs: number): Promise<T[]> {
    const route = this.routeTo(pool);
    if (!route) throw new ServerNotAskedError(pool.name);
    try {
      const rows =
        route === 'admin pool'
          ? await askOver(this.#admin!, text, values, limitMs)
          : await partsOf(pool).probe.rows<Answer>(text, values, limitMs);
      return rows.map(({ answer }) => JSON.parse(answer) as T);
    } catch (error) {
      throw new ServerNotAskedError(pool.name, error);
    }
  }

  get #admin(): Pool | undefined {
    return this.pools.find(({ name }) => name === ADMIN);
  }
}

/** Whoever asks from within a transaction asks beside it. */
function askOver(admin: Pool, text: string, values: unknown[], limitMs: number): Promise<Answer[]> {
  const endAt = performance.now() + limitMs;
  return withoutAny(async () => {
    await using client = await admin.acquire({ timeoutMs: limitMs, label: 'PoolDiagnostics' });
    const timeoutMs = Math.max(1, Math.ceil(endAt - performance.now()));
    const { rows } = await client.query<Answer>({ text, values, timeoutMs });
    return rows;
  });
}
