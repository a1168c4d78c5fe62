import { describeCause } from '../errors/describe-cause.js';

/** What codes mean for whoever operates the pool; an SQLSTATE is looked up whole, then by class. */
const MEANINGS: Readonly<Record<string, string>> = {
  '08': 'the connection failed',
  '25006': 'the server is read-only',
  '28': 'the server refuses the login; check user, password and pg_hba.conf',
  '3D000': 'there is no such database',
  '42501': 'the user lacks a privilege',
  '53300': 'the server has no connection left; check max_connections',
  '53': 'the server lacks resources',
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

/** What a code looks like; whatever else stands in its place may have come from anybody. */
const CODE = /^[0-9A-Z_]{1,60}$/;

/**
 * An error for a health answer: its code (with the address, where a system call failed) and a
 * sentence of ours. Never its message, which quotes whatever its maker liked.
 */
export function errorSentence(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (code !== undefined && !(typeof code === 'string' && CODE.test(code))) return UNKNOWN;
  const cause = describeCause(error);
  const meaning = meaningOf(code);
  return meaning === undefined ? cause : `${cause}: ${meaning}`;
}

const UNKNOWN = 'an unknown error';

function meaningOf(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code];
  if (!SQLSTATE.test(code)) return undefined;
  return MEANINGS[code.slice(0, 2)] ?? 'the server answered with an error';
}
