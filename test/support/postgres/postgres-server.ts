import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Client, QueryResult, QueryResultRow } from 'pg';
import { freePort, isPortFree } from '../free-port.js';
import { withSession } from './admin-session.js';
import { takeBaseBackup } from './base-backup.js';
import { createCluster, refuseOtherVersions, SUPERUSER } from './create-cluster.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { endAtExit, endedInOrder, type EndsAtExit } from './exit-guard.js';
import { Guardian } from './guardian.js';
import { InstanceDirectory } from './instance-directory.js';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import type {
  Address,
  ConnectionStringOptions,
  PostgresServerOptions,
  StandbyOptions,
} from './postgres-server-options.js';
import { Postmaster, type StopMode } from './postmaster.js';
import { isAlive, signalIfAlive } from './process-table.js';
import { reload } from './reload.js';
import * as replication from './replication.js';
import { serverAccount } from './server-account.js';
import { DEFAULT_SETTINGS, renderSettings, type ServerSettings } from './server-settings.js';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 30_000;
const REPLICATION_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 5;

interface ServerParts {
  readonly directory: InstanceDirectory;
  readonly binaries: PostgresBinaries;
  readonly port: number;
  /** Nobody knows the address before the first start, unless it was asked for. */
  readonly portMayChange: boolean;
  readonly password: string;
  readonly settings: ServerSettings;
}

interface Upstream {
  readonly server: PostgresServer;
  readonly slot: string;
}

/**
 * A real PostgreSQL of our own: started, hurt and healed by tests, and started by the sample.
 *
 * Everything it starts ends with this process, however that ends.
 */
export class PostgresServer implements AsyncDisposable, EndsAtExit {
  readonly host = HOST;
  readonly #directory: InstanceDirectory;
  readonly #binaries: PostgresBinaries;
  readonly #password: string;
  #port: number;
  #portMayChange: boolean;
  #settings: ServerSettings;
  #postmaster: Postmaster | undefined;
  #guardian: Guardian | undefined;
  #upstream: Upstream | undefined;
  #standbysMade = 0;

  private constructor(parts: ServerParts) {
    this.#directory = parts.directory;
    this.#binaries = parts.binaries;
    this.#port = parts.port;
    this.#portMayChange = parts.portMayChange;
    this.#password = parts.password;
    this.#settings = parts.settings;
  }

  /** Creates the cluster, or opens the one that `dataDir` holds. The server is not running yet. */
  static async create(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const account = serverAccount();
    const binaries = await postgresBinaries(account);
    const directory = await InstanceDirectory.open(options.dataDir, account);
    await directory.reclaim();

    const last = await directory.lastRecord();
    const password = last?.password ?? randomBytes(12).toString('hex');
    const port = options.port ?? (await portLike(last?.port));
    if (last === undefined) {
      await directory.write({ state: 'initializing', port, password });
      await directory.removeCluster();
      const auth = options.auth ?? 'scram-sha-256';
      await createCluster(directory, { initdb: binaries.initdb, password, auth });
    } else {
      await refuseOtherVersions(directory);
    }
    await directory.write({ state: 'ready', port, password });
    return new PostgresServer({
      directory,
      binaries,
      port,
      portMayChange: options.port === undefined,
      password,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
    });
  }

  get port(): number {
    return this.#port;
  }

  /** The directory of the server: its cluster, its log and the record of how to open it again. */
  get dataDir(): string {
    return this.#directory.path;
  }

  /** Main process of the running server. */
  get pid(): number | undefined {
    return this.#postmaster?.pid;
  }

  get running(): boolean {
    return this.#postmaster?.running ?? false;
  }

  get paused(): boolean {
    return this.running && this.#postmaster!.paused;
  }

