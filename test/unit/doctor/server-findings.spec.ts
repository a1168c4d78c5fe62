import { describe, expect, it } from '@jest/globals';
import { recommendedOptions, tooManyInstances } from '../../../lib/doctor/recommended-options.js';
import type { ServerActivity, SessionActivity } from '../../../lib/doctor/server-activity.js';
import { serverFindings } from '../../../lib/doctor/server-findings.js';
import type { ServerRole } from '../../../lib/postgres/session/server-role.js';
import { definePools } from '../../../lib/nest/definition/pool-definitions.js';
import { mergedSizing, type Sizing } from '../../../lib/sizing/read-sizing.js';
import type { SizingOptions } from '../../../lib/sizing/sizing-options.js';
import { factsOf, type GivenFacts } from './facts.js';

/** A server of which there is nothing to say, and what differs from that. */
function findingsOf(
  facts: GivenFacts = {},
  activity: Partial<ServerActivity> = {},
  role: ServerRole = { role: 'primary' },
) {
  const quiet = { statementTimeoutMs: 60_000, idleInTransactionTimeoutMs: 60_000 };
  return serverFindings({
    server: 'db:5432',
    facts: factsOf({ ...quiet, ...facts }),
    activity: {
      idleInTransaction: [],
      statements: [],
      waitingForLocks: 0,
      hidden: 0,
      standbys: [],
      ...activity,
    },
    role,
  });
}

const session = (ms: number): SessionActivity => ({
  backend: 42,
  application: 'orders:primary:0123abcd',
  user: 'app',
  database: 'shop',
  ms,
  statement: 'SELECT ?',
});

const sessions = (count: number, application = 'psql') => [
  { application, user: 'app', database: 'shop', state: 'idle', count },
];

describe('the doctor', () => {
  it('finds nothing where nothing is', () => {
    expect(findingsOf({ sessions: sessions(67) })).toEqual([]);
  });

  it.each([
    ['a server that is nearly full', 'nearly-full', { sessions: sessions(68) }],
    ['a role that is', 'nearly-full', { sessions: sessions(8), limits: { roleLimit: 10 } }],
    ['a database that is', 'nearly-full', { sessions: sessions(8), limits: { databaseLimit: 10 } }],
    [
      'idle sessions that are ended early',
      'idle-session-timeout',
      { idleSessionTimeoutMs: 60_000 },
    ],
  ])('warns of %s', (_, code, facts: GivenFacts) => {
    expect(findingsOf(facts)).toMatchObject([{ code, level: 'warning', about: 'db:5432' }]);
  });

  it('warns of whoever is idle in a transaction for a minute, by name', () => {
    expect(findingsOf({}, { idleInTransaction: [session(59_999)] })).toEqual([]);
    const [finding] = findingsOf({}, { idleInTransaction: [session(200_000), session(61_000)] });
    expect(finding).toMatchObject({ code: 'idle-in-transaction', level: 'warning' });
    expect(finding!.message).toMatch(
      /^orders:primary \(role app\) has had a transaction open for 3 min/,
    );
  });

  it('warns of standbys that are far behind, and of a replica that is', () => {
    const standby = { application: 'eu', state: 'streaming', lagMs: 30_000, lagBytes: 1 };
    expect(findingsOf({}, { standbys: [standby, { ...standby, lagMs: 29_999 }] })).toMatchObject([
      { code: 'replication-lag', message: 'the standby eu is 30.0 s behind' },
    ]);
    const replica = { isReplica: true };
    expect(findingsOf(replica, {}, { role: 'replica', lagMs: 29_000 })).toEqual([]);
    expect(findingsOf(replica, {}, { role: 'replica', lagMs: 31_000 })).toMatchObject([
      { code: 'replication-lag' },
    ]);
  });

  it.each([
    ['superuser', { limits: { isSuperuser: true } }],
    ['no-statement-timeout', { statementTimeoutMs: 0 }],
    ['no-idle-in-transaction-timeout', { idleInTransactionTimeoutMs: 0 }],
    ['pooler', { isPooled: true }],
  ])('gives advice about %s, and no warning', (code, facts: GivenFacts) => {
    expect(findingsOf(facts)).toMatchObject([{ code, level: 'advice' }]);
  });
});

describe('the options that it recommends', () => {
  const recommend = (facts: GivenFacts, options: SizingOptions, instances: number) =>
    recommendedOptions(factsOf(facts), mergedSizing(options) as Sizing, instances);

  it.each([
    ['the default, where there is room', {}, {}, 2, { max: 10 }, 32],
    ['less, where there is not', {}, {}, 10, { max: 5 }, 5],
    ['what the role may use', { limits: { roleLimit: 10 } }, {}, 1, { max: 6 }, 6],
    ["the formula's share", {}, { databaseCores: 8 }, 2, { max: 'auto' }, 32],
    ['less than that, where the server allows less', {}, { databaseCores: 64 }, 4, { max: 15 }, 15],
    ['1 and a pooler, where nothing is left', {}, {}, 80, { max: 1 }, 0],
  ])('are %s', (_, facts, sizing, instances, primary, room) => {
    const recommended = recommend(facts, sizing, instances);
    expect(recommended).toMatchObject({ primary, room, needsPooler: room === 0 });
  });

  it.each([
    [{}, {}],
    [{ idleSessionTimeoutMs: 60_000 }, { databaseCores: 8, storage: 'hdd', spindles: 4 } as const],
    [{ isPooled: true }, { databaseCores: 2, storage: 'memory' } as const],
  ])('are such as the module takes: %j %j', (facts, options) => {
    const { sizing = {}, primary } = recommend(facts, options, 3);
    const at = { host: 'db.test', database: 'shop', user: 'app' };
    const module = { sizing, pools: { primary: { ...at, ...primary } } };
    const [definition] = definePools(['primary', 'admin'], module, {});
    expect(definition!.options.max).toBeGreaterThan(0);
  });

  it('leave room for whoever is no instance of such an application', () => {
    expect(recommend({ sessions: sessions(30) }, {}, 1).room).toBe(36);
    expect(recommend({ sessions: sessions(30, 'shop:primary:0123abcd') }, {}, 1).room).toBe(66);
  });

  it('come with a warning where there are too many instances', () => {
    const warned = (options: SizingOptions, instances: number) =>
      tooManyInstances('db:5432', recommend({}, options, instances), instances);
    expect(warned({}, 30)).toEqual([]);
    expect(warned({}, 40)).toMatchObject([
      {
        code: 'over-budget',
        level: 'warning',
        message: expect.stringMatching(/^40 instances can/),
      },
    ]);
    expect(warned({ databaseCores: 2 }, 6)).toMatchObject([
      { code: 'over-formula', message: expect.stringContaining('more than 2 cores can work on') },
    ]);
  });

  it('ask for a pooler where instances are more than the server can work on', () => {
    expect(recommend({}, { databaseCores: 2 }, 5).needsPooler).toBe(false);
    expect(recommend({}, { databaseCores: 2 }, 6).needsPooler).toBe(true);
  });

  it('set nothing at the start of sessions that go through a pooler', () => {
    const setting = 'idle_in_transaction_session_timeout';
    expect(recommend({}, {}, 1).primary).toHaveProperty(setting, 60_000);
    expect(recommend({ isPooled: true }, {}, 1).primary).not.toHaveProperty(setting);
  });
});
