import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addressOf, describeAddress, sameServer } from '../../../lib/postgres/options/address.js';
import { problemsOf, strictly } from './strictly.js';

const addressFrom = (options: object) => addressOf(strictly(options).connection);

describe('the address of a pool', () => {
  const variables = ['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE'];
  const before = variables.map((name) => [name, process.env[name]] as const);

  const clear = (): void => {
    for (const name of variables) delete process.env[name];
  };

  beforeEach(clear);

  afterEach(() => {
    clear();
    for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
  });

  it('comes from the connection string', () => {
    expect(addressFrom({ connectionString: 'postgres://app:s3cret@db:6432/orders' })).toEqual({
      host: 'db',
      port: 6_432,
      database: 'orders',
      user: 'app',
    });
  });

  it('comes from single options, then from PG*, then from the defaults of pg', () => {
    process.env.PGHOST = 'from-environment';
    process.env.PGUSER = 'app';
    expect(addressFrom({ database: 'orders' })).toEqual({
      host: 'from-environment',
      port: 5_432,
      database: 'orders',
      user: 'app',
    });
  });

  it('takes from PG* what the connection string leaves out', () => {
    process.env.PGPORT = '7000';
    process.env.PGUSER = 'app';
    expect(addressFrom({ connectionString: 'postgres://db' })).toEqual({
      host: 'db',
      port: 7_000,
      database: 'app',
      user: 'app',
    });
  });

  it('is refused when PGPORT is no port', () => {
    process.env.PGPORT = 'five';
    expect(problemsOf({ host: 'db' })).toEqual([expect.stringContaining('PGPORT')]);
    expect(strictly({ host: 'db', port: 5_432 }).connection.port).toBe(5_432);
  });

  it('reads well in a log, and holds no password', () => {
    const address = addressFrom({ connectionString: 'postgres://app:s3cret@db/orders' });
    expect(describeAddress(address)).toBe('app@db:5432/orders');
    expect(JSON.stringify(address)).not.toContain('s3cret');
    expect(describeAddress(addressFrom({ connectionString: 'postgres://app@[::1]/x' }))).toBe(
      'app@[::1]:5432/x',
    );
  });

  it('is the same server with the same host and port, whatever database and user', () => {
    const orders = addressFrom({ connectionString: 'postgres://app@DB:5432/orders' });
    const reports = addressFrom({ connectionString: 'postgres://reader@db/reports' });
    expect(sameServer(orders, reports)).toBe(true);
    expect(sameServer(orders, { ...orders, port: 5_433 })).toBe(false);
    expect(sameServer(orders, { ...orders, host: 'replica' })).toBe(false);
  });
});
