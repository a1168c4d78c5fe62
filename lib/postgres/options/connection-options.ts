import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { ClientConfig, CustomTypesConfig } from 'pg';

/** A whole number; as a string when it comes from the environment: `10` or `'10'`. */
export type NumberOption = number | string | undefined;

/** A switch; as a string when it comes from the environment: `true` or `'true'`. */
export type BooleanOption = boolean | string | undefined;

/**
 * Where the database is, how to log in, and how the session starts: what `pg.Client` takes, under
 * pg's own names. Whatever is left out comes from libpq's `PG*` environment variables, as in pg.
 */
export interface ConnectionOptions {
  /**
   * Address and login in one URL: `postgres://user:password@host:5432/database?sslmode=verify-full`.
   * A part that it leaves out may be given by its own option; giving a part twice is an error,
   * because pg would silently prefer the URL.
   *
   * The key must not be there without a value: pg would silently connect to localhost.
   */
  connectionString?: string | undefined;

  /** Host name, IP address, or directory of a Unix socket. Default: `PGHOST`, else localhost. */
  host?: string | undefined;

  /** TCP port, 1 to 65535. Default: `PGPORT`, else 5432. */
  port?: NumberOption;

  /** Role to log in as. Default: `PGUSER`, else the name of the operating system's user. */
  user?: string | undefined;

  /**
   * Password, or a function that is asked for one at each new connection (rotating passwords, IAM
   * tokens). Default: `PGPASSWORD`. Never shown in messages, logs or `util.inspect()`.
   */
  password?: string | (() => string | Promise<string>) | undefined;

  /** Database to connect to. Default: `PGDATABASE`, else the name of the user. */
  database?: string | undefined;

  /**
   * TLS: `true` verifies the server against the system's authorities, an object is passed to
   * Node's `tls.connect`, `'no-verify'` encrypts without knowing to whom. Default: `PGSSLMODE`,
   * else off. The strings `'true'` and `'false'` are understood (pg takes `'false'` for on).
   */
  ssl?: boolean | string | TlsOptions | undefined;

  /** How the TLS handshake starts. `'direct'` saves a round trip; PostgreSQL 17 and later. */
  sslnegotiation?: ClientConfig['sslnegotiation'];

  /** Ties the login to the TLS channel (SCRAM-SHA-256-PLUS) where the server offers it. Default: false. */
  enableChannelBinding?: BooleanOption;

  /**
   * Most iterations that a server's SCRAM challenge may ask for, at least 1: protects the process
   * from a hostile server that keeps it busy. Default: pg's own limit.
   */
  scramMaxIterations?: NumberOption;

  /**
   * Name of the application in `pg_stat_activity` and in the server's log. Default: `PGAPPNAME`,
   * else, for pools of the module, `service:pool:instance`.
   */
  applicationName?: string | undefined;

  /** Name of the application where nothing else gives one. */
  fallback_application_name?: string | undefined;

  /** Command-line options for the session, for example `-c search_path=app`. Default: `PGOPTIONS`. */
  options?: string | undefined;

  /**
   * The server's own limit of a statement in milliseconds, minimum 0. 0 or `false`: the server's
   * setting applies. Default: none of its own, see `statementTimeoutMs`.
   *
   * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
   */
  statement_timeout?: NumberOption | false;

  /**
   * Milliseconds that a statement may wait for a lock, minimum 0. 0 or `false` (default): the
   * server's setting applies.
   *
   * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
   */
  lock_timeout?: NumberOption | false;

  /**
   * Milliseconds after which the server ends a session that sits idle inside a transaction (25P03),
   * minimum 0. 0 or `false` (default): the server's setting applies.
   *
   * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT
   */
  idle_in_transaction_session_timeout?: NumberOption | false;

  /** Encoding of the session. Default: `PGCLIENTENCODING`, else UTF-8. */
  client_encoding?: string | undefined;

  /**
   * TCP keepalive on the socket. Default: true, unlike in pg: it finds a peer that is gone while a
   * statement runs. `keepaliveMs` does the same for idle connections, through every proxy.
   */
  keepAlive?: BooleanOption;

  /** Milliseconds before the first TCP keepalive probe. 0 (default): the operating system's own. */
  keepAliveInitialDelayMillis?: NumberOption;

  /** Type parsers of these connections, instead of pg's global ones. */
  types?: CustomTypesConfig | undefined;

  /** Ask for results in the binary format. Default: false. */
  binary?: BooleanOption;

  /** Send statements without waiting for the one before (pg's pipeline mode). Default: false. */
  pipeline?: BooleanOption;

  /** Opens replication sessions instead of usual ones: `'true'` or `'database'`. */
  replication?: string | undefined;

  /** Makes the socket, for tunnels and tests. Default: pg's own. */
  stream?: ClientConfig['stream'];

  /** Promise implementation of the clients; pg warns that this goes away in pg 9. */
  Promise?: PromiseConstructorLike | undefined;
}
