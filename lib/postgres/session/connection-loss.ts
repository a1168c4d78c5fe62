import { ConnectionLostError } from '../../errors/connection-lost.error.js';

/** How node-postgres tells the loss of a connection: without a code to match. */
const PHRASES = ['Connection terminated', 'Client has encountered', 'Client was closed'];

/** The error itself, or one with a code where node-postgres tells the loss of a connection. */
export function namedLoss<E>(pool: string, error: E): E | ConnectionLostError {
  if (!(error instanceof Error) || 'code' in error) return error;
  const isLoss = PHRASES.some((phrase) => error.message.startsWith(phrase));
  return isLoss ? new ConnectionLostError(pool, error) : error;
}
