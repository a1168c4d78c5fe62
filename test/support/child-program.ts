import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';

const TYPESCRIPT_LOADER = new URL('./typescript-loader/register.js', import.meta.url).href;

/** Generous: a TypeScript program loads the compiler, on a machine that may be busy. */
const PATIENCE_MS = 45_000;

export interface ChildProgramOptions {
  readonly args?: readonly string[];
  /** Added to this process's own environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly nodeOptions?: readonly string[];
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of ours in a Node process of its own: to see that it exits by itself, and what signals do to it. */
export class ChildProgram implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#closed = once(child, 'close');
  }

  /** Runs a JavaScript or TypeScript file, the latter as it stands. */
  static run(file: string | URL, options: ChildProgramOptions = {}): ChildProgram {
    const path = typeof file === 'string' ? file : fileURLToPath(file);
    const loader = path.endsWith('.ts')
      ? ['--enable-source-maps', '--import', TYPESCRIPT_LOADER]
      : [];
    const child = spawn(
      process.execPath,
      [...loader, ...(options.nodeOptions ?? []), path, ...(options.args ?? [])],
      {
        cwd: options.cwd,
        // The test runner's own options are not meant for the program.
        env: { ...process.env, NODE_OPTIONS: undefined, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return new ChildProgram(child);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits until the program has written something that matches. */
  async says(pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<RegExpMatchArray> {
    const match = await eventually(
      () => (this.stdout + this.stderr).match(pattern) ?? (this.running ? false : 'ended'),
      { timeoutMs },
    ).catch(() => 'late' as const);
    if (typeof match === 'object') return match;
    throw this.#complaint(
      match === 'ended'
        ? `ended without saying ${pattern}`
        : `did not say ${pattern} within ${timeoutMs} ms`,
    );
  }

  /** Waits until the program has ended by itself or by a signal; kills it, and throws, past the limit. */
  async ends(timeoutMs = PATIENCE_MS): Promise<ProgramEnd> {
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      this.signal('SIGKILL');
    }, timeoutMs);
    try {
      await this.#closed;
    } finally {
      clearTimeout(limit);
    }
    if (late) throw this.#complaint(`did not end within ${timeoutMs} ms`);
    const { exitCode: code, signalCode: signal } = this.#process;
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) this.signal('SIGKILL');
    await this.#closed;
  }

  #complaint(what: string): Error {
    const output = `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
    return new Error(`${this.#process.spawnargs.at(-1)} ${what}.\n${output}`);
  }
}
