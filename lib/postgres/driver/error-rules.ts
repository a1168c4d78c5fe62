import { HostsFailedError } from '../../errors/hosts-failed.error.js';
import { POOLER_REFUSES } from '../../errors/pooler-wording.js';
import type { Suspicion } from '../../engine/driver.js';

/** What an error says about the connection that it came from, and about the others. */
export type Verdict = 'keep' | { readonly close: Suspicion };

const KEEP: Verdict = 'keep';
const CLOSE_THIS: Verdict = { close: 'trust others' };
const SUSPECT_OTHERS: Verdict = { close: 'suspect others' };
const EVICT_OTHERS: Verdict = { close: 'evict others' };

/**
 * SQLSTATEs after which the session is over or useless. A SQL error (classes 22, 23, 42, 40, a
 * cancelled statement) costs no reconnect.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  // The server was crashed, or its database dropped: no session of it survives.
  '57P02': EVICT_OTHERS,
  '57P04': EVICT_OTHERS,
  // Shut down by an administrator, starting up, ended by idle_session_timeout.
  '57P01': SUSPECT_OTHERS,
  '57P03': SUSPECT_OTHERS,
  '57P05': SUSPECT_OTHERS,
  // Ended by a timeout of this session's own: idle in transaction, transaction_timeout.
  '25P03': CLOSE_THIS,
  '25P04': CLOSE_THIS,
  // A prepared statement is not what the client believes: unknown, known already.
  '26000': CLOSE_THIS,
  '42P05': CLOSE_THIS,
};

type EvictOn = ((error: unknown) => boolean | undefined) | undefined;

/** Judges an error of a statement, by rules that `evictOn` may overrule. */
export function judge(error: unknown, evictOn?: EvictOn): Verdict {
  return verdictOn(error, evictOn, KEEP);
}

/** Judges an error that a connection told of itself: node-postgres uses none after one. */
export function judgeConnection(error: unknown, evictOn?: EvictOn): Verdict {
  return verdictOn(error, evictOn, CLOSE_THIS);
}

function verdictOn(error: unknown, evictOn: EvictOn, otherwise: Verdict): Verdict {
  const overruled = opinionOf(evictOn, error);
  if (overruled === true) return CLOSE_THIS;
  if (overruled === false) return KEEP;

  const { code, severity, routine } = fieldsOf(error);
  if (code !== undefined && code in VERDICTS) return VERDICTS[code]!;
  // "cached plan must not change result type": routine, because the message is translated.
  if (code === '0A000' && routine === 'RevalidateCachedQuery') return CLOSE_THIS;
  if (severity === 'FATAL' || severity === 'PANIC') return SUSPECT_OTHERS;
  if (code?.startsWith('08') || isSocketError(code)) return SUSPECT_OTHERS;
  return otherwise;
}

/** A hook that fails has none: the rules decide, and no statement hangs on its mistake. */
function opinionOf(evictOn: EvictOn, error: unknown): boolean | undefined {
  try {
    return evictOn?.(error);
  } catch {
    return undefined;
  }
}

/** Name resolution may lag behind at start: so many failures are waited out. */
const TOLERATED_LOOKUP_FAILURES = 3;

/**
 * Whether a failure to connect can only be mended by a person.
 *
 * @param failures how many attempts in a row have failed, this one included
 */
export function isPermanentConnectError(error: unknown, failures: number): boolean {
  if (error instanceof HostsFailedError) {
    return error.failures.every((failure) => isPermanentConnectError(failure.error, failures));
  }
  const { code, message } = fieldsOf(error);
  switch (code) {
    case '28P01': // wrong password
    case '28000': // no such role, or pg_hba.conf lets nobody in from here
    case '3D000': // no such database
      return true;
    case '08P01':
      // PgBouncer answers 08P01 for its server being down, too, and for what that has answered.
      return POOLER_REFUSES.parameter.test(message) || POOLER_REFUSES.database.test(message);
    case 'ENOTFOUND':
      return failures > TOLERATED_LOOKUP_FAILURES;
    case undefined:
      return isLoginMisconfigured(message);
    default:
      // 42 and 22 while connecting: the init SQL is wrong.
      return /^(42|22)...$/.test(code) || isCertificateError(code);
  }
}

/** node-postgres raises these without a code; each names a setting that does not fit the server. */
function isLoginMisconfigured(message: string): boolean {
  return (
    message.startsWith('The server does not support SSL') ||
    message.startsWith('SASL: ') ||
    message === 'Password must be a string'
  );
}

function isCertificateError(code: string): boolean {
  return /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code);
}

function isSocketError(code: string | undefined): boolean {
  return code === 'POOL_CONNECTION_LOST' || (code !== undefined && /^(E[A-Z]+)$/.test(code));
}

function fieldsOf(error: unknown) {
  const { code, severity, routine, message } = (error ?? {}) as Record<string, unknown>;
  return {
    code: typeof code === 'string' ? code : undefined,
    severity,
    routine,
    message: typeof message === 'string' ? message : '',
  };
}
