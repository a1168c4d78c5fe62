import { type Outcome, outcomeOf } from './outcome.js';

const TICK_MS = 5;

/** Calls at a steady rate, whatever becomes of them: an open model, as users are. */
export class SteadyLoad {
  readonly #calls: Promise<Outcome>[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();

  private constructor(
    private readonly perSecond: number,
    private readonly call: () => Promise<unknown>,
    private readonly patienceMs: number,
  ) {
    this.#timer = setInterval(this.#tick, TICK_MS);
  }

  /** @param patienceMs how long a call may take until it counts as one that is never told */
  static start(perSecond: number, call: () => Promise<unknown>, patienceMs = 15_000): SteadyLoad {
    return new SteadyLoad(perSecond, call, patienceMs);
  }

  /** No more calls; resolves when all are told, or their patience is over, in order of their start. */
  async stop(): Promise<Outcome[]> {
    clearInterval(this.#timer);
    return Promise.all(this.#calls);
  }

  readonly #tick = (): void => {
    const due = Math.floor(((performance.now() - this.#startedAt) / 1_000) * this.perSecond);
    while (this.#calls.length < due) this.#calls.push(outcomeOf(this.call(), this.patienceMs));
  };
}
