import type { WitnessSlot, WriteWitness } from '../../postgres/session/write-note.js';
import { type CausalContext, causalContext } from './causal-context.js';
import { ASK_POSITION } from './wal-position.js';

/** How reads are kept from missing what was written before them. */
export interface CausalRules {
  /** By the place in the log, or by the time alone. */
  readonly by: 'lsn' | 'window';
  /** For how long the primary is read where the place is not known, in milliseconds. */
  readonly windowMs: number;
}

/** Has whatever is written on a pool of the primary noted in the context that it is written in. */
export function watchWrites(
  { witness }: { readonly witness: WitnessSlot },
  rules: CausalRules,
): void {
  const witnesses = new WeakMap<CausalContext, Witness>();
  witness.current = () => {
    const context = causalContext();
    if (!context) return undefined;
    let known = witnesses.get(context);
    if (!known) witnesses.set(context, (known = new Witness(context, rules)));
    return known;
  };
}

class Witness implements WriteWitness {
  readonly question: string | undefined;

  constructor(
    private readonly context: CausalContext,
    private readonly rules: CausalRules,
  ) {
    this.question = rules.by === 'lsn' ? ASK_POSITION : undefined;
  }

  wrote(answer: Parameters<WriteWitness['wrote']>[0]): void {
    this.context.wrote(answer, this.rules.windowMs);
  }

  writesOn(loan: object): void {
    this.context.writesOn(loan);
  }

  leaves(loan: object): void {
    this.context.leaves(loan);
  }
}
