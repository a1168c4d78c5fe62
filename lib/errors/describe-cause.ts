import { PoolError } from './pool.error.js';

/** What a code looks like. Whatever else stands in its place may come from anybody. */
const CODE = /^[0-9A-Z_]{1,60}$/;

const UNKNOWN = 'an unknown error';

/** What node-postgres says without a code, and what an operator is told of it. */
const SAYINGS: readonly (readonly [start: string, meaning: string])[] = [
  [
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password',
    'the server wants a password, and none is set',
  ],
];

/** The stable code of an error: an SQLSTATE, a system error code, one of ours. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}

/**
 * Names a foreign error for a log line or a message of ours: its code, the address where there is
 * one, else what node-postgres is known to mean, else its class.
 *
 * Never its message: a server's message quotes data, a password provider's may quote a secret.
 */
export function describeCause(error: unknown): string {
  if (typeof error !== 'object' || error === null) return UNKNOWN;
  if (error instanceof PoolError && error.brief) return `${error.code}: ${error.brief}`;
  const { code: given, address, port, name, message } = error as Record<string, unknown>;
  const code = codeOf(error);
  if (code === undefined) {
    if (given !== undefined) return UNKNOWN;
    return sayingOf(message) ?? (typeof name === 'string' ? name : UNKNOWN);
  }
  if (typeof address !== 'string') return code;
  return typeof port === 'number' ? `${code} ${address}:${port}` : `${code} ${address}`;
}

function sayingOf(message: unknown): string | undefined {
  if (typeof message !== 'string') return undefined;
  return SAYINGS.find(([start]) => message.startsWith(start))?.[1];
}
