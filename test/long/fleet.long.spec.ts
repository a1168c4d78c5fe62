import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolModuleOptions } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { FleetProgram } from '../support/fleet/fleet-programs.js';
import { FleetWatch } from '../support/fleet/fleet-watch.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy/tcp-proxy.js';

const INSTANCES = 12;
const BUDGET = 54;
const LOAD = { callers: 20, statementMs: 200 };
/** Twenty callers of two connections wait long when a dozen processes share a busy machine. */
const UNHURRIED = { acquireTimeoutMs: 240_000, startupTimeoutMs: 240_000 };
const OPTIONS: PoolModuleOptions = {
  service: 'orders',
  // Everything goes to the pool under load, so that the sum comes near to the budget.
  pools: { primary: { max: 40, ...UNHURRIED }, admin: false },
  fleet: { budget: BUDGET, instances: INSTANCES },
};
/** One connection for the fleet, one for the primary. */
const MINIMUM = 2;
const PATIENT = { timeoutMs: 240_000, intervalMs: 50 };

describe(`${INSTANCES} processes that share a budget of ${BUDGET} connections`, () => {
  let server: PostgresServer;
  let proxy: TcpProxy;
  let watch: FleetWatch;
  let url: string;
  const all: FleetProgram[] = [];
  const running: FleetProgram[] = [];

  beforeAll(async () => {
    server = await PostgresServer.create({ settings: { max_connections: 60 } });
    await server.start();
    await server.query("CREATE ROLE app LOGIN PASSWORD 'app'");
    url = server.connectionString({ user: 'app', password: 'app' });
    proxy = await TcpProxy.to(server);
    watch = await FleetWatch.of(server.connectionString());
  }, 60_000);
  afterAll(async () => {
    for (const program of all) await program[Symbol.asyncDispose]();
    await watch[Symbol.asyncDispose]();
    await proxy.close();
    await server.remove();
  }, 60_000);

  async function start(count: number, through = url): Promise<FleetProgram[]> {
    const programs = Array.from({ length: count }, () => FleetProgram.run(through, OPTIONS, LOAD));
    all.push(...programs);
    await Promise.all(programs.map((program) => program.joins()));
    running.push(...programs);
    return programs;
  }

  /** Waits for equal shares of what is there for those that run, and tells how long it took. */
  async function evens(what: string): Promise<void> {
    const startedAt = performance.now();
    const count = running.length;
    const keptBack = MINIMUM + Math.max(0, INSTANCES - count - 1);
    const share = Math.floor((BUDGET - keptBack) / count);
    await eventually(() => {
      const { claims } = watch;
      expect(claims).toHaveLength(count);
      expect(claims[0]).toBe(share);
      expect(claims.at(-1)! - claims[0]!).toBeLessThanOrEqual(1);
    }, PATIENT);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stderr.write(`${what}: ${count} shares of ${share} or one more, after ${seconds} s\n`);
  }

  function take(count: number): FleetProgram[] {
    return running.splice(running.length - count, count);
  }

  const timesTold = (program: FleetProgram, what: string) => program.told.split(what).length - 1;
  const LOST = 'cannot see the other instances';
  const SEES = 'a budget of';

  async function loses(program: FleetProgram, what: string, hurt: () => Promise<void>) {
    const before = timesTold(program, LOST);
    const startedAt = performance.now();
    await hurt();
    await eventually(() => expect(timesTold(program, LOST)).toBeGreaterThan(before), PATIENT);
    const ms = Math.round(performance.now() - startedAt);
    process.stderr.write(`${what}: back at the minimum after ${ms} ms\n`);
  }

  /** It has told of each time that it saw the others, and of each time that it did not any more. */
  async function comesBack(program: FleetProgram) {
    await eventually(
      () => expect(timesTold(program, SEES)).toBe(timesTold(program, LOST) + 1),
      PATIENT,
    );
  }

  it('never hold more, whatever happens to them, and come to equal shares', async () => {
    const [cut] = await start(1, proxy.through(url));
    await start(1);
    await evens('2 started');
    await start(INSTANCES - 2);
    await evens('10 more started');
    await start(1);
    await evens('one more than expected');

    await Promise.all(take(4).map((program) => program.dies()));
    await evens('4 killed');
    await start(3);
    await evens('3 started in their place');

    await Promise.all(take(10).map((program) => program.leaves()));
    await evens('10 stopped');

    await loses(running[1]!, 'a fleet session that was ended', () =>
      watch.endFleetSession(running[1]!.instance),
    );
    await comesBack(running[1]!);
    await evens('it came back');

    await loses(cut!, 'a network that was cut', () => proxy.blackhole());
    await proxy.heal();
    // The server hears at last that nobody is there.
    proxy.reset();
    await comesBack(cut!);
    await evens('it came back');

    await start(10);
    await evens('10 started again');

    const { most, samples } = watch;
    // With their names, which say whose were too many.
    expect(most.length <= BUDGET ? [] : most.toSorted()).toEqual([]);
    expect(samples).toBeGreaterThan(100);
    process.stderr.write(`at most ${most.length} of ${BUDGET}, in ${samples} samples\n`);
    // A pool goes on where a connect is refused: what was refused, the server knows.
    for (const { told } of all) expect(told).not.toContain('53300');
    const log = await readFile(join(server.dataDir, 'server.log'), 'utf8');
    expect(log).toContain('ready to accept connections');
    expect(log).not.toMatch(/too many (clients|connections)|connection slots are reserved/);
    for (const program of all.filter((each) => each !== cut)) {
      expect(program.told).not.toMatch(/^error /m);
    }
  }, 900_000);
});
