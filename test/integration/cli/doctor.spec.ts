import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Diagnosis } from '../../../lib/cli/diagnosis.js';
import { run } from '../../../lib/cli/run.js';
import { ChildProgram } from '../../support/child-program.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';

const PROGRAM = new URL('../../../lib/cli/main.ts', import.meta.url);
const PATIENCE_MS = 60_000;
const PASSWORD = 'geheim-7';
/** All that is no text, but for the end of a line. */
const NOT_SHOWN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.create({
    settings: { max_connections: 30, idle_in_transaction_session_timeout: '10min' },
  });
  await server.start();
  await server.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'`);
  await server.query('GRANT pg_monitor TO app');
  await server.query(`CREATE ROLE limited LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT 2`);
  await server.query("ALTER ROLE limited SET idle_session_timeout = '50s'");
  await server.query('CREATE DATABASE shop');
}, PATIENCE_MS);
afterAll(() => server.remove());

function url(user = 'app', password = PASSWORD, database = 'shop'): string {
  return server.connectionString({ user, password, database });
}

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program in this process: another one takes seconds to start. */
async function doctor(args: string[], env: Record<string, string> = {}): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const code = await run(['doctor', ...args], {
    env,
    out: (text) => (said.stdout += `${text}\n`),
    err: (text) => (said.stderr += `${text}\n`),
  });
  expect(said.stdout + said.stderr).not.toContain(PASSWORD);
  return { code, ...said };
}

/** Another application at the server; `await using` ends it. */
async function session(application: string, user = 'app'): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url(user), application_name: application });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

describe('the program in a process of its own', () => {
  it(
    'prints its verdict, or why there is none, and ends by itself with its code',
    async () => {
      const env = { DATABASE_URL: url() };
      await using fine = ChildProgram.run(PROGRAM, { args: ['doctor'], env });
      await using wrong = ChildProgram.run(PROGRAM, {
        args: ['doctor', url('app', 'nonsense')],
        env,
      });
      expect(await fine.ends(PATIENCE_MS)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Verdict: nothing to warn of'),
        stderr: '',
      });
      expect(await wrong.ends(PATIENCE_MS)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('refuses the password of the role app'),
      });
    },
    PATIENCE_MS * 2,
  );
});

