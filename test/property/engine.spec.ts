import { describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import { live } from '../support/engine/live-schedule.js';
import { schedule } from '../support/engine/schedule.js';

describe('the engine, whatever happens', () => {
  it('keeps its contract after every step of random schedules', async () => {
    await fc.assert(fc.asyncProperty(schedule, live), { numRuns: 300 });
  });
});
