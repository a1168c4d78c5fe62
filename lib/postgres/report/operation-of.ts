/** What may stand before the first word: blanks, comments, parentheses. */
const BEFORE = /^(?:\s|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/|[(;])*/;

/** Longer comments stand before no statement. */
const FAR_ENOUGH = 2_000;

const OPERATIONS = new Set(
  (
    'ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE' +
    ' DELETE DISCARD DO DROP EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE' +
    ' NOTIFY PREPARE REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY' +
    ' SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH'
  ).split(' '),
);

/**
 * The command that a statement begins with, as `SELECT`. A text may quote data anywhere, and be no
 * SQL at all: every other word is `OTHER`.
 */
export function operationOf(text: unknown): string {
  if (typeof text !== 'string') return 'OTHER';
  const start = text.slice(0, FAR_ENOUGH);
  const [before] = BEFORE.exec(start)!;
  const [word = ''] = /^[a-z]+/i.exec(start.slice(before.length)) ?? [];
  const operation = word.toUpperCase();
  return OPERATIONS.has(operation) ? operation : 'OTHER';
}
