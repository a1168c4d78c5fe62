/**
 * Leads an error's stack back to the application, which awaits it, instead of to the socket that
 * it was read from.
 */
export function leadToCaller(error: Error): never {
  Error.captureStackTrace(error, leadToCaller);
  throw error;
}
