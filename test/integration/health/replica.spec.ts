import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PoolHealthIndicator, PoolHealthModule } from '../../../lib/health/index.js';
import { PoolModule } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';

describe('the health of a replica', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let restore = () => {};
  beforeAll(async () => {
    primary = await PostgresServer.create();
    await primary.start();
    standby = await primary.createStandby();
  }, 60_000);
  beforeEach(() => {
    restore = environmentSays({
      DATABASE_URL: primary.connectionString(),
      DATABASE_REPLICA_URL: standby.connectionString(),
    });
  });
  afterEach(() => restore());
  afterAll(async () => {
    await standby.remove();
    await primary.remove();
  });

  it('says which server is which, and how far the replica is behind', async () => {
    await using application = await startApplication({
      imports: [PoolModule.forRoot(), PoolHealthModule.forRoot({ cacheMs: 0 })],
    });
    const health = application.get(PoolHealthIndicator);
    const replica = async () => (await health.check('replica'))['replica']!;

    // Until it has replayed a transaction, a standby cannot tell how old the last one is.
    await primary.query('CREATE TABLE first (n integer)');
    await standby.waitForReplay(primary);

    expect(await health.check('primary')).toMatchObject({ primary: { role: 'primary' } });
    expect(await health.check('primary')).not.toHaveProperty('primary.replicaLagMs');
    await eventually(async () => (await replica())['replicaLagMs'] === 0);
    expect(await replica()).toMatchObject({ status: 'up', role: 'replica', replicaLagBytes: 0 });

    await standby.pauseReplay();
    await primary.query('CREATE TABLE written AS SELECT generate_series(1, 10000) AS n');
    await eventually(async () => Number((await replica())['replicaLagBytes']) > 100_000);
    const { replicaLagMs: lagMs } = await replica();
    await eventually(async () => Number((await replica())['replicaLagMs']) > Number(lagMs));

    await standby.resumeReplay();
    await eventually(async () => (await replica())['replicaLagBytes'] === 0);
    await eventually(async () => (await replica())['replicaLagMs'] === 0);
  });

  it('is told to a user who may see nothing of the replication', async () => {
    await primary.query("CREATE ROLE modest LOGIN PASSWORD 'modest'");
    await standby.waitForReplay(primary);
    const url = new URL(standby.connectionString());
    Object.assign(url, { username: 'modest', password: 'modest' });
    await using application = await startApplication({
      imports: [
        PoolModule.forRoot({ pools: { replica: { connectionString: url.href } } }),
        PoolHealthModule.forRoot(),
      ],
    });
    const health = application.get(PoolHealthIndicator);
    expect(await health.check('replica')).toMatchObject({
      replica: { role: 'replica', replicaLagMs: 0, replicaLagBytes: 0 },
    });
  });
});
