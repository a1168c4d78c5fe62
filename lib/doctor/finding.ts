/** Something about a server, or about pools on it, that somebody should look at. */
export interface Finding {
  /** Stable, for programs: `over-budget`. */
  readonly code: FindingCode;
  /** `warning`: it will hurt, or does. `advice`: it is better otherwise. */
  readonly level: 'warning' | 'advice';
  /** The server as `host:port`, or the pool, that it is about. */
  readonly about: string;
  /** What it is, with the numbers, and what to set; without `about`. */
  readonly message: string;
}

export type FindingCode =
  | 'over-budget'
  | 'over-formula'
  | 'idle-session-timeout'
  | 'no-statement-timeout'
  | 'nearly-full'
  | 'idle-in-transaction'
  | 'no-idle-in-transaction-timeout'
  | 'long-statement'
  | 'replication-lag'
  | 'superuser'
  | 'pooler';

/** As one sentence. */
export function findingText({ about, message }: Finding): string {
  return `${about}: ${message}`;
}
