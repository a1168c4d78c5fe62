import { describe, expect, it } from '@jest/globals';
import { besideFleet } from '../../../lib/doctor/fleet-finding.js';
import type { SessionGroup } from '../../../lib/doctor/server-facts.js';
import { claimOf } from '../../../lib/fleet/fleet-name.js';
import { factsOf, type GivenFacts } from './facts.js';

const textOf = (budget: number, facts: GivenFacts) =>
  besideFleet('db:5432', { service: 'orders', budget, claimOf }, factsOf(facts))?.message;

const sessions = (application: string, count = 1, user = 'app'): SessionGroup => ({
  application,
  user,
  database: 'shop',
  state: 'idle',
  count,
});

describe('what others leave a fleet', () => {
  it('is enough where its budget and what they have fit together', () => {
    const own = [sessions('orders:fleet=60:0123abcd'), sessions('orders:primary:0123abcd', 59)];
    expect(textOf(97, { sessions: own })).toBeUndefined();
    expect(textOf(67, { sessions: [...own, sessions('psql', 30)] })).toBeUndefined();
    expect(textOf(68, { sessions: [...own, sessions('psql', 30), sessions('')] })).toBe(
      'the fleet orders has a budget of 68 connections beside 31 that others have or may open' +
        ' (psql 30, (no name) 1), and that is more than the 97 that the role app may have' +
        ' (max_connections = 100, of which 3 are reserved); lower fleet.budget to 66 or less, raise' +
        ' max_connections, or put a pooler in between',
    );
  });

  it('counts what the instances of another fleet claim, or have over that, once', () => {
    const others = [
      sessions('billing:fleet=20:0123abcd'),
      sessions('billing:primary:0123abcd', 4),
      sessions('billing:fleet=10:89abcdef'),
      sessions('billing:jobs:89abcdef', 14),
    ];
    expect(textOf(62, { sessions: others })).toBeUndefined();
    expect(textOf(63, { sessions: others })).toContain('beside 35 that others have or may open');
    expect(textOf(63, { sessions: others })).toContain('(billing 35)');
  });

  it('is what the role has left, where that is less, and may be nothing', () => {
    const limits = { roleLimit: 20 };
    const others = [sessions('psql', 5), sessions('cron', 40, 'other')];
    expect(textOf(15, { limits, sessions: others })).toBeUndefined();
    expect(textOf(16, { limits, sessions: others })).toContain(
      'beside 5 that others have or may open (psql 5), and that is more than the 20 that the role app' +
        ' may have (its CONNECTION LIMIT); lower fleet.budget to 15 or less, raise that limit,',
    );
    expect(textOf(16, { limits, sessions: [sessions('psql', 20)] })).toContain(
      '(its CONNECTION LIMIT); raise that limit, or put a pooler in between',
    );
  });
});
