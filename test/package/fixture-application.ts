import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { PackedPackage } from './packed-package.js';
import { runCommand } from './run-command.js';

const FIXTURES = join(import.meta.dirname, 'fixtures');

/** A fixture, copied to where nothing of this repository is in reach, as its author would have it. */
export class FixtureApplication implements AsyncDisposable {
  private constructor(private readonly directory: string) {}

  static async copy(fixture: string): Promise<FixtureApplication> {
    const directory = await mkdtemp(join(tmpdir(), `nestjs-pools-${fixture}-`));
    await cp(join(FIXTURES, fixture), directory, { recursive: true });
    return new FixtureApplication(directory);
  }

  async install(packed: PackedPackage): Promise<void> {
    await this.npm(['install', '--prefer-offline', '--no-audit', '--no-fund', packed.file]);
  }

  /** Compiles it; what its author would see of a type error is in the error. */
  async build(): Promise<void> {
    await this.npm(['run', 'build']);
  }

  /** Runs it to its end and answers with what it said. */
  start(env: Readonly<Record<string, string>>): Promise<string> {
    return this.npm(['start'], env);
  }

  /** Where it stands, for what a test has to put beside it. */
  path(...parts: readonly string[]): string {
    return join(this.directory, ...parts);
  }

  /** Runs one of its files with Node to its end and answers with what that said. */
  run(file: string, env: Readonly<Record<string, string>>): Promise<string> {
    return runCommand(process.execPath, [file], { cwd: this.directory, env });
  }

  /** Runs a program that a package of its brings along, and answers with what that said. */
  npx(args: readonly string[]): Promise<string> {
    return runCommand('npx', ['--no-install', ...args], { cwd: this.directory });
  }

  read(file: string): Promise<string> {
    return readFile(join(this.directory, file), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private npm(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return runCommand('npm', args, { cwd: this.directory, env });
  }
}
