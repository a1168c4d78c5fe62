import { sleep } from '../../support/sleep.js';
import { outcomeOf } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { ms } from '../support/words.js';

const ROLE = 'rotating';
/** For so long the application's password is behind the server's. */
const BEHIND_MS = 1_500;
const CALL_EVERY_MS = 25;
const FOLLOWED_AT_MOST_MS = 5_000;

/** A password that changes while the pool is in use, given by an async function. */
export const rotatingPassword = scenario({
  what: `A rotating password, given by an async function that is ${ms(BEHIND_MS)} behind the server`,

  async run(bed) {
    await bed.ask(`DROP ROLE IF EXISTS ${ROLE}`);
    await bed.ask(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'first'`);
    let current = 'first';
    const pool = bed.pool({
      // A password beside a connection string would be ignored by pg.
      connectionString: undefined,
      host: bed.proxy.host,
      port: bed.proxy.port,
      user: ROLE,
      database: 'postgres',
      password: () => Promise.resolve(current),
      max: 2,
    });
    const call = () => outcomeOf(pool.query('SELECT 1'));
    const before = await call();

    await bed.ask(`ALTER ROLE ${ROLE} PASSWORD 'second'`);
    await bed.terminateAll();
    await bed.hasHeard();
    bed.meter.restart();
    const behind: string[] = [];
    for (const from = performance.now(); performance.now() - from < BEHIND_MS;) {
      behind.push((await call()).told);
      await sleep(CALL_EVERY_MS);
    }
    const logins = bed.meter.attempts;
    current = 'second';

    const rotatedAt = performance.now();
    const sinceRotation = () => performance.now() - rotatedAt;
    let after = await call();
    while (after.told !== 'ok' && sinceRotation() < FOLLOWED_AT_MOST_MS) {
      await sleep(CALL_EVERY_MS);
      after = await call();
    }
    return {
      before: before.told,
      refusedWithCause: behind.filter((told) => told.includes('28P01')).length,
      behindCalls: behind.length,
      logins,
      followed: after.told,
      followedAfterMs: sinceRotation(),
    };
  },

  tell: ({ behindCalls, refusedWithCause, logins, followed, followedAfterMs }) =>
    `${refusedWithCause} of ${behindCalls} calls told 28P01 by ${logins} logins;` +
    ` then ${followed} after ${ms(followedAfterMs)}`,
});
