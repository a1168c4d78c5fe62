import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import type { TransactionOptions } from '../../../lib/index.js';
import { sleep } from '../../support/sleep.js';
import { testTransactions, type UnderTest } from './support/test-transactions.js';

const test = testTransactions();

const acts = fc.constantFrom(
  'insert',
  'insert slowly',
  'wait',
  'nest',
  'undo',
  'batch',
  'cursor',
  'stream',
  'let go',
  'all',
);
type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

const works = fc.record({
  acts: fc.array(acts, { minLength: 1, maxLength: 6 }),
  timeoutMs: fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined }),
  abortMs: fc.option(fc.integer({ min: 0, max: 25 }), { nil: undefined }),
});
type Work = typeof works extends fc.Arbitrary<infer T> ? T : never;

/** Work whose rows have numbers from `first` on. Returns those that a commit must leave. */
class Worker {
  readonly kept: number[] = [];
  #next: number;

  constructor(
    private readonly underTest: UnderTest,
    first: number,
  ) {
    this.#next = first;
  }

  async run({ acts: todo, timeoutMs, abortMs }: Work): Promise<boolean> {
    const controller = new AbortController();
    const timer = abortMs === undefined ? undefined : setTimeout(() => controller.abort(), abortMs);
    const options: TransactionOptions = { timeoutMs, signal: controller.signal };
    try {
      await this.underTest.transactions.run(options, async () => {
        for (const act of todo) await this.#do(act);
      });
      return true;
    } catch (error) {
      expect((error as { code?: string }).code).toMatch(/^POOL_TRANSACTION_(TIMEOUT|ABORTED)$/);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #number(): number {
    return this.#next++;
  }

  #kept(): number {
    const number = this.#number();
    this.kept.push(number);
    return number;
  }

  async #do(act: Act): Promise<unknown> {
    const { pool, transactions } = this.underTest;
    const insert = (id: number) => pool.query('INSERT INTO entry VALUES ($1)', [id]);
    const nested = { propagation: 'NESTED' } as const;
    switch (act) {
      case 'insert':
        return insert(this.#kept());
      case 'insert slowly':
        return pool.query(`INSERT INTO entry SELECT ${this.#kept()} FROM pg_sleep(0.003)`);
      case 'wait':
        return sleep(2);
      case 'nest':
        return transactions.run(nested, () => insert(this.#kept()));
      case 'undo': {
        const undone = transactions.run(nested, async () => {
          await insert(this.#number());
          throw new Error('undo');
        });
        return undone.catch(() => {});
      }
      case 'batch':
        return pool.batch([`INSERT INTO entry VALUES (${this.#kept()})`, 'SELECT 1']);
      case 'cursor': {
        const cursor = pool.query(new Cursor('SELECT generate_series(1, 9) AS n'));
        await cursor.read(2);
        await cursor.read(2);
        return cursor.close();
      }
      case 'stream': {
        const stream = pool.query(new QueryStream('SELECT generate_series(1, 9) AS n'));
        return stream.toArray();
      }
      case 'let go':
        insert(this.#kept()).catch(() => {});
        return undefined;
      case 'all':
        return Promise.all([
          insert(this.#kept()),
          transactions.run(nested, () => insert(this.#kept())),
          this.#do('undo'),
          insert(this.#kept()),
        ]);
    }
  }
}

describe('transactions that are interrupted at any moment', () => {
  it('are in the table as a whole where they were acknowledged, and not at all otherwise', async () => {
    const underTest = test.open({ max: 3 });
    test.tolerate(/returned before all statements/);

    await fc.assert(
      fc.asyncProperty(fc.array(works, { minLength: 1, maxLength: 12 }), async (list) => {
        await underTest.pool.query('TRUNCATE entry');
        const workers = list.map((_, n) => new Worker(underTest, n * 100));

        const ends = await Promise.all(workers.map((worker, n) => worker.run(list[n]!)));

        const expected = workers.flatMap(({ kept }, n) => (ends[n] ? kept : []));
        const { rows } = await underTest.pool.query('SELECT id FROM entry ORDER BY id');
        expect(rows.map(({ id }: { id: number }) => id)).toEqual(expected);
      }),
      { numRuns: 60 },
    );

    expect(underTest.pool.stats().counters.created).toBeLessThanOrEqual(3);
  });
});
