import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { endAtExit, endedInOrder, type EndsAtExit } from '../postgres/exit-guard.js';
import { Guardian } from '../postgres/guardian.js';
import type { Address } from '../postgres/postgres-server-options.js';
import { signalIfAlive } from '../postgres/process-table.js';
import { serverAccount, temporaryRoot } from '../postgres/server-account.js';
import { pgBouncerProgram } from './pgbouncer-program.js';

const HOST = '127.0.0.1';
const PATIENCE_MS = 20_000;

/** Who may use the console: everything, or its SHOW alone. */
export const CONSOLE_ADMIN = 'console_admin';
export const CONSOLE_READER = 'console_reader';

export type PoolMode = 'transaction' | 'session' | 'statement';

export interface PgBouncerOptions {
  readonly mode: PoolMode;
  /** Lines of the section `[pgbouncer]`, beside or instead of the usual ones. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Leads to the server through this address, for example of a proxy before it. */
  readonly via?: Address;
}

/**
 * A real PgBouncer before a server, with an ini file and a list of users of its own. Its users are
 * the login of the server's URL and those of the console.
 */
export class PgBouncer implements AsyncDisposable, EndsAtExit {
  readonly host = HOST;
  /** Of {@link CONSOLE_ADMIN} and {@link CONSOLE_READER}. */
  readonly consolePassword = randomBytes(12).toString('hex');
  #process: ChildProcess | undefined;
  #guardian: Guardian | undefined;

  private constructor(
    private readonly program: string,
    private readonly directory: string,
    readonly port: number,
    private readonly server: URL,
  ) {}

  /**
   * Starts one. `serverUrl` names the server, and the login for it.
   *
   * @throws where the program is missing: ask {@link pgBouncerProgram} before
   */
  static async start(serverUrl: string, options: PgBouncerOptions): Promise<PgBouncer> {
    const program = pgBouncerProgram();
    if (program === undefined) throw new Error('there is no pgbouncer on this machine');
    const directory = await mkdtemp(join(temporaryRoot(serverAccount()), 'nestjs-pools-bouncer-'));
    await chmod(directory, 0o755);
    await serverAccount().own(directory);
    const bouncer = new PgBouncer(program, directory, await freePort(), new URL(serverUrl));
    await bouncer.configure(options);
    await bouncer.comeUp();
    return bouncer;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Writes its files anew; {@link reload} or a restart reads them. */
  async configure({ mode, settings, via }: PgBouncerOptions): Promise<void> {
    const { hostname, port } = this.server;
    const target = via ?? { host: hostname, port: port || '5432' };
    const all = {
      listen_addr: HOST,
      listen_port: this.port,
      unix_socket_dir: '',
      auth_type: 'scram-sha-256',
      auth_file: join(this.directory, 'users.txt'),
      admin_users: CONSOLE_ADMIN,
      stats_users: CONSOLE_READER,
      pidfile: this.#pidFile,
      pool_mode: mode,
      // A server that was down is asked again soon; the default waits for a quarter of a minute.
      server_login_retry: 1,
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    const databases = `[databases]\n* = host=${target.host} port=${target.port}`;
    await this.#write('pgbouncer.ini', `${databases}\n\n[pgbouncer]\n${lines.join('\n')}\n`);
    const users = [
      [decodeURIComponent(this.server.username), decodeURIComponent(this.server.password)],
      [CONSOLE_ADMIN, this.consolePassword],
      [CONSOLE_READER, this.consolePassword],
    ];
    await this.#write('users.txt', users.map((user) => `"${user.join('" "')}"\n`).join(''));
  }

  /** Reads the files anew, as SIGHUP does. */
  reload(): void {
    signalIfAlive(this.pid!, 'SIGHUP');
  }

  /** Starts it on its port, and waits until it takes connections. */
  async comeUp(): Promise<void> {
    const log = openSync(this.#log, 'a');
    try {
      this.#process = spawn(this.program, [join(this.directory, 'pgbouncer.ini')], {
        ...serverAccount().identity,
        cwd: this.directory,
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
        detached: true,
        // It logs to its standard error, unless it is told of a file.
        stdio: ['ignore', log, log],
      });
      await once(this.#process, 'spawn');
    } finally {
      closeSync(log);
    }
    this.#process.unref();
    this.#guardian = Guardian.watch({
      pid: this.#process.pid!,
      lockFile: this.#pidFile,
      temporaryDirectory: this.directory,
    });
    endAtExit(this);
    const isUp = () => this.#hasEnded || this.#isListening();
    await eventually(isUp, { timeoutMs: PATIENCE_MS });
    if (this.#hasEnded) throw new Error(`pgbouncer ended at its start:\n${await this.log()}`);
  }

  /** SIGKILL: every connection through it is cut. {@link comeUp} starts it again. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    await rm(this.#pidFile, { force: true });
  }

  /** Cuts every connection, and comes up again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.comeUp();
  }

  /** The way through it, with the server's own login unless another one is given. */
  connectionString(
    options: {
      readonly database?: string;
      readonly user?: string;
      readonly password?: string;
    } = {},
  ): string {
    const url = new URL(this.server);
    url.hostname = this.host;
    url.port = String(this.port);
    if (options.database !== undefined) url.pathname = options.database;
    if (options.user !== undefined) url.username = options.user;
    if (options.password !== undefined) url.password = options.password;
    return url.href;
  }

  /** The way to its console. */
  consoleUrl(user: string = CONSOLE_ADMIN, password: string = this.consolePassword): string {
    return this.connectionString({ database: 'pgbouncer', user, password });
  }

  async log(): Promise<string> {
    return readFile(this.#log, 'utf8').catch(() => '');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  endSync(): void {
    this.#guardian?.dismissSync();
    if (this.pid !== undefined) signalIfAlive(this.pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #pidFile(): string {
    return join(this.directory, 'pgbouncer.pid');
  }

  get #log(): string {
    return join(this.directory, 'pgbouncer.log');
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.directory, name);
    await writeFile(path, text, { mode: 0o600 });
    await serverAccount().own(path);
  }

  get #hasEnded(): boolean {
    return this.#process!.exitCode !== null || this.#process!.signalCode !== null;
  }

  #isListening(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: HOST, port: this.port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    endedInOrder(this);
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.ref();
      child.kill(signal);
      await gone;
    }
    await this.#guardian?.dismiss();
    this.#guardian = undefined;
  }
}
