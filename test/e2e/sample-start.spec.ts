import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { SampleClient } from './support/sample-client.js';
import { addressOf, runSample } from './support/sample-process.js';

const TEST_TIMEOUT_MS = 180_000;

describe('starting the sample', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  it(
    'uses the database of DATABASE_URL, names it without its password, and keeps what is there',
    async () => {
      await using first = runSample({ DATABASE_URL: database.connectionString });
      const address = await addressOf(first);
      const { password, host, pathname } = new URL(database.connectionString);
      expect(first.stdout).toContain(`${host}${pathname}`);
      expect(first.stdout).toContain('reads go to the primary too');
      if (password !== '') expect(first.stdout + first.stderr).not.toContain(password);

      await new SampleClient(address).post('/accounts', { owner: 'Still here' });
      first.signal('SIGTERM');
      expect(await first.ends()).toMatchObject({ code: 0, signal: null });

      await using second = runSample({ DATABASE_URL: database.connectionString });
      const client = new SampleClient(await addressOf(second));
      expect(await client.read('/accounts/101')).toMatchObject({ owner: 'Still here' });
      expect(second.stdout).not.toContain('Seeded');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'reads from the database of DATABASE_REPLICA_URL, all of it from a .env file if need be',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'sample-env-'));
      const settings = {
        DATABASE_URL: database.connectionString,
        DATABASE_REPLICA_URL: database.connectionString,
        POOL_REPLICA_MAX: '3',
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
      await writeFile(join(directory, '.env'), lines.join(''));

      await using sample = runSample({}, directory);
      const client = new SampleClient(await addressOf(sample));
      expect(sample.stdout).not.toContain('reads go to the primary too');
      expect(await client.poolInHealth('replica')).toMatchObject({ status: 'up', max: 3 });
      await rm(directory, { recursive: true });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'twice at once on one empty database, creates and seeds it once',
    async () => {
      await using empty = await testDatabase();
      const environment = { DATABASE_URL: empty.connectionString };
      await using one = runSample(environment);
      await using two = runSample(environment);
      await Promise.all([addressOf(one), addressOf(two)]);
      const { rows } = await empty.query('SELECT count(*)::integer AS count FROM bank.accounts');
      expect(rows).toEqual([{ count: 100 }]);
      expect([one, two].filter(({ stdout }) => stdout.includes('Seeded'))).toHaveLength(1);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'on a port in use names it, offers another, and ends with exit code 1',
    async () => {
      const squatter = createServer().listen(0, '127.0.0.1');
      await once(squatter, 'listening');
      const { port } = squatter.address() as AddressInfo;

      await using sample = runSample({ PORT: String(port) });
      const { code, stdout, stderr } = await sample.ends();
      const output = stdout + stderr;
      expect(code).toBe(1);
      expect(output).toContain(`Port ${port}`);
      expect(output).toMatch(/PORT=\d+ npm start/);
      expect(output).not.toMatch(/^ +at /m);

      squatter.close();
      await once(squatter, 'close');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'with a PORT that is none says so and ends with exit code 1',
    async () => {
      await using sample = runSample({ PORT: 'http' });
      const { code, stdout, stderr } = await sample.ends();
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('PORT must be a number');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'waits for a database that is not there yet, and leaves at once when it is stopped meanwhile',
    async () => {
      const nowhere = new URL(database.connectionString);
      nowhere.port = '1';
      await using sample = runSample({ DATABASE_URL: nowhere.href });
      await sample.says(/ECONNREFUSED/);
      sample.signal('SIGTERM');
      expect(await sample.ends(20_000)).toMatchObject({ code: 143, signal: null });
    },
    TEST_TIMEOUT_MS,
  );
});
