import {
  type ServerConnection,
  type ServerFacts,
  readServerFacts,
} from '../../doctor/server-facts.js';
import type { PoolOnServer } from '../../doctor/pool-on-server.js';
import { addressOf, type DatabaseAddress, sameServer } from '../../postgres/options/address.js';
import { sessionName } from '../../postgres/options/session-name.js';
import { withoutAny } from '../../postgres/pool/ambient.js';
import { partsOf, type Pool } from '../../postgres/pool/pool.js';
import { ADMIN } from '../pool-names.js';

/** Pools that log in to one server as one role, into one database. */
export interface Login {
  readonly address: DatabaseAddress;
  readonly pools: readonly Pool[];
}

/** The logins of pools, those to one server together. */
export function loginsByServer(pools: readonly Pool[]): Login[][] {
  return groupedBy(pools, (a, b) => sameServer(a.address, b.address)).map((server) =>
    groupedBy(server, (a, b) => sameLogin(a.address, b.address)).map((same) => ({
      address: same[0]!.address,
      pools: same,
    })),
  );
}

/**
 * Asks a server about itself over a session of this login: over the admin pool where that logs in
 * likewise, else over a connection that is opened for the question.
 *
 * @throws what connecting throws, within about `limitMs`
 */
export function askServer(
  { address, pools }: Login,
  admin: Pool,
  limitMs: number,
): Promise<ServerFacts> {
  if (!sameLogin(admin.address, address)) {
    return partsOf(pools[0]!).probe.answer(limitMs, readServerFacts);
  }
  const endAt = performance.now() + limitMs;
  return withoutAny(async () => {
    await using client = await admin.acquire({ timeoutMs: limitMs, label: 'server check' });
    const timeoutMs = Math.max(1, Math.ceil(endAt - performance.now()));
    const connection: ServerConnection = {
      processID: client.processID,
      query: (text) => client.query<{ answer: string }>({ text, timeoutMs }),
    };
    return await readServerFacts(connection);
  });
}

/** What the sessions of a pool may not exceed at the server, where the pool itself sets nothing. */
export async function serverStatementTimeoutMs(pool: Pool, limitMs: number): Promise<number> {
  const facts = await partsOf(pool).probe.answer(limitMs, readServerFacts);
  return facts.statementTimeoutMs;
}

/** Whether a pool leaves it to its server to limit statements. */
export function leavesLimitToServer(pool: Pool): boolean {
  const { statementTimeoutMs, connection } = partsOf(pool).settings;
  return statementTimeoutMs === 0 && !Number(connection.statement_timeout ?? 0);
}

/**
 * A pool, as the rules about pools see it.
 *
 * @param beside how many sessions are kept beside its connections
 */
export function onServer(pool: Pool, beside = 0): PoolOnServer {
  const { settings } = partsOf(pool);
  const { user, database } = addressOf(settings.connection);
  const { min, max } = pool.stats();
  const { idleTimeoutMs, maxLifetimeMs, keepaliveMs } = settings;
  const servesRequests = pool.name !== ADMIN;
  const { name } = pool;
  return {
    name,
    servesRequests,
    user,
    database,
    min,
    max,
    beside,
    idleTimeoutMs,
    maxLifetimeMs,
    keepaliveMs,
  };
}

/** What the sessions of a pool are called at the server. */
export function nameAtServer(pool: Pool): string {
  return sessionName(partsOf(pool).settings.connection);
}

function sameLogin(a: DatabaseAddress, b: DatabaseAddress): boolean {
  return sameServer(a, b) && a.user === b.user && a.database === b.database;
}

function groupedBy(pools: readonly Pool[], same: (a: Pool, b: Pool) => boolean): Pool[][] {
  const groups: Pool[][] = [];
  for (const pool of pools) {
    const group = groups.find(([other]) => same(other!, pool));
    if (group) group.push(pool);
    else groups.push([pool]);
  }
  return groups;
}
