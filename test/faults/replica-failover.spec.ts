import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { Pool, type PoolLog, readYourWrites, ReplicaPool } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import type { PostgresServer } from '../support/postgres/postgres-server.js';
import { Replicated } from '../support/postgres/replicated.js';
import { TcpProxy } from '../support/tcp-proxy/tcp-proxy.js';
import { type Outcome, tally } from './support/outcome.js';
import { type Found, RoutedApplication, Sessions } from './support/routed-application.js';
import { SteadyLoad } from './support/steady-load.js';

const WRITES_PER_SECOND = 30;
const READS_PER_SECOND = 60;
const OWN_READS = 30;
const SESSIONS = 4;
/** A second is promised; the rest is for a machine that has other things to do. */
const WRITES_BACK_WITHIN_MS = 3_000;
const PATIENCE_MS = 90_000;
const TIME_FOR_SERVERS_MS = 240_000;
const SOON = { timeoutMs: 60_000 };
const SILENT: PoolLog = { debug() {}, info() {}, warn() {} };
const SERVER = "SELECT current_setting('port')::int AS port";

/** Writes and reads as an application has them: at a steady rate, whatever becomes of them. */
class MixedLoad {
  readonly acknowledged: number[] = [];
  readonly #writes: SteadyLoad;
  readonly #reads: SteadyLoad;
  readonly #ports: number[] = [];

  constructor({ versions }: RoutedApplication) {
    let n = 0;
    const write = async () => {
      const next = (n += 1);
      await versions.write(next);
      this.acknowledged.push(next);
    };
    const ways = [
      () => versions.find(0),
      () => versions.findByRegistry(0),
      () => versions.findRouted(0),
    ];
    let turn = 0;
    const read = async (): Promise<Found> => {
      const found = await ways[(turn += 1) % ways.length]!();
      this.#ports.push(found.port);
      return found;
    };
    this.#writes = SteadyLoad.start(WRITES_PER_SECOND, write, PATIENCE_MS);
    this.#reads = SteadyLoad.start(READS_PER_SECOND, read, PATIENCE_MS);
  }

