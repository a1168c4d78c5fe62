import { FakeClient } from './fake-client.mjs';

const MAX = 10;
const DEADLINE_MS = 5_000;

/** For as long as it takes to await this, a client is held. */
const aMoment = Promise.resolve();

/** Each of these lends a client that does nothing, with a deadline, and takes it back. */
const POOLS = {
  async 'nestjs-pools'() {
    const { Pool } = await import('../../dist/lib/index.js');
    return withConnect(new Pool({ Client: FakeClient, max: MAX, leakThresholdMs: 0 }));
  },

  async 'nestjs-pools, leaks watched'() {
    const { Pool } = await import('../../dist/lib/index.js');
    const options = { leakThresholdMs: 60_000, leakStackEvery: 100 };
    return withConnect(new Pool({ Client: FakeClient, max: MAX, ...options }));
  },

  async 'its bare engine'() {
    const { bareEngine } = await import('./bare-engine.mjs');
    const engine = bareEngine({ max: MAX, acquireTimeoutMs: DEADLINE_MS });
    return {
      borrow: () => engine.acquire(),
      giveBack: (lease) => engine.release(lease),
    };
  },

  async 'pg.Pool'() {
    const { default: pg } = await import('pg');
    const options = { Client: FakeClient, max: MAX, connectionTimeoutMillis: DEADLINE_MS };
    return withConnect(new pg.Pool(options));
  },

  async 'generic-pool'() {
    const { default: genericPool } = await import('generic-pool');
    const options = { max: MAX, acquireTimeoutMillis: DEADLINE_MS };
    const pool = genericPool.createPool(factory, options);
    return {
      borrow: () => pool.acquire(),
      giveBack: (client) => pool.release(client),
    };
  },

  async tarn() {
    const { default: tarn } = await import('tarn');
    const limits = { min: 0, max: MAX, acquireTimeoutMillis: DEADLINE_MS };
    const pool = new tarn.Pool({ ...factory, ...limits });
    return {
      borrow: () => pool.acquire().promise,
      giveBack: (client) => pool.release(client),
    };
  },
};

const factory = {
  create: () => Promise.resolve(new FakeClient()),
  destroy: () => Promise.resolve(),
};

function withConnect(pool) {
  return {
    borrow: () => pool.connect(),
    giveBack: (client) => client.release(),
  };
}

/** Borrows, yields once and gives back, on a pool that is full and warm. */
export async function cycleOf(name) {
  const pool = await POOLS[name]();
  const all = await Promise.all(Array.from({ length: MAX }, pool.borrow));
  await Promise.all(all.map(pool.giveBack));
  return cycleOn(pool);
}

/** The same without a pool: what of a cycle is none of a pool's doing. */
export function emptyCycle() {
  return cycleOn({ borrow: () => aMoment, giveBack: () => undefined });
}

function cycleOn({ borrow, giveBack }) {
  return async () => {
    const client = await borrow();
    await aMoment;
    const returned = giveBack(client);
    if (returned) await returned;
  };
}
