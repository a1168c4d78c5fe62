import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolModuleOptions } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { FleetProgram } from '../../support/fleet/fleet-programs.js';
import { FleetWatch } from '../../support/fleet/fleet-watch.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';

const BUDGET = 24;
const LOAD = { callers: 30, statementMs: 100 };
const OPTIONS: PoolModuleOptions = {
  service: 'orders',
  pools: { primary: { max: 30 } },
  fleet: { budget: BUDGET, instances: 3 },
};
const PATIENT = { timeoutMs: 60_000 };

let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.create({ settings: { max_connections: 30 } });
  await server.start();
  await server.query("CREATE ROLE app LOGIN PASSWORD 'app'");
  url = server.connectionString({ user: 'app', password: 'app' });
}, 60_000);
afterAll(() => server.remove());

describe('instances that share a budget', () => {
  it('grow and shrink as others come and go, and never hold more than the budget', async () => {
    await using watch = await FleetWatch.of(server.connectionString());
    await using first = FleetProgram.run(url, OPTIONS, LOAD);
    await first.joins();
    // Alone: all but the minimum of the next one, and one to ask with for the one after that.
    await eventually(() => expect(watch.claims).toEqual([BUDGET - 3 - 1]), PATIENT);
    await eventually(() => expect(watch.latest.sessions).toBeGreaterThan(10), PATIENT);

    await using second = FleetProgram.run(url, OPTIONS, LOAD);
    await second.joins();
    await eventually(() => expect(watch.claims).toEqual([10, 11]), PATIENT);

    await second.dies();
    await eventually(() => expect(watch.claims).toEqual([20]), PATIENT);

    await using third = FleetProgram.run(url, OPTIONS, LOAD);
    await third.joins();
    await eventually(() => expect(watch.claims).toEqual([10, 11]), PATIENT);
    await third.leaves();
    await eventually(() => expect(watch.claims).toEqual([20]), PATIENT);

    expect(watch.most.length).toBeLessThanOrEqual(BUDGET);
    for (const { told } of [first, second, third]) expect(told).not.toMatch(/^error /m);
  }, 300_000);
});
