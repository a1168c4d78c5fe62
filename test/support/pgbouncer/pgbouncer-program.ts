import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawnSync } from 'node:child_process';

/** Debian's package installs it where an ordinary user's PATH does not look. */
const BESIDE_THE_PATH = ['/usr/sbin', '/usr/local/sbin'];

/** The `pgbouncer` of PATH, or of where packages put it; undefined where there is none. */
export function pgBouncerProgram(): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...path, ...BESIDE_THE_PATH]
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'pgbouncer'))
    .find((program) => existsSync(program));
}

/** Its version, as `[1, 18]`. */
export function pgBouncerVersion(program: string): readonly [major: number, minor: number] {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (minor === undefined) throw new Error(`${program} --version tells no version: ${stdout}`);
  return [Number(major), Number(minor)];
}
