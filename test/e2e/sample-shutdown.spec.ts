import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../support/child-program.js';
import { eventually } from '../support/eventually.js';
import { sleep } from '../support/sleep.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { lockTable } from './support/lock-table.js';
import { SampleClient } from './support/sample-client.js';
import { addressOf, ENTRY, runSample } from './support/sample-process.js';

const SHELL_OF_NPM = new URL('./support/shell-of-npm.js', import.meta.url);

const IN_FLIGHT = 100;
const ALL_CREATED = Array.from({ length: IN_FLIGHT }, () => 201);
const TEST_TIMEOUT_MS = 180_000;

describe('stopping the sample', () => {
  let database: TestDatabase;
  let sample: ChildProgram;
  let client: SampleClient;

  beforeEach(async () => {
    database = await testDatabase();
    sample = runSample({ DATABASE_URL: database.connectionString });
    client = new SampleClient(await addressOf(sample));
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await sample[Symbol.asyncDispose]();
    await database.drop();
  });

  /** Transfers that stand still, in the database and in the pool's queue: all of them have been accepted. */
  async function transfersInFlight(to = client) {
    const release = await lockTable(database.connectionString, 'bank.accounts');
    const answers = Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => transfer(n, to)));
    answers.catch(() => {
      // Expected by the test that stops at once, which looks at the promise later.
    });
    await eventually(async () => {
      const { leased, waiting } = await to.poolInHealth('primary');
      return leased + waiting === IN_FLIGHT;
    });
    return { release, answers };
  }

  async function transfer(n: number, to = client): Promise<number> {
    const pair = { from: 1 + (n % 50), to: 51 + (n % 50), amountCents: 1 };
    const response = await to.post('/transfers', pair);
    await response.arrayBuffer();
    return response.status;
  }

  async function ledgerEntries(): Promise<number> {
    const { rows } = await database.query('SELECT count(*)::integer AS count FROM bank.transfers');
    return rows[0]!['count'] as number;
  }

  async function openConnections(): Promise<number> {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS count FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'`,
    );
    return rows[0]!['count'] as number;
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    `answers ${IN_FLIGHT} transfers in flight at %s, closes its connections and ends with exit code 0`,
    async (signal) => {
      const before = await ledgerEntries();
      const { release, answers } = await transfersInFlight();

      sample.signal(signal);
      await sample.says(/Stopping/);
      await sleep(200);
      await release();

      expect(await answers).toEqual(ALL_CREATED);
      expect(await sample.ends()).toMatchObject({ code: 0, signal: null });
      expect(await ledgerEntries()).toBe(before + IN_FLIGHT);
      await eventually(async () => (await openConnections()) === 0);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is not ready from SIGTERM on, serves what is in flight and what still comes, and then drains',
    async () => {
      const before = await ledgerEntries();
      await using graceful = runSample({
        DATABASE_URL: database.connectionString,
        SHUTDOWN_GRACE_MS: '20000',
      });
      const address = await addressOf(graceful);
      const probed = new SampleClient(address);
      const { release, answers } = await transfersInFlight(probed);
      expect((await probed.get('/health/ready')).status).toBe(200);

      graceful.signal('SIGTERM');
      await eventually(async () => (await probed.get('/health/ready')).status === 503);
      expect(await probed.read('/health/ready')).toMatchObject({ status: 'shutting_down' });
      expect((await probed.get('/health/live')).status).toBe(200);
      const late = Promise.all(Array.from({ length: 20 }, (_, n) => transfer(n, probed)));
      await eventually(async () => {
        const { leased, waiting } = await probed.poolInHealth('primary');
        return leased + waiting === IN_FLIGHT + 20;
      });
      await release();

      expect(await answers).toEqual(ALL_CREATED);
      expect(await late).toEqual(Array.from({ length: 20 }, () => 201));
      expect((await probed.get('/accounts/1/balance')).status).toBe(200);
      expect(await graceful.ends()).toMatchObject({ code: 0, signal: null });
      expect(graceful.stdout).toContain('not ready any more: requests are still served for 20.0 s');
      expect(await ledgerEntries()).toBe(before + IN_FLIGHT + 20);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'waits for a running report, and closes its connection with the answer',
    async () => {
      const report = client.get('/reports/weekly?weeks=1&delaySeconds=5');
      await eventually(async () => (await client.poolInHealth('replica')).leased === 1);

      sample.signal('SIGTERM');
      const response = await report;
      expect(response.status).toBe(200);
      expect(response.headers.get('connection')).toBe('close');
      expect(await sample.ends()).toMatchObject({ code: 0, signal: null });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'takes a doubled Ctrl-C for one, as npm passes on what the terminal has already sent',
    async () => {
      const { release, answers } = await transfersInFlight();
      sample.signal('SIGINT');
      await sample.says(/Stopping/);
      sample.signal('SIGINT');
      await sleep(100);
      await release();
      expect(await answers).toEqual(ALL_CREATED);
      expect(await sample.ends()).toMatchObject({ code: 0, signal: null });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'stops at once when Ctrl-C is pressed again',
    async () => {
      const { release, answers } = await transfersInFlight();
      sample.signal('SIGINT');
      await sample.says(/Stopping/);
      await sleep(700);
      sample.signal('SIGINT');
      expect(await sample.ends()).toMatchObject({ code: 130, signal: null });
      await expect(answers).rejects.toThrow();
      await release();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'follows when `npm start` is ended by SIGTERM, which its shell does not pass on',
    async () => {
      await using shell = ChildProgram.run(SHELL_OF_NPM, {
        args: [ENTRY],
        env: { DATABASE_URL: database.connectionString, PORT: '0', npm_lifecycle_event: 'start' },
      });
      const left = new SampleClient(await addressOf(shell));
      const report = left.get('/reports/weekly?weeks=1&delaySeconds=5');
      await eventually(async () => (await left.poolInHealth('replica')).leased === 1);

      shell.signal('SIGTERM');
      expect((await report).status).toBe(200);
      // The sample writes to the same streams, so they close no sooner than it has ended.
      expect(await shell.ends()).toMatchObject({ signal: 'SIGTERM' });
    },
    TEST_TIMEOUT_MS,
  );
});
