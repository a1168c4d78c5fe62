import { Heap } from './heap.mjs';

/**
 * A server with so many cores, which all that run share: more of them than cores, and each gets
 * slower. Time is counted in work done for each (virtual time), so that nobody's end has to be
 * reckoned anew when somebody comes or goes.
 */
export class Processor {
  /** @readonly */
  #cores;
  /** @readonly */
  #running = new Heap();
  #count = 0;
  #virtual = 0;
  #at = 0;
  /** Core-milliseconds that were used. */
  used = 0;

  constructor(cores) {
    this.#cores = cores;
  }

  get #speed() {
    return this.#count === 0 ? 1 : Math.min(1, this.#cores / this.#count);
  }

  get running() {
    return this.#count;
  }

  /** When the next one is done; Infinity when nothing runs. */
  get nextEndAt() {
    const next = this.#running.next;
    return next ? this.#at + Math.max(0, next.at - this.#virtual) / this.#speed : Infinity;
  }

  passTo(now) {
    const passed = now - this.#at;
    this.#virtual += passed * this.#speed;
    this.used += passed * Math.min(this.#cores, this.#count);
    this.#at = now;
  }

  run(work, done) {
    this.#running.push({ at: this.#virtual + work, done });
    this.#count += 1;
  }

  /** Ends the one that is done now. */
  end() {
    const { at, done } = this.#running.pop();
    this.#virtual = Math.max(this.#virtual, at);
    this.#count -= 1;
    done();
  }
}