  /** Starts the server and waits until it accepts connections; a standby accepts read-only ones. */
  async start(): Promise<this> {
    if (this.running) return this;
    for (let attempt = 1; !(await this.#comesUp()); attempt++) {
      const log = await this.#directory.lastLogLines(15);
      await this.kill();
      if (await isPortFree(this.#port)) {
        throw new EmbeddedPostgresError(
          'START_FAILED',
          `The server in ${this.dataDir} did not start. The end of its log:\n${log}`,
        );
      }
      if (!this.#portMayChange || attempt === PORT_ATTEMPTS) {
        throw new EmbeddedPostgresError(
          'PORT_IN_USE',
          `Another program listens on ${HOST}:${this.#port}, the port of the server in ${this.dataDir}.`,
        );
      }
      this.#port = await freePort();
    }
    this.#portMayChange = false;
    return this;
  }

  /** `fast` disconnects clients, `smart` waits for them, `immediate` drops them without a checkpoint. */
  async stop(mode: StopMode = 'fast', timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    if (!this.running) return;
    await this.#postmaster!.stop(mode, timeoutMs);
    await this.#ended();
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** SIGKILL for all of its processes at once. `start()` recovers it. */
  async kill(): Promise<void> {
    await this.#postmaster?.kill();
    await this.#ended();
  }

  /** Freezes it (SIGSTOP): connections stand, new ones are accepted by the kernel, nobody answers. */
  pause(): void {
    this.#runningFor('pause').pause();
  }

  continue(): void {
    this.#runningFor('continue').continue();
  }

  /** Changes settings and reloads them. Returns those that wait for a restart. `undefined` takes one back. */
  async setSettings(
    changes: Readonly<Record<string, ServerSettings[string] | undefined>>,
  ): Promise<string[]> {
    const all = Object.entries({ ...this.#settings, ...changes });
    this.#settings = Object.fromEntries(
      all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    await this.#writeSettings();
    if (!this.running) return [];
    return reload(this.connectionString(), () => this.#postmaster?.reload());
  }

  connectionString(options: ConnectionStringOptions = {}): string {
    const user = options.user ?? SUPERUSER;
    const password = options.password ?? (user === SUPERUSER ? this.#password : undefined);
    const { host, port } = options.via ?? this;
    const url = new URL(`postgresql://${host}:${port}`);
    url.username = encodeURIComponent(user);
    if (password !== undefined) url.password = encodeURIComponent(password);
    url.pathname = encodeURIComponent(options.database ?? 'postgres');
    return url.href;
  }

  /** One statement as superuser over a connection of its own. */
  query<R extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: unknown[] = [],
    options: ConnectionStringOptions = {},
  ): Promise<QueryResult<R>> {
    return withSession(this.connectionString(options), (client) => client.query<R>(sql, values));
  }

  /** Copies the running server into a streaming standby and starts that. It keeps its place by a replication slot. */
  async createStandby(options: StandbyOptions = {}): Promise<PostgresServer> {
    const slot = options.name ?? `standby_${++this.#standbysMade}`;
    const directory = await InstanceDirectory.open(options.dataDir, this.#directory.account);
    await directory.reclaim();
    const port = options.port ?? (await freePort());
    const password = this.#password;
    await directory.write({ state: 'initializing', port, password });
    await directory.removeCluster();
    await this.#session(async (session) => {
      await replication.createSlot(session, slot);
      await takeBaseBackup(session, this.#directory, directory);
    });
    await directory.writeInCluster('standby.signal', '');
    await directory.write({ state: 'ready', port, password });

    const standby = new PostgresServer({
      directory,
      binaries: this.#binaries,
      port,
      portMayChange: options.port === undefined,
      password,
      settings: { ...this.#settings, ...options.settings },
    });
    standby.#streamFrom({ server: this, slot }, options.via);
    return standby.start();
  }

  /** Turns a standby to another primary of the same family, as after a promotion. */
  async follow(primary: PostgresServer, options: { readonly via?: Address } = {}): Promise<void> {
    if (this.#upstream === undefined) {
      throw new EmbeddedPostgresError(
        'WRONG_STATE',
        `The server in ${this.dataDir} is no standby: it cannot follow.`,
      );
    }
    const { slot } = this.#upstream;
    await primary.#session((session) => replication.createSlot(session, slot));
    this.#streamFrom({ server: primary, slot }, options.via);
    await this.setSettings({});
  }

  /** Makes a standby the primary; returns when it accepts writes. */
  async promote(timeoutMs = REPLICATION_TIMEOUT_MS): Promise<void> {
    await this.#session((session) => replication.promote(session, timeoutMs));
  }

  /** Returns when this standby shows everything that is committed at the other server now. */
  async waitForReplay(of: PostgresServer, timeoutMs = REPLICATION_TIMEOUT_MS): Promise<void> {
    const position = await of.#session(replication.markPosition);
    await this.#session((session) => replication.waitForPosition(session, position, timeoutMs));
  }

  /** The standby goes on receiving and shows nothing new. */
  async pauseReplay(timeoutMs = REPLICATION_TIMEOUT_MS): Promise<void> {
    await this.#session((session) => replication.pauseReplay(session, timeoutMs));
  }

  async resumeReplay(): Promise<void> {
    await this.#session(replication.resumeReplay);
  }

  /** Ends the server and removes its directory; a standby also frees its place at the primary. */
  async remove(): Promise<void> {
    await this.kill();
    await this.#directory.remove();
    const upstream = this.#upstream;
    if (upstream === undefined || !upstream.server.running || upstream.server.paused) return;
    await upstream.server
      .#session((session) => replication.dropSlot(session, upstream.slot, REPLICATION_TIMEOUT_MS))
      .catch(() => {
        // The primary went down meanwhile; what the slot can hold back is bounded.
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  /** Ends the server within one call; for the exit of this process, when nothing asynchronous runs any more. */
  endSync(): void {
    const postmaster = this.#postmaster;
    if (postmaster === undefined) return;
    this.#guardian?.dismissSync();
    signalIfAlive(postmaster.pid, 'SIGQUIT');
    postmaster.continue();
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(postmaster.pid) && Date.now() < deadline) sleepSync(10);
    if (this.#directory.temporary) rmSync(this.dataDir, { recursive: true, force: true });
  }

  async #comesUp(): Promise<boolean> {
    await this.#writeSettings();
    this.#postmaster = await Postmaster.launch({
      program: this.#binaries.postgres,
      dataDirectory: this.#directory.cluster,
      lockFile: this.#directory.lockFile,
      logFile: this.#directory.log,
      account: this.#directory.account,
    });
    this.#guardian = Guardian.watch({
      pid: this.#postmaster.pid,
      lockFile: this.#directory.lockFile,
      temporaryDirectory: this.#directory.temporary ? this.dataDir : undefined,
    });
    endAtExit(this);
    return this.#postmaster.becomesReady(START_TIMEOUT_MS);
  }

  async #ended(): Promise<void> {
    endedInOrder(this);
    this.#postmaster = undefined;
    await this.#guardian?.dismiss();
    this.#guardian = undefined;
  }

  #runningFor(verb: string): Postmaster {
    if (this.running) return this.#postmaster!;
    throw new EmbeddedPostgresError(
      'WRONG_STATE',
      `Cannot ${verb} the server in ${this.dataDir}: it is not running.`,
    );
  }

  #session<T>(use: (client: Client) => Promise<T>): Promise<T> {
    return withSession(this.connectionString(), use);
  }

  #streamFrom(upstream: Upstream, via: Address = upstream.server): void {
    this.#upstream = upstream;
    const address = `host=${via.host} port=${via.port} user=${SUPERUSER} password=${this.#password}`;
    this.#settings = {
      ...this.#settings,
      primary_conninfo: `${address} application_name=${upstream.slot}`,
      primary_slot_name: upstream.slot,
    };
  }

  #writeSettings(): Promise<void> {
    const settings = { ...this.#settings, port: this.#port };
    return this.#directory.writeInCluster('postgresql.conf', renderSettings(settings));
  }
}

/** The port of the last time, if nobody took it since. */
async function portLike(last: number | undefined): Promise<number> {
  return last !== undefined && (await isPortFree(last)) ? last : freePort();
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
