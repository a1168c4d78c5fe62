import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { signalIfAlive } from './process-table.js';

/**
 * Waits on a pipe that only we hold open. When it closes without a farewell we have died, whatever
 * the way: the server is ended, and what was temporary is removed. The server's last act is to
 * remove its lock file; its process may stay for long as a zombie that nobody reaps.
 */
const SCRIPT = `
  read -r farewell && exit 0
  server=$1 lock_file=$2 temporary=$3
  kill -QUIT "$server"
  kill -CONT "$server"
  waited=0
  while [ -e "$lock_file" ] && [ "$waited" -lt 100 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -KILL "$server"
  [ -n "$temporary" ] && rm -rf "$temporary"
`;

export interface Guarded {
  readonly pid: number;
  readonly lockFile: string;
  /** Removed after the server has ended. */
  readonly temporaryDirectory?: string | undefined;
}

/** A small process that ends a server when this process dies, SIGKILL included. */
export class Guardian {
  readonly #process: ChildProcess;

  private constructor(guardian: ChildProcess) {
    this.#process = guardian;
  }

  static watch({ pid, lockFile, temporaryDirectory = '' }: Guarded): Guardian {
    const parameters = [String(pid), lockFile, temporaryDirectory];
    const guardian = spawn('/bin/sh', ['-c', SCRIPT, 'guardian', ...parameters], {
      cwd: '/',
      // A group of its own: Ctrl-C in the terminal is meant for the application only.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guardian.on('error', () => {});
    guardian.stdin?.on('error', () => {});
    guardian.unref();
    (guardian.stdin as unknown as { unref(): void }).unref();
    return new Guardian(guardian);
  }

  /** The server has ended in order: nothing is left to guard. */
  async dismiss(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.ref();
    this.#process.stdin?.end('farewell\n');
    await gone;
  }

  /** The same at the end of this process, when nothing asynchronous runs any more. */
  dismissSync(): void {
    if (this.#process.pid !== undefined) signalIfAlive(this.#process.pid, 'SIGKILL');
  }
}
