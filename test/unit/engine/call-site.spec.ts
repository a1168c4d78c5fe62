import { describe, expect, it } from '@jest/globals';
import { CallSiteSampling, captureCallSite, framesOf } from '../../../lib/engine/call-site.js';

describe('a call site', () => {
  it('begins with the function that asked', () => {
    const site = (function weeklyReport() {
      return captureCallSite();
    })();
    expect(framesOf(site)?.split('\n')[0]).toContain('weeklyReport');
  });

  it("leaves out the frames of this library and of Node.js, and nobody else's", () => {
    const { stack = '' } = captureCallSite();
    const own = /[^\s(]*(?=test[\\/]unit)/.exec(stack)?.[0];
    const site = {
      stack: [
        'Error',
        `    at acquire (${own}lib/engine/resource-pool.ts:1:1)`,
        `    at connect (${own}lib/postgres/pool/pool.ts:1:1)`,
        '    at weekly (/srv/engine/report.ts:1:1)',
        '    at node:internal/process/task_queues:1:1',
      ].join('\n'),
    };
    expect(framesOf(site)).toBe('    at weekly (/srv/engine/report.ts:1:1)');
  });

  it('is nothing when no frame is left, or none was captured', () => {
    expect(framesOf({ stack: 'Error\n    at node:net:1:1' })).toBeUndefined();
    expect(framesOf({})).toBeUndefined();
    expect(framesOf(undefined)).toBeUndefined();
  });
});

describe('a sample of call sites', () => {
  const noted = (sampling: CallSiteSampling, asked: number) =>
    Array.from({ length: asked }, () => sampling.next()).filter((site) => site !== undefined);

  it('has every one when it is asked for one of one', () => {
    expect(noted(new CallSiteSampling(1), 100)).toHaveLength(100);
  });

  it('has about one in so many', () => {
    const { length } = noted(new CallSiteSampling(10), 10_000);
    expect(length).toBeGreaterThan(500);
    expect(length).toBeLessThan(2_000);
  });

  it('has every one once a lease has leaked', () => {
    const sampling = new CallSiteSampling(1_000_000_000);
    expect(noted(sampling, 100)).toHaveLength(0);
    sampling.leakSeen();
    expect(noted(sampling, 100)).toHaveLength(100);
  });
});
