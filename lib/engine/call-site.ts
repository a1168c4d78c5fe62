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
