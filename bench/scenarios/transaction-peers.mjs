/** What the ratios of all scenarios with transactions are taken to. */
export const BY_HAND = 'hand-written pg';

/** Whoever runs the same transactions. */
export const TRANSACTION_PEERS = [
  'nestjs-pools',
  BY_HAND,
  'postgres.js',
  'knex',
  'drizzle',
  'typeorm-transactional',
  '@nestjs-cls/transactional',
];
