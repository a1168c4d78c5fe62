import type { OtherInstance } from './next-claim.js';

/** The sessions of one instance, as `pg_stat_activity` shows them. */
export interface SeenInstance {
  readonly instance: string;
  /** What its fleet session claims; undefined when that is not there. */
  readonly claim: number | undefined;
  /** So many sessions are open. */
  readonly sessions: number;
}

interface Known {
  claim: number;
  seenAt: number;
}

/**
 * Remembers who was there. An instance whose fleet session has gone may be dead, or may have lost
 * nothing but that: until it has had the time to notice and to shrink, its claim stands.
 */
export class FleetView {
  readonly #known = new Map<string, Known>();
  #since: number | undefined;

  /** @param graceMs how long an instance may take to shrink that has lost its fleet session */
  constructor(
    private readonly own: string,
    private readonly graceMs: number,
  ) {}

  /** Whether it has looked for long enough to know of everybody who may still hold something. */
  isSettled(now: number): boolean {
    return this.#since !== undefined && now - this.#since >= this.graceMs;
  }

  /** Forgets everything: whoever did not look for a while does not know who came and went. */
  forget(): void {
    this.#known.clear();
    this.#since = undefined;
  }

  /** The other instances, when these are at the server. */
  look(seen: readonly SeenInstance[], now: number): OtherInstance[] {
    this.#since ??= now;
    const others = seen.filter(({ instance }) => instance !== this.own);
    for (const { instance, claim } of others) {
      if (claim !== undefined) this.#known.set(instance, { claim, seenAt: now });
    }
    for (const [instance, { seenAt }] of this.#known) {
      if (now - seenAt > this.graceMs) this.#known.delete(instance);
    }
    const sessionsOf = new Map(others.map(({ instance, sessions }) => [instance, sessions]));
    const present = new Set(
      others.filter(({ claim }) => claim !== undefined).map(({ instance }) => instance),
    );
    return [...new Set([...sessionsOf.keys(), ...this.#known.keys()])].map((instance) => ({
      instance,
      isPresent: present.has(instance),
      held: Math.max(sessionsOf.get(instance) ?? 0, this.#known.get(instance)?.claim ?? 0),
    }));
  }
}
