/** Why a connection was closed. Logs, statistics and tests share these words. */
export const CLOSE_REASONS = [
  'idle timeout',
  'lifetime',
  'max uses',
  'failed check',
  'failed reset',
  'connection lost',
  'evicted',
  'released with error',
  'leaked',
  'revoked',
  'resized',
  'pool closed',
] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];
