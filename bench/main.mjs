import { writeFile } from 'node:fs/promises';
import { commandLine } from './command-line.mjs';
import { startDatabase } from './database.mjs';
import { describeGround } from './ground.mjs';
import { runRounds } from './rounds.mjs';
import { renewPage } from './report/page.mjs';
import { textOf } from './report/text.mjs';
import { SCENARIOS } from './scenarios/index.mjs';

/**
 * Measures this package beside other pools: `npm run bench`. What was measured is printed and
 * written to bench/results.json; `--write` also renews docs/benchmarks.md.
 */
const RESULTS = new URL('./results.json', import.meta.url);

const { names, rounds, quick, write } = commandLine(Object.keys(SCENARIOS));
const scenarios = names.map((name) => SCENARIOS[name]);

const results = await measure();
await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
process.stdout.write(textOf(results));
if (write) await renewPage(results);

async function measure() {
  const standbys = Math.max(...scenarios.map((scenario) => scenario.standbys ?? 0));
  const database = await startDatabase(standbys);
  try {
    return {
      ground: await describeGround(database),
      scenarios: await runRounds(scenarios, { database, rounds, quick }),
    };
  } finally {
    await database.close();
  }
}
