/** Weight of the newest observation: about the last ten of them decide. */
const WEIGHT = 0.2;

/** An exponentially weighted moving average; undefined before the first observation. */
export class MovingAverage {
  #value: number | undefined;

  get value(): number | undefined {
    return this.#value;
  }

  add(observation: number): void {
    this.#value =
      this.#value === undefined ? observation : this.#value + WEIGHT * (observation - this.#value);
  }
}
