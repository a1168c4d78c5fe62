import { sleep } from '../../support/sleep.js';
import { outcomeOf, tally } from '../support/outcome.js';
import { subjectNamed } from '../support/subject.js';

/** Uses a pool while the wall clock jumps by a day, forth and back. */
const [, , subjectName, connectionString] = process.argv;

const DAY_MS = 86_400_000;
const JUMPS = 10;
const ROUND_MS = 150;

const realNow = Date.now;
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;

const pool = subjectNamed(subjectName!).open({
  connectionString: connectionString!,
  max: 3,
  acquireTimeoutMs: 2_000,
  statementTimeoutMs: 2_000,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 600_000,
});
let removed = 0;
pool.on('remove', () => (removed += 1));
await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.05)')));

const told: string[] = [];
for (let jump = 0; jump < JUMPS; jump += 1) {
  const running = [1, 2, 3, 4, 5].map(() => outcomeOf(pool.query('SELECT pg_sleep(0.05)')));
  await sleep(10);
  offsetMs += jump % 2 === 0 ? DAY_MS : -2 * DAY_MS;
  told.push(...(await Promise.all(running)).map((call) => call.told));
  await sleep(ROUND_MS);
}
console.log(`report ${JSON.stringify({ told: tally(told), calls: told.length, removed })}`);
await pool.end();
