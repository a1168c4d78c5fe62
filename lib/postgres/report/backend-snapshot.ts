/** What the server says of the backend behind a lease. All durations are in milliseconds. */
export interface BackendSnapshot {
  /** As in `pg_stat_activity`; `not found` when the server has no such backend. */
  readonly state: string;
  /** What it runs, or ran last, cut and masked; undefined where the server does not show it. */
  readonly statement: string | undefined;
  /** What it waits for, as `Lock: transactionid`; undefined when it does not wait. */
  readonly waitsFor: string | undefined;
  /** For how long its transaction has been open; undefined outside of one. */
  readonly transactionMs: number | undefined;
  /** For how long it has been idle inside a transaction; undefined when it is not. */
  readonly idleInTransactionMs: number | undefined;
  /** Who holds, or asked earlier for, the lock that it waits for. */
  readonly blockedBy: readonly BlockerSnapshot[];
}

/** A backend that stands in the way of another one. */
export interface BlockerSnapshot {
  /** 0 for a prepared transaction, which has no backend. */
  readonly backend: number;
  /** Name of the pool that it belongs to; undefined when it is none of this process. */
  readonly pool: string | undefined;
  /** Who has it, where it is lent out by a pool of this process. */
  readonly label: string | undefined;
  /** Its `application_name`; of another process, or of a person at a console. */
  readonly application: string | undefined;
  readonly user: string | undefined;
  readonly state: string | undefined;
  readonly idleInTransactionMs: number | undefined;
  /** Its newest statement, cut and masked; undefined where the server does not show it. */
  readonly statement: string | undefined;
}
