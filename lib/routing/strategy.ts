/** What a replica is chosen by. */
export interface Candidate {
  /** Who has or wants a connection of it, relative to how many it may have. */
  readonly load: number;
}

export type StrategyName = 'least-busy' | 'round-robin' | 'random';

/** Chooses among replicas. Choosing changes nothing until the choice was taken. */
export interface Strategy {
  /** @param candidates at least one, in the order in which they were configured */
  choose<C extends Candidate>(candidates: readonly C[]): C;
  /** What was chosen last was used. */
  taken(): void;
}

export function strategyOf(name: StrategyName, random: () => number = Math.random): Strategy {
  switch (name) {
    case 'least-busy':
      return new LeastBusy();
    case 'round-robin':
      return new RoundRobin();
    case 'random':
      return {
        choose: (candidates) => candidates[Math.floor(random() * candidates.length)]!,
        taken: () => {},
      };
  }
}

class RoundRobin implements Strategy {
  #turn = 0;

  choose<C>(candidates: readonly C[]): C {
    return candidates[this.#turn % candidates.length]!;
  }

  taken(): void {
    // Wraps where no number of hosts notices it.
    this.#turn = (this.#turn + 1) % 0x7fff_ffff;
  }
}

/** Among equals they take turns: one read after the other would else all go to the first. */
class LeastBusy implements Strategy {
  #turn = 0;

  choose<C extends Candidate>(candidates: readonly C[]): C {
    const { length } = candidates;
    let best = candidates[this.#turn % length]!;
    let least = best.load;
    for (let step = 1; step < length && least > 0; step += 1) {
      const candidate = candidates[(this.#turn + step) % length]!;
      const { load } = candidate;
      if (load >= least) continue;
      best = candidate;
      least = load;
    }
    return best;
  }

  taken(): void {
    this.#turn = (this.#turn + 1) % 0x7fff_ffff;
  }
}
