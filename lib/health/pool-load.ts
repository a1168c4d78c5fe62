import type { PoolStats } from '../engine/statistics.js';
import { errorSentence } from '../errors/error-sentence.js';

/** The numbers of a pool that a health answer shows: whether it is busy, and what with. */
export function poolLoad(stats: PoolStats) {
  const { state, total, leased, idle, connecting, waiting, max, utilization } = stats;
  const { oldestWaiterMs, longestLeaseMs, leaking, counters, lastError } = stats;
  return {
    load: leased >= max ? 'busy' : 'ok',
    state,
    total,
    leased,
    idle,
    connecting,
    waiting,
    max,
    utilization: Math.round(utilization * 100) / 100,
    ...(oldestWaiterMs !== undefined && { oldestWaiterMs: Math.round(oldestWaiterMs) }),
    ...(longestLeaseMs !== undefined && { longestLeaseMs: Math.round(longestLeaseMs) }),
    leaks: counters.leaks,
    leaking,
    timeouts: counters.timeouts,
    ...(lastError && {
      lastError: errorSentence(lastError.error),
      lastErrorAgoMs: Math.round(lastError.agoMs),
    }),
  };
}
