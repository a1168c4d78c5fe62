/**
 * What PgBouncer says when it refuses a client: it has one code, 08P01, for nearly everything, and
 * tells in words, in English, why.
 */
export const POOLER_REFUSES = {
  login: /authentication failed|no such user/i,
  /** Older versions say the first, newer ones the second. */
  database: /no such database|^database .+ does not exist$/is,
  parameter: /unsupported startup parameter/i,
} as const;
