import type { Columns } from '../../postgres/session/write-note.js';

/** A place in the primary's write-ahead log. */
export interface WalPosition {
  /** The server's history: another one begins with every promotion. */
  readonly timeline: number;
  readonly lsn: bigint;
}

/**
 * Where the next record of the log will begin. Only a primary answers; as numbers, and by their full
 * names, so that neither parsers of the application nor its search path have a say.
 */
export const ASK_POSITION = `
  SELECT pg_catalog.pg_wal_lsn_diff(position, '0/0')::text AS lsn,
         pg_catalog.substr(pg_catalog.pg_walfile_name(position), 1, 8) AS timeline
  FROM pg_catalog.pg_current_wal_insert_lsn() AS position`;

const PAGE_BYTES = 8_192n;
const PAGE_HEADER_BYTES = 24n;

/**
 * A record that ends with its page is followed by the header of the next one. A standby has replayed
 * all there is when it has come to the end of the page, and would be waited for in vain.
 */
export function positionFrom([lsn, timeline]: Columns): WalPosition | undefined {
  if (!lsn || !timeline) return undefined;
  const next = BigInt(lsn);
  const isBehindHeader = next % PAGE_BYTES === PAGE_HEADER_BYTES;
  return {
    lsn: isBehindHeader ? next - PAGE_HEADER_BYTES : next,
    timeline: Number.parseInt(timeline, 16),
  };
}

/** The further one; a newer history is further than all of an older one. */
export function furthest(one: WalPosition | undefined, other: WalPosition): WalPosition {
  if (!one || one.timeline < other.timeline) return other;
  return one.timeline === other.timeline && one.lsn < other.lsn ? other : one;
}