describe('nestjs-pools doctor', () => {
  it(
    'shows the limits, who has sessions, and options to paste, and ends with 0',
    async () => {
      await using _first = await session('orders:primary:0123abcd');
      await using _second = await session('orders:primary:89abcdef');
      await using _third = await session('psql');
      const { code, stdout, stderr } = await doctor([url(), '--cores', '2']);
      expect(stderr).toBe('');
      expect(stdout).toMatch(
        /^PostgreSQL 18\.\d+ at app@127\.0\.0\.1:\d+\/shop: a primary, asked directly/,
      );
      expect(stdout).toMatch(/max_connections +30, 3 reserved for superusers/);
      expect(stdout).toMatch(/idle_in_transaction_session_timeout +10 min/);
      expect(stdout).toContain('Sessions: 3 of 30');
      expect(stdout).toMatch(/orders:primary \(2 instances\) +2 idle/);
      expect(stdout).toContain('for 2 instances (seen): up to 7 in each beside its admin pool');
      expect(stdout).toContain("sizing: { databaseCores: 2, storage: 'ssd', instances: 2 },");
      expect(stdout).toContain("primary: { max: 'auto' },");
      expect(stdout).toMatch(/Verdict: nothing to warn of, 1 piece of advice\n$/);
      expect(code).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'counts the instances that it sees, where they are more than those given',
    async () => {
      await using _first = await session('orders:primary:0123abcd');
      await using _second = await session('billing:primary:89abcdef');
      const { stdout } = await doctor([url(), '--instances', '1']);
      expect(stdout).toContain('for 2 instances (seen): up to 8 in each');
      const { stdout: more } = await doctor([url(), '--instances', '3']);
      expect(more).toContain('for 3 instances (as given): up to 5 in each');
    },
    PATIENCE_MS,
  );

  it(
    'ends with 1 over advice where it is to be strict, and reads DATABASE_URL',
    async () => {
      const { code, stdout } = await doctor(['--strict'], { DATABASE_URL: url() });
      expect(stdout).toContain('advice: ');
      expect(code).toBe(1);
    },
    PATIENCE_MS,
  );

  it(
    'ends with 1 where the server has no room for so many instances',
    async () => {
      const { code, stdout } = await doctor([url(), '--instances', '30']);
      expect(stdout).toMatch(/warning: .*: 30 instances cannot have a connection each/);
      expect(stdout).toContain('Verdict: 1 warning');
      expect(code).toBe(1);
    },
    PATIENCE_MS,
  );

  it(
    'warns of a role that has no room left, and of short idle sessions, as JSON',
    async () => {
      await using _session = await session('cron', 'limited');
      const { code, stdout } = await doctor([url('limited'), '--json']);
      const diagnosis = JSON.parse(stdout) as object;
      expect(diagnosis).toMatchObject({
        verdict: 'warnings',
        address: { host: '127.0.0.1', port: server.port, database: 'shop', user: 'limited' },
        facts: {
          isPooled: false,
          limits: { maxConnections: 30, roleLimit: 2, isSuperuser: false },
          idleSessionTimeoutMs: 50_000,
        },
        recommended: { primary: { keepaliveMs: 25_000 }, needsPooler: true },
      });
      expect((diagnosis as { findings: object[] }).findings).toContainEqual(
        expect.objectContaining({
          code: 'idle-session-timeout',
          level: 'warning',
          message: expect.stringContaining('set keepaliveMs: 25000'),
        }),
      );
      expect(code).toBe(1);
    },
    PATIENCE_MS,
  );

  it(
    'says that the role has used up its limit',
    async () => {
      await using _one = await session('cron', 'limited');
      await using _two = await session('cron', 'limited');
      const { code, stderr } = await doctor([url('limited')]);
      expect(stderr).toMatch(/has no connection left for the role limited \(53300\)/);
      expect(code).toBe(2);
    },
    PATIENCE_MS,
  );

  it(
    'shows what sessions do without the data in their statements',
    async () => {
      await using busy = await session('reports');
      await using idle = await session('import');
      await idle.query("BEGIN; SELECT 'Grace Hopper'");
      const sleeping = busy.query("SELECT pg_sleep(60), 'Ada Lovelace'").catch(() => 'cancelled');
      await eventually(async () => (await runningSleeps()) > 0, { timeoutMs: PATIENCE_MS });
      const { stdout } = await doctor([url()]);
      await server.query(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'reports'",
      );
      await sleeping;
      expect(stdout).toMatch(/Longest statements\n.* reports, role app: SELECT pg_sleep\(\?\), \?/);
      expect(stdout).toMatch(/Idle in a transaction\n.* import, role app: BEGIN; SELECT \?/);
      expect(stdout).not.toMatch(/Lovelace|Hopper/);
    },
    PATIENCE_MS,
  );

  it(
    'shows no name as it is that a terminal takes for a command, or that looks as a line of its own',
    async () => {
      const name = 'eve\u001b[2J\nVerdict: fine\u009b1m\u2028\u202e';
      await server.query(`CREATE ROLE "${name}" LOGIN PASSWORD '${PASSWORD}'`);
      await using eve = await session('psql', name);
      await eve.query(`BEGIN; SELECT 1 AS "${name}"`);
      const { stdout: text } = await doctor([url()]);
      const { stdout: json } = await doctor([url(), '--json']);

      expect(text).not.toMatch(NOT_SHOWN);
      expect(text.match(/^Verdict: /gm)).toHaveLength(1);
      expect(text).toContain('role eve?[2J?Verdict: fine?1m??: BEGIN; SELECT ? AS "eve?[2J?');
      expect(json).not.toMatch(NOT_SHOWN);
      expect((JSON.parse(json) as Diagnosis).activity.idleInTransaction).toContainEqual(
        expect.objectContaining({ user: name, statement: `BEGIN; SELECT ? AS "${name}"` }),
      );
    },
    PATIENCE_MS,
  );

  it(
    'shows a replica, and how far it is behind',
    async () => {
      await using standby = await server.createStandby();
      await standby.waitForReplay(server);
      const { stdout } = await doctor([
        standby.connectionString({ user: 'app', password: PASSWORD, database: 'shop' }),
      ]);
      expect(stdout).toContain(': a replica, asked directly');
      expect(stdout).toMatch(/Replication\n {2}behind its primary: /);
      const { stdout: primary } = await doctor([url()]);
      expect(primary).toMatch(/Replication\n {2}standby_1: streaming, \d+ bytes behind/);
    },
    PATIENCE_MS * 2,
  );

  it.each([
    [
      'a wrong password',
      () => url('app', 'nonsense'),
      /refuses the password of the role app \(28P01\)$/,
    ],
    [
      'no such database',
      () => url('app', PASSWORD, 'shed'),
      /no database shed at 127\.0\.0\.1:\d+ \(3D000\)$/,
    ],
    [
      'a wrong port',
      async () => `postgres://app:${PASSWORD}@127.0.0.1:${await freePort()}/shop`,
      /nobody listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED\); check host and port$/,
    ],
    [
      'no URL at all',
      () => `app:${PASSWORD}@db`,
      /the url is a string that does not begin with postgres/,
    ],
    [
      'a flag of nobody',
      () => '--frobnicate',
      /Unknown option '--frobnicate'; see nestjs-pools doctor --help$/,
    ],
  ])(
    'says in one sentence what is wrong with %s, and ends with 2',
    async (_, argument, sentence) => {
      const { code, stdout, stderr } = await doctor([await argument()]);
      expect(stdout).toBe('');
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(code).toBe(2);
    },
    PATIENCE_MS,
  );

  it(
    'tells the same as JSON where that is wanted',
    async () => {
      const { code, stdout } = await doctor([url('app', 'nonsense'), '--json']);
      expect(JSON.parse(stdout)).toEqual({
        verdict: 'not asked',
        error: expect.stringContaining('refuses the password'),
      });
      expect(code).toBe(2);
    },
    PATIENCE_MS,
  );
});

async function runningSleeps(): Promise<number> {
  const { rows } = await server.query<{ count: number }>(
    "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'reports' AND state = 'active'",
  );
  return rows[0]!.count;
}
