import { ChildProgram } from '../../support/child-program.js';
import { scenario } from '../support/scenario.js';

const PROGRAM = new URL('../programs/clock-jumps.ts', import.meta.url);

/** The wall clock jumps a day forth and two days back, again and again. */
export const clockJumps = scenario({
  what: 'The wall clock jumps by a day, forth and back, while calls run',

  async run(bed) {
    await using program = ChildProgram.run(PROGRAM, {
      args: [bed.subject.name, bed.server.connectionString({ via: bed.proxy })],
    });
    const { code, stdout, stderr } = await program.ends(30_000);
    const report = /report (.*)/.exec(stdout)?.[1];
    if (report === undefined) throw new Error(`no report:\n${stderr}`);
    const measured = JSON.parse(report) as { told: string; calls: number; removed: number };
    return { ...measured, exitCode: code };
  },

  tell: ({ told, removed }) => `${told}; ${removed} connections replaced`,
});
