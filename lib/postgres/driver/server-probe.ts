import type { Client, QueryResultRow } from 'pg';
import { systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';
import { TimeLimitError } from '../../errors/time-limit.error.js';
import { WrongServerRoleError } from '../../errors/wrong-server-role.error.js';
import type { PostgresDriver } from './postgres-driver.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { readServerRole, type ServerRole } from '../session/server-role.js';

/** Asks the server over connections beside the pool's. */
export class ServerProbe {
  #ping: Promise<void> | undefined;

  constructor(
    private readonly pool: string,
    private readonly driver: PostgresDriver,
  ) {}

  /**
   * One at a time for all who ask.
   *
   * @throws what connecting throws, or TimeLimitError after `timeoutMs`
   */
  ping(timeoutMs: number): Promise<void> {
    this.#ping ??= this.#ask(timeoutMs, (session) => this.driver.check(session)).finally(
      () => (this.#ping = undefined),
    );
    return this.#ping;
  }

  /**
   * What the server is, on a connection of this question's own.
   *
   * @throws as {@link ping} does, and the reason of the signal
   */
  role(timeoutMs: number, signal?: AbortSignal): Promise<ServerRole> {
    return this.#ask(timeoutMs, ({ client }) => readServerRole(client), { signal });
  }

  /** Whether a connection that is opened now could write: of several hosts, to any of them. */
  async canWrite(timeoutMs: number): Promise<boolean> {
    try {
      await this.#ask(timeoutMs, () => Promise.resolve(), { wanted: 'primary' });
      return true;
    } catch (error) {
      if (error instanceof WrongServerRoleError) return false;
      throw error;
    }
  }

  /** The rows that a statement gives on a connection that is opened now. */
  rows<Row extends QueryResultRow>(
    statement: string,
    values: unknown[],
    timeoutMs: number,
  ): Promise<Row[]> {
    return this.answer(timeoutMs, async (client) => {
      const { rows } = await client.query<Row>(statement, values);
      return rows;
    });
  }

  /** What a question finds out over a connection that is opened now. @throws as {@link ping} does */
  answer<T>(timeoutMs: number, question: (client: Client) => Promise<T>): Promise<T> {
    return this.#ask(timeoutMs, ({ client }) => question(client));
  }

  /**
   * A session that the caller keeps, and ends.
   *
   * @throws as {@link ping} does
   */
  async open(timeoutMs: number): Promise<PostgresSession> {
    const attempt = new AbortController();
    const late = () => new TimeLimitError(this.pool, 'ping', timeoutMs);
    try {
      const opening = this.driver.openBeside(attempt.signal);
      return await within(systemDeadlines, timeoutMs, opening, late);
    } catch (error) {
      attempt.abort(error);
      throw error;
    }
  }

  async #ask<T>(
    timeoutMs: number,
    ask: (session: PostgresSession) => Promise<T>,
    { wanted, signal }: { wanted?: 'primary'; signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const attempt = new AbortController();
    const abort = () => attempt.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const late = () => new TimeLimitError(this.pool, 'ping', timeoutMs);
    const answer = this.driver
      .openBeside(attempt.signal, wanted)
      .then((session) => ask(session).finally(() => void session.destroy()));
    try {
      return await within(systemDeadlines, timeoutMs, answer, late);
    } finally {
      signal?.removeEventListener('abort', abort);
      attempt.abort(late());
    }
  }
}
