import { describe } from '@jest/globals';
import { pgBouncerProgram, pgBouncerVersion } from './pgbouncer-program.js';

const program = pgBouncerProgram();

if (program === undefined) {
  process.stderr.write(
    'pgbouncer is not installed here, so what needs it is SKIPPED: apt-get install pgbouncer\n',
  );
}

/** A `describe` of what needs a real PgBouncer; skipped, with a line that says so, without one. */
export const describeWithPgBouncer = program === undefined ? describe.skip : describe;

/** Whether the one that is installed keeps named statements for its clients. */
export function keepsNames(): boolean {
  const [major, minor] = pgBouncerVersion(program!);
  return major > 1 || minor >= 21;
}
