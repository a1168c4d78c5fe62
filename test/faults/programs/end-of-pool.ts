import { once } from 'node:events';
import { type Outcome, outcomeOf, tally } from '../support/outcome.js';
import { subjectNamed } from '../support/subject.js';

/**
 * Brings a pool into a state, ends it, and does nothing more: whatever keeps this process alive
 * after the report was left behind by the pool.
 */
const [, , subjectName, connectionString, state, drainTimeoutMs] = process.argv;

const MAX = 3;
const PATIENCE_MS = 20_000;

const pool = subjectNamed(subjectName!).open({
  connectionString: connectionString!,
  max: MAX,
  acquireTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  beyondPg: { drainTimeoutMs: Number(drainTimeoutMs) },
});
pool.on('error', () => {});

const calls: Promise<Outcome>[] = [];
const ask = (text: string) => void calls.push(outcomeOf(pool.query(text), PATIENCE_MS));

switch (state) {
  case 'idle':
    await Promise.all(Array.from({ length: MAX }, () => pool.query('SELECT pg_sleep(0.05)')));
    break;
  case 'lent': {
    const client = await pool.connect();
    client.on('error', () => {});
    break;
  }
  case 'in flight':
    await pool.query('SELECT 1');
    ask('SELECT pg_sleep(60)');
    break;
  case 'waiters':
    await pool.query('SELECT 1');
    for (let n = 0; n < MAX * 3; n += 1) ask('SELECT pg_sleep(60)');
    break;
  case 'connecting':
    for (let n = 0; n < MAX * 3; n += 1) ask('SELECT 1');
    break;
  default:
    throw new Error(`unknown state ${state}`);
}

const signalled = once(process, 'SIGUSR2');
const staying = setInterval(() => {}, 60_000);
console.log('ready');
await signalled;
clearInterval(staying);

const { told, ms: endMs } = await outcomeOf(pool.end(), PATIENCE_MS);
const settled = await Promise.all(calls);
console.log(
  `report ${JSON.stringify({
    ended: told,
    endMs,
    calls: settled.length,
    told: tally(settled.map((call) => call.told)),
    forgotten: settled.filter((call) => call.told === 'nothing').length,
  })}`,
);
