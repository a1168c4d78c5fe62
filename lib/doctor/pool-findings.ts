import { duration } from '../errors/duration.js';
import { counted, formulaText, type ServerSizing } from '../sizing/server-sizing.js';
import type { PoolsOnServer } from './budget-finding.js';
import type { Finding } from './finding.js';
import { type PoolOnServer, poolsText } from './pool-on-server.js';

/** So many times the formula are far over it: a rule of thumb may be wrong by some. */
const FAR_OVER = 2;

/** Whether the pools may keep a server far busier than it can work. */
export function overFormula(
  { server, pools, instances }: PoolsOnServer,
  sizing: ServerSizing,
): Finding | undefined {
  const working = pools.filter(({ servesRequests }) => servesRequests);
  const perInstance = working.reduce((sum, { max }) => sum + max, 0);
  const inAll = perInstance * instances.count;
  if (inAll <= sizing.connections * FAR_OVER) return undefined;
  const room = Math.floor(sizing.connections / instances.count);
  const wayOut =
    room >= working.length
      ? `set max: 'auto', or numbers that are ${room} together`
      : 'lower max, run fewer instances, or put a pooler in between';
  return {
    code: 'over-formula',
    level: 'warning',
    about: server,
    message:
      `${counted(instances.count, 'instance')} with ${counted(perInstance, 'connection')}` +
      ` (${poolsText(working)}) may keep it busy with ${inAll} statements at once, far over what it` +
      ` can work on (${formulaText(sizing)}): the rest wait inside the server; ${wayOut}`,
  };
}

/**
 * Whether the server may close connections that a pool still means to lend. A ping is a sign of
 * life to the server as well: what counts is the longest silence.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT
 */
export function closedByServer(
  pool: PoolOnServer,
  idleSessionTimeoutMs: number,
): Finding | undefined {
  if (idleSessionTimeoutMs === 0) return undefined;
  const silences: (readonly [option: string, ms: number])[] = [
    ['keepaliveMs', pool.keepaliveMs],
    ['maxLifetimeMs', pool.maxLifetimeMs],
    ...(pool.min === 0 ? [['idleTimeoutMs', pool.idleTimeoutMs] as const] : []),
  ];
  const [option, ms] = silences
    .map(([name, value]) => [name, value === 0 ? Infinity : value] as const)
    .toSorted((a, b) => a[1] - b[1])[0]!;
  if (ms < idleSessionTimeoutMs) return undefined;
  const silence = ms === Infinity ? 'for ever' : `for ${duration(ms)} (${option})`;
  return {
    code: 'idle-session-timeout',
    level: 'warning',
    about: pool.name,
    message:
      `its connections may rest ${silence}, but its server ends a session that is idle for` +
      ` ${duration(idleSessionTimeoutMs)} (idle_session_timeout); set keepaliveMs:` +
      ` ${keepaliveBelow(idleSessionTimeoutMs)}, or idleTimeoutMs and maxLifetimeMs below that time`,
  };
}

/** A keepalive that a server with this limit never finds silent. */
export function keepaliveBelow(idleSessionTimeoutMs: number): number {
  return Math.max(1, Math.floor(idleSessionTimeoutMs / 2));
}

/** A pool that serves requests, and whose statements neither it nor the server limits. */
export function unlimitedStatements(pool: PoolOnServer): Finding {
  return {
    code: 'no-statement-timeout',
    level: 'warning',
    about: pool.name,
    message:
      'nothing limits its statements, neither statementTimeoutMs nor the statement_timeout of the' +
      ' server: one that hangs keeps its connection, and the requests behind it wait; set' +
      ' statementTimeoutMs: 30000',
  };
}
