import type { QueryResultRow } from 'pg';
import type { CommitOutcomeUnknownError } from '../errors/commit-outcome-unknown.error.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { PoolParts } from '../postgres/pool/pool-parts.js';
import { pause } from './pause.js';

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

const TIMELINE = 'substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)';
const SYSTEM = '(SELECT system_identifier::text FROM pg_control_system())';

const MARK = `
  SELECT pg_current_xact_id_if_assigned()::text AS id, ${TIMELINE} AS timeline, ${SYSTEM} AS system`;

const STATUS = `
  SELECT pg_xact_status($1::text::xid8) AS status, ${TIMELINE} AS timeline, ${SYSTEM} AS system
  WHERE NOT pg_is_in_recovery()`;

/**
 * Ends a session that still waits for its COMMIT and will never get it: the server may take hours to
 * notice that its connection is lost. Nobody else has this transaction; one whose COMMIT is being
 * carried out is left alone.
 */
const END_SESSION = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE backend_xid = $1::text::xid8::xid AND state = 'idle in transaction'
    AND ${TIMELINE} = $2 AND ${SYSTEM} = $3`;

interface Answer extends QueryResultRow {
  readonly status: string | null;
  readonly timeline: string;
  readonly system: string;
}

/** Asked before COMMIT, in the transaction. */
export async function markOf(session: PostgresSession): Promise<TransactionMark> {
  const { rows } = await session.run<TransactionMark & { id: string | null }>(MARK);
  const { id, timeline, system } = rows[0]!;
  return { id: id ?? undefined, timeline, system };
}

/**
 * Asks the server, on a new connection, what became of a transaction whose COMMIT was not answered.
 * Only a clear answer of the same server in the same history counts: a standby that was promoted
 * meanwhile has been seen to say `committed` of a transaction that never reached it.
 */
async function resolutionOf(
  mark: TransactionMark,
  { probe }: Pick<PoolParts, 'probe'>,
): Promise<Resolution> {
  const { id, timeline, system } = mark;
  if (id === undefined) return 'unknown';
  const endAt = performance.now() + LIMIT_MS;
  const ask = <Row extends QueryResultRow>(text: string, values: string[]): Promise<Row[]> =>
    probe.rows<Row>(text, values, endAt - performance.now()).catch(() => []);
  while (performance.now() < endAt) {
    const [answer] = await ask<Answer>(STATUS, [id]);
    if (answer && (answer.timeline !== timeline || answer.system !== system)) return 'unknown';
    if (answer?.status === 'committed') return 'committed';
    if (answer?.status === 'aborted') return 'rolled back';
    if (answer && answer.status !== 'in progress') return 'unknown';
    if (answer) await ask(END_SESSION, [id, timeline, system]);
    await pause(PAUSE_MS);
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
  pool: Pick<PoolParts, 'name' | 'probe'>,
  label: string,
  unknown: CommitOutcomeUnknownError,
): Promise<void> {
  const resolution = await resolutionOf(mark, pool);
  if (resolution === 'unknown') throw unknown;
  if (resolution === 'rolled back') throw new UnexpectedRollbackError(pool.name, label, unknown);
}
