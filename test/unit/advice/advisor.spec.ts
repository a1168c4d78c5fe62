import { describe, expect, it } from '@jest/globals';
import type { Ceiling, PoolAdvice } from '../../../lib/advice/advise.js';
import { Advisor } from '../../../lib/advice/advisor.js';
import { type PoolStats, Statistics } from '../../../lib/engine/statistics.js';
import type { PoolSnapshot } from '../../../lib/postgres/report/pool-snapshot.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

const MINUTE = 60_000;

interface Lease {
  readonly label: string;
  readonly text?: string;
}

interface Load {
  /** Acquires in a minute, how many of them waited, and for how long. */
  readonly acquires: number;
  readonly waited?: number;
  readonly waitMs?: number;
  readonly timeouts?: number;
  readonly useMs: number;
  readonly mostLeased: number;
  readonly leases?: readonly Lease[];
}

/** A pool that lives under a load which the test sets. */
class LoadedPool {
  readonly clock = new VirtualClock();
  readonly statistics = new Statistics();
  readonly told: string[] = [];
  readonly advisor: Advisor<LoadedPool>;
  readonly name = 'primary';
  #load: Load = { acquires: 0, useMs: 0, mostLeased: 0 };

  constructor(
    readonly max = 10,
    ceiling?: Ceiling,
    readonly min = 0,
  ) {
    const keep = (sentence: string) => this.told.push(sentence);
    this.advisor = new Advisor<LoadedPool>({
      pools: [this],
      mostLeased: () => this.#load.mostLeased,
      ceiling: () => ceiling,
      clock: this.clock,
      log: { debug: keep, info: keep, warn: keep },
    });
    this.advisor.begin();
  }

  stats(): PoolStats {
    const { min, max, statistics } = this;
    const totals = { counters: statistics.counters(), histograms: statistics.histograms() };
    return { name: this.name, min, max, ...totals } as PoolStats;
  }

  snapshot(): PoolSnapshot {
    const leases = (this.#load.leases ?? []).map(({ label, text }) => ({
      label,
      statement: text === undefined ? undefined : { text },
    }));
    return { leases } as unknown as PoolSnapshot;
  }

  async live(minutes: number, load: Load): Promise<void> {
    this.#load = load;
    const { statistics } = this;
    const { acquires, waited = 0, waitMs = 0, timeouts = 0, useMs } = load;
    for (let minute = 0; minute < minutes; minute += 1) {
      for (let n = 0; n < acquires; n += 1) {
        if (n < waited) statistics.servedAfter(waitMs);
        else statistics.servedAtOnce();
        statistics.use.record(useMs);
      }
      statistics.timeouts += timeouts;
      await this.clock.advance(MINUTE);
    }
  }

  get advice(): PoolAdvice {
    return this.advisor.advice()[0]!;
  }
}

const QUIET: Load = { acquires: 100, useMs: 10, mostLeased: 3 };

