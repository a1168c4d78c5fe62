import { ChildProgram } from '../../../support/child-program.js';
import { eventually } from '../../../support/eventually.js';

/** Lets the collector run until something has come of it. Needs `--expose-gc`. */
export async function collectUntil(isDone: () => boolean): Promise<void> {
  await eventually(
    () => {
      globalThis.gc!();
      return isDone();
    },
    { timeoutMs: 20_000 },
  );
}

/** One line of a program's report. */
export function tell(name: string, report: object): void {
  console.log(`report ${JSON.stringify([name, report])}`);
}

/** Runs a program with the collector at its hand, and returns what it told. */
export async function reportsOf(
  program: URL,
  args: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  await using child = ChildProgram.run(program, { args, nodeOptions: ['--expose-gc'] });
  const { stdout, stderr } = await child.ends(120_000);
  if (stderr !== '') throw new Error(stderr);
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('report '))
      .map((line) => JSON.parse(line.slice('report '.length)) as [string, unknown]),
  );
}
