import { outcomeOf } from '../support/outcome.js';
import { scenario } from '../support/scenario.js';
import { stillAfter } from '../support/still-after.js';
import { enableTls } from '../support/tls-server.js';
import { ms } from '../support/words.js';

const LIMIT_MS = 300;
const RUN_S = 3;
const GRACE_MS = 2_000;
const NAME = 'localhost';

/** A cancel request is as secret as the session: same certificate authority, same name. */
export const statementOverTls = scenario({
  what: `A statement's own limit (${ms(LIMIT_MS)}) for a statement of ${RUN_S} s, over verified TLS`,

  async run(bed) {
    const ca = await enableTls(bed.server, NAME);
    const namesVerified: string[] = [];
    const checkServerIdentity = (name: string) => {
      namesVerified.push(name);
      return undefined;
    };
    const address = new URL(bed.server.connectionString({ via: bed.proxy }));
    const pool = bed.pool({
      connectionString: undefined,
      host: NAME,
      port: bed.proxy.port,
      user: address.username,
      password: address.password,
      database: 'postgres',
      ssl: { ca, checkServerIdentity },
      max: 1,
    });
    const watch = await bed.watch();
    await pool.query('SELECT 1');
    const sessions = namesVerified.length;
    const slow = await outcomeOf(
      pool.query(bed.subject.limited(`SELECT pg_sleep(${RUN_S})`, LIMIT_MS)),
    );
    const running = await stillAfter(GRACE_MS, async () => (await watch.now()).running);
    return {
      told: slow.told,
      stillRunning: running,
      cancelsVerified: namesVerified.slice(sessions).filter((name) => name === NAME).length,
    };
  },

  tell: ({ told, stillRunning }) =>
    `${told}; ${stillRunning > 0 ? 'runs on at the server' : 'stopped at the server'}`,
});
