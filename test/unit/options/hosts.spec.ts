import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  addressOfPool,
  describeAddress,
  sameServer,
} from '../../../lib/postgres/options/address.js';
import { optionsOfEachHost } from '../../../lib/postgres/options/each-host.js';
import { problemsOf, standalone, strictly } from './strictly.js';

const MANY = 'postgres://app:s3cret@db1:6432,db2/orders';

const addressFrom = (options: object) => addressOfPool(strictly(options));
const hostsOf = (options: object) => strictly(options).hosts;

describe('the hosts of a pool', () => {
  const before = process.env.PGPORT;
  beforeEach(() => {
    delete process.env.PGPORT;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.PGPORT;
    else process.env.PGPORT = before;
  });

  it('are one when nothing else is said, as pg finds it', () => {
    expect(hostsOf({ host: 'db' })).toEqual([{ host: 'db', port: 5_432 }]);
    expect(hostsOf({ connectionString: 'postgres://db:6432' })).toEqual([
      { host: 'db', port: 6_432 },
    ]);
    expect(hostsOf({ host: '/run/postgresql' })).toEqual([
      { host: '/run/postgresql', port: 5_432 },
    ]);
  });

  it.each([
    ['db1', { host: 'db1', port: 5_432 }],
    ['db1:6432', { host: 'db1', port: 6_432 }],
    ['10.0.0.3:6432', { host: '10.0.0.3', port: 6_432 }],
    ['[::1]', { host: '::1', port: 5_432 }],
    ['[2001:db8::2]:6432', { host: '2001:db8::2', port: 6_432 }],
    ['2001:db8::2', { host: '2001:db8::2', port: 5_432 }],
    ['/run/postgresql', { host: '/run/postgresql', port: 5_432 }],
    [{ host: 'db1' }, { host: 'db1', port: 5_432 }],
    [
      { host: '::1', port: '6432' },
      { host: '::1', port: 6_432 },
    ],
  ])('may be written as %j', (written, host) => {
    expect(hostsOf({ hosts: [written] })).toEqual([host]);
    expect(hostsOf({ hosts: ['other:1', written] })[1]).toEqual(host);
  });

  it.each([
    ['no list', { host: 'db1' }],
    ['a text', 'db1,db2'],
    ['an empty list', []],
    ['a list whose entry 2 is no host', ['db1', '']],
    ['a list whose entry 1 is no host', ['postgres://app:s3cret@db1:5432/x']],
    ['a list whose entry 1 is no host', ['app:s3cret@db1']],
    ['a list whose entry 2 is no host', ['db1', 'db2:port']],
    ['a list whose entry 1 is no host', ['db1:0']],
    ['a list whose entry 1 is no host', ['db1:65536']],
    ['a list whose entry 1 is no host', ['db1,db2']],
    ['a list whose entry 1 is no host', [{ host: 'db1', port: 'five' }]],
    ['a list whose entry 1 is no host', [{ host: 'db1', password: 's3cret' }]],
    ['a list whose entry 1 is no host', [null]],
    ['a list that names a host twice', ['db1:5432', 'DB1:5432']],
  ])('are refused as %s', (fault, hosts) => {
    for (const read of [strictly, standalone]) {
      expect(problemsOf({ hosts }, read)).toEqual([
        expect.stringMatching(new RegExp(`^hosts is ${fault}; give a list of hosts`)),
      ]);
    }
    expect(problemsOf({ hosts }).join()).not.toContain('s3cret');
  });

  it('have the port of the pool where they name none, else that of the environment', () => {
    expect(hostsOf({ hosts: ['db1', 'db2:6432'], port: 7_000 })).toEqual([
      { host: 'db1', port: 7_000 },
      { host: 'db2', port: 6_432 },
    ]);
    process.env.PGPORT = '7001';
    expect(hostsOf({ hosts: ['db1', 'db2:6432'] })[0]!.port).toBe(7_001);
    expect(hostsOf({ connectionString: MANY })[1]!.port).toBe(7_001);
    process.env.PGPORT = 'five';
    expect(problemsOf({ hosts: ['db1:1', 'db2'] })).toEqual([expect.stringContaining('PGPORT')]);
  });

  it.each([
    [{ host: 'db1', hosts: ['db2'] }, 'host is set, and so is hosts; remove one of the two'],
    [
      { port: 5_432, hosts: ['db2:1'] },
      'port is set, and so is a port of every host in hosts; remove one of the two',
    ],
    [
      { connectionString: 'postgres://db1/x', hosts: ['db2'] },
      'hosts is set, and so is the same in connectionString; remove one of the two',
    ],
    [
      { connectionString: MANY, hosts: ['db3'] },
      'hosts is set, and so is the same in connectionString; remove one of the two',
    ],
    [
      { connectionString: MANY, host: 'db3' },
      'host is set, and so is a list of hosts in connectionString; remove one of the two',
    ],
    [
      { connectionString: `${MANY}?target_session_attrs=any`, role: 'any' },
      'role is set, and so is the same in connectionString; remove one of the two',
    ],
    [
      { connectionString: `${MANY}?load_balance_hosts=random`, loadBalanceHosts: 'random' },
      'loadBalanceHosts is set, and so is the same in connectionString; remove one of the two',
    ],
  ])('are given in one way alone: %j', (options, problem) => {
    for (const read of [strictly, standalone]) expect(problemsOf(options, read)).toEqual([problem]);
  });

  it('stand beside a connection string that names no host', () => {
    const { hosts, connection } = strictly({
      connectionString: 'postgres:///orders?user=app&application_name=shop',
      hosts: ['db1:6432', 'db2'],
    });
    expect(hosts.map(({ host }) => host)).toEqual(['db1', 'db2']);
    expect(new pg.Client(connection)).toMatchObject({
      host: 'db1',
      port: 6_432,
      database: 'orders',
      user: 'app',
    });
  });

  it('lead node-postgres to the first', () => {
    for (const options of [
      { connectionString: MANY },
      { hosts: ['db1:6432', 'db2'], user: 'app', password: 's3cret', database: 'orders' },
    ]) {
      const { user, password, host, port, database } = new pg.Client(strictly(options).connection);
      expect({ user, password, host, port, database }).toEqual({
        user: 'app',
        password: 's3cret',
        host: 'db1',
        port: 6_432,
        database: 'orders',
      });
    }
  });

  it('can each be had alone, with everything else that the pool says', () => {
    for (const [options, role] of [
      [{ hosts: ['db1:6432', 'db2'], user: 'app', max: 3, database: 'orders' }, undefined],
      [{ connectionString: `${MANY}?target_session_attrs=standby`, max: 3 }, 'replica'],
    ] as const) {
      const alone = optionsOfEachHost(options, strictly(options));
      const resolved = alone.map((own) => strictly(own.options));
      expect(alone.map(({ host }) => host)).toEqual(strictly(options).hosts);
      expect(resolved.map(({ hosts }) => hosts)).toEqual(alone.map(({ host }) => [host]));
      for (const one of resolved) {
        expect(one).toMatchObject({ max: 3, connection: { user: 'app', database: 'orders' } });
        expect(one.role).toBe(role);
      }
    }
    const single = { host: 'db', role: 'replica' } as const;
    expect(optionsOfEachHost(single, strictly(single))).toEqual([
      { host: { host: 'db', port: 5_432 }, options: single },
    ]);
  });

  it('are all told in the address, and choose a server together with the role', () => {
    const address = addressFrom({ connectionString: `${MANY}?target_session_attrs=primary` });
    expect(address).toEqual({
      host: 'db1',
      port: 6_432,
      database: 'orders',
      user: 'app',
      role: 'primary',
      hosts: [
        { host: 'db1', port: 6_432 },
        { host: 'db2', port: 5_432 },
      ],
    });
    expect(describeAddress(address)).toBe('app@db1:6432,db2:5432/orders');

    const of = (hosts: string[], role?: string) => addressFrom({ hosts, role, user: 'app' });
    expect(sameServer(of(['a', 'b']), of(['B:5432', 'a']))).toBe(true);
    expect(sameServer(of(['a', 'b'], 'primary'), of(['b', 'a'], 'primary'))).toBe(true);
    expect(sameServer(of(['a', 'b'], 'primary'), of(['a', 'b'], 'replica'))).toBe(false);
    expect(sameServer(of(['a', 'b']), of(['a', 'c']))).toBe(false);
    expect(sameServer(of(['a', 'b']), of(['a']))).toBe(false);
    expect(sameServer(of(['a']), addressFrom({ host: 'A', role: 'primary' }))).toBe(true);
  });
});

