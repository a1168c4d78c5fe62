import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  FleetFullError,
  InvalidPoolOptionsError,
  PoolDiagnostics,
  PoolDiagnosticsModule,
  PoolFleet,
  PoolModule,
  PoolModuleError,
  type PoolModuleOptions,
  PoolRegistry,
  StartupFailedError,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { FleetProgram } from '../../support/fleet/fleet-programs.js';
import { FleetWatch } from '../../support/fleet/fleet-watch.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { RecordedLog } from '../nest/support/recorded-log.js';

const BUDGET = 24;
const PATIENT = { timeoutMs: 60_000 };
const INTERVAL_MS = 2_000;

let server: PostgresServer;
let restore = () => {};
beforeAll(async () => {
  server = await PostgresServer.create({ settings: { max_connections: 40 } });
  await server.start();
  await server.query("CREATE ROLE app LOGIN PASSWORD 'app'");
  await server.query("CREATE ROLE other LOGIN PASSWORD 'other'");
  await server.query('CREATE DATABASE elsewhere');
}, 60_000);
afterEach(() => restore());
afterAll(() => server.remove());

const direct = () => server.connectionString({ user: 'app', password: 'app' });

function moduleWith(options: PoolModuleOptions, url = direct()) {
  restore();
  restore = environmentSays({ DATABASE_URL: url });
  return [PoolModule.forRoot({ service: 'orders', ...options }), PoolDiagnosticsModule.forRoot()];
}

async function start(options: PoolModuleOptions, url?: string) {
  const log = new RecordedLog();
  const application = await startApplication({ imports: moduleWith(options, url), log });
  const pools = application.get(PoolRegistry);
  const maxOf = (name: string) => pools.get(name).stats().max;
  return Object.assign(application, { log, maxOf, fleet: application.get(PoolFleet) });
}

