import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { pause } from '../../../lib/transaction/pause.js';

/** Longer than any test may take: who waits for it has failed. */
const LONG_MS = 600_000;

describe('the pause before a transaction is run again', () => {
  it('is over when its time is over, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    await pause(1, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('is over at once when the signal fires', async () => {
    const controller = new AbortController();
    const over = pause(LONG_MS, controller.signal);
    controller.abort();
    await over;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});
