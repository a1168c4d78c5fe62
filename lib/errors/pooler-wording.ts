/**
 * What PgBouncer says when it refuses a client: it has one code, 08P01, for nearly everything, and
 * tells in words, in English, why.
 */
export const POOLER_REFUSES = {
  login: /authentication failed|no such user/i,
  /** The first is its own sentence, the second the server's, which it passes on. */
  database: /no such database|^database .+ does not exist$/i,
  parameter: /unsupported startup parameter/i,
} as const;
