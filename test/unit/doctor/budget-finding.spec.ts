import { describe, expect, it } from '@jest/globals';
import { overBudget, type PoolsOnServer } from '../../../lib/doctor/budget-finding.js';
import { readBudget } from '../../../lib/sizing/budget.js';
import { factsOf, type GivenFacts, poolOf } from './facts.js';

const SEVENTY = readBudget('70%')!;

function on(count: number, pools = [poolOf({ max: 10 })]): PoolsOnServer {
  return {
    server: 'db:5432',
    pools,
    instances: { count, by: 'declared' },
    isOurs: (name) => name.startsWith('shop:'),
  };
}

function textOf(pools: PoolsOnServer, facts: GivenFacts, budget = SEVENTY) {
  return overBudget(pools, factsOf(facts), budget)?.finding.message;
}

describe('the budget of a server', () => {
  it('is 70 % of what the role may use, without what is reserved', () => {
    const limits = { maxConnections: 100, superuserReserved: 3, reserved: 7 };
    expect(textOf(on(6), { limits })).toBeUndefined();
    expect(textOf(on(7), { limits })).toBe(
      '7 instances (sizing.instances) with 10 connections each (primary 10) may open 70, and that is' +
        ' more than 70 % (63) of the 90 that the role app may have (max_connections = 100, of which 10' +
        ' are reserved); give these pools max 9 together in each instance, run fewer instances, raise' +
        ' max_connections, or put a pooler in between',
    );
  });

  it('counts sessions that are kept beside the pools to watch replicas', () => {
    const pools = [poolOf({ max: 10, beside: 1 }), poolOf({ name: 'replica', max: 3, beside: 1 })];
    expect(textOf(on(4, pools), {})).toBeUndefined();
    expect(textOf(on(5, pools), {})).toContain(
      '5 instances (sizing.instances) with 15 connections each (primary 10, replica 3, 2 to watch' +
        ' replicas) may open 75, and that is more than 70 % (67) of the 97',
    );
    expect(textOf(on(5, pools), {})).toContain('give these pools max 11 together');
  });

  it('counts what others have open, and not our own sessions twice', () => {
    const sessions = [
      {
        application: 'shop:primary:0123abcd',
        user: 'app',
        database: 'shop',
        state: 'idle',
        count: 40,
      },
      { application: 'psql', user: 'eve', database: 'other', state: 'idle', count: 30 },
    ];
    expect(textOf(on(4), { sessions })).toContain(
      'may open 40 beside 30 of other applications (psql 30),',
    );
    expect(textOf(on(4), { sessions: sessions.slice(0, 1) })).toBeUndefined();
  });

  it('names the other applications that have most of the sessions', () => {
    const others = ['mail:primary:00000001', 'mail:primary:00000002', '', 'cron', 'psql', 'psql'];
    const sessions = others.map((application, index) => ({
      application,
      user: 'eve',
      database: 'other',
      state: 'idle',
      count: 10 - index,
    }));
    expect(textOf(on(4), { sessions })).toContain(
      'beside 45 of other applications (mail:primary 19, psql 11, (no name) 8, ...),',
    );
  });

  it.each([
    ['role', { roleLimit: 20 }, 'of the 20 that the role app may have (its CONNECTION LIMIT)'],
    ['database', { databaseLimit: 21 }, 'of the 21 that the database shop may have (its'],
  ])('is that of the %s where this is the tightest', (_, limits, text) => {
    expect(textOf(on(1), { limits })).toBeUndefined();
    expect(textOf(on(2), { limits })).toContain(text);
  });

  it('counts only the pools that a limit of a role or a database is about', () => {
    const pools = [poolOf({ max: 6 }), poolOf({ name: 'audit', max: 9, user: 'auditor' })];
    expect(textOf(on(2, pools), { limits: { roleLimit: 18 } })).toBeUndefined();
    expect(textOf(on(3, pools), { limits: { roleLimit: 18 } })).toContain(
      '(primary 6) may open 18',
    );
  });

  it('binds a superuser by max_connections alone', () => {
    const limits = { isSuperuser: true, roleLimit: 1, databaseLimit: 1, maxConnections: 100 };
    expect(textOf(on(7), { limits })).toBeUndefined();
    expect(textOf(on(8), { limits })).toContain('(max_connections = 100)');
  });

  it('may be a number, which is for this application alone', () => {
    const sessions = [
      { application: 'psql', user: 'eve', database: 'other', state: 'idle', count: 50 },
    ];
    const budget = readBudget(30)!;
    expect(textOf(on(3), { sessions }, budget)).toBeUndefined();
    expect(textOf(on(4), { sessions }, budget)).toContain('more than the budget of 30, of 97');
  });

  it('says that only fewer instances or a pooler help where not 1 connection is left for each', () => {
    expect(textOf(on(100), {})).toMatch(
      /; run fewer instances, raise max_connections, or put a pooler/,
    );
  });
});

describe('a budget', () => {
  it.each([0, -1, 1.5, '0%', '101%', '70', 'all', NaN, null])('is not read from %p', (given) => {
    expect(readBudget(given)).toBeUndefined();
  });
});
