import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import {
  InvalidPoolOptionsError,
  PoolFleet,
  PoolModule,
  type PoolModuleOptions,
  PoolRegistry,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { PgBouncer } from '../../support/pgbouncer/pgbouncer.js';
import { describeWithPgBouncer } from '../../support/pgbouncer/with-pgbouncer.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';

const PATIENT = { timeoutMs: 60_000 };

describeWithPgBouncer('a fleet behind PgBouncer', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let restore = () => {};
  beforeAll(async () => {
    database = await testDatabase();
    bouncer = await PgBouncer.start(database.connectionString, { mode: 'transaction' });
  });
  afterEach(() => restore());
  afterAll(async () => {
    await bouncer.remove();
    await database.drop();
  });

  function modules(options: PoolModuleOptions) {
    restore = environmentSays({ DATABASE_URL: bouncer.connectionString() });
    return [PoolModule.forRoot({ service: 'orders', ...options })];
  }

  async function refusal(options: PoolModuleOptions): Promise<string> {
    const application = await createApplication({ imports: modules(options) });
    const error = await application.init().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidPoolOptionsError);
    return (error as Error).message;
  }

  it('is refused without a way to the server itself, whatever the options say', async () => {
    expect(await refusal({ fleet: { budget: 24 } })).toContain(
      'admin leads through a pooler (the server knows its sessions by other ids): give the pool admin the address of the server itself',
    );
    const primary = { pooler: 'pgbouncer-transaction' as const };
    expect(await refusal({ pools: { primary, admin: false }, fleet: { budget: 24 } })).toContain(
      "primary leads through a pooler (its pooler is 'pgbouncer-transaction')",
    );
  });

  it('divides the clients of the pooler, which are no part of what a role may use', async () => {
    const admin = { connectionString: database.connectionString };
    const primary = { max: 300 };
    expect(await refusal({ pools: { primary, admin }, fleet: { budget: '70%' } })).toContain(
      'the pools lead through a pooler: give the number of clients that it takes',
    );
    restore();
    await using application = await startApplication({
      imports: modules({ pools: { primary, admin }, fleet: { budget: 240, intervalMs: 400 } }),
    });
    const pool = application.get(PoolRegistry).get('primary');
    // The next instance is to have 2, and one of this one's is the session of the fleet.
    await eventually(() => expect(pool.stats().max).toBe(240 - 2 - 1), PATIENT);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(application.get(PoolFleet).snapshot()).toMatchObject({ minimum: 2, others: [] });
  });
});
