import { describe, expect, it } from '@jest/globals';
import { InvalidPoolOptionsError, type PoolModuleOptions } from '../../../lib/index.js';
import { definePools } from '../../../lib/nest/definition/pool-definitions.js';

/** The `max` of each pool, and why. */
function sized(options: PoolModuleOptions) {
  const definitions = definePools(Object.keys(options.pools ?? {}), options, {});
  const servers = new Set(definitions.flatMap(({ sizing }) => sizing ?? []));
  return {
    max: Object.fromEntries(definitions.map(({ name, options: { max } }) => [name, max])),
    reasons: [...servers].map(({ reason }) => reason),
  };
}

const sizing = { databaseCores: 8, storage: 'memory' } as const;

describe('a pool of replicas on several hosts', () => {
  it('has the formula of each host, and not a part of the primary', () => {
    const replica = { hosts: ['db2:5432', 'db3:5432'], max: 'auto', sizing: { databaseCores: 4 } };
    const pools = { primary: { hosts: ['db1:5432'], max: 'auto' }, replica } as const;
    expect(sized({ sizing, pools })).toEqual({
      max: { primary: 16, replica: 8 },
      reasons: [
        'db1:5432: 8 cores x 2 + 0 for memory = 16 connections; 1 instance has them all: primary 16',
        'db2:5432: 4 cores x 2 + 0 for memory = 8 connections; 1 instance has them all: replica 8',
        'db3:5432: 4 cores x 2 + 0 for memory = 8 connections; 1 instance has them all: replica 8',
      ],
    });
  });

  it('may have cores of its own also where its hosts are those of the primary', () => {
    const pools = {
      primary: { hosts: ['db1:5432', 'db2:5432'], max: 'auto' },
      replica: { role: 'replica' as const, max: 'auto', sizing: { databaseCores: 4 } },
    };
    expect(sized({ sizing, pools })).toMatchObject({
      max: { primary: 16, replica: 8 },
      reasons: [
        expect.stringMatching(/^db1:5432,db2:5432: .*: primary 16$/),
        expect.stringMatching(/^db1:5432: .*: replica 8$/),
        expect.stringMatching(/^db2:5432: .*: replica 8$/),
      ],
    });
  });

  it('has one max for all: what the host gives that it shares with others', () => {
    const pools = {
      primary: { hosts: ['db1:5432'], max: 'auto', weight: 3 },
      replica: { hosts: ['db1:5432', 'db2:5432'], max: 'auto' },
    };
    expect(sized({ sizing, pools }).max).toEqual({ primary: 12, replica: 4 });
  });

  it('is told once what its sizing lacks', () => {
    const pools = { primary: { host: 'db1' }, replica: { hosts: ['db2', 'db3'], max: 'auto' } };
    const refusal = (() => {
      try {
        return sized({ pools });
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(InvalidPoolOptionsError);
    expect(refusal).toMatchObject({ problems: [{ pool: 'replica', option: 'max' }] });
  });
});

describe('a server that only the admin pool goes to', () => {
  it('is not divided', () => {
    const pools = { primary: { host: 'bouncer', max: 'auto' }, admin: { host: 'db' } };
    expect(sized({ sizing, pools }).reasons).toEqual([
      expect.stringMatching(/^bouncer:5432: .*: primary 16$/),
    ]);
  });
});
