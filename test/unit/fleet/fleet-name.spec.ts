import { describe, expect, it } from '@jest/globals';
import {
  claimName,
  fleetNamePattern,
  instancesIn,
  onlyFleetSessions,
} from '../../../lib/fleet/fleet-name.js';
import { applicationName, INSTANCE } from '../../../lib/nest/application-name.js';

describe('the instances in the names of sessions', () => {
  it('have what their sessions and their claims say, strangers left out', () => {
    const names = [
      'orders:primary:0a0a0a0a',
      'orders:primary:0a0a0a0a',
      'orders:fleet=12:0a0a0a0a',
      'orders:a:b:1b1b1b1b',
      'orders:fleet=:1b1b1b1b',
      'parts:fleet=9:2c2c2c2c',
      'orders:primary:migrate',
      'orders',
      'psql',
      '',
    ];
    expect(instancesIn(names, 'orders')).toEqual([
      { instance: '0a0a0a0a', claim: 12, sessions: 3 },
      { instance: '1b1b1b1b', claim: undefined, sessions: 2 },
    ]);
  });

  it('have the larger of two claims, while a session before is still there', () => {
    for (const claims of [
      [3, 20],
      [20, 3],
    ]) {
      const names = claims.map((claim) => `orders:${claimName(claim)}:0a0a0a0a`);
      expect(instancesIn(names, 'orders')).toEqual([
        { instance: '0a0a0a0a', claim: 20, sessions: 2 },
      ]);
    }
  });

  it('are found in names as the module makes them, of the longest service and pool', () => {
    const service = 's'.repeat(27);
    const names = ['p'.repeat(60), claimName(123_456)].map((pool) =>
      applicationName(service, pool),
    );
    expect(instancesIn(names, service)).toEqual([
      { instance: INSTANCE, claim: 123_456, sessions: 2 },
    ]);
  });

  it('may be those of fleet sessions alone', () => {
    const names = ['orders:primary:0a0a0a0a', 'orders:fleet=4:0a0a0a0a', 'orders:fleet=4'];
    expect(onlyFleetSessions(names)).toEqual(['orders:fleet=4:0a0a0a0a']);
  });

  it('are asked for by a pattern in which a service stands for itself', () => {
    expect(fleetNamePattern(String.raw`a_b%c\d`, '0a0a0a0a')).toBe(
      String.raw`a\_b\%c\\d:fleet=%:0a0a0a0a`,
    );
  });
});
