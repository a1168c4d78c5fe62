import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ChildProgram } from '../support/child-program.js';
import { eventually } from '../support/eventually.js';
import { SampleClient } from './support/sample-client.js';
import { addressOf, runSample } from './support/sample-process.js';

const TEST_TIMEOUT_MS = 180_000;

describe('the sample with a PostgreSQL of its own', () => {
  let sample: ChildProgram;
  let address: string;
  let client: SampleClient;

  beforeAll(async () => {
    sample = runSample({});
    address = await addressOf(sample);
    client = new SampleClient(address);
  }, TEST_TIMEOUT_MS);

  afterAll(async () => {
    await sample[Symbol.asyncDispose]();
  });

  function shown(name: 'primary' | 'replica'): string {
    return new RegExp(`^ +${name} +(postgres\\S+)$`, 'm').exec(sample.stdout)![1]!;
  }

  async function isStandby(connectionString: string): Promise<boolean> {
    const session = new Client({ connectionString });
    await session.connect();
    const { rows } = await session.query('SELECT pg_is_in_recovery() AS standby');
    await session.end();
    return rows[0].standby as boolean;
  }

  it('shows the addresses of a primary and of a standby', async () => {
    expect(await isStandby(shown('primary'))).toBe(false);
    expect(await isStandby(shown('replica'))).toBe(true);
  });

  it('shows in the history what was transferred, on a standby that does not replay', async () => {
    const session = new Client({ connectionString: shown('replica') });
    await session.connect();
    try {
      await session.query('SELECT pg_wal_replay_pause()');
      await eventually(async () => {
        const { rows } = await session.query('SELECT pg_get_wal_replay_pause_state() AS state');
        return rows[0].state === 'paused';
      });
      const response = await client.post('/transfers', { from: 1, to: 2, amountCents: 1 });
      const { id } = (await response.json()) as { id: string };
      const latest = async (headers?: Record<string, string>): Promise<string> => {
        const history = await client.get('/accounts/1/history?limit=1', headers);
        return ((await history.json()) as [{ transferId: string }])[0].transferId;
      };

      expect(await latest()).not.toBe(id);
      const seen = response.headers.get('x-pools-seen')!;
      expect(await latest({ 'x-pools-seen': seen })).toBe(id);
    } finally {
      await session.query('SELECT pg_wal_replay_resume()');
      await session.end();
    }
  });

  it(
    'answers every line that it offers to try',
    async () => {
      const lines = [...sample.stdout.matchAll(/^ {2}curl -si? '?(http:[^\s']+)'?(.*)$/gm)];
      const answers: [path: string, status: number][] = [];
      for (const [, url, options] of lines) {
        const path = url!.slice(address.length);
        const body = /-d '(.+)'/.exec(options!)?.[1];
        const response = body
          ? await client.post(path, JSON.parse(body) as object)
          : await client.get(path);
        await response.arrayBuffer();
        answers.push([path, response.status]);
      }
      expect(answers).toEqual([
        ['/accounts/1', 200],
        ['/transfers', 201],
        ['/accounts/1/balance', 200],
        ['/accounts/1/history?limit=3', 200],
        ['/transfers', 422],
        ['/reports/weekly?weeks=4&delaySeconds=5', 200],
        ['/health', 200],
        ['/metrics', 200],
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  it('writes on the primary, and reads history and reports on the standby', async () => {
    const transfer = await client.post('/transfers', { from: 5, to: 6, amountCents: 77 });
    const { id } = (await transfer.json()) as { id: string };

    await eventually(async () => {
      const history = await client.read('/accounts/5/history?limit=1');
      const newest = { transferId: id, direction: 'out', counterparty: 6, amountCents: '77' };
      expect(history).toMatchObject([newest]);
    });
    const report = await client.read('/reports/weekly?weeks=1');
    expect(report).toMatchObject({ answeredBy: 'standby' });
  });

  it(
    'answers a running report at Ctrl-C, and leaves no server behind',
    async () => {
      const report = client.get('/reports/weekly?weeks=1&delaySeconds=5');
      await eventually(async () => (await client.poolInHealth('replica')).leased === 1);

      sample.signal('SIGINT');
      expect((await report).status).toBe(200);
      expect(await sample.ends()).toMatchObject({ code: 0, signal: null });
      await expect(isStandby(shown('primary'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await expect(isStandby(shown('replica'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    },
    TEST_TIMEOUT_MS,
  );
});

describe('what the sample leaves in the temporary directory', () => {
  let temporary: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'sample-leavings-'));
    // Under root the servers run by another account, which has to get in.
    await chmod(temporary, 0o755);
  });

  afterEach(async () => {
    await rm(temporary, { recursive: true });
  });

  async function serverDirectories(): Promise<string[]> {
    const names = await readdir(temporary);
    return names.filter((name) => name.startsWith('nestjs-pools-server-'));
  }

  it(
    'is nothing when it is stopped while its servers start',
    async () => {
      await using sample = runSample({ TMPDIR: temporary });
      await eventually(async () => (await serverDirectories()).length > 0, { timeoutMs: 30_000 });
      sample.signal('SIGINT');
      expect(await sample.ends()).toMatchObject({ code: 130, signal: null });
      expect(await serverDirectories()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is nothing when it is killed without warning',
    async () => {
      await using sample = runSample({ TMPDIR: temporary });
      await addressOf(sample);
      expect(await serverDirectories()).toHaveLength(2);
      sample.signal('SIGKILL');
      expect(await sample.ends()).toMatchObject({ signal: 'SIGKILL' });
      await eventually(async () => (await serverDirectories()).length === 0, { timeoutMs: 30_000 });
    },
    TEST_TIMEOUT_MS,
  );
});
