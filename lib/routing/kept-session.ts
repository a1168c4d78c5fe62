import type { QueryResultRow } from 'pg';
import { outsideUserContext } from '../engine/outside-user-context.js';
import { systemDeadlines } from '../engine/system-clock.js';
import { within } from '../engine/within.js';
import { TimeLimitError } from '../errors/time-limit.error.js';
import type { PoolProbe } from '../postgres/pool/pool-parts.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';

/**
 * One session beside a pool's, kept to ask its server over. Opened with the first question, and anew
 * with the next one when it was lost. It keeps no process alive.
 */
export class KeptSession {
  #opening: Promise<PostgresSession> | undefined;

  constructor(
    private readonly pool: string,
    private readonly probe: () => PoolProbe,
    /** Told when it ended by itself. */
    private readonly lost: () => void,
  ) {}

  /**
   * The one row that a statement gives.
   *
   * @throws what connecting throws, the server's error, TimeLimitError after `limitMs`
   */
  async ask<Row extends QueryResultRow>(statement: string, limitMs: number): Promise<Row> {
    const opening = (this.#opening ??= outsideUserContext(() => this.#open(limitMs)));
    try {
      const session = await opening;
      const late = () => new TimeLimitError(this.pool, 'ping', limitMs);
      const { rows } = await within(systemDeadlines, limitMs, session.run<Row>(statement), late);
      return rows[0]!;
    } catch (error) {
      if (this.#opening === opening) this.end();
      throw error;
    }
  }

  /** Closes it; the next question opens another one. */
  end(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.then(
      (session) => session.destroy(),
      () => {},
    );
  }

  async #open(limitMs: number): Promise<PostgresSession> {
    const session = await this.probe().open(limitMs);
    // A client of another make need not have it.
    (session.client as { unref?: () => void }).unref?.();
    session.client.on('end', () => this.#ended(session));
    return session;
  }

  /** Another one may be open, or under way, by now: whoever asks over that is told how it goes. */
  #ended(session: PostgresSession): void {
    this.#opening?.then(
      (current) => {
        if (current !== session) return;
        this.#opening = undefined;
        this.lost();
      },
      () => {},
    );
  }
}
