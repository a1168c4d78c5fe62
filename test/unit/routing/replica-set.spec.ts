import { describe, expect, it } from '@jest/globals';
import type { ReplicaHost } from '../../../lib/routing/replica-host.js';
import { ReplicaSet } from '../../../lib/routing/replica-set.js';
import { strategyOf } from '../../../lib/routing/strategy.js';

const POSITION = { timeline: 1, lsn: 10n };
const LONG_MS = 60_000;

/** A replica to which reads go, and which tells when it has come as far as they want. */
class KnownHost {
  readonly isIn = true;
  readonly load = 0;
  #tell: (() => void)[] = [];

  constructor(private isThere: boolean) {}

  start(): void {}

  hasReached(): boolean {
    return this.isThere;
  }

  whenReached(_: unknown, reached: () => void): () => void {
    this.#tell.push(reached);
    return () => {
      this.#tell = [];
    };
  }

  arrive(): void {
    this.isThere = true;
    for (const tell of this.#tell) tell();
  }

  get isAwaited(): boolean {
    return this.#tell.length > 0;
  }
}

describe('the replicas of a pool', () => {
  const setOf = (...hosts: KnownHost[]) =>
    new ReplicaSet({
      name: 'replica',
      hosts: hosts as unknown as ReplicaHost[],
      fallback: undefined,
      primary: undefined,
      strategy: strategyOf('least-busy'),
    });

  it('wait for one that a reader wants, though another that it does not want is there', async () => {
    const unwanted = new KnownHost(true);
    const wanted = new KnownHost(false);
    const without = new Set([unwanted as unknown as ReplicaHost]);
    const set = setOf(unwanted, wanted);

    expect(await set.reach(POSITION, 0, { without })).toBe(false);
    const reached = set.reach(POSITION, LONG_MS, { without });
    expect([unwanted.isAwaited, wanted.isAwaited]).toEqual([false, true]);
    wanted.arrive();

    expect(await reached).toBe(true);
    expect(wanted.isAwaited).toBe(false);
  });

  it('wait no longer than until the signal of the reader', async () => {
    const host = new KnownHost(false);
    const leaving = new AbortController();

    const reached = setOf(host).reach(POSITION, LONG_MS, { signal: leaving.signal });
    leaving.abort();

    expect(await reached).toBe(false);
    expect(host.isAwaited).toBe(false);
  });
});
