import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { PoolModule, PoolRegistry } from '../../../lib/index.js';
import { describeWithPgBouncer } from '../../support/pgbouncer/with-pgbouncer.js';
import { startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { bouncedPools } from './support/bounced-pools.js';

describeWithPgBouncer('an application behind PgBouncer', () => {
  const pools = bouncedPools('session');
  let restore = () => {};
  beforeEach(() => {
    restore = environmentSays({ DATABASE_URL: pools.bouncer.connectionString() });
  });
  afterEach(() => restore());

  it.each(['pgbouncer-transaction', 'pgbouncer-session'] as const)(
    'says it once for all pools that go there, and may read with a share of the primary: %s',
    async (pooler) => {
      const replica = { connectionString: pools.bouncer.connectionString(), pooler };
      await using application = await startApplication({
        imports: [
          PoolModule.forRoot({
            pools: { primary: { pooler, lock_timeout: 300 }, reports: {}, replica },
          }),
        ],
      });
      const registry = application.get(PoolRegistry);

      const names = ['primary', 'reports', 'replica-fallback', 'admin'];
      const answers = await Promise.all(
        names.map((name) =>
          registry
            .get(name)
            .query<{ readOnly: string }>(
              `SELECT current_setting('default_transaction_read_only') AS "readOnly"`,
            ),
        ),
      );

      const share = pooler === 'pgbouncer-session' ? 'on' : 'off';
      expect(answers.map(({ rows }) => rows[0]!.readOnly)).toEqual(['off', 'off', share, 'off']);
      const told = await Promise.allSettled(
        names.map((name) => registry.get(name).query('SET work_mem = 1024')),
      );
      const status = pooler === 'pgbouncer-session' ? 'fulfilled' : 'rejected';
      expect(told.map((each) => each.status)).toEqual(names.map(() => status));
    },
    60_000,
  );
});
