/** Loaded only in the process that measures it. */
const PEERS = {
  'nestjs-pools': () => import('./nestjs-pools.mjs'),
  'pg.Pool': () => import('./pg-pool.mjs'),
  'pg Client': () => import('./pg-client.mjs'),
  'generic-pool': () => import('./generic-pool.mjs'),
  tarn: () => import('./tarn.mjs'),
  'postgres.js': () => import('./postgres-js.mjs'),
};

/**
 * Opens a pool of that kind, with the defaults of its own but the size.
 *
 * @returns `query(text, values)`, `hold()` that resolves with a function that releases, and `end()`
 */
export async function openPeer(name, { url, max }) {
  const { open } = await PEERS[name]();
  return open({ url, max });
}
