import { quantile } from './quantile.mjs';

const WARM_UP_SHARE = 0.6;
const SECONDS = 8;

/**
 * So many callers, each of whom calls again as soon as it was answered: for so long, or whenever it
 * is this process' turn. What happened in the first part of that time is not counted: it measures how
 * soon code is compiled, which takes some seconds, and the longer the more code there is. A server
 * runs for longer.
 */
export async function closedLoop({ callers, seconds = SECONDS, call, turns }) {
  if (turns) return turns.take((time) => measured(callers, time, call));
  await loop(callers, seconds * WARM_UP_SHARE, call);
  return measured(callers, seconds * (1 - WARM_UP_SHARE), call);
}

async function measured(callers, seconds, call) {
  const startedAt = performance.now();
  const usedBefore = process.cpuUsage();
  const tookMs = await loop(callers, seconds, call);
  const { user, system } = process.cpuUsage(usedBefore);
  return {
    perSecond: tookMs.length / ((performance.now() - startedAt) / 1_000),
    p99Ms: quantile(tookMs, 0.99),
    cpuMicros: (user + system) / tookMs.length,
  };
}

/** Resolves with how long each call took. */
async function loop(callers, seconds, call) {
  const endAt = performance.now() + seconds * 1_000;
  const tookMs = [];
  const caller = async () => {
    let calledAt = performance.now();
    while (calledAt < endAt) {
      await call();
      const now = performance.now();
      tookMs.push(now - calledAt);
      calledAt = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return tookMs;
}
