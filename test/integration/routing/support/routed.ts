import { afterEach } from '@jest/globals';
import { Pool, type PoolOptions, ReplicaPool } from '../../../../lib/index.js';
import { sleep } from '../../../support/sleep.js';
import type { Replicated } from '../../../support/postgres/replicated.js';
import { RecordingLog } from '../../pool/support/recording-log.js';

/** A primary's pool, and one of its replicas. */
export interface RoutedPools {
  readonly primary: Pool;
  readonly replica: ReplicaPool;
  readonly log: RecordingLog;
}

/** To be called once in a spec file, outside of its tests: what a test opens ends with it. */
export function routedPools(
  servers: () => Replicated,
): (options?: PoolOptions, ofPrimary?: PoolOptions) => RoutedPools {
  let open: Pool[] = [];
  afterEach(async () => {
    await Promise.all(open.map((pool) => pool.drain(0)));
    open = [];
  });
  return (options = {}, ofPrimary = {}) => {
    const log = new RecordingLog();
    const { primary: server, hosts } = servers();
    const address = new URL(server.connectionString());
    const atPrimary = { connectionString: address.href };
    const { username: user, password } = address;
    const primary = new Pool({ ...atPrimary, ...ofPrimary }, { name: 'primary', log });
    const ofReplica: PoolOptions = { lagProbeMs: 50, startup: 'background', ...options };
    const replica = new ReplicaPool(
      { hosts, user, password, database: 'postgres', role: 'replica', ...ofReplica },
      { name: 'replica', log, primary, atPrimary: { ...ofReplica, ...atPrimary } },
    );
    open.push(replica, primary);
    // As the module does: from now on the servers are asked how they are.
    void replica.start();
    return { primary, replica, log };
  };
}

/** The port of the server that a read went to. */
export async function serverOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ port: number }>(
    "SELECT current_setting('port')::int AS port",
  );
  return rows[0]!.port;
}

/** Work that goes on beside a test. */
export interface BackgroundWork {
  readonly done: number;
  readonly failed: number;
  readonly lastError: unknown;
  end(): Promise<void>;
}

/** Does something over and over, so many at the same time. */
export function inBackground(workers: number, work: () => Promise<unknown>): BackgroundWork {
  const over = new AbortController();
  const state = { done: 0, failed: 0, lastError: undefined as unknown };
  const worker = async () => {
    while (!over.signal.aborted) {
      try {
        await work();
        state.done += 1;
      } catch (error) {
        state.failed += 1;
        state.lastError = error;
        // Who is refused at once asks again a moment later.
        await sleep(20);
      }
    }
  };
  const all = Promise.all(Array.from({ length: workers }, worker));
  return Object.assign(state, {
    async end() {
      over.abort();
      await all;
    },
  });
}
