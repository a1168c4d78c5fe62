import { Body, Controller, Get, type INestApplication, Post } from '@nestjs/common';
import {
  InjectPool,
  Pool,
  PoolModule,
  PoolRegistry,
  type PoolOptions,
  ReadOnly,
  ReplicaPool,
  readYourWrites,
  Transactional,
} from '../../../lib/index.js';
import { startApplication } from '../../integration/nest/support/application.js';
import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import { Replicated } from '../../support/postgres/replicated.js';

/** What a read has found, and at which server. */
export interface Found {
  readonly value: number;
  readonly port: number;
}

const FIND = `
  SELECT coalesce((SELECT max(value) FROM versions WHERE id = $1), 0) AS value,
         current_setting('port')::int AS port`;

/** Writes on the primary, and reads from the replica pool, in each of the ways there are. */
@Controller()
export class Versions {
  /** The numbers for which a transaction was begun, as often as it was. */
  readonly begun: number[] = [];

  constructor(
    @InjectPool() private readonly primary: Pool,
    @InjectPool('replica') private readonly replica: Pool,
    private readonly registry: PoolRegistry,
  ) {}

  /** Notes a number, and nothing keeps it from being there twice. */
  @Transactional()
  async write(n: number): Promise<void> {
    this.begun.push(n);
    await this.primary.query('INSERT INTO written VALUES ($1)', [n]);
  }

  /** Waits for the standby as every commit does, so that one value follows the other. */
  @Transactional()
  async put(id: number, value: number): Promise<void> {
    await this.primary.query('INSERT INTO versions VALUES ($1, $2)', [id, value]);
  }

  find(id: number): Promise<Found> {
    return rowOf(this.replica, id);
  }

  findByRegistry(id: number): Promise<Found> {
    return rowOf(this.registry.read(), id);
  }

  @ReadOnly()
  findRouted(id: number): Promise<Found> {
    return rowOf(this.primary, id);
  }

  @Post()
  async post(@Body() { id, value }: { id: number; value: number }): Promise<void> {
    await this.put(id, value);
  }

  @Get()
  async get(): Promise<Found> {
    return await this.find(1);
  }
}

async function rowOf(pool: Pool, id: number): Promise<Found> {
  const { rows } = await pool.query<Found & { [column: string]: unknown }>(FIND, [id]);
  return rows[0]!;
}

/** A primary with two standbys, and an application that knows all three as hosts of both pools. */
export class RoutedApplication implements AsyncDisposable {
  static async start(ofReplica: PoolOptions = {}): Promise<RoutedApplication> {
    const servers = await Replicated.start();
    try {
      await servers.primary.query(`
        CREATE TABLE written (n integer);
        CREATE TABLE versions (id integer, value integer)`);
      // What is acknowledged is at one of the standbys at least.
      const names = servers.standbys.map((_, index) => `standby_${index + 1}`);
      await servers.primary.setSettings({ synchronous_standby_names: `ANY 1 (${names.join()})` });
      await servers.settle();
      const { username: user, password } = new URL(servers.primary.connectionString());
      const hosts = [servers.primary, ...servers.standbys].map(({ host, port }) => ({
        host,
        port,
      }));
      const application = await startApplication({
        imports: [
          PoolModule.forRoot({
            pools: {
              primary: { hosts, user, password, database: 'postgres', max: 5, ...PATIENT },
              replica: { role: 'replica', ...PATIENT, ...ofReplica },
            },
            causalToken: { secret: 'a secret of a test, which is long enough', maxAgeMs: 600_000 },
          }),
        ],
        controllers: [Versions],
      });
      return new RoutedApplication(servers, application);
    } catch (error) {
      await servers.remove();
      throw error;
    }
  }

  private constructor(
    private readonly servers: Replicated,
    readonly application: INestApplication,
  ) {}

  get old(): PostgresServer {
    return this.servers.primary;
  }

  get standbys(): readonly PostgresServer[] {
    return this.servers.standbys;
  }

  get versions(): Versions {
    return this.application.get(Versions);
  }

  get primary(): Pool {
    return this.application.get(PoolRegistry).get('primary');
  }

  get replica(): ReplicaPool {
    return this.application.get(PoolRegistry).get('replica') as ReplicaPool;
  }

  /** How the replica pool sees a server: `in`, or why no reads go to it. */
  stateOf({ port }: PostgresServer): string {
    const { state, reason } = this.replica.replicas().find((each) => each.port === port)!;
    return reason ?? state;
  }

  /** Connections that are lent, and those who wait for one, of all pools. */
  get busy(): number {
    const pools = [...this.application.get(PoolRegistry)];
    return pools.reduce((sum, pool) => sum + pool.stats().leased + pool.stats().waiting, 0);
  }

  /**
   * The standbys of a primary that is gone, that which has received most first: the others can
   * follow it, and what one of them has acknowledged is on it.
   */
  async furthestFirst(): Promise<[PostgresServer, PostgresServer]> {
    const ends = await Promise.all(this.standbys.map((standby) => receivedBy(standby)));
    const [first, second] = this.standbys as [PostgresServer, PostgresServer];
    return ends[0]! >= ends[1]! ? [first, second] : [second, first];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.application.close();
    await this.servers.remove();
  }
}

/** Whoever waits for the new primary is served by it, however long the servers take. */
const PATIENT: PoolOptions = { acquireTimeoutMs: 60_000 };

/** Up to where a standby has the log, once its primary sends nothing any more. */
async function receivedBy(standby: PostgresServer): Promise<bigint> {
  for (;;) {
    const { rows } = await standby.query<{ lsn: string; streams: boolean }>(`
      SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::text AS lsn,
             EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streams`);
    if (!rows[0]!.streams) return BigInt(rows[0]!.lsn);
  }
}

/** What one user does, over and over: writes the next value, and reads it in each of the ways. */
export class Sessions {
  tries = 0;
  old = 0;
  failedReads = 0;
  failedWrites = 0;
  readonly #over = new AbortController();
  readonly #all: Promise<unknown>;

  constructor(
    private readonly versions: Versions,
    count: number,
  ) {
    // The number of a user is that of his row; 0 is nobody's.
    const users = Array.from({ length: count }, (_, index) => index + 1);
    this.#all = Promise.all(users.map((id) => readYourWrites(() => this.#user(id))));
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#all;
  }

  async #user(id: number): Promise<void> {
    let acknowledged = 0;
    for (let value = 1; !this.#over.signal.aborted; value += 1) {
      await this.versions.put(id, value).then(
        () => (acknowledged = value),
        () => (this.failedWrites += 1),
      );
      const ways = [
        () => this.versions.find(id),
        () => this.versions.findByRegistry(id),
        () => this.versions.findRouted(id),
      ];
      for (const way of ways) {
        await way().then(
          (found) => {
            this.tries += 1;
            if (found.value < acknowledged) this.old += 1;
          },
          () => (this.failedReads += 1),
        );
      }
    }
  }
}
