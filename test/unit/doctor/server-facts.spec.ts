import { describe, expect, it } from '@jest/globals';
import { instancesSeen, ownerOf } from '../../../lib/doctor/instances.js';
import { readServerFacts } from '../../../lib/doctor/server-facts.js';
import { applicationName, INSTANCE } from '../../../lib/nest/application-name.js';
import { OwnSessions } from '../../../lib/nest/server-check/instances-seen.js';

const ROW = {
  version: '13.4',
  backend: 42,
  user: 'app',
  database: 'shop',
  isReplica: false,
  isSuperuser: false,
  mayUseReserved: false,
  roleLimit: null,
  databaseLimit: 5,
  settings: { max_connections: '100', superuser_reserved_connections: '3' },
  sessions: null,
};

const factsBy = (processID: number | null) =>
  readServerFacts({
    processID,
    query: () => Promise.resolve({ rows: [{ answer: JSON.stringify(ROW) }] }),
  });

describe('the facts about a server', () => {
  it('name a pooler where another backend answers than the login said', async () => {
    expect(await factsBy(42)).toMatchObject({ isPooled: false });
    expect(await factsBy(43)).toMatchObject({ isPooled: true });
    // Something that says no number at the login proves nothing.
    expect(await factsBy(null)).toMatchObject({ isPooled: false });
  });

  it('are 0 where an older server has no such setting, and undefined where nothing limits', async () => {
    expect(await factsBy(42)).toMatchObject({
      idleSessionTimeoutMs: 0,
      sessions: [],
      limits: { reserved: 0, roleLimit: undefined, databaseLimit: 5 },
    });
  });
});

describe('the name of a session', () => {
  it('tells service, pool and instance, as pools of the module name them', () => {
    const name = applicationName('shop: eu', 'reports');
    expect(ownerOf(name)).toEqual({ name: 'shop: eu:reports', instance: INSTANCE });
    expect(ownerOf('psql')).toEqual({ name: 'psql', instance: undefined });
    expect(ownerOf('')).toEqual({ name: '(no name)', instance: undefined });
  });

  it('is counted once for each instance, and for whichever application', () => {
    const group = (application: string) => ({
      application,
      user: 'app',
      database: 'shop',
      state: 'idle',
      count: 3,
    });
    const all = [
      'shop:primary:00000001',
      'shop:admin:00000001',
      'shop:primary:00000002',
      'mail:primary:00000003',
      'psql',
    ].map((application) => group(application));
    expect(instancesSeen(all)).toBe(3);

    const own = new OwnSessions([`shop:primary:${INSTANCE}`, `shop:admin:${INSTANCE}`]);
    expect(own.instancesIn(all)).toBe(3);
    expect(own.has('mail:primary:00000003')).toBe(false);
    expect(own.has('shop:primary:00000009')).toBe(true);
    expect(own.has('shop:primary:other-pool:00000009')).toBe(false);
  });
});
