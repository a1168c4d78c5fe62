import type pg from 'pg';
import { sleep } from '../../support/sleep.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { SteadyLoad } from '../support/steady-load.js';
import { ms } from '../support/words.js';

const WRITES_PER_SECOND = 100;
const BEFORE_MS = 300;
const AFTER_MS = 4_000;
const READ_ONLY = '25006';

interface FailedOver {
  readonly refused: number;
  readonly otherwiseFailed: number;
  /** From the address's move to the last refused write; undefined when they never stop. */
  readonly writesAfterMs: number | undefined;
  readonly connects: number;
}

/**
 * The standby is promoted, and the address leads to it. The connections that stand lead to the old
 * server, which is alive and takes no writes any more.
 */
function failoverUnder(
  kind: string,
  write: (pool: pg.Pool) => Promise<unknown>,
): Scenario<FailedOver> {
  return scenario({
    what: `Failover to a promoted standby, old connections on a read-only server; ${kind}`,

    async run(bed) {
      const { server, proxy } = bed;
      await bed.ask('CREATE TABLE IF NOT EXISTS written (id int)');
      await using standby = await server.createStandby();
      await standby.waitForReplay(server);
      await standby.promote();
      const pool = bed.pool({ max: 5 });
      const load = SteadyLoad.start(WRITES_PER_SECOND, () => write(pool));
      await sleep(BEFORE_MS);
      bed.meter.restart();

      const movedAt = performance.now();
      proxy.retarget(standby);
      await server.setSettings({ default_transaction_read_only: true });
      await sleep(AFTER_MS);
      const calls = await load.stop();
      await server.setSettings({ default_transaction_read_only: undefined });

      const failed = calls.filter(({ told }) => told !== 'ok');
      const refused = failed.filter(({ told }) => told === READ_ONLY);
      const lastRefusal = Math.max(movedAt, ...refused.map((call) => call.startedAt + call.ms));
      return {
        refused: refused.length,
        otherwiseFailed: failed.length - refused.length,
        writesAfterMs: calls.at(-1)?.told === 'ok' ? lastRefusal - movedAt : undefined,
        connects: bed.meter.attempts,
      };
    },

    tell: ({ refused, writesAfterMs }) =>
      writesAfterMs === undefined
        ? `${refused} writes refused in ${ms(AFTER_MS)}, and no end`
        : `${refused} writes refused, all succeed after ${ms(writesAfterMs)}`,
  });
}

export const failoverOfStatements = failoverUnder('single statements', (pool) =>
  pool.query('INSERT INTO written VALUES (1)'),
);

export const failoverOfTransactions = failoverUnder('transactions', async (pool) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO written VALUES (1)');
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
});
