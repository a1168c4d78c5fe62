import type { Seen } from './causal-context.js';
import type { WalPosition } from './wal-position.js';

/** Who knows where the primary is: a pool of its replicas. */
export interface PrimaryPositionSource {
  /** When it was asked last; undefined while that is not known. */
  readonly primaryPosition: WalPosition | undefined;
  /** Now; undefined when it does not answer. */
  askPrimaryPosition(): Promise<WalPosition | undefined>;
}

/**
 * What somebody says that he has seen; undefined where the primary has never been: what was signed
 * for another server, or before a failover that has lost it, moves nothing. What an older history
 * has had by the place where the primary is now counts: the newer one goes on from it. Where the
 * primary does not say where it is, whoever has a signature is believed.
 */
export async function believed(
  seen: Seen,
  source: PrimaryPositionSource,
): Promise<Seen | undefined> {
  const { position } = seen;
  if (!position || isWithin(position, source.primaryPosition)) return seen;
  const known = await source.askPrimaryPosition();
  return !known || isWithin(position, known) ? seen : undefined;
}

function isWithin(position: WalPosition, known: WalPosition | undefined): boolean {
  if (!known) return false;
  return position.timeline <= known.timeline && position.lsn <= known.lsn;
}
