/** A queue before so many places, first come, first served. */
export class Station {
  #free;
  #waiting = [];
  #head = 0;

  constructor(places) {
    this.#free = places;
  }

  /** Calls `enter` when a place is free: at once, if one is. */
  take(enter) {
    if (this.#free > 0) {
      this.#free -= 1;
      enter();
    } else {
      this.#waiting.push(enter);
    }
  }

  give() {
    if (this.#head === this.#waiting.length) {
      this.#free += 1;
      return;
    }
    const next = this.#waiting[this.#head];
    this.#head += 1;
    if (this.#head > 1_000 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    next();
  }

  get waiting() {
    return this.#waiting.length - this.#head;
  }
}
