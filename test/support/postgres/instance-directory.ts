import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { commandLineOf, isAlive, signalIfAlive } from './process-table.js';
import { releaseSharedMemory } from './shared-memory.js';
import { canEnter, temporaryRoot, type ServerAccount } from './server-account.js';

/** What must be known to open the directory again. */
export interface InstanceRecord {
  readonly state: 'initializing' | 'ready';
  /** Process that used the directory last. */
  readonly owner: number;
  readonly port: number;
  readonly password: string;
}

const LEFTOVER_ENDS_MS = 10_000;

/** The directory of one server: its cluster, its log and a record of how to open it again. */
export class InstanceDirectory {
  readonly cluster: string;
  readonly log: string;
  /** Written by the running server: its pid, its shared memory, its status. */
  readonly lockFile: string;
  readonly #record: string;

  private constructor(
    readonly path: string,
    readonly temporary: boolean,
    readonly account: ServerAccount,
  ) {
    this.cluster = join(path, 'data');
    this.log = join(path, 'server.log');
    this.lockFile = join(this.cluster, 'postmaster.pid');
    this.#record = join(path, 'instance.json');
  }

  /** A directory of the caller's choice, which is kept; without one a temporary directory, which is not. */
  static async open(path: string | undefined, account: ServerAccount): Promise<InstanceDirectory> {
    const temporary = path === undefined;
    const chosen = temporary
      ? await mkdtemp(join(temporaryRoot(account), 'nestjs-pools-server-'))
      : resolve(path);
    if (!temporary) await makeForUs(chosen);
    await openTo(account, chosen);
    return new InstanceDirectory(chosen, temporary, account);
  }

  /** The record of the last use; undefined for a new directory and for one whose making was cut short. */
  async lastRecord(): Promise<InstanceRecord | undefined> {
    const text = await readFile(this.#record, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const record = JSON.parse(text) as InstanceRecord;
    return record.state === 'ready' ? record : undefined;
  }

  async write(record: Omit<InstanceRecord, 'owner'>): Promise<void> {
    const text = `${JSON.stringify({ ...record, owner: process.pid }, undefined, 2)}\n`;
    await writeFile(this.#record, text, { mode: 0o600 });
  }

  /** Writes a file of the cluster so that the server can read it. */
  async writeInCluster(name: string, text: string): Promise<void> {
    const path = join(this.cluster, name);
    await writeFile(path, text, { mode: 0o600 });
    await this.account.own(path);
  }

  async lastLogLines(count: number): Promise<string> {
    const log = await readFile(this.log, 'utf8').catch(() => '');
    return log.trimEnd().split('\n').slice(-count).join('\n');
  }

  /** Ends a server that an earlier process left running here, and refuses to touch one that is in use. */
  async reclaim(): Promise<void> {
    const pid = await this.#postmasterPid();
    if (pid === undefined) return;
    if (!this.#isOurServer(pid)) {
      // The number belongs to another program by now; the server would take that for its predecessor.
      if (isAlive(pid)) await rm(this.lockFile);
      return;
    }
    const owner = await this.#lastOwner();
    if (owner !== undefined && isAlive(owner)) {
      throw new EmbeddedPostgresError(
        'DIRECTORY_IN_USE',
        `${this.path} is in use: process ${owner} runs a server there (pid ${pid}). Stop it, or choose another directory.`,
      );
    }
    signalIfAlive(pid, 'SIGQUIT');
    signalIfAlive(pid, 'SIGCONT');
    const deadline = Date.now() + LEFTOVER_ENDS_MS;
    while (isAlive(pid) && Date.now() < deadline) await delay(20);
    signalIfAlive(pid, 'SIGKILL');
  }

  async removeCluster(): Promise<void> {
    await releaseSharedMemory(this.lockFile);
    await rm(this.cluster, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.removeCluster();
    await rm(this.path, { recursive: true, force: true });
  }

  async #postmasterPid(): Promise<number | undefined> {
    const text = await readFile(this.lockFile, 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    return Number.isNaN(pid) ? undefined : pid;
  }

  #isOurServer(pid: number): boolean {
    return isAlive(pid) && commandLineOf(pid).includes(this.cluster);
  }

  async #lastOwner(): Promise<number | undefined> {
    const text = await readFile(this.#record, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as InstanceRecord).owner;
  }
}

/** Lets the account that runs the server in, and on to the cluster. */
async function openTo(account: ServerAccount, path: string): Promise<void> {
  try {
    await chmod(path, 0o755);
    await account.own(path);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'DIRECTORY_UNREACHABLE',
      `${path} belongs to another user. Remove it, or choose another directory.`,
      { cause },
    );
  }
  if (canEnter(account, path)) return;
  throw new EmbeddedPostgresError(
    'DIRECTORY_UNREACHABLE',
    `${account.name}, who runs the server, cannot reach ${path}: one of the directories above it is closed to others. ` +
      'Choose a directory elsewhere.',
  );
}

/** An empty directory becomes ours; one with foreign things in it is left alone. */
async function makeForUs(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new EmbeddedPostgresError(
      'DIRECTORY_UNREACHABLE',
      `${path} cannot be made (${cause.code}). Choose another directory.`,
      { cause },
    );
  });
  if (existsSync(join(path, 'instance.json'))) return;
  if ((await readdir(path)).length === 0) return;
  throw new EmbeddedPostgresError(
    'DIRECTORY_FOREIGN',
    `${path} is not empty and holds no server of ours. Choose another directory, or empty this one.`,
  );
}
