import { systemClock } from '../engine/system-clock.js';

/** Waits so long, or until the signal fires: whoever goes on then has to look at it. */
export function pause(forMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const goOn = (): void => {
      systemClock.cancel(timer);
      signal?.removeEventListener('abort', goOn);
      resolve();
    };
    const timer = systemClock.after(forMs, goOn, true);
    signal?.addEventListener('abort', goOn);
  });
}
