import { codeOf, describeCause } from '../errors/describe-cause.js';
import { duration } from '../errors/duration.js';
import { POOLER_REFUSES } from '../errors/pooler-wording.js';
import {
  type DatabaseAddress,
  describeAddress,
  describeServer,
} from '../postgres/options/address.js';

type Sentence = (address: DatabaseAddress) => string;

const host: Sentence = describeServer;

/** Why a server does not talk to us, by the code of the error. */
const REASONS: Readonly<Record<string, Sentence>> = {
  ECONNREFUSED: (to) => `nobody listens at ${host(to)} (ECONNREFUSED); check host and port`,
  ENOTFOUND: (to) => `there is no host ${to.host} (ENOTFOUND); check its name`,
  EAI_AGAIN: (to) => `the name of the host ${to.host} cannot be looked up now (EAI_AGAIN)`,
  ENOENT: (to) => `there is no socket of a server in ${to.host} (ENOENT)`,
  ECONNRESET: (to) => `${host(to)} closed the connection (ECONNRESET); is a PostgreSQL there?`,
  ETIMEDOUT: (to) => `${host(to)} does not answer (ETIMEDOUT); is a firewall in between?`,
  EHOSTUNREACH: (to) => `there is no way to ${host(to)} (EHOSTUNREACH)`,
  '28P01': (to) => `${host(to)} refuses the password of the role ${to.user} (28P01)`,
  '28000': (to) =>
    `${host(to)} does not let the role ${to.user} into the database ${to.database} (28000);` +
    ' look at the role, and at pg_hba.conf',
  '3D000': (to) => `there is no database ${to.database} at ${host(to)} (3D000)`,
  '53300': (to) =>
    `${host(to)} has no connection left for the role ${to.user} (53300): that is the finding;` +
    ' look at max of the pools, at the number of instances, and at the limits of the role',
  '57P03': (to) =>
    `${host(to)} does not take connections yet (57P03): it starts, stops or recovers`,
};

/** Why PgBouncer does not let anybody in, by its words. */
const POOLER_REASONS: readonly (readonly [says: RegExp, sentence: Sentence])[] = [
  [
    POOLER_REFUSES.login,
    (to) => `the pooler at ${host(to)} refuses the role ${to.user} or its password`,
  ],
  [
    POOLER_REFUSES.database,
    (to) => `there is no database ${to.database} behind the pooler at ${host(to)}`,
  ],
  [
    /max_\w*client_conn/,
    (to) => `the pooler at ${host(to)} takes no more clients; look at its max_client_conn`,
  ],
  [
    /query_wait_timeout|login has been failing|server_login_retry/,
    (to) =>
      `the pooler at ${host(to)} has no connection to its server; look at that server, at` +
      ' default_pool_size, and at the log of the pooler',
  ],
  [
    POOLER_REFUSES.parameter,
    (to) =>
      `the pooler at ${host(to)} refuses a startup parameter; leave settings of the session` +
      ' out of the url',
  ],
];

/** One sentence about an error of the way to a server, or of its answer. No message of others. */
export function describeUnreachable(
  error: unknown,
  address: DatabaseAddress,
  timeoutMs: number,
): string {
  const code = codeOf(error);
  const { message } = (error ?? {}) as { message?: unknown };
  const reason = code === undefined ? undefined : REASONS[code];
  if (reason) return reason(address);
  const ofPooler = code === undefined ? undefined : reasonOfPooler(message);
  if (ofPooler) return `${ofPooler(address)} (${code})`;
  if (message === 'timeout expired' || message === 'Query read timeout') {
    return `${host(address)} gave no answer within ${duration(timeoutMs)}; is it the right port?`;
  }
  if (message === 'The server does not support SSL connections') {
    return `${host(address)} speaks no TLS, and the url or PGSSLMODE asks for it`;
  }
  if (message === 'Connection terminated unexpectedly') {
    return `${host(address)} closed the connection; is a PostgreSQL there?`;
  }
  return `${describeAddress(address)} could not be asked: ${describeCause(error)}`;
}

function reasonOfPooler(message: unknown): Sentence | undefined {
  return POOLER_REASONS.find(([says]) => says.test(String(message)))?.[1];
}
