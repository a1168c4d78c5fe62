import { describe, expect, it } from '@jest/globals';
import { resolvePoolOptions } from '../../../lib/postgres/options/resolve-options.js';
import { problemsOf, refusalOf, standalone, strictly } from './strictly.js';

describe('options of a pool of the module', () => {
  describe('defaults', () => {
    it('are complete without a single option', () => {
      expect(strictly({})).toMatchObject({
        name: 'orders',
        max: 10,
        min: 0,
        acquireTimeoutMs: 5_000,
        connectTimeoutMs: 10_000,
        statementTimeoutMs: 30_000,
        idleTimeoutMs: 600_000,
        maxLifetimeMs: 1_800_000,
        keepaliveMs: 120_000,
        maxUses: 0,
        validationBypassMs: 500,
        validationTimeoutMs: 1_000,
        initTimeoutMs: 5_000,
        resetTimeoutMs: 5_000,
        closeTimeoutMs: 2_000,
        maxConnecting: 2,
        maxWaiting: 0,
        startup: 'background',
        startupTimeoutMs: 30_000,
        drainTimeoutMs: 10_000,
        reclaimAfterMs: 0,
        drainWaiters: 'serve',
        idleOrder: 'lifo',
        allowExitOnIdle: false,
        onConnectError: 'retry',
        initSql: [],
        connection: { keepAlive: true },
        warnings: [],
      });
    });

    it('keep one connection warm in the primary, and let the start wait for it', () => {
      expect(strictly({}, 'primary')).toMatchObject({ min: 1, max: 10, startup: 'require' });
    });

    it('make the admin pool small, impatient and lazy', () => {
      expect(strictly({}, 'admin')).toMatchObject({
        max: 1,
        min: 0,
        acquireTimeoutMs: 1_000,
        startup: 'lazy',
      });
    });

    it.each([
      [true, 60_000],
      [false, 5_000],
    ])('look for leaks by NODE_ENV: production %s, %i ms', (production, leakThresholdMs) => {
      const context = { strict: true, defaults: 'other', production } as const;
      expect(resolvePoolOptions('orders', {}, context)).toMatchObject({ leakThresholdMs });
    });

    it.each([
      ['production', 60_000, 100],
      ['development', 5_000, 1],
      ['test', 5_000, 1],
      [undefined, 5_000, 1],
    ])('are those of NODE_ENV as it is: %s', (nodeEnv, leakThresholdMs, leakStackEvery) => {
      const before = process.env.NODE_ENV;
      if (nodeEnv === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = nodeEnv;
      try {
        expect(strictly({})).toMatchObject({ leakThresholdMs, leakStackEvery });
        expect(standalone({})).toMatchObject({ leakThresholdMs, leakStackEvery });
      } finally {
        process.env.NODE_ENV = before;
      }
    });

    it.each([
      [60_001, 60_000],
      [60_000, 30_000],
      [1_000, 500],
    ])(
      'report a leak before it is taken back: reclaimAfterMs %i, leakThresholdMs %i',
      (reclaimAfterMs, leakThresholdMs) => {
        const context = { strict: true, defaults: 'other', production: true } as const;
        expect(resolvePoolOptions('orders', { reclaimAfterMs }, context)).toMatchObject({
          reclaimAfterMs,
          leakThresholdMs,
        });
      },
    );

    it('apply to an option whose value is undefined', () => {
      expect(strictly({ max: undefined, startup: undefined })).toMatchObject({
        max: 10,
        startup: 'background',
      });
    });
  });

  describe('values', () => {
    it('may be strings where they come from the environment', () => {
      const fromEnvironment = strictly({
        max: '20',
        port: '6432',
        allowExitOnIdle: 'true',
        keepAlive: 'false',
        ssl: 'false',
        maxLifetimeSeconds: '90',
      });
      expect(fromEnvironment).toMatchObject({
        max: 20,
        allowExitOnIdle: true,
        maxLifetimeMs: 90_000,
        connection: { port: 6_432, keepAlive: false, ssl: false },
      });
    });

    it('may be 0 where 0 has a meaning', () => {
      const off = {
        min: 0,
        acquireTimeoutMs: 0,
        statementTimeoutMs: 0,
        idleTimeoutMs: 0,
        maxLifetimeMs: 0,
        keepaliveMs: 0,
        maxUses: 0,
        validationBypassMs: 0,
        maxWaiting: 0,
        leakThresholdMs: 0,
        drainTimeoutMs: 0,
      };
      expect(strictly(off)).toMatchObject(off);
    });

    it('may be unlimited uses', () => {
      expect(strictly({ maxUses: Infinity }).maxUses).toBe(0);
    });

    it('may be one init statement or several', () => {
      expect(strictly({ initSql: 'SET ROLE app' }).initSql).toEqual(['SET ROLE app']);
      expect(strictly({ initSql: ['SELECT 1', 'SELECT 2'] }).initSql).toEqual([
        'SELECT 1',
        'SELECT 2',
      ]);
    });

    it('may be functions, which come through untouched', () => {
      const hooks = { onConnect: () => undefined, evictOn: () => true, log: () => undefined };
      const { onConnect, evictOn, log } = strictly(hooks);
      expect({ onConnect, evictOn, log }).toEqual(hooks);
    });

    it('reach pg under its names', () => {
      const types = { getTypeParser: () => String };
      const { connection } = strictly({
        host: 'db',
        applicationName: 'shop',
        lock_timeout: '250',
        statement_timeout: false,
        sslnegotiation: 'postgres',
        types,
      });
      expect(connection).toEqual({
        host: 'db',
        application_name: 'shop',
        lock_timeout: 250,
        statement_timeout: 0,
        sslnegotiation: 'postgres',
        keepAlive: true,
        types,
      });
    });

    it('cannot be changed afterwards', () => {
      const resolved = strictly({ ssl: { ca: 'x' }, initSql: ['SELECT 1'] });
      for (const part of [
        resolved,
        resolved.connection,
        resolved.connection.ssl,
        resolved.initSql,
        resolved.warnings,
      ]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    });
  });

  describe("pg's names", () => {
    it.each([
      [{ poolSize: 7 }, { max: 7 }],
      [{ connectionTimeoutMillis: 250 }, { acquireTimeoutMs: 250 }],
      [{ idleTimeoutMillis: 0 }, { idleTimeoutMs: 0 }],
      [{ maxLifetimeSeconds: 60 }, { maxLifetimeMs: 60_000, keepaliveMs: 120_000 }],
      [{ maxLifetimeSeconds: 1.1 }, { maxLifetimeMs: 1_100 }],
      [{ query_timeout: 1_500 }, { statementTimeoutMs: 1_500 }],
      [{ query_timeout: false }, { statementTimeoutMs: 0 }],
      [{ application_name: 'shop' }, { connection: { application_name: 'shop' } }],
    ])('%j means %j', (written, meant) => {
      expect(strictly(written)).toMatchObject(meant);
    });

    it.each([
      [{ max: 5, poolSize: 5 }, 'max and poolSize'],
      [
        { acquireTimeoutMs: 1, connectionTimeoutMillis: 1 },
        'acquireTimeoutMs and connectionTimeoutMillis',
      ],
      [{ maxLifetimeMs: 1_000, maxLifetimeSeconds: 1 }, 'maxLifetimeMs and maxLifetimeSeconds'],
      [{ applicationName: 'a', application_name: 'a' }, 'applicationName and application_name'],
    ])('%j is refused: one option under two names', (written, names) => {
      expect(problemsOf(written)).toEqual([
        `${names} are names of the same option; keep one of them`,
      ]);
    });
  });

  describe('wrong values', () => {
    it.each([
      [{ max: -1 }, 'max is -1; give a whole number of at least 1'],
      [{ max: 0 }, 'max is 0; give a whole number of at least 1'],
      [{ max: NaN }, 'max is NaN; give a whole number of at least 1'],
      [{ max: 'ten' }, "max is 'ten'; give a whole number of at least 1"],
      [{ max: 2.5 }, 'max is 2.5; give a whole number of at least 1'],
      [{ max: '' }, 'max is empty; give a whole number of at least 1'],
      [{ max: '0x10' }, "max is '0x10'; give a whole number of at least 1"],
      [{ max: Infinity }, 'max is Infinity; give a whole number of at least 1'],
      [{ max: null }, 'max is null; give a whole number of at least 1'],
      [{ max: true }, 'max is true; give a whole number of at least 1'],
      [{ max: 10n }, 'max is a bigint; give a whole number of at least 1'],
      [{ max: [10] }, 'max is a list; give a whole number of at least 1'],
      [{ max: () => 10 }, 'max is a function; give a whole number of at least 1'],
      [{ min: -1 }, 'min is -1; give a whole number of at least 0 (0: no warm connections)'],
      [{ port: 0 }, 'port is 0; give a whole number from 1 to 65535'],
      [{ port: 65_536 }, 'port is 65536; give a whole number from 1 to 65535'],
      [
        { idleTimeoutMs: 2_147_483_648 },
        'idleTimeoutMs is 2147483648; give a whole number of milliseconds from 0 to 2147483647 (0: never)',
      ],
      [
        { maxLifetimeSeconds: 2_147_484 },
        'maxLifetimeSeconds is 2147484; give a number of seconds from 0 to 2147483 (0: never)',
      ],
      [
        { connectTimeoutMs: 0 },
        'connectTimeoutMs is 0; give a whole number of milliseconds from 1 to 2147483647',
      ],
      [{ idleOrder: 'random' }, "idleOrder is 'random'; give 'lifo' or 'fifo'"],
      [{ startup: 1 }, "startup is 1; give 'require' or 'background' or 'lazy'"],
      [{ allowExitOnIdle: 'yes' }, "allowExitOnIdle is 'yes'; give true or false"],
      [{ onConnect: 'SET ROLE app' }, "onConnect is 'SET ROLE app'; give a function or a class"],
      [{ evictOn: {} }, 'evictOn is an object; give a function or a class'],
      [{ types: {} }, 'types is an object; give an object with a function getTypeParser'],
      [
        { initSql: ['SELECT 1', ' '] },
        'initSql is a list; give a statement, or a list of statements, none of them empty',
      ],
      [{ user: '' }, 'user is empty; give text that is not empty'],
      [{ database: 5 }, 'database is 5; give text that is not empty'],
      [
        { ssl: 'on' },
        "ssl is a string; give true, false, 'no-verify', or an object of TLS options",
      ],
    ])('%p is refused in words that help', (written, sentence) => {
      expect(problemsOf(written)).toEqual([sentence]);
    });

    it('shows only the beginning of a long text', () => {
      const [sentence = ''] = problemsOf({ idleOrder: 'x'.repeat(1_000) });
      expect(sentence.length).toBeLessThan(100);
    });

    it('refuses what is no object without repeating it', () => {
      const url = 'postgres://app:s3cret@db/orders' as unknown as object;
      const { message } = refusalOf(() => strictly(url));
      expect(message).toContain('must be an object');
      expect(message).not.toContain('s3cret');
    });
  });

  describe('unknown names', () => {
    it.each([
      ['maxx', 'max'],
      ['acquireTimeout', 'acquireTimeoutMs'],
      ['idleTimeoutMilis', 'idleTimeoutMillis'],
      ['idle_timeout_ms', 'idleTimeoutMs'],
      ['conectionString', 'connectionString'],
      ['applicationname', 'applicationName'],
      ['url', 'connectionString'],
      ['username', 'user'],
      ['dbName', 'database'],
      ['pass', 'password'],
      ['connectionLimit', 'max'],
    ])('%s: did you mean %s?', (written, meant) => {
      expect(problemsOf({ [written]: 1 })).toEqual([
        `${written} is not an option; did you mean ${meant}?`,
      ]);
    });

    it('guesses nothing where no name is near', () => {
      expect(problemsOf({ zzzzzzzz: 1 })).toEqual(['zzzzzzzz is not an option']);
    });

    it('never repeats what was given for them', () => {
      expect(refusalOf(() => strictly({ pasword: 's3cret' })).message).not.toContain('s3cret');
    });

    it('are not found in what every object inherits', () => {
      expect(problemsOf({ toString: 1 })).toHaveLength(1);
      expect(strictly(Object.create(null) as object).max).toBe(10);
    });
  });

  describe('contradictions', () => {
    it('refuses more warm connections than there may be', () => {
      expect(problemsOf({ min: 5, max: 2 })).toEqual(['min is 5, more than max, which is 2']);
      expect(problemsOf({ min: 11 })).toEqual(['min is 11, more than max, which is 10']);
      expect(strictly({ min: 2, max: 2 })).toMatchObject({ min: 2, max: 2 });
    });

    it('refuses a keepalive that a short life never lets happen', () => {
      expect(problemsOf({ keepaliveMs: 60_000, maxLifetimeMs: 60_000 })).toEqual([
        expect.stringMatching(/^keepaliveMs is 60000, too long .* after 60000 ms/),
      ]);
    });

    it('accepts a short life beside the default keepalive, and a keepalive beside endless life', () => {
      expect(strictly({ maxLifetimeMs: 1_000 }).maxLifetimeMs).toBe(1_000);
      expect(strictly({ keepaliveMs: 9_000_000, maxLifetimeMs: 0 }).keepaliveMs).toBe(9_000_000);
    });

    it('refuses to take connections back before they are reported', () => {
      expect(problemsOf({ leakThresholdMs: 10_000, reclaimAfterMs: 10_000 })).toEqual([
        expect.stringMatching(/^reclaimAfterMs is 10000, not above leakThresholdMs, .* 10000: /),
      ]);
    });

    it('accepts a limit above the threshold, or without one', () => {
      for (const leakThresholdMs of [10_000, 0]) {
        const accepted = strictly({ leakThresholdMs, reclaimAfterMs: 10_001 });
        expect(accepted).toMatchObject({ leakThresholdMs, reclaimAfterMs: 10_001 });
      }
      expect(strictly({ leakThresholdMs: 10_000, reclaimAfterMs: 0 }).reclaimAfterMs).toBe(0);
    });

    it('does not judge by a value that was refused already', () => {
      expect(problemsOf({ min: 5, max: 'two' })).toHaveLength(1);
    });

    it('asks pg what it would refuse at the first connection', () => {
      expect(problemsOf({ sslnegotiation: 'direct', ssl: false })).toEqual([
        expect.stringContaining('requires SSL'),
      ]);
    });
  });

  describe('the connection string', () => {
    it.each([
      [undefined, 'is undefined'],
      ['', 'is empty'],
      ['  ', 'is empty'],
      [null, 'is null'],
    ])('must not be a key with %p behind it', (connectionString, fault) => {
      const [sentence] = problemsOf({ connectionString });
      expect(sentence).toContain(`connectionString ${fault}`);
      expect(sentence).toContain('pg would silently connect to localhost');
    });

    it.each([
      ['host=db password=s3cret', 'does not begin with postgres://'],
      ['mysql://app:s3cret@db/orders', 'does not begin with postgres://'],
      ['postgres://app:s3cret#x@db/orders', 'cannot be read (ERR_INVALID_URL)'],
      ['postgres://app:s3cret@db:99999/orders', 'cannot be read (ERR_INVALID_URL)'],
      ['postgres://app:s3cret@db:0/orders', 'whose port is not between 1 and 65535'],
      ['postgres://app:s3cret@db/orders?port=zero', 'whose port is not between 1 and 65535'],
      ['postgres://app:s3cret@db/orders?sslrootcert=/no/such/file', 'cannot be read (ENOENT)'],
      [5, 'is a number'],
    ])('%p is refused and never repeated', (connectionString, fault) => {
      const { message } = refusalOf(() => strictly({ connectionString }));
      expect(message).toContain(fault);
      expect(message).not.toContain('s3cret');
    });

    it.each([
      'postgres://app:s3cret@db:6432/orders?sslmode=disable',
      'postgresql://db/orders',
      'postgres:///orders',
      'postgres://app:p%40ss@[::1]:5432/orders',
      'socket:/var/run/postgresql?db=orders',
      '/var/run/postgresql orders',
    ])('%s is accepted as pg has it', (connectionString) => {
      expect(strictly({ connectionString }).connection.connectionString).toBe(connectionString);
    });

    it('must not say what another option says as well', () => {
      const connectionString = 'postgres://app:s3cret@db/orders?sslmode=no-verify';
      expect(problemsOf({ connectionString, host: 'other', ssl: { ca: 'x' } })).toEqual([
        'host is set by connectionString too, which pg prefers; remove one of the two',
        'ssl is set by connectionString too, which pg prefers; remove one of the two',
      ]);
    });

    it('does not belong into host, where its password would be shown by errors', () => {
      const { message } = refusalOf(() => strictly({ host: 'postgres://app:s3cret@db/orders' }));
      expect(message).toContain('host is a URL');
      expect(message).not.toContain('s3cret');
    });

    it('is not shown where it strayed into any option', () => {
      const url = 'postgres://app:s3cret@db/orders';
      const { message } = refusalOf(() => strictly({ max: url, idleOrder: url, ssl: url }));
      expect(message).not.toContain('s3cret');
    });
  });

  describe('the password', () => {
    it.each([5, {}, true, ''])('%p is refused and never repeated', (password) => {
      const [sentence] = problemsOf({ password });
      expect(sentence).toMatch(
        /^password is (a number|an object|a boolean|empty); give text that is not empty, or a function/,
      );
    });
  });

  describe('the error', () => {
    it('has a stable code and lists all problems with pool and option', () => {
      const error = refusalOf(() => strictly({ max: -1, min: 'ten', prot: 5, ssl: 'maybe' }));
      expect(error).toMatchObject({
        code: 'POOL_INVALID_OPTIONS',
        name: 'InvalidPoolOptionsError',
        pool: 'orders',
      });
      expect(error.problems.map(({ pool, option }) => `${pool}.${option}`).toSorted()).toEqual([
        'orders.max',
        'orders.min',
        'orders.prot',
        'orders.ssl',
      ]);
      expect(error.message).toMatch(/^orders: 4 options are wrong, nothing was done:\n/);
      for (const { message } of error.problems) {
        expect(error.message).toContain(`\n  - orders.${message}`);
      }
    });

    it('names the option as it was written', () => {
      const [problem] = refusalOf(() => strictly({ idleTimeoutMillis: -5 })).problems;
      expect(problem).toMatchObject({ option: 'idleTimeoutMillis' });
    });

    it('names the variable of the environment that a value came from', () => {
      const origins = { max: 'POOL_ORDERS_MAX' };
      const context = { strict: true, defaults: 'other', origins } as const;
      const read = (options: object) => resolvePoolOptions('orders', options, context);
      expect(problemsOf({ max: 'ten' }, read)).toEqual([
        "max (POOL_ORDERS_MAX) is 'ten'; give a whole number of at least 1",
      ]);
      expect(problemsOf({ max: '1', min: 2 }, read)).toEqual([
        'min is 2, more than max (POOL_ORDERS_MAX), which is 1',
      ]);
    });
  });
});
