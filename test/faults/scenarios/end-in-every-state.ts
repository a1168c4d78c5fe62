import { ChildProgram } from '../../support/child-program.js';
import { outcomeOf } from '../support/outcome.js';
import { type Scenario, scenario } from '../support/scenario.js';
import { stillAfter } from '../support/still-after.js';
import type { TestBed } from '../support/test-bed.js';
import { ms } from '../support/words.js';

const PROGRAM = new URL('../programs/end-of-pool.ts', import.meta.url);
const DRAIN_MS = 500;
const PATIENCE_MS = 15_000;
/** A cancel needs a moment to arrive, a longer one on a busy machine. */
const GRACE_MS = 3_000;
/** Loading a program takes a second, and a multiple of that on a machine that is busy. */
const LOADED_MS = 180_000;

/** What the program says about its pool. */
interface Report {
  readonly ended: string;
  readonly endMs: number;
  readonly calls: number;
  readonly told: string;
  readonly forgotten: number;
}

interface Ended {
  /** Undefined when the process had to be killed before it could tell. */
  readonly report: Report | undefined;
  /** From the call of `end()` to the exit of the process; undefined when it did not exit. */
  readonly exitedAfterMs: number | undefined;
  /** Statements that still ran at the server then. */
  readonly leftRunning: number;
}

interface State {
  readonly what: string;
  /** As the program calls it. */
  readonly state: 'idle' | 'lent' | 'in flight' | 'waiters' | 'connecting';
  /** Before the pool is opened. */
  readonly before?: (bed: TestBed) => Promise<void>;
  /** Before it is ended. */
  readonly hurt?: (bed: TestBed) => Promise<void> | void;
}

function endedWhile({ what, state, before, hurt }: State): Scenario<Ended> {
  return scenario({
    what: `\`end()\` with 500 ms to drain, ${what}`,

    async run(bed) {
      await before?.(bed);
      const url = new URL(bed.server.connectionString({ via: bed.proxy }));
      url.searchParams.set('application_name', bed.applicationName);
      await using program = ChildProgram.run(PROGRAM, {
        args: [bed.subject.name, url.href, state, String(DRAIN_MS)],
      });
      await program.says(/ready/, LOADED_MS);
      await hurt?.(bed);

      const startedAt = performance.now();
      program.signal('SIGUSR2');
      const exit = await outcomeOf(program.ends(PATIENCE_MS), PATIENCE_MS + 1_000);
      const exitedAfterMs = performance.now() - startedAt;
      const report = /report (.*)/.exec(program.stdout)?.[1];
      const leftRunning = await stillAfter(GRACE_MS, () => runningNow(bed));
      return {
        report: report === undefined ? undefined : (JSON.parse(report) as Report),
        exitedAfterMs: exit.told === 'ok' && exit.value?.code === 0 ? exitedAfterMs : undefined,
        leftRunning,
      };
    },

    tell: ({ report, exitedAfterMs, leftRunning }) =>
      [
        exitedAfterMs === undefined
          ? `the process does not exit within ${ms(PATIENCE_MS)}`
          : `the process exits after ${ms(exitedAfterMs)}`,
        ...(report && report.calls > 0 ? [report.told] : []),
        ...(leftRunning > 0 ? [`runs on at the server: ${leftRunning}`] : []),
      ].join('; '),
  });
}

async function runningNow(bed: TestBed): Promise<number> {
  const [now] = await bed.ask<{ running: number }>(
    `SELECT count(*)::int AS running FROM pg_stat_activity
      WHERE application_name = $1 AND state = 'active'`,
    [bed.applicationName],
  );
  return now!.running;
}

export const endIdle = endedWhile({ what: 'connections idle', state: 'idle' });

export const endLent = endedWhile({ what: 'a connection never released', state: 'lent' });

export const endInFlight = endedWhile({ what: 'a statement of 60 s running', state: 'in flight' });

export const endWithWaiters = endedWhile({
  what: 'statements of 60 s on all connections, callers waiting',
  state: 'waiters',
});

export const endInBlackhole = endedWhile({
  what: 'statements and waiters, the network silent',
  state: 'waiters',
  hurt: ({ proxy }) => proxy.blackhole(),
});

export const endIdleInBlackhole = endedWhile({
  what: 'connections idle, the network silent',
  state: 'idle',
  hurt: ({ proxy }) => proxy.blackhole(),
});

export const endConnectingIntoBlackhole = endedWhile({
  what: 'connects under way into silence, callers waiting',
  state: 'connecting',
  before: ({ proxy }) => proxy.blackhole(),
});

export const endInOutage = endedWhile({
  what: 'the database down, callers waiting',
  state: 'connecting',
  before: ({ proxy }) => proxy.refuse(),
});
