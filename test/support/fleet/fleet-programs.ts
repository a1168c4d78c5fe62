import type { PoolModuleOptions } from '../../../lib/index.js';
import { ChildProgram } from '../child-program.js';

const PROGRAM = new URL('./fleet-instance.ts', import.meta.url);

/** A dozen of them compile at once, on a machine that may be busy. */
const JOIN_PATIENCE_MS = 240_000;

export interface FleetLoad {
  readonly callers: number;
  readonly statementMs: number;
}

/** An instance of a service, as a process of its own under load. */
export class FleetProgram implements AsyncDisposable {
  #instance = '';

  private constructor(private readonly program: ChildProgram) {}

  static run(connectionString: string, options: PoolModuleOptions, load: FleetLoad): FleetProgram {
    const { callers, statementMs } = load;
    return new FleetProgram(
      ChildProgram.run(PROGRAM, {
        args: [JSON.stringify(options), String(callers), String(statementMs)],
        env: { DATABASE_URL: connectionString },
      }),
    );
  }

  /** Name of the instance, after {@link joins}. */
  get instance(): string {
    return this.#instance;
  }

  /** Everything that it has told. */
  get told(): string {
    return this.program.stdout + this.program.stderr;
  }

  async joins(): Promise<void> {
    const [, instance] = await this.program.says(/^joined (\w+)$/m, JOIN_PATIENCE_MS);
    this.#instance = instance!;
  }

  /** As `kill -9` does: nothing is closed, nobody is told. */
  async dies(): Promise<void> {
    this.program.signal('SIGKILL');
    await this.program.ends();
  }

  async leaves(): Promise<void> {
    this.program.signal('SIGTERM');
    const { code } = await this.program.ends();
    if (code !== 0) throw new Error(`an instance ended with ${code}:\n${this.told}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
