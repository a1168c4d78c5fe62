import { duration } from '../errors/duration.js';
import type { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import type { PgBouncerPool, PgBouncerReport } from '../pgbouncer/pgbouncer-view.js';

/** What PgBouncer's console said, or why it said nothing. */
export type BouncerAnswer = PgBouncerReport | { readonly error: string };

/** Undefined where no console is configured. */
export async function bouncerAnswer(bouncer: PgBouncerAdmin): Promise<BouncerAnswer | undefined> {
  if (!bouncer.isOn) return undefined;
  try {
    return await bouncer.report();
  } catch (error) {
    return { error: (error as Error).message };
  }
}

export function bouncerLines(answer: BouncerAnswer): string[] {
  if ('error' in answer) return [answer.error];
  const { version, pools, config } = answer;
  return [
    `PgBouncer ${version}: ${config['pool_mode']} mode, at most ${config['max_client_conn']} clients`,
    ...pools.map(poolLine),
  ];
}

function poolLine(pool: PgBouncerPool): string {
  const { user, database, clActive, clWaiting, svActive, svIdle, maxWaitMs } = pool;
  const longest = clWaiting > 0 ? `, the first for ${duration(maxWaitMs)}` : '';
  return (
    `  ${user}/${database}: ${clActive} clients, ${clWaiting} waiting${longest};` +
    ` ${svActive} server connections in use, ${svIdle} idle`
  );
}
