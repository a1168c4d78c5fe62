/**
 * Lets several actors go on one at a time, in an order that is given: each runs from one of its
 * `pause()`s to the next while all the others stand still.
 */
export class Turns {
  readonly #actors: Actor[];

  constructor(works: readonly ((pause: () => Promise<void>) => Promise<unknown>)[]) {
    this.#actors = works.map((work) => new Actor(work));
  }

  /** @param order whose turn it is, by position; who has ended passes */
  async run(order: readonly number[]): Promise<void> {
    for (const position of order) await this.#actors[position]!.goOn();
    for (const actor of this.#actors) await actor.finish();
  }
}

/** All orders of `first` turns of one actor and `second` turns of another. */
export function interleavings(first: number, second: number, begun: number[] = []): number[][] {
  if (first + second === 0) return [begun];
  const withFirst = first > 0 ? interleavings(first - 1, second, [...begun, 0]) : [];
  const withSecond = second > 0 ? interleavings(first, second - 1, [...begun, 1]) : [];
  return [...withFirst, ...withSecond];
}

class Actor {
  #continue: (() => void) | undefined;
  #told: (() => void) | undefined;
  #isStarted = false;
  #hasEnded = false;
  #error: unknown;

  constructor(private readonly work: (pause: () => Promise<void>) => Promise<unknown>) {}

  async goOn(): Promise<void> {
    if (this.#hasEnded) return;
    const stands = new Promise<void>((resolve) => (this.#told = resolve));
    if (this.#isStarted) this.#continue!();
    else this.#start();
    await stands;
    if (this.#error !== undefined) throw this.#error;
  }

  async finish(): Promise<void> {
    while (!this.#hasEnded) await this.goOn();
  }

  #start(): void {
    this.#isStarted = true;
    const pause = (): Promise<void> =>
      new Promise((resolve) => {
        this.#continue = resolve;
        this.#told!();
      });
    const end = (error?: unknown): void => {
      this.#error = error;
      this.#hasEnded = true;
      this.#told!();
    };
    this.work(pause).then(() => end(), end);
  }
}
