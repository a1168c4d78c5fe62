import { GCProfiler } from 'node:v8';

/**
 * Counts every byte that `work` allocates on the heap, garbage included: what the heap gained from
 * each collection to the next. Needs `--expose-gc`.
 */
export async function allocations(work) {
  globalThis.gc();
  const before = process.memoryUsage();
  const profiler = new GCProfiler();
  profiler.start();
  globalThis.gc();
  await work();
  globalThis.gc();
  const { statistics } = profiler.stop();
  const after = process.memoryUsage();

  let allocated = 0;
  for (let n = 1; n < statistics.length; n += 1) {
    allocated += used(statistics[n].beforeGC) - used(statistics[n - 1].afterGC);
  }
  return { allocated, kept: total(after) - total(before) };
}

function used({ heapStatistics }) {
  return heapStatistics.usedHeapSize;
}

function total({ heapUsed, external }) {
  return heapUsed + external;
}
