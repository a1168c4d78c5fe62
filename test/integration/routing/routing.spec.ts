import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReplicasUnavailableError } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import { Replicated } from '../../support/postgres/replicated.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { inBackground, routedPools, serverOf } from './support/routed.js';

/** Keeps a core busy for as long as it takes, as reports do. */
const REPORT = 'SELECT sum(sqrt(n)) FROM generate_series(1, 500000) AS n';
const TRANSFERS = 40;
/** Slower than this by that much is no longer the noise of a machine with few cores. */
const TIMES_SLOWER = 10;
const NOISE_MS = 1_000;

describe('reads of a replica pool', () => {
  let servers: Replicated;
  let first: PostgresServer;
  let second: PostgresServer;
  beforeAll(async () => {
    servers = await Replicated.start({
      settings: { max_standby_streaming_delay: 0, hot_standby_feedback: false },
    });
    [first, second] = servers.standbys as [PostgresServer, PostgresServer];
    await servers.primary.query('CREATE TABLE notes (n integer)');
    await servers.primary.query('CREATE TABLE accounts (balance integer)');
    await servers.primary.query('INSERT INTO accounts VALUES (0)');
    await servers.settle();
  }, 180_000);
  afterAll(() => servers.remove(), 60_000);
  const open = routedPools(() => servers);

  it('are spread over all replicas, and never go to the primary while these are well', async () => {
    const { primary, replica } = open();
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));
    const seen = new Map<number, number>();

    for (let n = 0; n < 40; n += 1) {
      const port = await serverOf(replica);
      seen.set(port, (seen.get(port) ?? 0) + 1);
    }

    expect(new Set(seen.keys())).toEqual(new Set([first.port, second.port]));
    for (const reads of seen.values()) expect(reads).toBe(20);
    expect(primary.stats().counters.acquires).toBe(0);
    expect(replica.members.map(({ name }) => name)).toEqual([
      ...servers.hosts.map((host) => `replica@${host}`),
      'replica-fallback',
    ]);
    expect(replica.members.at(-1)!.stats().counters.created).toBe(0);
    expect(replica.stats().counters.acquires).toBe(40);
  });

  it('are not taken for the sign of a failover when they turn out to be writes', async () => {
    const { replica, log } = open({ role: 'any' });

    const write = replica.query('UPDATE accounts SET balance = 0');
    await expect(write).rejects.toMatchObject({ code: '25006' });
    // As long as a question at the server takes, and more.
    await sleep(1_000);

    expect(log.warnings).toEqual([]);
  });

  it('stay on one replica inside of a loan', async () => {
    const { replica } = open({ strategy: 'round-robin' });

    await replica.use(async (client) => {
      const ports = new Set<unknown>();
      for (let n = 0; n < 5; n += 1) {
        const { rows } = await client.query("SELECT current_setting('port') AS port");
        ports.add((rows[0] as { port: string }).port);
      }
      expect(ports.size).toBe(1);
    });
    expect(replica.stats()).toMatchObject({ leased: 0 });
  });

  it('go elsewhere while a replica is behind, and come back when it is not', async () => {
    const { replica, log } = open({ maxLagMs: 1_500, maxLagBytes: 1_000 });
    await eventually(async () => (await serverOf(replica)) === first.port);

    await first.pauseReplay();
    await servers.primary.query('INSERT INTO notes SELECT generate_series(1, 5000)');
    const report = () => replica.replicas().find(({ port }) => port === first.port)!;
    await eventually(() => report().state === 'out');
    const { lagMs, lagBytes, reason } = report();
    for (let n = 0; n < 10; n += 1) expect(await serverOf(replica)).toBe(second.port);
    await first.resumeReplay();
    await eventually(async () => (await serverOf(replica)) === first.port);

    expect(lagMs).toBeGreaterThan(1_500);
    expect(lagBytes).toBeGreaterThan(1_000);
    expect(reason).toMatch(/^behind/);
    expect(report()).toMatchObject({ state: 'in', lagMs: 0, lagBytes: 0 });
    expect(log.warnings.filter((line) => line.includes('no reads go to'))).toHaveLength(1);
  });

  it('that wait at a replica move on to the next one when it goes out', async () => {
    const { replica } = open({
      hosts: servers.hosts,
      max: 1,
      maxLagMs: 1_500,
      maxLagBytes: 1_000,
      fallback: false,
      acquireTimeoutMs: 60_000,
    });
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));
    const holders = [await replica.connect(), await replica.connect()];
    const ports = holders.map(({ port }) => port);
    const waiting = [serverOf(replica), serverOf(replica)];
    const waitingAt = (port: number) =>
      replica.members.find(({ address }) => address.port === port)!.waitingCount;
    expect([waitingAt(first.port), waitingAt(second.port)]).toEqual([1, 1]);

    await first.pauseReplay();
    await servers.primary.query('INSERT INTO notes SELECT generate_series(1, 5000)');
    await eventually(() => replica.replicas().some(({ state }) => state === 'out'));
    expect([waitingAt(first.port), waitingAt(second.port)]).toEqual([0, 2]);
    holders[ports.indexOf(second.port)]!.release();

    expect(await Promise.all(waiting)).toEqual([second.port, second.port]);
    holders[ports.indexOf(first.port)]!.release();
    await first.resumeReplay();
  });

  it('tell when a replica shows what was written, without a connection of the pool', async () => {
    const { replica } = open();
    await first.pauseReplay();
    await second.pauseReplay();
    await servers.primary.query('INSERT INTO notes VALUES (1)');
    const position = (await replica.askPrimaryPosition())!;

    expect(await replica.reach(position, 50)).toBe(false);
    const reached = replica.reach(position, 30_000);
    await second.resumeReplay();
    expect(await reached).toBe(true);
    await first.resumeReplay();

    expect(replica.stats()).toMatchObject({ total: 0 });
    expect(await replica.reach({ ...position, lsn: position.lsn + 2n ** 40n }, 20)).toBe(false);
  });

  it('take nothing on trust of a server whose connections have ended', async () => {
    await using proxy = await TcpProxy.to(first);
    const hosts = [`${proxy.host}:${proxy.port}`];
    const { replica } = open({ hosts, lagProbeMs: 60_000, min: 1, fallback: false });
    await servers.settle();
    const position = (await replica.askPrimaryPosition())!;
    expect(await replica.reach(position, 30_000)).toBe(true);
    await serverOf(replica);

    // Whoever comes now gets no answer: nobody knows how far the server behind the address is.
    await proxy.pause();
    for (const connection of proxy.connections) connection.destroy();
    await eventually(() => replica.stats().counters.closed['connection lost'] > 0);

    expect(await replica.reach(position, 0)).toBe(false);
    await proxy.resume();
    expect(await replica.reach(position, 30_000)).toBe(true);
  });

  it('have nobody ask the primary any more when their pool has drained', async () => {
    const { replica } = open();
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));
    expect(await replica.askPrimaryPosition()).toBeDefined();

    await replica.drain(0);

    expect(await replica.askPrimaryPosition()).toBeUndefined();
    await eventually(async () => {
      const { rows } = await servers.primary.query<{ asked: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_stat_activity
           WHERE query LIKE '%pg_current_wal_flush_lsn%' AND pid <> pg_backend_pid()) AS asked`,
      );
      return !rows[0]!.asked;
    });
  });

  it('go on at the next replica where replay cancels them', async () => {
    const { primary, replica } = open({ strategy: 'round-robin', statementTimeoutMs: 60_000 });
    await primary.query('INSERT INTO notes SELECT generate_series(1, 1000)');
    await servers.settle();
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));

    // One of the two is the first's turn, where it would take for long.
    const read = () =>
      replica.query<{ port: number }>(
        `SELECT (SELECT count(*) FROM notes) AS n, current_setting('port')::int AS port,
                CASE current_setting('port') WHEN '${first.port}' THEN pg_sleep(60) END`,
      );
    let areDone = false;
    const reads = Promise.all([read(), read()]).finally(() => (areDone = true));
    const reading = () =>
      first.query(
        "SELECT FROM pg_stat_activity WHERE query LIKE '%FROM notes) AS n%' AND pid <> pg_backend_pid()",
      );
    await eventually(async () => (await reading()).rowCount === 1, { timeoutMs: 20_000 });
    await eventually(
      async () => {
        await primary.query('INSERT INTO notes SELECT generate_series(1, 100)');
        await primary.query('DELETE FROM notes');
        await primary.query('VACUUM notes');
        return areDone;
      },
      { timeoutMs: 40_000, intervalMs: 100 },
    );

    for (const { rows } of await reads) expect(rows[0]).toMatchObject({ port: second.port });
    expect(replica.members.at(-1)!.stats().counters.acquires).toBe(0);
  }, 90_000);

  it('are not run again where a primary that was named as a replica refuses them', async () => {
    await servers.primary.query('CREATE SEQUENCE tries');
    await using proxy = await TcpProxy.to(servers.primary);
    const hosts = [servers.primary, proxy].map(({ host, port }) => `${host}:${port}`);
    const { replica } = open({ hosts, role: undefined, fallback: false });
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));

    const conflict = replica.query(`DO $$ BEGIN
      PERFORM nextval('tries');
      RAISE EXCEPTION 'two transactions' USING ERRCODE = '40001';
    END $$`);

    await expect(conflict).rejects.toMatchObject({ code: '40001' });
    const { rows } = await servers.primary.query('SELECT last_value::int AS tries FROM tries');
    expect(rows).toEqual([{ tries: 1 }]);
  });

  it('fail at most while they are under way when a standby is killed, and use it again', async () => {
    const { replica, primary } = open({ max: 5 });
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));
    let isKnown = false;
    let failedKnowing = 0;
    const load = inBackground(8, async () => {
      const wasKnown = isKnown;
      try {
        await serverOf(replica);
      } catch (error) {
        if (wasKnown) failedKnowing += 1;
        throw error;
      }
    });
    await eventually(() => load.done > 50);

    await second.kill();
    await eventually(() => replica.replicas().some(({ state }) => state === 'out'));
    isKnown = true;
    const doneByThen = load.done;
    await eventually(() => load.done > doneByThen + 100);
    await second.start();
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'), {
      timeoutMs: 30_000,
    });
    await eventually(async () => (await serverOf(replica)) === second.port);
    await load.end();

    // Those under way at the moment, of whom some hear of it only after it is known.
    expect(load.failed).toBeLessThanOrEqual(8);
    expect(failedKnowing).toBe(0);
    expect(primary.stats().counters.acquires).toBe(0);
  });

  it('go elsewhere while a replica is silent, and come back when it is not', async () => {
    await using proxy = await TcpProxy.to(first);
    const hosts = [proxy, second].map(({ host, port }) => `${host}:${port}`);
    const { replica } = open({ hosts, fallback: false });
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'));

    await proxy.blackhole();
    const report = () => replica.replicas()[0]!;
    await eventually(() => report().state === 'out', { timeoutMs: 30_000 });
    const { reason } = report();
    for (let n = 0; n < 10; n += 1) expect(await serverOf(replica)).toBe(second.port);
    await proxy.heal();
    await eventually(async () => (await serverOf(replica)) === first.port, { timeoutMs: 60_000 });

    expect(reason).toMatch(/^unreachable/);
  }, 120_000);

  it('leave the primary to those who write when all replicas are gone', async () => {
    const { replica, primary } = open({ max: 10 }, { max: 10 });
    const transfer = () => primary.query('UPDATE accounts SET balance = balance + 1');
    const latencies = async (count: number) => {
      const taken: number[] = [];
      for (let n = 0; n < count; n += 1) {
        const since = performance.now();
        await transfer();
        taken.push(performance.now() - since);
      }
      return taken.toSorted((a, b) => a - b);
    };
    const p95 = (sorted: number[]) => sorted[Math.floor(sorted.length * 0.95)]!;
    await serverOf(replica);
    const before = p95(await latencies(TRANSFERS));

    await first.kill();
    await second.kill();
    await eventually(() => replica.isOut);
    const waitedBefore = primary.stats().counters.misses;
    const storm = inBackground(50, () => replica.query(REPORT));
    let during: number;
    try {
      await eventually(() => storm.failed > 100);
      during = p95(await latencies(TRANSFERS));
    } finally {
      await storm.end();
    }
    process.stdout.write(
      `      transfers: p95 ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms in the storm\n`,
    );
    const counts = replica.members.at(-1)!.stats();
    const refusal = storm.lastError as ReplicasUnavailableError;
    const write = replica.query('UPDATE accounts SET balance = 0');
    await expect(write).rejects.toMatchObject({ code: '25006' });
    await first.start();
    await second.start();
    await eventually(() => replica.replicas().every(({ state }) => state === 'in'), {
      timeoutMs: 30_000,
    });
    expect(await serverOf(replica)).not.toBe(servers.primary.port);

    // No report stands in the way of a transfer; what they share is the server's cores.
    expect(primary.stats().counters.misses).toBe(waitedBefore);
    expect(during).toBeLessThanOrEqual(Math.max(TIMES_SLOWER * before, NOISE_MS));
    expect(storm.done).toBeGreaterThan(0);
    expect(counts).toMatchObject({ name: 'replica-fallback', max: 2 });
    expect(counts.total).toBeLessThanOrEqual(2);
    expect(refusal).toBeInstanceOf(ReplicasUnavailableError);
    expect(refusal).toMatchObject({ code: 'POOL_REPLICAS_UNAVAILABLE', pool: 'replica' });
    expect(refusal.message).toMatch(
      /no replica can serve this read \(.*the 2 connections .* are taken/,
    );
    expect(primary.stats().counters).toMatchObject({ timeouts: 0, refused: 0 });
  }, 120_000);

  it('are refused at once when all replicas are gone and nothing may be read from the primary', async () => {
    const { replica } = open({ fallback: false });
    await first.kill();
    await second.kill();

    await expect(replica.query('SELECT 1')).rejects.toMatchObject({
      code: 'POOL_REPLICAS_UNAVAILABLE',
      fallback: undefined,
    });

    await first.start();
    await second.start();
    await eventually(() => serverOf(replica), { timeoutMs: 30_000 });
  }, 120_000);

  it('go to replicas as before while the primary is gone', async () => {
    const { replica } = open();
    await serverOf(replica);
    await servers.primary.kill();
    try {
      const ports = new Set<number>();
      for (let n = 0; n < 20; n += 1) ports.add(await serverOf(replica));
      expect(ports).toEqual(new Set([first.port, second.port]));
      expect(replica.replicas().every(({ state }) => state === 'in')).toBe(true);
    } finally {
      await servers.primary.start();
    }
  }, 60_000);

  it('do not go to a replica that was promoted', async () => {
    const { replica } = open();
    await eventually(async () => (await serverOf(replica)) === second.port);

    await second.promote();
    const report = () => replica.replicas().find(({ port }) => port === second.port)!;
    await eventually(() => report().state === 'out');

    expect(report().reason).toMatch(/no standby|WrongServerRole|not.*replica/i);
    for (let n = 0; n < 10; n += 1) expect(await serverOf(replica)).toBe(first.port);
  }, 60_000);
});
