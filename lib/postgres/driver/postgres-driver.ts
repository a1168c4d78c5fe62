import pg from 'pg';
import type { Client, ClientBase, ClientConfig } from 'pg';
import type { Driver, LastUse, OpenRequest } from '../../engine/driver.js';
import { systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';
import { ConnectionLostError } from '../../errors/connection-lost.error.js';
import { TimeLimitError } from '../../errors/time-limit.error.js';
import { WrongServerRoleError } from '../../errors/wrong-server-role.error.js';
import { namedLoss } from '../session/connection-loss.js';
import { isPermanentConnectError, judge, judgeConnection } from './error-rules.js';
import { HostOrder } from './host-order.js';
import { HostRace } from './host-race.js';
import { type ConnectionConfig, withConnectionSettings } from '../options/connection-config.js';
import type { HostAddress } from '../options/host-list.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import type { ServerRole } from '../options/server-choice.js';
import { PostgresSession } from '../session/postgres-session.js';
import type { SessionStart } from '../session/session-start.js';
import { type RecyclerEvents, SessionRecycler } from '../session/session-recycler.js';
import { foundRole } from '../session/found-role.js';

/** What servers answer that speak the protocol and know no LISTEN. */
const UNDEFINED_FUNCTION = '42883';

const LISTENS = 'SELECT 1 FROM pg_listening_channels() LIMIT 1';

/** What the driver asks its pool to do. */
export interface DriverEvents extends RecyclerEvents {
  /** A client is connected and initialised; listeners may still send statements of their own. */
  connected(session: PostgresSession): void;
  /** The connection reported an error that belongs to no statement. */
  failed(session: PostgresSession, error: unknown): void;
  /** A statement of a borrower ended with an error. */
  statementFailed(error: unknown): void;
}

/** Opens, checks, cleans and closes PostgreSQL sessions for the engine. */
export class PostgresDriver implements Driver<PostgresSession> {
  readonly #Client: new (config: ClientConfig) => ClientBase;
  readonly #recycler: SessionRecycler;
  readonly #order: HostOrder;

  constructor(
    private readonly options: ResolvedPoolOptions,
    private readonly start: SessionStart,
    private readonly events: DriverEvents,
    follows?: () => HostAddress,
  ) {
    this.#Client = options.Client ?? pg.Client;
    this.#recycler = new SessionRecycler(options, events);
    this.#order = new HostOrder(options, follows);
  }

  async open({ signal, lost }: OpenRequest): Promise<PostgresSession> {
    const reached = await this.#reach(signal, this.options.role);
    const session = await this.#guarded(reached, signal, () => this.#initialise(reached));
    session.judgeBy((error, by) => {
      if (by === 'statement') this.events.statementFailed(error);
      const judged = by === 'connection' ? judgeConnection : judge;
      const verdict = judged(error, this.options.evictOn);
      if (verdict !== 'keep') lost(error, verdict.close);
    });
    session.client.on('end', () => {
      lost(new ConnectionLostError(this.options.name, session.failure), 'suspect others');
    });
    return session;
  }

  /**
   * Opens a session beside the pool's: nobody initialises it, and no event tells of it.
   *
   * @param wanted what the server has to be
   */
  openBeside(signal: AbortSignal, wanted = this.options.role): Promise<PostgresSession> {
    return this.#reach(signal, wanted);
  }

  /** The host that the newest connection leads to, of several; undefined before the first one. */
  get currentHost(): HostAddress | undefined {
    return this.#order.right;
  }

  /** Logs in at the first host that is what the pool wants. */
  async #reach(signal: AbortSignal, wanted: ServerRole | undefined): Promise<PostgresSession> {
    const { name, hosts } = this.options;
    if (hosts.length === 1) return this.#logIn(undefined, signal, wanted);
    const race = new HostRace<{ session: PostgresSession; host: HostAddress }>({
      pool: name,
      hosts: this.#order.next(),
      attempt: async (host, stop) => ({ session: await this.#logIn(host, stop, wanted), host }),
      discard: ({ session }) => void session.destroy(),
    });
    const { session, host } = await race.run(signal);
    this.#order.wasRight(host);
    return session;
  }

  /** @param host undefined: where node-postgres leads */
  async #logIn(
    host: HostAddress | undefined,
    signal: AbortSignal,
    wanted: ServerRole | undefined,
  ): Promise<PostgresSession> {
    const { config } = this.start;
    const session = this.#newSession(host ? withConnectionSettings(config, host) : config);
    try {
      return await this.#guarded(session, signal, async () => {
        await connect(session.client);
        session.connected();
        if (isAsked(wanted)) await this.#refuseOtherThan(wanted, session);
      });
    } catch (error) {
      if (this.start.learnsFrom(error, config)) return await this.#logIn(host, signal, wanted);
      throw error;
    }
  }

  /** A session that is no use for anything when `work` fails, or the signal fires. */
  async #guarded(
    session: PostgresSession,
    signal: AbortSignal,
    work: () => Promise<void>,
  ): Promise<PostgresSession> {
    const abandon = () => void session.destroy();
    signal.addEventListener('abort', abandon, { once: true });
    try {
      signal.throwIfAborted();
      await work();
      // It may be told its end in the same breath in which it is let in, and the socket stay open.
      if (session.hasEnded || session.failure !== undefined) {
        throw new ConnectionLostError(this.options.name, session.failure);
      }
      signal.throwIfAborted();
      return session;
    } catch (error) {
      await session.destroy();
      signal.throwIfAborted();
      // Who asked for pg-pool's way gets node-postgres' own error.
      const asItIs = this.options.onConnectError === 'reject';
      throw asItIs ? error : namedLoss(this.options.name, error);
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  #newSession(config: ConnectionConfig): PostgresSession {
    const { closeTimeoutMs, validationTimeoutMs, connection } = this.options;
    return new PostgresSession(new this.#Client(config) as Client, {
      cancelLimitMs: closeTimeoutMs,
      answerLimitMs: validationTimeoutMs,
      stream: connection.stream,
    });
  }

  /** @throws WrongServerRoleError */
  async #refuseOtherThan(
    wanted: 'primary' | 'replica',
    { client }: PostgresSession,
  ): Promise<void> {
    const found = await foundRole(client);
    if (found === undefined || found === wanted) return;
    const { host, port } = client;
    throw new WrongServerRoleError(this.options.name, { host, port, found, wanted });
  }

  async check(session: PostgresSession): Promise<void> {
    const { role } = this.options;
    if (isAsked(role)) await this.#refuseStandIn(role, session);
    // The empty query: a round trip that neither parses nor plans anything.
    else await session.client.query('');
  }

  /**
   * A server that became a replica, or is one no longer. One that is read-only for a while is kept,
   * so that reads go on.
   */
  async #refuseStandIn(wanted: 'primary' | 'replica', { client }: PostgresSession): Promise<void> {
    const found = await foundRole(client);
    if (found === undefined || (found === 'replica') === (wanted === 'replica')) return;
    const { host, port } = client;
    throw new WrongServerRoleError(this.options.name, { host, port, found, wanted });
  }

  recycle(session: PostgresSession): Promise<void> | undefined {
    return this.#recycler.recycle(session);
  }

  async close(session: PostgresSession): Promise<void> {
    if (!session.isQuiet) {
      // A goodbye would wait behind a running statement, and a closed socket would not stop it.
      session.cancel();
      await session.whenQuiet();
    }
    await session.client.end();
  }

  destroy(session: PostgresSession): Promise<void> {
    return session.destroy();
  }

  /**
   * A session that ran LISTEN belongs to whoever hears its notifications, by whatever way. Only the
   * server knows: LISTEN may have been run by a function, or by a borrower before.
   */
  async lastUseOf(session: PostgresSession): Promise<LastUse> {
    if (session.hasEnded) return 'nothing';
    if (!session.isQuiet) return 'work';
    // Nobody can commit it any more.
    if (session.transactionStatus !== 'I') await session.run('ROLLBACK');
    try {
      const { rowCount } = await session.run(LISTENS);
      return rowCount === 0 ? 'nothing' : 'a listener';
    } catch (error) {
      if ((error as { code?: unknown }).code === UNDEFINED_FUNCTION) return 'nothing';
      throw error;
    }
  }

  isPermanent(error: unknown, failures: number): boolean {
    return isPermanentConnectError(error, failures);
  }

  setIdle({ client }: PostgresSession, idle: boolean): void {
    const socket = client as Client & { ref(): void; unref(): void };
    if (idle) socket.unref();
    else socket.ref();
  }

  async #initialise(session: PostgresSession): Promise<void> {
    const { name, initTimeoutMs } = this.options;
    const late = () => new TimeLimitError(name, 'init', initTimeoutMs);
    await within(systemDeadlines, initTimeoutMs, this.#setUp(session), late);
  }

  async #setUp(session: PostgresSession): Promise<void> {
    const { client } = session;
    const { initSql, onConnect, verify } = this.options;
    await this.start.meet(session);
    for (const statement of initSql) await client.query(statement);
    await onConnect?.(client);
    if (verify) {
      await new Promise<void>((resolve, reject) => {
        verify(client as never, (error) => (error ? reject(error) : resolve()));
      });
    }
    client.on('error', (error: unknown) => this.events.failed(session, error));
    this.events.connected(session);
    await session.whenQuiet();
  }
}

function isAsked(role: ServerRole | undefined): role is 'primary' | 'replica' {
  return role === 'primary' || role === 'replica';
}

/** With a callback, because that is what every client knows, whatever it is made of. */
function connect(client: ClientBase): Promise<void> {
  return new Promise((resolve, reject) => {
    client.connect((error?: Error | null) => (error ? reject(error) : resolve()));
  });
}
