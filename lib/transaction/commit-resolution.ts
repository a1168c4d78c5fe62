import type { QueryResultRow } from 'pg';
import type { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';

/** By what a transaction can be found again at the server. */
export interface TransactionMark {
  /** Undefined when it had written nothing until then; what COMMIT itself writes is not known. */
  readonly id: string | undefined;
  /** The server's history: after a failover another one, in which the number means another. */
  readonly timeline: string;
  readonly system: string;
}

export type Resolution = 'committed' | 'rolled back' | 'unknown';

/** A transaction whose COMMIT is still being carried out is asked for again, for this long. */
const LIMIT_MS = 10_000;
const PAUSE_MS = 100;

const MARK = `
  SELECT pg_current_xact_id_if_assigned()::text AS id,
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline,
         (SELECT system_identifier::text FROM pg_control_system()) AS system`;

const STATUS = `
  SELECT pg_xact_status($1::text::xid8) AS status,
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline,
         (SELECT system_identifier::text FROM pg_control_system()) AS system
  WHERE NOT pg_is_in_recovery()`;

interface Answer extends QueryResultRow {
  readonly status: string | null;
  readonly timeline: string;
  readonly system: string;
}

/** Asked before COMMIT, in the transaction. */
export async function markOf({ client }: PostgresSession): Promise<TransactionMark> {
  const { rows } = await client.query<TransactionMark & { id: string | null }>(MARK);
  const { id, timeline, system } = rows[0]!;
  return { id: id ?? undefined, timeline, system };
}

/**
 * Asks the server, on a new connection, what became of a transaction whose COMMIT was not answered.
 * Only a clear answer of the same server in the same history counts: a standby that was promoted
 * meanwhile has been seen to say `committed` of a transaction that never reached it.
 */
async function resolutionOf(mark: TransactionMark, { probe }: PoolParts): Promise<Resolution> {
  if (mark.id === undefined) return 'unknown';
  const endAt = performance.now() + LIMIT_MS;
  while (performance.now() < endAt) {
    const [answer] = await probe
      .rows<Answer>(STATUS, [mark.id], endAt - performance.now())
      .catch(() => []);
    if (answer && (answer.timeline !== mark.timeline || answer.system !== mark.system)) {
      return 'unknown';
    }
    if (answer?.status === 'committed') return 'committed';
    if (answer?.status === 'aborted') return 'rolled back';
    if (answer && answer.status !== 'in progress') return 'unknown';
    await new Promise((over) => setTimeout(over, PAUSE_MS));
  }
  return 'unknown';
}

/**
 * Returns when it was committed after all.
 *
 * @throws UnexpectedRollbackError when it was not; the error that was told first when nobody knows
 */
export async function resolveCommit(
  mark: TransactionMark,
  pool: PoolParts,
  label: string,
  unknown: CommitOutcomeUnknownError,
): Promise<void> {
  const resolution = await resolutionOf(mark, pool);
  if (resolution === 'unknown') throw unknown;
  if (resolution === 'rolled back') throw new UnexpectedRollbackError(pool.name, label, unknown);
}
