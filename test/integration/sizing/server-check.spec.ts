import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  OverBudgetError,
  PoolFleet,
  PoolModule,
  type PoolModuleOptions,
  PoolRegistry,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { RecordedLog } from '../nest/support/recorded-log.js';

const PATIENT = { timeoutMs: 20_000 };
const APP = { user: 'app', password: 'app', database: 'shop' };

let server: PostgresServer;
let restore = () => {};
beforeAll(async () => {
  server = await PostgresServer.create({ settings: { max_connections: 60 } });
  await server.start();
  await server.query('CREATE DATABASE shop');
  await server.query("CREATE ROLE app LOGIN PASSWORD 'app'");
  await server.query("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 8");
  await server.query('CREATE DATABASE small CONNECTION LIMIT 9');
  await server.query("CREATE ROLE hurried LOGIN PASSWORD 'hurried'");
  await server.query("ALTER ROLE hurried SET idle_session_timeout = '40s'");
  await server.query("ALTER ROLE hurried SET statement_timeout = '15s'");
}, 60_000);
afterEach(() => restore());
afterAll(() => server.remove());

/** The log of an application that checks its server, and the application. */
async function start(user: string, options: PoolModuleOptions, database = 'shop') {
  restore();
  const url = server.connectionString({ user, password: user, database });
  restore = environmentSays({ DATABASE_URL: url });
  const log = new RecordedLog();
  const application = await startApplication({
    imports: [PoolModule.forRoot({ service: 'shop', serverCheck: PATIENT, ...options })],
    log,
  });
  return Object.assign(application, { log });
}

/** The warnings that name something, once they are there. */
function warned(log: RecordedLog, part: string): Promise<string[]> {
  return eventually(() => {
    const lines = log.sentences('warn').filter((line) => line.includes(part));
    return lines.length > 0 && lines;
  }, PATIENT);
}

