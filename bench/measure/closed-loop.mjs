import { quantile } from './quantile.mjs';

const WARM_UP_SHARE = 0.3;

/**
 * So many callers, each of whom calls again as soon as it was answered, for so long; what happened
 * in the first part of that time is not counted.
 */
export async function closedLoop({ callers, seconds, call }) {
  const startedAt = performance.now();
  const countFrom = startedAt + seconds * 1_000 * WARM_UP_SHARE;
  const endAt = startedAt + seconds * 1_000;
  const tookMs = [];
  let lastAt = 0;
  let answered = 0;

  const caller = async () => {
    let calledAt = performance.now();
    while (calledAt < endAt) {
      await call();
      answered += 1;
      const now = performance.now();
      if (calledAt >= countFrom) tookMs.push(now - calledAt);
      calledAt = lastAt = now;
    }
  };
  const usedBefore = process.cpuUsage();
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(usedBefore);

  return {
    perSecond: tookMs.length / ((lastAt - countFrom) / 1_000),
    p99Ms: quantile(tookMs, 0.99),
    cpuMicros: (user + system) / answered,
  };
}
