const BATCH = 1_000;
const WARM_UP_SHARE = 0.4;

/**
 * Microseconds of CPU that something too short to be timed alone takes: repeated by so many callers
 * for so long, the clock read once in a thousand times. The collector's work is part of it; that of
 * other programs on the machine is not.
 */
export async function cycleCost({ callers, seconds, cycle }) {
  await repeat(callers, seconds * WARM_UP_SHARE, cycle);
  const usedBefore = process.cpuUsage();
  const cycles = await repeat(callers, seconds, cycle);
  const { user, system } = process.cpuUsage(usedBefore);
  return { micros: (user + system) / cycles };
}

async function repeat(callers, seconds, cycle) {
  const endAt = performance.now() + seconds * 1_000;
  const share = BATCH / callers;
  let cycles = 0;
  const caller = async () => {
    while (performance.now() < endAt) {
      for (let n = 0; n < share; n += 1) await cycle();
      cycles += share;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return cycles;
}