  /** The servers of reads so many reads from now. */
  async readFrom(reads: number): Promise<Set<number>> {
    // Those that were under way before belong to the time before.
    const from = this.#ports.length + READS_PER_SECOND;
    await eventually(() => this.#ports.length >= from + reads, SOON);
    return new Set(this.#ports.slice(from));
  }

  async acknowledges(more: number): Promise<void> {
    const soFar = this.acknowledged.length;
    await eventually(() => this.acknowledged.length >= soFar + more, SOON);
  }

  async stop(): Promise<{ writes: Outcome[]; reads: Outcome[] }> {
    const [writes, reads] = await Promise.all([this.#writes.stop(), this.#reads.stop()]);
    return { writes, reads };
  }
}

/** From the first write that the new primary took of anybody to the first that came through us. */
function writesBackAfterMs(calls: readonly Outcome[], acceptedAt: number): number {
  const ends = calls
    .filter(({ told, startedAt, ms }) => told === 'ok' && startedAt + ms > acceptedAt)
    .map(({ startedAt, ms }) => startedAt + ms);
  return Math.min(...ends) - acceptedAt;
}

/** Promotes a standby; resolves with when it had taken a write. */
async function promote(fresh: PostgresServer): Promise<number> {
  await fresh.promote();
  await fresh.query('INSERT INTO written VALUES (0)');
  return performance.now();
}

/** How often each number was written. */
async function writtenAt(server: PostgresServer): Promise<Map<number, number>> {
  const { rows } = await server.query<{ n: number; times: number }>(
    'SELECT n, count(*)::int AS times FROM written WHERE n > 0 GROUP BY n',
  );
  return new Map(rows.map(({ n, times }) => [n, times]));
}

describe('an application with a primary and two replicas, after a failover', () => {
  const measured: string[] = [];
  afterEach(() => {
    for (const line of measured.splice(0)) process.stdout.write(`    ${line}\n`);
  });

  it(
    'writes to the replica that was promoted, reads from the other one, and has lost nothing',
    async () => {
      await using routed = await RoutedApplication.start();
      await eventually(() => routed.standbys.every((each) => routed.stateOf(each) === 'in'));
      const load = new MixedLoad(routed);
      const sessions = new Sessions(routed.versions, SESSIONS);
      await load.acknowledges(30);
      await eventually(() => sessions.tries > OWN_READS, SOON);

      const killedAt = performance.now();
      await routed.old.kill();
      const deadAt = performance.now();
      const [fresh, other] = await routed.furthestFirst();
      const acceptedAt = await promote(fresh);
      await other.follow(fresh);
      await eventually(() => routed.stateOf(fresh).startsWith('no standby'), SOON);
      const leftAfterMs = performance.now() - acceptedAt;
      const triesByThen = sessions.tries;
      await eventually(() => sessions.tries > triesByThen + OWN_READS, SOON);
      await load.acknowledges(30);
      const onlyOther = new Set([other.port]);
      await eventually(async () => expect(await load.readFrom(100)).toEqual(onlyOther), SOON);
      await eventually(() => routed.stateOf(routed.old).startsWith('unreachable'), SOON);
      const states = [fresh, other].map((each) => routed.stateOf(each));
      await sessions.end();
      const { writes, reads } = await load.stop();
      await eventually(() => routed.busy === 0, SOON);
      const written = await writtenAt(fresh);

      const backAfterMs = writesBackAfterMs(writes, acceptedAt);
      const failed = reads.filter(({ told }) => told !== 'ok');
      const toldOf = (calls: readonly Outcome[]) => tally(calls.map(({ told }) => told));
      measured.push(
        `writes come back ${Math.round(backAfterMs)} ms after they are accepted: ${toldOf(writes)}`,
        `reads: ${toldOf(reads)}; the new primary is out ${Math.round(leftAfterMs)} ms after that`,
        `reads of own writes: ${sessions.tries} (${sessions.failedReads} failed), ${sessions.old} old`,
      );
      expect(backAfterMs).toBeLessThan(WRITES_BACK_WITHIN_MS);
      expect(writes.at(-1)!.told).toBe('ok');
      expect([...writes, ...reads].filter(({ told }) => told === 'nothing')).toEqual([]);

      expect(load.acknowledged.filter((n) => !written.has(n))).toEqual([]);
      expect([...written.values()].filter((times) => times > 1)).toEqual([]);
      const { begun } = routed.versions;
      expect(begun.length).toBeGreaterThanOrEqual(load.acknowledged.length);
      expect(new Set(begun).size).toBe(begun.length);

      expect(states).toEqual([expect.stringMatching(/^no standby/), 'in']);
      const wereUnderWay = ({ startedAt, ms }: Outcome) =>
        startedAt <= deadAt && startedAt + ms >= killedAt;
      expect(failed.filter((read) => !wereUnderWay(read))).toEqual([]);

      expect(sessions.old).toBe(0);
      // One of each was under way at most.
      expect(sessions.failedReads).toBeLessThanOrEqual(SESSIONS);
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'shows what was written before it, to its writer and to the bearer of a token',
    async () => {
      await using routed = await RoutedApplication.start();
      const [fresh, other] = routed.standbys as [PostgresServer, PostgresServer];
      const { versions, replica } = routed;
      const http = request(routed.application.getHttpServer());
      const byToken = async (token: string) =>
        (await http.get('/').set('X-Pools-Seen', token)).body as Found;
      await eventually(() => routed.standbys.every((each) => routed.stateOf(each) === 'in'));
      await other.pauseReplay();

      await readYourWrites(async () => {
        await versions.put(1, 1);
        const { headers } = await http.post('/').send({ id: 1, value: 2 });
        const token = headers['x-pools-seen'] as string;
        await versions.put(1, 3);
        await fresh.waitForReplay(routed.old);

        await routed.old.kill();
        await promote(fresh);
        await eventually(() => routed.stateOf(fresh).startsWith('no standby'), SOON);
        await eventually(async () => (await replica.askPrimaryPosition())?.timeline === 2, SOON);

        // The only replica does not show any of it.
        const past = { value: 0, port: other.port };
        await eventually(async () => expect((await http.get('/')).body).toEqual(past), SOON);
        for (const find of [versions.find, versions.findByRegistry, versions.findRouted]) {
          expect(await find.call(versions, 1)).toEqual({ value: 3, port: fresh.port });
        }
        expect(await byToken(token)).toEqual({ value: 3, port: fresh.port });

        const later = await http.post('/').send({ id: 1, value: 4 });
        await versions.put(1, 5);
        expect(await versions.find(1)).toEqual({ value: 5, port: fresh.port });
        expect(await byToken(later.headers['x-pools-seen'] as string)).toMatchObject({ value: 5 });

        await other.resumeReplay();
        await other.follow(fresh);
        const fromReplica = { value: 5, port: other.port };
        await eventually(async () => expect(await versions.find(1)).toEqual(fromReplica), SOON);
        for (const each of [token, later.headers['x-pools-seen'] as string]) {
          await eventually(async () => expect(await byToken(each)).toEqual(fromReplica), SOON);
        }
      });
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'asks the new primary where it is, though the old one is alive and still answers',
    async () => {
      await using routed = await RoutedApplication.start();
      const [fresh, other] = routed.standbys as [PostgresServer, PostgresServer];
      const { versions, replica } = routed;
      const http = request(routed.application.getHttpServer());
      await eventually(() => routed.standbys.every((each) => routed.stateOf(each) === 'in'));
      expect(await replica.askPrimaryPosition()).toMatchObject({ timeline: 1 });
      // A connection of the share for reads stands at the old primary.
      await Promise.all(routed.standbys.map((standby) => standby.pauseReplay()));
      await readYourWrites(async () => {
        await versions.put(1, 1);
        expect(await versions.find(1)).toEqual({ value: 1, port: routed.old.port });
      });
      await Promise.all(routed.standbys.map((standby) => standby.resumeReplay()));

      // Before the promotion: the old primary lives on, and its log no longer leads to the new one.
      await other.follow(fresh);
      await routed.old.setSettings({ default_transaction_read_only: true });
      await fresh.waitForReplay(routed.old);
      await other.pauseReplay();
      await promote(fresh);
      const seen = await eventually(
        () =>
          readYourWrites(async () => {
            await versions.put(1, 2);
            return await versions.find(1);
          }),
        SOON,
      );
      expect(seen).toEqual({ value: 2, port: fresh.port });
      await other.resumeReplay();
      await other.waitForReplay(fresh);
      await eventually(() => routed.stateOf(fresh).startsWith('no standby'), SOON);

      expect(routed.old.running).toBe(true);
      await eventually(() => replica.primaryPosition?.timeline === 2, SOON);
      await other.pauseReplay();
      const { headers } = await http.post('/').send({ id: 1, value: 3 });
      const past = { value: 2, port: other.port };
      await eventually(async () => expect((await http.get('/')).body).toEqual(past), SOON);
      const byToken = await http.get('/').set('X-Pools-Seen', headers['x-pools-seen'] as string);
      expect(byToken.body).toEqual({ value: 3, port: fresh.port });
      await eventually(() => routed.stateOf(routed.old).startsWith('no standby'), SOON);
      await other.resumeReplay();
    },
    TIME_FOR_SERVERS_MS,
  );

  it(
    'asks the server that the address of the primary leads to by now, and reads there',
    async () => {
      await using servers = await Replicated.start({ standbys: 1 });
      const fresh = servers.standbys[0]!;
      await servers.primary.query('CREATE TABLE written (n integer)');
      await using proxy = await TcpProxy.to(servers.primary);
      const atPrimary = { connectionString: servers.primary.connectionString({ via: proxy }) };
      const options = { connectionString: fresh.connectionString(), role: 'replica' as const };
      const primary = new Pool(atPrimary, { name: 'primary', log: SILENT });
      const replica = new ReplicaPool(options, {
        name: 'replica',
        primary,
        atPrimary,
        log: SILENT,
      });
      try {
        expect(await replica.askPrimaryPosition()).toMatchObject({ timeline: 1 });
        await fresh.waitForReplay(servers.primary);
        await promote(fresh);
        await eventually(async () => {
          const { rows } = await replica.query<{ port: number }>(SERVER);
          return rows[0]!.port === servers.primary.port;
        }, SOON);

        // The sessions that stand lead to the old one, which answers as before.
        proxy.retarget(fresh);
        await servers.primary.setSettings({ default_transaction_read_only: true });
        await eventually(() => replica.primaryPosition?.timeline === 2, SOON);
        const { rows } = await replica.query<{ port: number }>(SERVER);

        expect(servers.primary.running).toBe(true);
        expect(rows).toEqual([{ port: fresh.port }]);
      } finally {
        await Promise.all([replica.drain(0), primary.drain(0)]);
      }
    },
    TIME_FOR_SERVERS_MS,
  );
});
