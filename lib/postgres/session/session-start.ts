import type { SessionFeature } from '../../errors/session-feature.error.js';
import type { ConnectionConfig } from '../options/connection-config.js';
import { withConnectionSettings } from '../options/connection-config.js';
import { limitSettings, withoutLimits } from '../options/limit-settings.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import { probePooler, type PoolerFindings } from './pooler-probe.js';
import type { PostgresSession } from './postgres-session.js';
import type { RotatingPassword } from './rotating-password.js';
import { TransactionPooler } from './transaction-pooler.js';

/** For so long what one session has found out holds for those that are opened after it. */
const FINDINGS_LAST_MS = 60_000;

const REFUSED_LIMIT =
  /unsupported startup parameter: *(?:statement_timeout|lock_timeout|idle_in_transaction_session_timeout)/;

/** What a new session begins with, beside the application's own settings. */
export class SessionStart {
  readonly #plain: ConnectionConfig;
  readonly #limited: ConnectionConfig;
  /** Without any limit: what a pooler takes. */
  readonly #bare: ConnectionConfig;
  #isLimitRefused = false;
  #isPoolerKnown = false;
  #pooler: { readonly is: TransactionPooler | undefined; readonly until: number } | undefined;
  readonly #told = new Set<string>();

  /** @param warn told what somebody should know, once */
  constructor(
    private readonly options: ResolvedPoolOptions,
    password: RotatingPassword | undefined,
    private readonly warn: (sentence: string) => void,
  ) {
    const { connection, statementTimeoutMs } = options;
    this.#plain = password
      ? withConnectionSettings(connection, { password: password.provide })
      : connection;
    const isOurs = connection.statement_timeout === undefined && statementTimeoutMs > 0;
    this.#limited = isOurs
      ? withConnectionSettings(this.#plain, { statement_timeout: statementTimeoutMs })
      : this.#plain;
    this.#bare = options.pooler === 'none' ? this.#plain : withoutLimits(this.#plain);
  }

  /** What `pg.Client` is made with. */
  get config(): ConnectionConfig {
    const isNamed = this.options.pooler.startsWith('pgbouncer');
    if (isNamed || this.#isPoolerKnown) return this.#bare;
    return this.#isLimitRefused ? this.#plain : this.#limited;
  }

  /**
   * Whether another attempt may go through where one with `config` ended so: PgBouncer refuses
   * `statement_timeout` at the start of a session, which pg.Pool would not have asked for. From
   * then on the pool's own limit of statements is the only one, unless `pooler` says that a pooler
   * may be there: then transactions are told all limits.
   */
  learnsFrom(error: unknown, config: ConnectionConfig): boolean {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    const refused = code === '08P01' && typeof message === 'string' && REFUSED_LIMIT.test(message);
    if (!refused) return false;
    // Attempts run side by side: what this one was made with counts, not what is known by now.
    if (this.options.pooler === 'auto') {
      this.#isPoolerKnown = true;
      return config !== this.#bare;
    }
    if (config === this.#plain || !message.includes('statement_timeout')) return false;
    this.#isLimitRefused = true;
    return true;
  }

  /**
   * Lets a session that has just been let in know what it stands behind.
   *
   * @throws the error of the connection
   */
  async meet(session: PostgresSession): Promise<void> {
    const { pooler } = this.options;
    if (pooler === 'none') return;
    session.isBehindPooler = pooler !== 'auto';
    if (pooler === 'pgbouncer-session') return;
    if (!this.#pooler || this.#pooler.until < performance.now()) await this.#probe(session);
    session.pooler = this.#pooler?.is;
    session.isBehindPooler = session.pooler !== undefined;
  }

  async #probe(session: PostgresSession): Promise<void> {
    const findings = await probePooler(session.client);
    // Whoever answers itself has told another process id at the login than the backend's.
    const { processID } = session.client as { processID?: unknown };
    const isPooled = findings.backend !== undefined && findings.backend !== processID;
    const is = isPooled || this.options.pooler !== 'auto' ? this.#poolerWith(findings) : undefined;
    this.#isPoolerKnown = is !== undefined;
    this.#pooler = { is, until: performance.now() + FINDINGS_LAST_MS };
    if (is && this.options.pooler === 'auto') this.#tellRecognised();
  }

  #poolerWith({ keepsNames }: PoolerFindings): TransactionPooler {
    const { name, connection, statementTimeoutMs, pooler } = this.options;
    const limits = limitSettings(connection, statementTimeoutMs);
    // Whether it is in transaction mode is not known where nobody has said so.
    const suspect =
      pooler === 'auto' ? (feature: SessionFeature) => this.#doubt(feature) : undefined;
    return new TransactionPooler({ pool: name, limits, keepsNames, suspect });
  }

  #tellRecognised(): void {
    const { initSql, onConnect, reset } = this.options;
    const state = [
      ...(reset === 'none' ? [] : ['reset']),
      ...(initSql.length === 0 ? [] : ['initSql']),
      ...(onConnect ? ['onConnect'] : []),
    ];
    this.#tell(
      'a pooler stands before the server, and is taken for PgBouncer in transaction mode; say' +
        " pooler: 'pgbouncer-transaction', or 'pgbouncer-session' if it is in session mode",
    );
    if (state.length === 0) return;
    this.#tell(
      `${state.join(', ')} may be of no use behind the pooler: in transaction mode they reach a` +
        ' server connection that goes to somebody else; use ALTER ROLE ... SET',
    );
  }

  #doubt(feature: SessionFeature): void {
    this.#tell(
      `${feature} was used behind a pooler: in transaction mode it reaches a server connection that` +
        " goes to somebody else; pooler: 'pgbouncer-transaction' refuses it," +
        " 'pgbouncer-session' says that it is safe",
    );
  }

  #tell(sentence: string): void {
    if (this.#told.has(sentence)) return;
    this.#told.add(sentence);
    this.warn(sentence);
  }
}
