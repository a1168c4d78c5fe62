import { once } from 'node:events';
import type { PoolLog } from '../../postgres/report/pool-log.js';
import { describeAddress, sameServer } from '../../postgres/options/address.js';
import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import { roleOverProbe } from '../../postgres/pool/server-question.js';

/** Longest question of the server, in the background. */
const ANSWER_WITHIN_MS = 5_000;

const WAYS_OUT =
  " set it to a replica; role: 'replica' refuses any other, role: 'any' says that it is meant so";

/**
 * Tells once when the pool for reads, by an address of its own, leads to a primary: reads would then
 * take nothing off it, and nobody would notice. A server that is down is asked again when the pool
 * connects. Where the pool says its `role`, every connect is checked instead.
 *
 * @param primary undefined where the application has none
 * @param signal ends the question
 */
export async function warnOfReplicaAtPrimary(
  replica: Pool,
  primary: Pool | undefined,
  log: PoolLog,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = partsOf(replica);
  if (settings.role !== undefined) return;
  const details = { pool: replica.name };
  const address = `${replica.name}: ${describeAddress(replica.address)}`;
  if (primary && sameServer(replica.address, primary.address)) {
    log.warn(
      `${address} is the server of ${primary.name} as well: reads take nothing off it;${WAYS_OUT}`,
      details,
    );
    return;
  }
  let answer = settings.startup === 'lazy' ? undefined : await isPrimary(replica, signal);
  // What has connected may be to the primary in its place.
  while (answer === undefined && (await connects(replica, signal))) {
    answer = await isPrimary(replica, signal);
  }
  if (!answer) return;
  log.warn(`${address} is a primary, no replica: reads are not taken off it;${WAYS_OUT}`, details);
}

/** Resolves at the next connection: with false when there is none before the signal. */
async function connects(replica: Pool, signal: AbortSignal): Promise<boolean> {
  try {
    await once(replica, 'connect', { signal });
    return true;
  } catch {
    return false;
  }
}

/** Undefined of a server that does not answer. */
async function isPrimary(replica: Pool, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const { role } = await roleOverProbe(replica, ANSWER_WITHIN_MS, signal);
    return role === 'primary';
  } catch {
    return undefined;
  }
}
