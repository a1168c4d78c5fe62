import type { WalPosition } from './causal/wal-position.js';

/** A standby's answer, as text: an application may have parsers of its own for other types. */
export interface StandbyRow {
  readonly standby: string;
  readonly replayed: string | null;
  readonly received: string | null;
  readonly said: string | null;
  readonly timeline: string | null;
}

/**
 * What a replica is, and how far. The timeline is shown to roles alone that may read statistics.
 */
export const ASK_STANDBY = `
  SELECT pg_catalog.pg_is_in_recovery()::text AS standby,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::text AS replayed,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0')::text AS received,
         (1000 * extract(epoch FROM pg_catalog.clock_timestamp()
            - pg_catalog.pg_last_xact_replay_timestamp()))::text AS said,
         (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)::text AS timeline`;

export interface PrimaryRow {
  readonly standby: string;
  /** `'on'` where it takes no writes. */
  readonly read_only: string;
  readonly lsn: string | null;
  readonly flushed: string | null;
  readonly timeline: string | null;
}

/**
 * Where the primary is: where its next record will begin, and up to where standbys can have it. The
 * name of a segment begins with its timeline, in hexadecimal.
 */
export const ASK_PRIMARY = `
  SELECT recovering::text AS standby,
         pg_catalog.current_setting('transaction_read_only') AS read_only,
         CASE WHEN NOT recovering THEN pg_catalog.pg_wal_lsn_diff(
           pg_catalog.pg_current_wal_insert_lsn(), '0/0')::text END AS lsn,
         CASE WHEN NOT recovering THEN pg_catalog.pg_wal_lsn_diff(
           pg_catalog.pg_current_wal_flush_lsn(), '0/0')::text END AS flushed,
         CASE WHEN NOT recovering THEN pg_catalog.substr(
           pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline
    FROM pg_catalog.pg_is_in_recovery() AS recovering`;

export function lsnOf(text: string | null): bigint | undefined {
  return text === null ? undefined : BigInt(text);
}

export function primaryPositionOf({ lsn, timeline }: PrimaryRow): WalPosition | undefined {
  if (lsn === null || timeline === null) return undefined;
  return { lsn: BigInt(lsn), timeline: Number.parseInt(timeline, 16) };
}
