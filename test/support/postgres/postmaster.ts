import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { childrenOf, isAlive, signalIfAlive } from './process-table.js';
import type { ServerAccount } from './server-account.js';

/** How clients are treated: waited for, disconnected, or dropped without a checkpoint. */
export type StopMode = 'smart' | 'fast' | 'immediate';

const STOP_SIGNALS: Record<StopMode, NodeJS.Signals> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};

const POLL_MS = 5;
const CHILDREN_GONE_MS = 10_000;

/** The eighth line of the lock file, which `pg_ctl` reads too. */
const READY_STATUS = 'ready';
const STATUS_LINE = 7;

export interface LaunchOptions {
  readonly program: string;
  readonly dataDirectory: string;
  readonly lockFile: string;
  readonly logFile: string;
  readonly account: ServerAccount;
}

/** The server's main process and, through it, all of its children. */
export class Postmaster {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lockFile: string;
  #paused: number[] = [];

  private constructor(child: ChildProcess, pid: number, lockFile: string) {
    this.#process = child;
    this.pid = pid;
    this.#lockFile = lockFile;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    child.unref();
  }

  static async launch(options: LaunchOptions): Promise<Postmaster> {
    const log = openSync(options.logFile, 'a');
    try {
      const child = spawn(options.program, ['-D', options.dataDirectory], {
        ...options.account.identity,
        cwd: options.dataDirectory,
        // libpq's variables would reach the standby's connection to its primary.
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
        // Ctrl-C in the terminal is meant for the application; the server outlives its drain.
        detached: true,
        stdio: ['ignore', log, log],
      });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('spawn', () => resolve(child.pid!));
        child.once('error', reject);
      });
      return new Postmaster(child, pid, options.lockFile);
    } finally {
      closeSync(log);
    }
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get paused(): boolean {
    return this.#paused.length > 0;
  }

  /** True as soon as connections are accepted, read-only ones included; false when the process ended instead. */
  async becomesReady(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (this.running && Date.now() < deadline) {
      if (await this.#reportsReady()) return true;
      await delay(POLL_MS);
    }
    return false;
  }

  reload(): void {
    signalIfAlive(this.pid, 'SIGHUP');
  }

  async stop(mode: StopMode, timeoutMs: number): Promise<void> {
    this.continue();
    signalIfAlive(this.pid, STOP_SIGNALS[mode]);
    if (await this.#exitsWithin(timeoutMs)) return;
    throw new EmbeddedPostgresError(
      'STOP_TIMED_OUT',
      `The server (pid ${this.pid}) did not end within ${timeoutMs} ms of a ${mode} shutdown; ` +
        'a smart one waits for its clients, a fast one for its standbys.',
    );
  }

  /** SIGKILL for the whole server at once, and the wait until a restart is possible. */
  async kill(): Promise<void> {
    // A stopped postmaster forks no child that the list below would miss.
    signalIfAlive(this.pid, 'SIGSTOP');
    const children = childrenOf(this.pid);
    for (const pid of [this.pid, ...children]) signalIfAlive(pid, 'SIGKILL');
    this.#paused = [];
    await this.#exitsWithin(CHILDREN_GONE_MS);
    const deadline = Date.now() + CHILDREN_GONE_MS;
    while (children.some(isAlive) && Date.now() < deadline) await delay(POLL_MS);
  }

  /** Freezes the server as an overloaded or suspended machine would: the kernel goes on accepting connections. */
  pause(): void {
    signalIfAlive(this.pid, 'SIGSTOP');
    const children = childrenOf(this.pid);
    for (const pid of children) signalIfAlive(pid, 'SIGSTOP');
    this.#paused = [...children, this.pid];
  }

  continue(): void {
    for (const pid of this.#paused) signalIfAlive(pid, 'SIGCONT');
    this.#paused = [];
  }

  async #reportsReady(): Promise<boolean> {
    const lines = (await readFile(this.#lockFile, 'utf8').catch(() => '')).split('\n');
    return Number(lines[0]) === this.pid && lines[STATUS_LINE]?.trim() === READY_STATUS;
  }

  async #exitsWithin(timeoutMs: number): Promise<boolean> {
    const abort = new AbortController();
    this.#process.ref();
    try {
      return await Promise.race([
        this.#exited.then(() => true),
        delay(timeoutMs, false, { signal: abort.signal }).catch(() => false),
      ]);
    } finally {
      abort.abort();
      this.#process.unref();
    }
  }
}
