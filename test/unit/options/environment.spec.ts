import { describe, expect, it } from '@jest/globals';
import {
  databaseUrlVariable,
  missingAddress,
  namesServer,
  poolMaxVariable,
  poolOptionsFromEnvironment,
  withEnvironment,
} from '../../../lib/postgres/options/environment.js';
import { strictly } from './strictly.js';

const URL = 'postgres://app@db/orders';

describe('the environment of a pool', () => {
  it.each([
    ['primary', 'POOL_PRIMARY_MAX', 'DATABASE_URL'],
    ['replica', 'POOL_REPLICA_MAX', 'DATABASE_REPLICA_URL'],
    ['reports-eu.2', 'POOL_REPORTS_EU_2_MAX', 'DATABASE_REPORTS_EU_2_URL'],
  ])('%s is configured by %s and %s', (pool, max, url) => {
    expect(poolMaxVariable(pool)).toBe(max);
    expect(databaseUrlVariable(pool)).toBe(url);
    expect(poolOptionsFromEnvironment(pool, { [max]: '4', [url]: URL })).toEqual({
      max: '4',
      connectionString: URL,
    });
  });

  it('says nothing by an empty variable', () => {
    const env = { DATABASE_URL: '', POOL_PRIMARY_MAX: '' };
    expect(poolOptionsFromEnvironment('primary', env)).toEqual({});
    expect(withEnvironment('primary', { max: 5 }, env)).toEqual({
      options: { max: 5 },
      origins: {},
    });
  });

  describe('beside the options of the application', () => {
    it('gives the address, and remembers where it is from', () => {
      expect(withEnvironment('primary', { min: 2 }, { DATABASE_URL: URL })).toEqual({
        options: { min: 2, connectionString: URL },
        origins: { connectionString: 'DATABASE_URL' },
      });
    });

    it.each([{ host: 'other' }, { connectionString: 'postgres://other' }])(
      'leaves alone a pool that names its server: %j',
      (options) => {
        expect(withEnvironment('primary', options, { DATABASE_URL: URL }).options).toEqual(options);
      },
    );

    it('leaves alone a connection string without a value, so that it is refused', () => {
      const options = { connectionString: undefined };
      expect(withEnvironment('primary', options, { DATABASE_URL: URL }).options).toEqual(options);
    });

    it.each([{ max: 10 }, { poolSize: 10 }, {}])('overrides max in %j', (written) => {
      const { options, origins } = withEnvironment('replica', written, { POOL_REPLICA_MAX: '3' });
      expect(strictly(options).max).toBe(3);
      expect(origins).toEqual({ max: 'POOL_REPLICA_MAX' });
    });
  });

  describe('that does not say where the primary is', () => {
    it('is told what to set', () => {
      const problem = missingAddress('primary', { max: 5 }, {});
      expect(problem).toMatchObject({ pool: 'primary', option: 'connectionString' });
      expect(problem?.message).toContain('DATABASE_URL=postgres://');
      expect(problem?.message).toContain('PGHOST');
    });

    it('is told about variables that do not help', () => {
      const { message } = missingAddress('primary', {}, { DATABASE_URL: '', PGSERVICE: 'shop' })!;
      expect(message).toContain('DATABASE_URL is there but empty');
      expect(message).toContain('pg reads no service files');
    });

    it.each(['DATABASE_URL', 'PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'])(
      'is content with %s alone',
      (variable) => {
        expect(missingAddress('primary', {}, { [variable]: 'x' })).toBeUndefined();
      },
    );

    it.each([{ host: 'db' }, { database: 'orders' }, { connectionString: undefined }])(
      'leaves %j to the check of the options',
      (options) => {
        expect(missingAddress('primary', options, {})).toBeUndefined();
      },
    );
  });

  it('knows options that name a server', () => {
    expect(namesServer({ host: 'db' })).toBe(true);
    expect(namesServer({ connectionString: URL })).toBe(true);
    expect(namesServer({ host: undefined, password: 'x', max: 3 })).toBe(false);
  });
});
