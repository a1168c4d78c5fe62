import { getEventListeners, setMaxListeners } from 'node:events';
import { Pool } from '../../../lib/index.js';
import { sleep } from '../../support/sleep.js';

/**
 * Uses a pool for a long time and reports what is left of it. Needs `--expose-gc`.
 *
 * Arguments: connection string, cycles of acquire, statement and release, waiters that time out.
 */
const [, , connectionString, cycles, waiters] = process.argv;

const MAX = 10;
const SIDE_BY_SIDE = 20;
/** A statement every so many cycles: it is the lending that is measured, not the server. */
const STATEMENT_EVERY = 50;
const WAIT_MS = 50;
const WAITERS_AT_ONCE = 500;

const pool = new Pool({ connectionString: connectionString!, max: MAX });

await lendAndReturn(Number(cycles) / 10);
const warm = await heapAfterCollection();
await lendAndReturn(Number(cycles));
const afterCycles = await heapAfterCollection();

const held = await Promise.all(Array.from({ length: MAX }, () => pool.connect()));
const timedOut = await letTimeOut(Number(waiters));
const { signal } = new AbortController();
setMaxListeners(0, signal);
await Promise.allSettled(
  Array.from({ length: 100 }, () => pool.acquire({ signal, timeoutMs: WAIT_MS })),
);
for (const client of held) client.release();
const afterWaiters = await heapAfterCollection();

const last = await pool.connect();
const clientListeners = last.listenerCount('error') + last.listenerCount('notification');
last.release();
const poolListeners = pool.eventNames().reduce((sum, name) => sum + pool.listenerCount(name), 0);
const { waiting, leased } = pool.stats();
await pool.end();
await sleep(50);
const resources = process.getActiveResourcesInfo();

console.log(
  `report ${JSON.stringify({
    warm,
    afterCycles,
    afterWaiters,
    timedOut,
    signalListeners: getEventListeners(signal, 'abort').length,
    clientListeners,
    poolListeners,
    waiting,
    leased,
    timersLeft: resources.filter((name) => name === 'Timeout').length,
    socketsLeft: resources.filter((name) => name.startsWith('TCP')).length,
  })}`,
);

async function lendAndReturn(times: number): Promise<void> {
  let left = times;
  const borrow = async () => {
    while (left > 0) {
      left -= 1;
      const client = await pool.connect();
      if (left % STATEMENT_EVERY === 0) await client.query('SELECT 1');
      client.release();
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, borrow));
}

async function letTimeOut(count: number): Promise<number> {
  let refused = 0;
  for (let done = 0; done < count; done += WAITERS_AT_ONCE) {
    await Promise.all(
      Array.from({ length: WAITERS_AT_ONCE }, () =>
        pool.acquire({ timeoutMs: WAIT_MS }).catch(() => (refused += 1)),
      ),
    );
  }
  return refused;
}

/** The lowest of some collections, since one leaves what finalizers are about to let go. */
async function heapAfterCollection(): Promise<number> {
  const sizes: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    globalThis.gc!();
    await sleep(20);
    sizes.push(process.memoryUsage().heapUsed);
  }
  return Math.min(...sizes);
}