async function refused(options: PoolModuleOptions, url?: string): Promise<Error> {
  const application = await createApplication({ imports: moduleWith(options, url) });
  const error = await application.init().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

describe('an application with a fleet budget', () => {
  it('gives its pools what it may have, by their weights, up to their own max', async () => {
    await using application = await start({
      pools: {
        primary: { max: 30, weight: 2 },
        jobs: { max: 30 },
        few: { max: 2 },
      },
      fleet: { budget: BUDGET },
    });
    // The fleet's session and the admin pool have 1 each; the next instance is to have 5.
    const names = ['primary', 'jobs', 'few', 'admin'];
    await eventually(() => expect(names.map(application.maxOf)).toEqual([10, 5, 2, 1]), PATIENT);
    const seen = { share: BUDGET - 5, claim: BUDGET - 5, minimum: 5, sees: true, others: [] };
    expect(application.fleet.snapshot()).toMatchObject(seen);
    // What the budget bounds, and not the pool's own max.
    const pools = application.get(PoolRegistry);
    const shares = names.map((name) => application.fleet.shareOf(pools.get(name)));
    expect(shares).toEqual([10, 5, undefined, undefined]);
  });

  it('shows it in the report and tells it in the log', async () => {
    await using application = await start({
      pools: { primary: { max: 30 } },
      fleet: { budget: '50%', service: 'parts' },
    });
    // Half of 40 connections, of which 3 are reserved; the minimum is 3.
    await eventually(() => expect(application.maxOf('primary')).toBe(18 - 3 - 2), PATIENT);
    const report = await application.get(PoolDiagnostics).report();
    expect(report.fleet).toMatchObject({ service: 'parts', budget: 18, share: 15, claim: 15 });
    expect(String(report)).toContain('fleet of parts: 15 of 18 connections; 0 other instances');
    expect(application.log.sentences('log')).toContain(
      'fleet of parts: 1 instance has a budget of 18 connections',
    );
  });

  it('lets nobody use a pool before the instance has joined, and everybody after', async () => {
    await using watch = await FleetWatch.of(server.connectionString());
    const application = await createApplication({
      imports: moduleWith({ pools: { primary: { max: 5 } }, fleet: { budget: BUDGET } }),
    });
    const answer = application.get(PoolRegistry).get('primary').query('SELECT 1 AS one');
    expect(application.get(PoolRegistry).get('primary').stats().total).toBe(0);
    await application.init();
    expect((await answer).rows).toEqual([{ one: 1 }]);
    await application.close();
    await eventually(() => expect(watch.latest.sessions).toBe(0), PATIENT);
  });

  it('lowers a budget over what the role may have, and says so', async () => {
    await using application = await start({ fleet: { budget: 400 } });
    expect(application.fleet.snapshot()?.budget).toBe(37);
    expect(application.log.sentences('warn')).toContain(
      'fleet of orders: the budget is 400, but the role may have no more than 37 connections:' +
        ' the budget is 37',
    );
  });

  it('shrinks to its minimum when its fleet session is ended, and grows again', async () => {
    await using watch = await FleetWatch.of(server.connectionString());
    await using application = await start({
      pools: { primary: { max: 30 } },
      fleet: { budget: BUDGET, intervalMs: INTERVAL_MS },
    });
    await eventually(() => expect(application.maxOf('primary')).toBe(BUDGET - 5), PATIENT);
    const { instance } = application.fleet.snapshot()!;
    await watch.endFleetSession(instance);
    await eventually(() => expect(application.log.sentences('warn')).toHaveLength(1), PATIENT);
    expect(application.log.sentences('warn')[0]).toContain(
      'fleet of orders: cannot see the other instances',
    );
    await eventually(() => expect(application.maxOf('primary')).toBe(BUDGET - 5), PATIENT);
    expect(application.fleet.snapshot()?.sees).toBe(true);
  });

  it('shrinks to its minimum when the network is cut, and the others stay within the budget', async () => {
    await using watch = await FleetWatch.of(server.connectionString());
    await using proxy = await TcpProxy.to(server);
    const options = {
      service: 'orders',
      pools: { primary: { max: 30 } },
      fleet: { budget: BUDGET, intervalMs: INTERVAL_MS },
    };
    // Names of sessions are seen by every role, whatever else is hidden.
    const byAnother = server.connectionString({ user: 'other', password: 'other' });
    await using other = FleetProgram.run(byAnother, options, { callers: 25, statementMs: 100 });
    await other.joins();
    await using application = await start(
      { ...options, pools: { primary: { min: 30, max: 30 } } },
      proxy.through(direct()),
    );
    await eventually(() => expect(watch.claims).toEqual([10, 11]), PATIENT);
    const { instance } = application.fleet.snapshot()!;
    await eventually(() => expect(watch.latest.held.get(instance)).toBeGreaterThan(8), PATIENT);

    await proxy.blackhole();
    await eventually(() => expect(application.maxOf('primary')).toBe(1), PATIENT);
    expect(application.fleet.snapshot()).toMatchObject({ share: 3, sees: false });

    await proxy.heal();
    await eventually(() => expect(application.fleet.snapshot()?.sees).toBe(true), PATIENT);
    // What the server still has of before, it does not know to be gone.
    proxy.reset();
    await eventually(() => expect(watch.claims).toEqual([10, 11]), PATIENT);
    expect(watch.most.length).toBeLessThanOrEqual(BUDGET);
    expect(other.told).not.toMatch(/^error /m);
  }, 240_000);
});

describe('a start that is refused', () => {
  it('says that the budget is too small for the instances', async () => {
    const error = await refused({ fleet: { budget: 11, instances: 4 } });
    expect(error).toBeInstanceOf(InvalidPoolOptionsError);
    expect(error.message).toContain(
      'PoolModule.fleet.budget is 11 connections, but 4 instances need 4 each, 16 together',
    );
    expect((await refused({ fleet: { budget: '5%' } })).message).toContain(
      'fleet.budget is 5 % (1) connections, but an instance needs 4',
    );
  });

  it('says that a pool has a name of its own', async () => {
    const pools = { primary: { applicationName: 'mine' } };
    expect((await refused({ pools, fleet: { budget: BUDGET } })).message).toContain(
      'primary.applicationName (or PGAPPNAME) names the sessions of this pool',
    );
  });

  it('says that the way leads through a pooler', async () => {
    const pools = { primary: { max: 5 }, admin: { pooler: 'pgbouncer-session' as const } };
    expect((await refused({ pools, fleet: { budget: BUDGET } })).message).toContain(
      "fleet needs a session of its own at the server, and admin leads through a pooler (its pooler is 'pgbouncer-session'): give the pool admin the address of the server itself",
    );
  });

  it('says at once what waiting would not mend', async () => {
    const url = server.connectionString({ user: 'app', password: 'wrong' });
    const error = await refused({ fleet: { budget: BUDGET } }, url);
    expect(error).toBeInstanceOf(StartupFailedError);
    expect(error.message).toMatch(/and 1 attempt: 28P01: .*; waiting would not help: mend/);
  });

  it('says that there is an application of this fleet in the process', async () => {
    await using _ = await start({ fleet: { budget: BUDGET } });
    expect(await refused({ fleet: { budget: BUDGET } })).toBeInstanceOf(PoolModuleError);
  });

  it('says that others left no room, or are in another database, and leaves nothing open', async () => {
    await using watch = await FleetWatch.of(server.connectionString());
    const pools = { primary: { max: 30 } };
    const many = { fleet: { budget: 5 }, pools, service: 'orders' };
    await using other = FleetProgram.run(direct(), many, { callers: 1, statementMs: 100 });
    await other.joins();
    const elsewhere = { user: 'app', password: 'app', database: 'elsewhere' };
    expect(
      (await refused({ fleet: { budget: BUDGET } }, server.connectionString(elsewhere))).message,
    ).toContain('has its instances in the database postgres, and this one is in elsewhere');
    const error = await refused({
      fleet: { budget: 5 },
      pools: { primary: { max: 30, startupTimeoutMs: 1_000 } },
    });
    expect(error).toBeInstanceOf(FleetFullError);
    expect(error.message).toContain('1 other instances left less than the 3 connections');
    await eventually(() => expect(watch.latest.held.size).toBe(1), PATIENT);
  });
});
