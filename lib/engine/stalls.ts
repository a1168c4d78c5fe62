/** A loop that is merely busy is late by less all the time, and must not put off the refusals that relieve it. */
const STALL_MS = 500;

/** More than any deadline is likely to see. */
const MOST_REMEMBERED = 16;

/** Remembers when the event loop stood still, as far as a timer that was due meanwhile has shown it. */
export class Stalls {
  /** In the order of time, none overlapping another. */
  readonly #seen: { readonly from: number; until: number }[] = [];

  /** A timer rang that was due at some time before. Several may have been due in one stall. */
  rang(dueAt: number, now: number): void {
    if (now - dueAt < STALL_MS) return;
    const last = this.#seen.at(-1);
    if (last && dueAt <= last.until) {
      last.until = now;
      return;
    }
    this.#seen.push({ from: dueAt, until: now });
    if (this.#seen.length > MOST_REMEMBERED) this.#seen.shift();
  }

  /** For how long it has stood still since then. */
  since(at: number): number {
    let totalMs = 0;
    for (const { from, until } of this.#seen) {
      if (until > at) totalMs += until - Math.max(from, at);
    }
    return totalMs;
  }
}
