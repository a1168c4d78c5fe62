import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Statistics } from '../../../lib/engine/statistics.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import {
  Pool,
  PoolAdvisor,
  type PoolFleet,
  type PoolModuleOptions,
  PoolRegistry,
} from '../../../lib/index.js';
import { definePools } from '../../../lib/nest/definition/pool-definitions.js';
import { ReplicaPool } from '../../../lib/routing/replica-pool.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

const MINUTE = 60_000;
const AT = { database: 'shop', user: 'app', startup: 'lazy' } as const;

const NO_FLEET: Pick<PoolFleet, 'shareOf'> = { shareOf: () => undefined };

let pools: Pool[] = [];
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(new Logger()));
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(pools.map((pool) => pool.end()));
  pools = [];
});

/** The registry of an application whose pools have opened nothing. */
function registryOf(options: PoolModuleOptions): PoolRegistry {
  const definitions = definePools(Object.keys(options.pools ?? {}), options, {});
  pools = [];
  for (const { name, kind, options: given, atPrimary } of definitions) {
    const identity = { name, kind };
    const [primary] = pools;
    pools.push(
      atPrimary
        ? new ReplicaPool(given, { ...identity, primary, atPrimary })
        : new Pool(given, identity),
    );
  }
  const sizing = new Set(definitions.flatMap((definition) => definition.sizing ?? []));
  return new PoolRegistry(
    pools.map((pool) => [pool.name, pool]),
    [...sizing],
  );
}

/** What is advised for a pool when many have waited for ten minutes. */
async function adviceAfterWaits(registry: PoolRegistry, name: string, fleet = NO_FLEET) {
  const clock = new VirtualClock();
  jest.spyOn(systemClock, 'now').mockImplementation(() => clock.now());
  jest.spyOn(systemClock, 'after').mockImplementation((...given) => clock.after(...given));
  const pool = registry.get(name);
  const statistics = new Statistics();
  const stats = pool.stats();
  jest.spyOn(pool, 'stats').mockImplementation(() => ({
    ...stats,
    counters: statistics.counters(),
    histograms: statistics.histograms(),
  }));
  const advisor = new PoolAdvisor(registry, fleet);
  advisor.onApplicationBootstrap();
  for (let minute = 0; minute < 10; minute += 1) {
    for (let n = 0; n < 60; n += 1) {
      statistics.servedAfter(40);
      statistics.use.record(20);
    }
    await clock.advance(MINUTE);
  }
  const advice = advisor.advice();
  jest.restoreAllMocks();
  return advice.find((each) => each.pool === name);
}

describe('the advisor of an application', () => {
  it('raises no pool over its share of what the server can use', async () => {
    const registry = registryOf({
      sizing: { databaseCores: 8, storage: 'memory', instances: 2 },
      pools: {
        primary: { host: 'db1', max: 'auto', weight: 3, ...AT },
        reports: { max: 'auto', startup: 'lazy' },
      },
    });
    expect(await adviceAfterWaits(registry, 'primary')).toMatchObject({
      verdict: 'at the limit',
      recommendedMax: undefined,
      sentence: expect.stringContaining('max is 6, and 6 is all of its server'),
    });
  });

  it('knows a server by its name in whatever case', async () => {
    const registry = registryOf({
      sizing: { databaseCores: 8, storage: 'memory' },
      pools: {
        primary: { host: 'DB1.test', max: 'auto', ...AT },
        reports: { host: 'db1.test', max: 'auto', ...AT },
      },
    });
    expect(await adviceAfterWaits(registry, 'reports')).toMatchObject({ verdict: 'at the limit' });
  });

  it('raises up to that share a pool that has less', async () => {
    const registry = registryOf({
      sizing: { databaseCores: 8, storage: 'memory', instances: 2 },
      pools: { primary: { host: 'db1', max: 7, ...AT } },
    });
    expect(await adviceAfterWaits(registry, 'primary')).toMatchObject({
      verdict: 'raise',
      recommendedMax: 8,
    });
  });

  it('knows of each replica what its own server can use', async () => {
    const registry = registryOf({
      sizing: { databaseCores: 8 },
      pools: {
        primary: { host: 'db1', max: 10, ...AT },
        replica: { hosts: ['db2', 'db3'], max: 'auto', sizing: { databaseCores: 1 }, ...AT },
      },
    });
    expect(await adviceAfterWaits(registry, 'replica@db3:5432')).toMatchObject({
      verdict: 'at the limit',
      max: 3,
    });
  });

  it('limits nothing where nobody said what the server can use', async () => {
    const registry = registryOf({ pools: { primary: { host: 'db1', max: 10, ...AT } } });
    expect(await adviceAfterWaits(registry, 'primary')).toMatchObject({ verdict: 'raise' });
  });

  it('raises no pool that has all that the fleet leaves it', async () => {
    const registry = registryOf({ pools: { primary: { host: 'db1', max: 10, ...AT } } });
    const fleet = { shareOf: ({ name }: Pool) => (name === 'primary' ? 10 : undefined) };
    expect(await adviceAfterWaits(registry, 'primary', fleet)).toMatchObject({
      verdict: 'at the limit',
      sentence: expect.stringContaining("share of the fleet's budget"),
    });
  });

  it('leaves out what is there for an emergency', () => {
    const registry = registryOf({
      pools: {
        primary: { host: 'db1', max: 10, ...AT },
        replica: { hosts: ['db2', 'db3'], ...AT },
      },
    });
    expect([...registry].map(({ name }) => name)).toContain('replica-fallback');
    const advisor = new PoolAdvisor(registry, NO_FLEET);
    advisor.onApplicationBootstrap();
    const advised = advisor.advice().map(({ pool }) => pool);
    advisor.onApplicationShutdown();
    expect(advised).toEqual(['primary', 'replica@db2:5432', 'replica@db3:5432']);
  });
});
