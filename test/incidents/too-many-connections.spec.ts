import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { testPools } from '../integration/pool/support/test-pools.js';

const pools = testPools();
const ROLE = `crowd_${process.pid}`;
const ROOM = 4;

describe('pools that are too big for their database', () => {
  beforeAll(() =>
    pools.database.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE}' CONNECTION LIMIT ${ROOM}`),
  );
  afterAll(() => pools.database.query(`DROP ROLE ${ROLE}`));

  it('serve on with the connections that there is room for, and say what is missing', async () => {
    const { connectionString } = pools.database;
    const url = Object.assign(new URL(connectionString), { username: ROLE, password: ROLE });
    const options = { connectionString: url.href, max: 6, acquireTimeoutMs: 30_000 };
    // Two instances of one service: each is within its max, together they are not.
    const instances = [pools.open(options), pools.open(options)];

    const all = Array.from({ length: 40 }, (_, n) =>
      instances[n % 2]!.query('SELECT pg_sleep(0.05)'),
    );
    await Promise.all(all);

    // An attempt to connect that nobody needs any more may be under way.
    const open = () => instances.reduce((sum, pool) => sum + pool.stats().total, 0);
    await eventually(() => expect(open()).toBeLessThanOrEqual(ROOM));
    await eventually(() =>
      expect(pools.log.warnings.join('\n')).toMatch(/cannot connect to .*53300/),
    );
    const errors = instances.flatMap((pool) => pool.snapshot().lastErrors);
    expect(errors.map(({ sentence }) => sentence).join()).toContain('53300');
  });
});
