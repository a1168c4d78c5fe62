import { sleep } from '../../support/sleep.js';

const INTERVAL_MS = 20;

/** Counts until nothing is left or the time is over; returns what is left then. */
export async function stillAfter(graceMs: number, count: () => Promise<number>): Promise<number> {
  const until = performance.now() + graceMs;
  for (;;) {
    const left = await count();
    if (left === 0 || performance.now() >= until) return left;
    await sleep(INTERVAL_MS);
  }
}
