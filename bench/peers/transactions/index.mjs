/** Loaded only in the process that measures it. */
const PEERS = {
  'nestjs-pools': () => import('./nestjs-pools.mjs'),
  'hand-written pg': () => import('./hand-written-pg.mjs'),
  'postgres.js': () => import('./postgres-js.mjs'),
  knex: () => import('./knex.mjs'),
  drizzle: () => import('./drizzle.mjs'),
  'typeorm-transactional': () => import('./typeorm-transactional.mjs'),
  '@nestjs-cls/transactional': () => import('./nestjs-cls.mjs'),
};

/**
 * Opens a way to run transactions, on a pool with the defaults of its own but the size.
 *
 * @returns `transaction(work)`, whose work gets a function that runs one statement (`text`,
 * `values`) in it; `batch(statements)` for a list of them, where it can do better than one after
 * the other or is what others are compared with; and `end()`
 */
export async function openTransactions(name, { url, max }) {
  const { open } = await PEERS[name]();
  return open({ url, max });
}
