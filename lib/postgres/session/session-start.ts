import type { ConnectionConfig } from '../options/connection-config.js';
import { withConnectionSettings } from '../options/connection-config.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import type { RotatingPassword } from './rotating-password.js';

/** What a new session begins with, beside the application's own settings. */
export class SessionStart {
  readonly #plain: ConnectionConfig;
  readonly #limited: ConnectionConfig;
  #isLimitRefused = false;

  constructor(
    { connection, statementTimeoutMs }: ResolvedPoolOptions,
    password: RotatingPassword | undefined,
  ) {
    this.#plain = password
      ? withConnectionSettings(connection, { password: password.provide })
      : connection;
    const isOurs = connection.statement_timeout === undefined && statementTimeoutMs > 0;
    this.#limited = isOurs
      ? withConnectionSettings(this.#plain, { statement_timeout: statementTimeoutMs })
      : this.#plain;
  }

  /** What `pg.Client` is made with. */
  get config(): ConnectionConfig {
    return this.#isLimitRefused ? this.#plain : this.#limited;
  }

  /**
   * Whether another attempt may go through where one with `config` ended so: PgBouncer refuses
   * `statement_timeout` at the start of a session, which pg.Pool would not have asked for. From
   * then on the pool's own limit of statements is the only one.
   */
  learnsFrom(error: unknown, config: ConnectionConfig): boolean {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    const isRefusal =
      code === '08P01' &&
      typeof message === 'string' &&
      /unsupported startup parameter: *statement_timeout/.test(message);
    // Attempts run side by side: what this one was made with counts, not what is known by now.
    if (!isRefusal || config === this.#plain) return false;
    this.#isLimitRefused = true;
    return true;
  }
}
