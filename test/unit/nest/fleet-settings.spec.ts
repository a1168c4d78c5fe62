import { describe, expect, it } from '@jest/globals';
import type { PoolModuleOptions } from '../../../lib/index.js';
import { fleetProblems, fleetSettings } from '../../../lib/nest/fleet/fleet-settings.js';
import { definePools } from '../../../lib/nest/definition/pool-definitions.js';

const wrong = (options: unknown, env = {}) =>
  fleetProblems(options as PoolModuleOptions, { npm_package_name: 'shop', ...env }).map(
    ({ message }) => message,
  );

describe('the options of a fleet', () => {
  it('have defaults: the service of the module, the instances of the sizing', () => {
    const options: PoolModuleOptions = {
      service: 'orders',
      sizing: { instances: '12' },
      fleet: { budget: 80 },
    };
    expect(fleetSettings(options, {})).toEqual({
      service: 'orders',
      budget: { connections: 80 },
      instances: 12,
      intervalMs: 2_000,
    });
    const own = { budget: '70%', service: 'parts', instances: 3, intervalMs: 500 } as const;
    expect(fleetSettings({ ...options, fleet: own }, {})).toEqual({
      service: 'parts',
      budget: { percent: 70 },
      instances: 3,
      intervalMs: 500,
    });
    expect(fleetSettings({ service: 'orders' }, {})).toBeUndefined();
  });

  it('are right as they are documented', () => {
    expect(wrong({ fleet: { budget: '70%', service: 's'.repeat(27), intervalMs: 100 } })).toEqual(
      [],
    );
    expect(wrong({})).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['70%', 'fleet must be an object'],
    [{}, 'fleet.budget must be a number of connections from 1'],
    [{ budget: 0 }, 'it is 0'],
    [{ budget: '120%' }, "it is '120%'"],
    [{ budget: 9, service: 'a:b' }, 'fleet.service must be a text of up to 27 characters'],
    [{ budget: 9, service: 's'.repeat(28) }, 'fleet.service must be'],
    [{ budget: 9, service: 'größe' }, 'fleet.service must be'],
    [{ budget: 9, service: '' }, 'fleet.service must be'],
    [{ budget: 9, instances: 1.5 }, 'fleet.instances must be a whole number'],
    [{ budget: 9, intervalMs: 99 }, 'fleet.intervalMs must be milliseconds from 100'],
    [
      { budget: 9, intervallMs: 500 },
      'fleet.intervallMs is not an option; did you mean intervalMs?',
    ],
  ])('are refused: %j', (fleet, message) => {
    const all = wrong({ fleet });
    expect(all).toHaveLength(1);
    expect(all[0]).toContain(message);
  });

  it('are refused where the service of the module cannot be the name of a fleet', () => {
    expect(wrong({ service: 'a:b', fleet: { budget: 9 } })[0]).toContain(
      'fleet.service must be given: the module\'s service, "a:b", is not up to 27 characters',
    );
    expect(wrong({ fleet: { budget: 9 } }, { OTEL_SERVICE_NAME: 's'.repeat(40) })).toHaveLength(1);
    expect(wrong({ service: 'a:b', fleet: { budget: 9, service: 'ab' } })).toEqual([]);
  });

  it('name the sessions of all pools', () => {
    const options: PoolModuleOptions = {
      service: 'shop',
      pools: { primary: { host: 'db' } },
      fleet: { budget: 9, service: 'orders' },
    };
    const [primary] = definePools(['primary'], options, {});
    expect(primary!.options.fallback_application_name).toMatch(/^orders:primary:[0-9a-f]{8}$/);
  });
});
