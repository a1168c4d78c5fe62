import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { type Outcome, outcomeOf, tally } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const CONNECTIONS = 5;
/** Longer than a connection is trusted without a question. */
const IDLE_MS = 700;
const ACQUIRE_MS = 9_000;
const STATEMENT_MS = 2_000;

interface Dropped {
  readonly told: string;
  readonly failed: number;
  readonly slowestMs: number;
  readonly unheardErrors: number;
}

interface Dropping {
  /** Ends the connections before the calls. */
  readonly drop: (bed: TestBed) => Promise<void>;
  /** Goes on while the calls wait. */
  readonly meanwhile?: (bed: TestBed) => Promise<void>;
  /** Of the server, for these sessions. */
  readonly settings?: string;
}

/** The pool's idle connections end, and then everybody wants one. */
function idleConnections(what: string, { drop, meanwhile, settings }: Dropping): Scenario<Dropped> {
  return scenario({
    what: `${CONNECTIONS} idle connections ${what}; then ${CONNECTIONS} calls at once`,

    async run(bed) {
      const pool = bed.pool({
        max: CONNECTIONS,
        acquireTimeoutMs: ACQUIRE_MS,
        statementTimeoutMs: STATEMENT_MS,
        ...(settings !== undefined && { options: settings }),
      });
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
      for (const client of clients) client.release();
      await drop(bed);
      const asked = Array.from({ length: CONNECTIONS }, () => outcomeOf(pool.query('SELECT 1')));
      await meanwhile?.(bed);
      const calls: Outcome[] = await Promise.all(asked);
      return {
        told: tally(calls.map(({ told }) => told)),
        failed: calls.filter(({ told }) => told !== 'ok').length,
        slowestMs: Math.max(...calls.map((call) => call.ms)),
        unheardErrors: bed.unheardErrors,
      };
    },

    tell: ({ told, slowestMs }) => `${told}; the slowest after ${ms(slowestMs)}`,
  });
}

export const forgottenByFirewall = idleConnections('are forgotten by a firewall, without a word', {
  async drop({ proxy }) {
    await sleep(IDLE_MS);
    proxy.forget();
  },
});

export const terminated = idleConnections('are ended by `pg_terminate_backend`', {
  async drop(bed) {
    await bed.terminateAll();
    await bed.hasHeard();
  },
});

/** The pool cannot know it yet when the calls come. */
export const terminatedUnheard = idleConnections(
  'are ended by `pg_terminate_backend`, which is still on its way to us',
  {
    async drop(bed) {
      await sleep(IDLE_MS);
      await bed.proxy.pause();
      await bed.terminateAll();
    },
    async meanwhile({ proxy }) {
      await sleep(20);
      await proxy.resume();
    },
  },
);

export const idleSessionTimeout = idleConnections(
  'exceed the `idle_session_timeout` of the server',
  {
    settings: '-c idle_session_timeout=1500',
    async drop(bed) {
      await eventually(async () => (await bed.backends()).length === 0);
    },
  },
);