describe('a connection string of libpq', () => {
  const chosen = (connectionString: string) => {
    const { hosts, role, loadBalanceHosts } = strictly({ connectionString });
    return { hosts: hosts.map(({ host, port }) => `${host} ${port}`), role, loadBalanceHosts };
  };

  it.each([
    ['postgres://h1,h2/db', ['h1 5432', 'h2 5432']],
    ['postgresql://u:p@h1:1,h2:2', ['h1 1', 'h2 2']],
    ['postgres://u:a,b@[::1]:1,[::2]/db', ['::1 1', '::2 5432']],
    ['postgres://u:a@b@h1,h2/db', ['h1 5432', 'h2 5432']],
    ['postgres://%2Frun%2Fpg,h2/db', ['/run/pg 5432', 'h2 5432']],
    ['postgres:///db?host=h1,h2&port=1,2', ['h1 1', 'h2 2']],
    ['postgres://u:p@/db?host=h1,h2&port=1', ['h1 1', 'h2 1']],
    ['postgres://ignored/db?host=h1,h2', ['h1 5432', 'h2 5432']],
  ])('names hosts: %s', (connectionString, hosts) => {
    expect(chosen(connectionString)).toEqual({
      hosts,
      role: undefined,
      loadBalanceHosts: 'disable',
    });
  });

  it.each([
    ['any', 'any'],
    ['read-write', 'primary'],
    ['primary', 'primary'],
    ['read-only', 'replica'],
    ['standby', 'replica'],
    ['prefer-standby', 'replica'],
  ])('says by target_session_attrs=%s that the role is %s', (attrs, role) => {
    for (const host of ['h1', 'h1,h2']) {
      const url = `postgres://${host}/db?target_session_attrs=${attrs}`;
      expect(chosen(url).role).toBe(role);
    }
  });

  it('keeps everything else that it says', () => {
    const { connection, loadBalanceHosts, role } = strictly({
      connectionString:
        'postgres://u:p%40@h1,h2/db?application_name=a%20b&target_session_attrs=any' +
        '&load_balance_hosts=random&sslmode=no-verify',
    });
    expect(loadBalanceHosts).toBe('random');
    expect(role).toBe('any');
    expect(new pg.Client(connection)).toMatchObject({ user: 'u', database: 'db' });
    expect(connection).toMatchObject({
      application_name: 'a b',
      ssl: { rejectUnauthorized: false },
      password: 'p@',
    });
  });

  it('lets options of their own fill what it leaves out', () => {
    const password = async () => 's3cret';
    const { connection } = strictly({ connectionString: 'postgres://h1,h2', password, user: 'u' });
    expect(connection).toMatchObject({ host: 'h1', password, user: 'u' });
  });

  it.each([
    ['postgres://h1,h2/db?target_session_attrs=s3cret', 'target_session_attrs is none of any, re'],
    ['postgres://h1/db?load_balance_hosts=s3cret', 'load_balance_hosts is neither disable nor ra'],
    ['postgres://u:s3cret@h1,/db', 'names a list whose entry 2 is no host'],
    ['postgres://u:s3cret@h1,h1/db', 'names a list that names a host twice'],
    ['postgres://u:s3cret@h1:0,h2/db', 'names a list whose entry 1 is no host'],
    ['postgres:///db?user=s3cret&host=a,b,c&port=1,2', 'names 3 hosts and 2 ports'],
    ['postgres://u:s3cret@%zz,h1/db', 'is not percent-encoded'],
  ])('is refused where it is wrong: %s', (connectionString, fault) => {
    const [problem, ...others] = problemsOf({ connectionString });
    expect(others).toEqual([]);
    expect(problem).toMatch(/^connectionString is a URL /);
    expect(problem).toContain(fault);
    expect(problem).not.toContain('s3cret');
  });
});

describe('the role of the servers', () => {
  it('is the primary for the pool of that name when it has several hosts, unless it says more', () => {
    expect(strictly({ hosts: ['a', 'b'] }, 'primary').role).toBe('primary');
    expect(strictly({ connectionString: MANY }, 'primary').role).toBe('primary');
    expect(strictly({ hosts: ['a', 'b'], role: 'any' }, 'primary').role).toBe('any');
    const any = { connectionString: `${MANY}?target_session_attrs=any` };
    expect(strictly(any, 'primary').role).toBe('any');

    expect(strictly({ hosts: ['a'] }, 'primary').role).toBeUndefined();
    expect(strictly({}, 'primary').role).toBeUndefined();
    expect(strictly({ hosts: ['a', 'b'] }).role).toBeUndefined();
    expect(standalone({ hosts: ['a', 'b'] }).role).toBeUndefined();
  });

  it('is one of three words', () => {
    expect(strictly({ role: 'replica' }).role).toBe('replica');
    expect(problemsOf({ role: 'standby' })).toEqual([
      "role is 'standby'; give 'primary' or 'replica' or 'any'",
    ]);
  });
});