describe('the advice for a pool', () => {
  it('says nothing before ten minutes were seen', async () => {
    const pool = new LoadedPool();

    await pool.live(9, { acquires: 6_000, waited: 6_000, waitMs: 80, useMs: 100, mostLeased: 10 });

    expect(pool.advice).toMatchObject({
      verdict: 'not enough seen',
      sentence: 'primary: seen for 9 of 10 min',
      recommendedMax: undefined,
    });
    expect(pool.told).toEqual([]);
  });

  it('says nothing on fewer than 200 acquires', async () => {
    const pool = new LoadedPool();

    await pool.live(10, { acquires: 19, waited: 19, waitMs: 80, useMs: 100, mostLeased: 10 });

    expect(pool.advice).toMatchObject({
      verdict: 'not enough seen',
      sentence: 'primary: seen 190 of 200 acquires in the last 10 min',
    });
  });

  it('raises a pool whose callers wait although connections come back soon', async () => {
    const pool = new LoadedPool();

    await pool.live(10, { acquires: 6_000, waited: 600, waitMs: 40, useMs: 70, mostLeased: 10 });

    expect(pool.advice).toMatchObject({ verdict: 'raise', max: 10, recommendedMax: 12 });
    expect(pool.advice.sentence).toMatch(
      /^primary: raise max by 2, to 12: 10 % of 60,000 acquires waited in the last 10 min \(95 % of them not over \d+ ms\)$/,
    );
  });

  it('counts those who went without, and never more than doubles a pool', async () => {
    const pool = new LoadedPool();
    const load = { acquires: 600, waited: 600, waitMs: 900, timeouts: 1_800, useMs: 400 };

    await pool.live(10, { ...load, mostLeased: 10 });

    expect(pool.advice).toMatchObject({ verdict: 'raise', recommendedMax: 20 });
    expect(pool.advice.sentence).toContain('18,000 went without a connection');
  });

  it('is content with waits that nobody feels', async () => {
    const pool = new LoadedPool();

    await pool.live(10, { acquires: 6_000, waited: 3_000, waitMs: 1, useMs: 5, mostLeased: 10 });

    expect(pool.advice.verdict).toBe('fine');
  });

  it('does not raise over what the server can use', async () => {
    const pool = new LoadedPool(10, { connections: 11, setBy: 'server' });
    const load = { acquires: 6_000, waited: 600, waitMs: 40, useMs: 70, mostLeased: 10 };

    await pool.live(10, load);
    expect(pool.advice).toMatchObject({ verdict: 'raise', recommendedMax: 11 });

    const full = new LoadedPool(11, { connections: 11, setBy: 'server' });
    await full.live(10, { ...load, leases: [{ label: 'Reports.weekly' }] });
    expect(full.advice).toMatchObject({ verdict: 'at the limit', recommendedMax: undefined });
    expect(full.advice.sentence).toContain('(most often by Reports.weekly)');
  });

  it('sends whoever has all that the fleet leaves them to its budget', async () => {
    const pool = new LoadedPool(8, { connections: 8, setBy: 'fleet' });
    const leases = [{ label: 'Reports.weekly' }];

    await pool.live(10, {
      acquires: 6_000,
      waited: 600,
      waitMs: 40,
      useMs: 70,
      mostLeased: 8,
      leases,
    });

    expect(pool.advice).toMatchObject({ verdict: 'at the limit', recommendedMax: undefined });
    expect(pool.advice.sentence).toMatch(
      /^primary: max is 8, and that is its share of the fleet's budget; callers wait: 10 % of .+; shorten what holds its connections \(most often by Reports.weekly\), run fewer instances, or raise fleet.budget/,
    );
  });

  it('names those who hold connections for long, instead of raising', async () => {
    const pool = new LoadedPool();
    const leases = [
      { label: 'Reports.weekly' },
      { label: 'Reports.weekly' },
      {
        label: 'pool.query()',
        text: `SELECT *\n  FROM movements WHERE account = '?' AND ${'x'.repeat(60)}`,
      },
    ];

    await pool.live(10, {
      acquires: 600,
      waited: 600,
      waitMs: 900,
      useMs: 950,
      mostLeased: 10,
      leases,
    });

    expect(pool.advice).toMatchObject({ verdict: 'slow statements', recommendedMax: undefined });
    expect(pool.advice.sentence).toContain('your statements are slow, not your pool small');
    expect(pool.advice.sentence).toContain('held for 950 ms on average');
    expect(pool.advice.evidence.heldBy).toEqual([
      'Reports.weekly',
      `SELECT * FROM movements WHERE account = '?' AND ${'x'.repeat(12)}…`,
    ]);
  });

  it('sees statements that have become slow against the hour before', async () => {
    const pool = new LoadedPool();
    await pool.live(30, { ...QUIET, acquires: 6_000 });

    await pool.live(10, { acquires: 6_000, waited: 3_000, waitMs: 60, useMs: 40, mostLeased: 10 });

    expect(pool.advice.verdict).toBe('slow statements');
    expect(pool.advice.sentence).toContain('4.0 times as long as before');
  });

  it('lowers a pool that was never needed in a whole hour, and not a minute sooner', async () => {
    const pool = new LoadedPool(20);
    await pool.live(59, { ...QUIET, mostLeased: 4 });
    expect(pool.advice.verdict).toBe('fine');

    await pool.live(1, { ...QUIET, mostLeased: 2 });

    expect(pool.advice).toMatchObject({
      verdict: 'lower',
      recommendedMax: 6,
      sentence: 'primary: lower max from 20 to 6: never more than 4 in use in an hour',
    });
  });

  it('lowers no pool under what it keeps warm', async () => {
    const pool = new LoadedPool(20, undefined, 8);
    const warm = new LoadedPool(20, undefined, 19);

    await pool.live(60, { ...QUIET, mostLeased: 2 });
    await warm.live(60, { ...QUIET, mostLeased: 2 });

    expect(pool.advice).toMatchObject({ verdict: 'lower', recommendedMax: 8 });
    expect(warm.advice).toMatchObject({ verdict: 'fine', recommendedMax: undefined });
  });

  it('leaves a pool as it is that was half used once', async () => {
    const pool = new LoadedPool(20);
    await pool.live(30, QUIET);
    await pool.live(1, { ...QUIET, mostLeased: 11 });

    await pool.live(30, QUIET);

    expect(pool.advice.verdict).toBe('fine');
  });

  it('forgets what is older than an hour', async () => {
    const pool = new LoadedPool(20);
    await pool.live(1, { ...QUIET, mostLeased: 20 });

    await pool.live(60, QUIET);

    expect(pool.advice.verdict).toBe('lower');
  });
});

describe('the advisor', () => {
  it('logs an advice that can be acted upon, at most once an hour', async () => {
    const pool = new LoadedPool();
    const crowded = { acquires: 6_000, waited: 600, waitMs: 40, useMs: 70, mostLeased: 10 };

    await pool.live(69, crowded);
    expect(pool.told).toHaveLength(1);
    expect(pool.told[0]).toContain('raise max by 2');

    await pool.live(2, crowded);
    expect(pool.told).toHaveLength(2);
  });

  it('ends with the application', async () => {
    const pool = new LoadedPool();
    pool.advisor.end();

    await pool.live(20, { acquires: 6_000, waited: 600, waitMs: 40, useMs: 70, mostLeased: 10 });

    expect(pool.advice.verdict).toBe('not enough seen');
    expect(pool.told).toEqual([]);
  });
});
