import type { PoolClient } from 'pg';
import { type Scenario, scenario } from '../support/scenario.js';

interface Remainder {
  readonly kind: string;
  readonly leave: readonly string[];
  /** True when the next borrower meets what was left. */
  readonly isLeft: string;
}

/** Every state that PostgreSQL keeps for a session, and how the next borrower would meet it. */
const REMAINDERS: readonly Remainder[] = [
  {
    kind: 'SET',
    leave: ["SET work_mem = '77MB'"],
    isLeft: "current_setting('work_mem') = '77MB'",
  },
  {
    kind: 'ROLE',
    leave: ['SET ROLE pg_monitor'],
    isLeft: "current_user = 'pg_monitor'",
  },
  {
    kind: 'search_path',
    leave: ['SET search_path = pg_catalog'],
    isLeft: "current_setting('search_path') = 'pg_catalog'",
  },
  {
    kind: 'temporary table',
    leave: ['CREATE TEMP TABLE left_over (id int)'],
    isLeft: "to_regclass('pg_temp.left_over') IS NOT NULL",
  },
  {
    kind: 'LISTEN',
    leave: ['LISTEN left_over'],
    isLeft: 'EXISTS (SELECT FROM pg_listening_channels())',
  },
  {
    kind: 'advisory lock',
    leave: ['SELECT pg_advisory_lock(4711)'],
    isLeft: "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
  },
  {
    kind: 'held cursor',
    leave: ['DECLARE left_over CURSOR WITH HOLD FOR SELECT 1'],
    isLeft: "EXISTS (SELECT FROM pg_cursors WHERE name = 'left_over')",
  },
  {
    kind: 'SQL PREPARE',
    leave: ['PREPARE left_over AS SELECT 1'],
    isLeft: 'EXISTS (SELECT FROM pg_prepared_statements WHERE from_sql)',
  },
  {
    kind: 'custom setting',
    leave: ["SET app.tenant = 'somebody else'"],
    isLeft: "current_setting('app.tenant', true) = 'somebody else'",
  },
];

interface Met {
  readonly kinds: number;
  /** What the next borrower met. */
  readonly met: readonly string[];
  /** What the pool itself had set up, and the next borrower still found. */
  readonly ownSetUpKept: boolean;
  /** A statement that the driver had prepared under a name, used again. */
  readonly namedStatement: string;
  readonly sameBackend: boolean;
}

const NAMED = { name: 'one-more', text: 'SELECT $1::int + 1 AS n', values: [1] };

function remaindersWith(reset: 'state' | 'discard'): Scenario<Met> {
  return scenario({
    what: `A borrower leaves session state behind (with \`reset: '${reset}'\`)`,

    async run(bed) {
      const pool = bed.pool({
        max: 1,
        beyondPg: { reset, initSql: ["SET app.own = 'set up'"] },
      });
      const backends = new Set<number>();
      const met: string[] = [];
      for (const { kind, leave, isLeft } of REMAINDERS) {
        await lent(pool.connect(), async (client) => {
          await client.query(NAMED);
          for (const statement of leave) await client.query(statement);
        });
        const next = await pool.query<{ is_left: boolean; pid: number }>(
          `SELECT (${isLeft}) AS is_left, pg_backend_pid() AS pid`,
        );
        if (next.rows[0]!.is_left) met.push(kind);
        backends.add(next.rows[0]!.pid);
      }
      const own = await pool.query("SELECT current_setting('app.own', true) AS own");
      const named = await pool.query<{ n: number }>(NAMED).then(
        ({ rows }) => (rows[0]!.n === 2 ? 'ok' : 'wrong'),
        (error: Error) => error.message,
      );
      return {
        kinds: REMAINDERS.length,
        met,
        ownSetUpKept: own.rows[0]!.own === 'set up',
        namedStatement: named,
        sameBackend: backends.size === 1,
      };
    },

    tell: ({ kinds, met }) =>
      met.length === 0
        ? `the next borrower meets none of ${kinds} kinds`
        : `the next borrower meets ${met.length} of ${kinds} kinds`,
  });
}

async function lent<T>(connecting: Promise<PoolClient>, use: (client: PoolClient) => Promise<T>) {
  const client = await connecting;
  try {
    return await use(client);
  } finally {
    client.release();
  }
}

export const resetToState = remaindersWith('state');
export const resetByDiscard = remaindersWith('discard');