describe('the check of the servers', () => {
  it('warns when the declared instances may open more than 70 % of what the role may use', async () => {
    await using application = await start('app', {
      sizing: { instances: 5 },
      pools: { primary: { max: 8 } },
    });
    expect(await warned(application.log, 'may open')).toEqual([
      `127.0.0.1:${server.port}: 5 instances (sizing.instances) with 9 connections each (primary 8,` +
        ' admin 1) may open 45, and that is more than 70 % (39) of the 57 that the role app may have' +
        ' (max_connections = 60, of which 3 are reserved); give these pools max 7 together in each' +
        ' instance, run fewer instances, raise max_connections, or put a pooler in between',
    ]);
  });

  it('counts the instances that it sees, where they are more than those declared', async () => {
    await using other = await start('app', {
      pools: { primary: { min: 2, max: 2, applicationName: 'shop:primary:fedcba98' } },
      serverCheck: false,
    });
    expect(other.get(PoolRegistry).get('primary').stats().total).toBeGreaterThan(0);
    await using application = await start('app', { pools: { primary: { min: 1, max: 20 } } });
    expect((await warned(application.log, 'may open'))[0]).toContain(
      '2 instances (seen) with 21 connections each (primary 20, admin 1) may open 42, and',
    );
  });

  it.each([
    ['role', 'few', 'shop', 'of the 8 that the role few may have (its CONNECTION LIMIT)'],
    ['database', 'app', 'small', 'of the 9 that the database small may have (its CONNECTION'],
  ])('knows the limit of a %s', async (_, user, database, text) => {
    await using application = await start(user, { pools: { primary: { max: 6 } } }, database);
    expect(await warned(application.log, 'may open')).toEqual([expect.stringContaining(text)]);
  });

  it('warns when others leave a fleet less than its budget, and counts other servers as ever', async () => {
    await using other = await start('app', {
      service: 'billing',
      fleet: { budget: '70%' },
      pools: { primary: { max: 50 } },
    });
    await eventually(() => expect(other.get(PoolFleet).snapshot()?.claim).toBe(36), PATIENT);

    await using application = await start('app', {
      fleet: { budget: '70%' },
      // Another name is another server.
      pools: {
        primary: { max: 50 },
        far: { host: 'localhost', port: server.port, ...APP, max: 41 },
      },
    });

    expect(await warned(application.log, 'the fleet')).toEqual([
      expect.stringMatching(
        /the fleet shop has a budget of 39 connections beside \d\d that others have or may open \(billing 3\d\b.*\), and that is more than the 57 that the role app may have/,
      ),
    ]);
    expect(await warned(application.log, 'may open 41')).toEqual([
      expect.stringContaining(`localhost:${server.port}: 1 instance with 41 connections (far 41)`),
    ]);
    expect(application.log.sentences('warn').join()).not.toContain('primary 50');
  });

  it('refuses the start by option, and leaves nothing open', async () => {
    restore = environmentSays({
      DATABASE_URL: server.connectionString({ user: 'few', password: 'few', database: 'shop' }),
    });
    const application = await createApplication({
      imports: [
        PoolModule.forRoot({
          serverCheck: { ...PATIENT, overBudget: 'refuse' },
          pools: { primary: { max: 6 } },
        }),
      ],
    });
    const refusal = await application.init().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OverBudgetError);
    expect(refusal).toMatchObject({
      code: 'POOL_OVER_BUDGET',
      reasons: [expect.stringContaining('of the 8 that the role few may have')],
    });
    for (const pool of application.get(PoolRegistry)) expect(pool.ended).toBe(true);
  });

  it('warns once of each thing, however often it asks, and again when it comes back', async () => {
    await using application = await start('app', {
      serverCheck: { ...PATIENT, intervalMs: 1_000 },
      pools: { primary: { max: 50 } },
    });
    const primary = application.get(PoolRegistry).get('primary');
    await warned(application.log, 'may open');
    await anotherRound();
    expect(await warned(application.log, 'may open')).toHaveLength(1);
    primary.resize({ max: 5 });
    await anotherRound();
    primary.resize({ max: 50 });
    await eventually(async () => (await warned(application.log, 'may open')).length === 2, PATIENT);
  });

  it('warns of a server that ends sessions which a pool means to keep', async () => {
    await using application = await start('hurried', {
      pools: { primary: { max: 2 }, quick: { max: 2, keepaliveMs: 10_000 } },
    });
    const lines = await warned(application.log, 'idle_session_timeout');
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^admin: .* 40\.0 s \(idle_session_timeout\); set keepaliveMs: 20000/),
      expect.stringMatching(/^primary: its connections may rest for 2 min \(keepaliveMs\)/),
    ]);
  });

  it('warns of a pool whose statements nobody limits, unless the server does', async () => {
    const primary = { max: 2, statementTimeoutMs: 0 };
    {
      await using application = await start('app', { pools: { primary, reports: { max: 2 } } });
      const lines = await warned(application.log, 'statement_timeout');
      expect(lines).toEqual([expect.stringMatching(/^primary: .* set statementTimeoutMs: 30000$/)]);
    }
    // This role has a limit, and is warned of something else in the same round.
    await using hurried = await start('hurried', { pools: { primary } });
    await warned(hurried.log, 'idle_session_timeout');
    expect(hurried.log.sentences('warn').join('\n')).not.toContain('nothing limits');
  });

  it('warns of pools that are far over what the server can work on', async () => {
    await using application = await start('app', {
      sizing: { databaseCores: 2 },
      pools: { primary: { max: 20 } },
    });
    expect(await warned(application.log, 'far over')).toEqual([
      expect.stringContaining('2 cores x 2 + 1 for ssd = 5 connections'),
    ]);
  });

  it('counts what replicas may open at the primary, and the sessions that watch both', async () => {
    const url = `postgres://app:app@127.0.0.1:${server.port}/shop`;
    await using application = await start('app', {
      pools: { primary: { max: 20 }, replica: { connectionString: url, max: 19 } },
    });
    const [line] = await warned(application.log, 'may open');
    expect(line).toContain(
      '(primary 20, replica 19, replica-fallback 4, admin 1, 2 to watch replicas) may open 46',
    );
  });

  it('judges each host of a pool of replicas by what that has', async () => {
    const { port } = server;
    await using application = await start('app', {
      sizing: { databaseCores: 1 },
      pools: {
        primary: { max: 1 },
        replica: {
          connectionString: `postgres://app:app@127.0.0.1:${port},localhost:${port}/shop`,
          max: 8,
          statementTimeoutMs: 0,
          sizing: { instances: 4 },
        },
      },
    });
    const lines = await eventually(() => {
      const all = application.log.sentences('warn').filter((line) => line.includes('far over'));
      return all.length === 2 && all.toSorted();
    }, PATIENT);
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(
          `^127\\.0\\.0\\.1:${port}: 4 instances .*primary 1, replica@127\\.0\\.0\\.1:${port} 8`,
        ),
      ),
      expect.stringMatching(
        new RegExp(`^localhost:${port}: 4 instances with 8 .*\\(replica@localhost:${port} 8\\)`),
      ),
    ]);
    // What is to be set is set once for all of them.
    expect(await warned(application.log, 'nothing limits')).toEqual([
      expect.stringMatching(/^replica: /),
    ]);
  });

  it('asks pools that log in otherwise over a connection of their own', async () => {
    const few = server.connectionString({ user: 'few', password: 'few', database: 'shop' });
    await using application = await start('app', {
      pools: { primary: { max: 2 }, few: { max: 7, connectionString: few } },
    });
    expect(await warned(application.log, 'may open')).toEqual([
      expect.stringContaining('(few 7) may open 7, and that is more than 70 % (5) of the 8'),
    ]);
  });

  it('delays nothing, and says nothing loud, when a server does not answer', async () => {
    const nowhere = `postgres://app:secret@127.0.0.1:${await freePort()}/shop`;
    await using application = await start('app', {
      pools: { primary: { max: 2 }, audit: { connectionString: nowhere, startup: 'lazy' } },
    });
    await eventually(
      () =>
        application.log
          .sentences('debug')
          .some((line) => /could not ask .*ECONNREFUSED/.test(line)),
      PATIENT,
    );
    expect(application.log.sentences('warn')).toEqual([]);
    expect(application.log.everything()).not.toContain('secret');
  });
});

/** Waits until a round of questions is over that began after this call. */
async function anotherRound(): Promise<void> {
  for (let round = 1; round <= 2; round += 1) {
    const last = await lastQuestionAt();
    await eventually(async () => (await lastQuestionAt()) > last, PATIENT);
  }
}

async function lastQuestionAt(): Promise<number> {
  const { rows } = await server.query<{ at: number }>(
    `SELECT coalesce(extract(epoch FROM max(query_start)), 0)::float8 AS at
     FROM pg_stat_activity WHERE application_name LIKE 'shop:admin:%'`,
  );
  return rows[0]!.at;
}
