import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { QueryResultRow } from 'pg';
import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import { sleep } from '../../support/sleep.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { BackendWatch } from './backend-watch.js';
import { ConnectMeter } from './connect-meter.js';
import type { Subject, SubjectOptions } from './subject.js';

const GOODBYE_MS = 500;

/** All that one run of a scenario has: a server, a proxy before it, and pools of the subject. */
export class TestBed implements AsyncDisposable {
  /** Tells this run's sessions from all others at the server. */
  readonly applicationName = `faults_${randomBytes(4).toString('hex')}`;
  readonly meter = new ConnectMeter();
  /** Errors of connections that nobody listened to: each of them ends a process. */
  unheardErrors = 0;
  readonly #pools: pg.Pool[] = [];
  readonly #watches: BackendWatch[] = [];

  private constructor(
    readonly subject: Subject,
    readonly server: PostgresServer,
    readonly proxy: TcpProxy,
  ) {}

  static async open(subject: Subject, server: PostgresServer): Promise<TestBed> {
    return new TestBed(subject, server, await TcpProxy.to(server));
  }

  /** A bed of its own on the same server, for what must not share a proxy. */
  another(): Promise<TestBed> {
    return TestBed.open(this.subject, this.server);
  }

  /** A pool that connects through the proxy. */
  pool(options: SubjectOptions = {}): pg.Pool {
    const pool = this.subject.open({
      connectionString: this.server.connectionString({ via: this.proxy }),
      applicationName: this.applicationName,
      stream: this.meter.stream,
      ...options,
    });
    // As the documentation of pg.Pool asks for.
    pool.on('error', () => {});
    pool.on('connect', (client) => {
      client.on('error', () => {
        if (client.listenerCount('error') === 1) this.unheardErrors += 1;
      });
    });
    this.#pools.push(pool);
    return pool;
  }

  /** Watches this run's sessions at the server. */
  async watch(): Promise<BackendWatch> {
    const watch = await BackendWatch.open(this.server.connectionString(), this.applicationName);
    this.#watches.push(watch);
    return watch;
  }

  /** One statement beside the pools. */
  ask<R extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    return this.server.query<R>(sql, values).then(({ rows }) => rows);
  }

  /** The backends of this run, oldest first. */
  async backends(): Promise<number[]> {
    const rows = await this.ask<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY backend_start',
      [this.applicationName],
    );
    return rows.map(({ pid }) => pid);
  }

  /** Ends all of this run's sessions at the server, and waits until they are gone. */
  async terminateAll(): Promise<void> {
    await this.ask(
      'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1',
      [this.applicationName],
    );
  }

  /** The connections that have all been ended are gone for the pool as soon as it has read so. */
  async hasHeard(): Promise<void> {
    while (this.meter.open > 0) await sleep(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
    const ends = this.#pools.map((pool) => endOf(pool));
    await this.proxy.close();
    // Some pools wait for ever for a connection that never came home.
    await Promise.race([Promise.all(ends), sleep(GOODBYE_MS)]);
  }
}

async function endOf(pool: pg.Pool & { drain?: (timeoutMs: number) => Promise<unknown> }) {
  if (pool.ending) return;
  await (pool.drain ? pool.drain(0) : pool.end());
}
