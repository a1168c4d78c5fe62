import type { CallSite } from './acquire-request.js';

/** Frames of this library say nothing to whoever looks for a leak. */
const OWN_FRAME_MARKS = [...ownFolder(), 'node:'];

/**
 * Notes where the caller is: 3 to 10 µs, because the stack is formatted only when somebody reads
 * it.
 */
export function captureCallSite(): CallSite {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, captureCallSite);
  return site;
}

/** Notes the place of one acquire in so many, and of every one once a lease has leaked. */
export class CallSiteSampling {
  #share: number;

  /** @param every 1 notes them all */
  constructor(every: number) {
    this.#share = 1 / every;
  }

  /** Drawn anew each time: places that take turns would otherwise be missed for ever. */
  next(): CallSite | undefined {
    return this.#share === 1 || Math.random() < this.#share ? captureCallSite() : undefined;
  }

  leakSeen(): void {
    this.#share = 1;
  }
}

/** Read off a stack, because there is no import.meta where a test runner makes CommonJS of us. */
function ownFolder(): string[] {
  const [folder] = /[^\s(]*(?=engine[\\/]call-site)/.exec(new Error().stack ?? '') ?? [];
  return folder === undefined ? [] : [folder];
}

/** The application's frames of a call site, one a line; undefined when there are none. */
export function framesOf(site: CallSite | undefined): string | undefined {
  const frames = site?.stack
    ?.split('\n')
    .slice(1)
    .filter((frame) => !OWN_FRAME_MARKS.some((mark) => frame.includes(mark)));
  return frames?.length ? frames.join('\n') : undefined;
}
