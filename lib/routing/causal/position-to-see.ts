/** A place in the primary's write-ahead log. */
export interface WalPosition {
  /** The server's history: another one begins with every promotion. */
  readonly timeline: number;
  readonly lsn: bigint;
}

/**
 * What a read here must at least see, so that it sees what was written before it: undefined where
 * anything will do, a promise while the position of a write is still being asked for.
 */
export function positionToSee(): WalPosition | Promise<WalPosition | undefined> | undefined {
  return undefined;
}
