import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Replicated } from '../../support/postgres/replicated.js';
import { routedPools, serverOf } from './support/routed.js';

describe('reads of a replica pool', () => {
  let servers: Replicated;
  beforeAll(async () => {
    servers = await Replicated.start();
    await servers.primary.query('CREATE TABLE notes (n integer)');
    await servers.settle();
  }, 120_000);
  afterAll(() => servers.remove());
  const open = routedPools(() => servers);

  it('are spread over all replicas, and never go to the primary while these are well', async () => {
    const { primary, replica } = open();
    const seen = new Map<number, number>();

    for (let n = 0; n < 40; n += 1) {
      const port = await serverOf(replica);
      seen.set(port, (seen.get(port) ?? 0) + 1);
    }

    expect([...seen.keys()].toSorted()).toEqual(
      servers.standbys.map(({ port }) => port).toSorted(),
    );
    for (const reads of seen.values()) expect(reads).toBeGreaterThanOrEqual(15);
    expect(primary.stats().counters.acquires).toBe(0);
    expect(replica.members.map(({ name }) => name)).toEqual([
      ...servers.hosts.map((host) => `replica@${host}`),
      'replica-fallback',
    ]);
    expect(replica.members.at(-1)!.stats().counters.created).toBe(0);
  });

  it('go elsewhere while a replica is behind, and come back when it is not', async () => {
    const { replica, log } = open({ maxLagMs: 200, maxLagBytes: 1_000 });
    const [late, other] = servers.standbys as [
      (typeof servers.standbys)[0],
      (typeof servers.standbys)[0],
    ];
    await eventually(async () => (await serverOf(replica)) === late.port);

    await late.pauseReplay();
    await servers.primary.query('INSERT INTO notes SELECT generate_series(1, 5000)');
    const report = () => replica.replicas().find(({ port }) => port === late.port)!;
    await eventually(() => report().state === 'out');

    expect(report()).toMatchObject({
      lagBytes: expect.any(Number),
      reason: /behind \(by/ as never,
    });
    for (let n = 0; n < 10; n += 1) expect(await serverOf(replica)).toBe(other.port);
    await late.resumeReplay();
    await eventually(async () => (await serverOf(replica)) === late.port);
    expect(report()).toMatchObject({ state: 'in', lagBytes: 0 });
    expect(log.warnings.join()).toMatch(/no reads go to this replica from now on: behind/);
  });
});
