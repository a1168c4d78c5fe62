import type { BatchStep } from './batch-statements.js';
import type { StatementConfig } from './statement-limits.js';

/** To be told of the end; without an error it went well. */
export type Told = (error?: unknown) => void;

/** Whom a pool has told of the statements of its sessions. */
export interface StatementWatch {
  /** Whether single statements are timed; where they are not, they pay nothing for it. */
  readonly isTiming: boolean;

  /** A statement was answered, or given up, so many milliseconds after it was sent. */
  took(
    ms: number,
    statement: string | StatementConfig,
    values: readonly unknown[] | undefined,
    label: string | undefined,
  ): void;

  /**
   * Statements are about to leave together.
   *
   * @returns to be told once they are answered, or have failed
   */
  batch(steps: readonly BatchStep[], label: string | undefined): Told | undefined;
}
