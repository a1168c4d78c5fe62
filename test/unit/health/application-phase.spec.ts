import { describe, expect, it } from '@jest/globals';
import { ModulesContainer } from '@nestjs/core';
import { ApplicationPhase } from '../../../lib/health/application-phase.js';
import type { PoolLog } from '../../../lib/postgres/report/pool-log.js';

function phaseWithGrace(graceMs: number) {
  const lines: string[] = [];
  const log: PoolLog = { debug() {}, info: (sentence) => void lines.push(sentence), warn() {} };
  return { phase: new ApplicationPhase(new ModulesContainer(), graceMs, log), lines };
}

describe('the phase of an application', () => {
  it('is starting, serving, draining', () => {
    const { phase } = phaseWithGrace(0);
    expect(phase.current).toBe('starting');
    phase.onApplicationBootstrap();
    expect(phase.current).toBe('serving');
    phase.onModuleDestroy();
    expect(phase.current).toBe('draining');
  });

  it.each([undefined, 'SIGINT', 'SIGHUP'])('holds no shutdown up for %s', async (signal) => {
    const { phase, lines } = phaseWithGrace(600_000);
    await phase.beforeApplicationShutdown(signal);
    expect(lines).toEqual([]);
  });

  it('holds the shutdown up after SIGTERM, and says so', async () => {
    const { phase, lines } = phaseWithGrace(300);
    const startedAt = performance.now();
    await phase.beforeApplicationShutdown('SIGTERM');
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(lines).toEqual([expect.stringContaining('still served for 300 ms')]);
  });

  it('holds nothing up without a grace period', async () => {
    const { phase, lines } = phaseWithGrace(0);
    await phase.beforeApplicationShutdown('SIGTERM');
    expect(lines).toEqual([]);
  });
});
