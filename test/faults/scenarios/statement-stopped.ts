import type pg from 'pg';
import type { StatementConfig } from '../../../lib/index.js';
import { outcomeOf } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { stillAfter } from '../support/still-after.js';
import type { Subject } from '../support/subject.js';
import { ms } from '../support/words.js';

const LIMIT_MS = 300;
const RUN_S = 3;
/** A cancel needs a moment to arrive, a longer one on a busy machine. */
const GRACE_MS = 2_000;

interface Stopped {
  readonly told: string;
  readonly toldAfterMs: number;
  /** Statements that ran at the server a moment after the caller was told. */
  readonly stillRunning: number;
  /** How long the next borrower of the only connection waited for `SELECT 1`. */
  readonly nextMs: number;
  readonly nextTold: string;
}

type Ask = (pool: pg.Pool, text: string, subject: Subject) => Promise<unknown>;

function statementThatIsStopped(
  what: string,
  { statementTimeoutMs = 0, ask }: { statementTimeoutMs?: number; ask: Ask },
): Scenario<Stopped> {
  return scenario({
    what: `${what} (${ms(LIMIT_MS)}) for a statement of ${RUN_S} s, on a pool of one`,

    async run(bed) {
      const pool = bed.pool({ max: 1, statementTimeoutMs });
      const watch = await bed.watch();
      await pool.query('SELECT 1');
      const slow = await outcomeOf(ask(pool, `SELECT pg_sleep(${RUN_S})`, bed.subject));
      const asked = outcomeOf(pool.query('SELECT 1'));
      const running = await stillAfter(GRACE_MS, async () => (await watch.now()).running);
      const next = await asked;
      return {
        told: slow.told,
        toldAfterMs: slow.ms,
        stillRunning: running,
        nextMs: next.ms,
        nextTold: next.told,
      };
    },

    tell: ({ told, toldAfterMs, stillRunning, nextMs, nextTold }) => {
      const atServer = stillRunning > 0 ? 'runs on at the server' : 'stopped at the server';
      return (
        `${told} after ${ms(toldAfterMs)}; ${told === 'ok' ? 'not stopped' : atServer};` +
        ` next borrower: ${nextTold} after ${ms(nextMs)}`
      );
    },
  });
}

export const poolLimit = statementThatIsStopped("The pool's statement limit", {
  statementTimeoutMs: LIMIT_MS,
  ask: (pool, text) => pool.query(text),
});

export const ownLimit = statementThatIsStopped("A statement's own limit", {
  ask: (pool, text, subject) => pool.query(subject.limited(text, LIMIT_MS)),
});

/** What an application has in its statements that comes from pg.Pool. */
export const limitByPgsName = statementThatIsStopped(
  "A statement's `query_timeout`, pg's name of it",
  {
    ask: (pool, text) => pool.query({ text, query_timeout: LIMIT_MS } as StatementConfig),
  },
);

export const abortSignal = statementThatIsStopped('An AbortSignal', {
  ask: (pool, text) =>
    pool.query({ text, signal: AbortSignal.timeout(LIMIT_MS) } as StatementConfig),
});

/** Whoever borrows by hand gives the connection back whatever became of the statement. */
export const borrowedLimit = statementThatIsStopped(
  "A statement's own limit on a borrowed connection, which is then released",
  {
    async ask(pool, text, subject) {
      const client = await pool.connect();
      try {
        await client.query(subject.limited(text, LIMIT_MS));
      } finally {
        client.release();
      }
    },
  },
);
