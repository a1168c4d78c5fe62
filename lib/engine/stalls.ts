/** A loop that is merely busy is late by less all the time, and must not put off the refusals that relieve it. */
const STALL_MS = 500;

/** Remembers when the event loop stood still, as far as a timer that was due meanwhile has shown it. */
export class Stalls {
  #totalMs = 0;
  #until = -Infinity;

  /** For how long it stood still in all. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** A timer rang that was due at some time before. Several may have been due in one stall. */
  rang(dueAt: number, now: number): void {
    if (now - dueAt < STALL_MS) return;
    this.#totalMs += now - Math.max(dueAt, this.#until);
    this.#until = now;
  }
}
