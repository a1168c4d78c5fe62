import type { PoolProbe } from '../../postgres/pool/pool-parts.js';
import type { Seen } from './causal-context.js';
import { ASK_POSITION, positionFrom, type WalPosition } from './wal-position.js';

const ANSWER_WITHIN_MS = 1_000;

/** Knows how far the primary is, for whoever says that he has seen something of it. */
export class PrimaryPosition {
  #known: WalPosition | undefined;
  #asking: Promise<WalPosition | undefined> | undefined;

  /** @param probe of the pool of the primary */
  constructor(private readonly probe: Pick<PoolProbe, 'rows'>) {}

  /**
   * What somebody has seen; undefined where the primary has never been: what was signed for another
   * server, or before a failover that has lost it, moves nothing. Where the primary does not say how
   * far it is, whoever has a signature is believed.
   */
  async believed(seen: Seen): Promise<Seen | undefined> {
    const { position } = seen;
    if (!position || isWithin(position, this.#known)) return seen;
    const known = await this.#ask();
    return !known || isWithin(position, known) ? seen : undefined;
  }

  /** Asked once for all who want to know. */
  async #ask(): Promise<WalPosition | undefined> {
    this.#asking ??= this.#askServer().finally(() => (this.#asking = undefined));
    return await this.#asking;
  }

  async #askServer(): Promise<WalPosition | undefined> {
    try {
      const [row] = await this.probe.rows<{ lsn: string; timeline: string }>(
        ASK_POSITION,
        [],
        ANSWER_WITHIN_MS,
      );
      return (this.#known = row && positionFrom([row.lsn, row.timeline]));
    } catch {
      return undefined;
    }
  }
}

function isWithin(position: WalPosition, known: WalPosition | undefined): boolean {
  return known?.timeline === position.timeline && position.lsn <= known.lsn;
}
