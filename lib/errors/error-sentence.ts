import { codeOf, describeCause } from './describe-cause.js';
import { PoolError } from './pool.error.js';

/** What codes mean for whoever operates the pool; an SQLSTATE is looked up whole, then by class. */
const MEANINGS: Readonly<Record<string, string>> = {
  '08': 'the connection failed',
  '08P01': 'the other side does not keep to the protocol',
  '23505': 'a row with this key is there already',
  '23': 'a constraint was violated',
  '25006': 'the server is read-only',
  '25P03': 'the session was idle in a transaction for too long',
  '25P04': 'the transaction took too long',
  '28': 'the server refuses the login; check user, password and pg_hba.conf',
  '3D000': 'there is no such database',
  '40001': 'two transactions were in conflict; the newer has to try again',
  '40P01': 'a deadlock; the one that was chosen has to try again',
  '22': 'a value does not fit its type',
  '42501': 'the user lacks a privilege',
  '42601': 'the statement has a syntax error',
  '42703': 'there is no such column',
  '42P01': 'there is no such table',
  '53300': 'the server has no connection left; check max_connections',
  '53': 'the server lacks resources',
  '55P03': 'a lock was not to be had in time',
  '57014': 'the statement was cancelled',
  '57P01': 'the server ended the connection',
  '57P02': 'the server crashed and restarts',
  '57P03': 'the server is starting up or shutting down',
  '57': 'the server intervened',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection is closed',
  ETIMEDOUT: 'the network does not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host is unknown',
  EAI_AGAIN: 'the name server does not answer',
  ENOENT: 'there is no such socket',
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
  POOL_ACQUIRE_TIMEOUT: 'no connection came free in time',
  POOL_CLOSED: 'the pool was ended',
  POOL_CONNECTION_LOST: 'the connection was lost',
  POOL_TIME_LIMIT: 'the server did not answer in time',
};

const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * An error as an operator is told of it: its code (with the address, where a system call failed) and a
 * sentence of ours. Never its message, which quotes whatever its maker liked.
 */
export function errorSentence(error: unknown): string {
  const cause = describeCause(error);
  // Those of ours that know more have told it behind their code.
  if (error instanceof PoolError && error.brief) return cause;
  const meaning = meaningOf(codeOf(error));
  return meaning === undefined ? cause : `${cause}: ${meaning}`;
}

function meaningOf(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code];
  if (!SQLSTATE.test(code)) return undefined;
  return MEANINGS[code.slice(0, 2)] ?? 'the server answered with an error';
}
