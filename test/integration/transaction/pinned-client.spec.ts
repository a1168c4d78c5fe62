import { describe, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';
import type { LeasedClient } from '../../../lib/index.js';
import { backendOf } from '../pool/support/test-pools.js';
import { testTransactions } from './support/test-transactions.js';

const test = testTransactions();
const CLOSED = { code: 'POOL_TRANSACTION_CLOSED' };

describe.each([undefined, 'pg-pool'] as const)(
  'a connection that is asked for inside a transaction (compatibility %s)',
  (compatibility) => {
    const open = () => test.open({ max: 1, ...(compatibility && { compatibility }) });

    it('is that of the transaction, in every way, and stays there when it is released', async () => {
      const { pool, transactions } = open();

      const run = transactions.run(async () => {
        const pid = await backendOf(pool);
        const connected = await pool.connect();
        await connected.query('INSERT INTO entry VALUES (1)');
        connected.release();
        const acquired = await pool.acquire();
        await acquired.query('INSERT INTO entry VALUES (2)');
        acquired.release(new Error('broken, says somebody'));
        await pool.use(async (client) => {
          await client.query('INSERT INTO entry VALUES ($1)', [3]);
          expect(client.processID).toBe(pid);
        });
        await new Promise<void>((resolve, reject) => {
          pool.connect((error, client, release) => {
            if (error) reject(error);
            client!.query('INSERT INTO entry VALUES (4)', (failed) => {
              release();
              if (failed) reject(failed);
              else resolve();
            });
          });
        });
        expect(await backendOf(pool)).toBe(pid);
        throw new Error('undo');
      });

      await expect(run).rejects.toThrow('undo');
      expect(await test.entries()).toEqual([]);
      expect(pool.stats()).toMatchObject({ counters: { created: 1 } });
    });

    it('refuses once it was released, and to be released twice', async () => {
      const { pool, transactions } = open();
      await transactions.run(async () => {
        const client = await pool.connect();
        client.release();
        expect(() => client.release()).toThrow(/already been released/);
        const refused = { code: 'POOL_LEASE_RELEASED' };
        await expect(client.query('SELECT')).rejects.toMatchObject(refused);
        await pool.query('INSERT INTO entry VALUES (1)');
      });
      expect(await test.entries()).toEqual([1]);
    });

    it('is of no use when the transaction is over, and leaves nothing behind', async () => {
      const { pool, transactions } = open();
      let kept!: PoolClient;
      let nested!: LeasedClient;

      await transactions.run(async () => {
        kept = await pool.connect();
        kept.on('notice', () => {});
        await pool.query('SELECT');
        await transactions.run({ propagation: 'NESTED' }, async () => {
          nested = await pool.acquire();
          nested.on('notification', () => {});
          await nested.query('SELECT');
        });
        await expect(nested.query('SELECT')).rejects.toMatchObject(CLOSED);
      });

      await expect(kept.query('SELECT')).rejects.toMatchObject(CLOSED);
      kept.release();
      await expect(pool.query('SELECT 1')).resolves.toBeDefined();
    });

    it('may be all that a transaction ever asks for', async () => {
      const { pool, transactions } = open();
      await transactions.run(async () => {
        const client = await pool.connect();
        client.release();
      });
      await expect(pool.query('SELECT 1')).resolves.toBeDefined();
    });

    it('is kept after a statement that fails', async () => {
      const { pool, transactions } = open();
      await transactions.run(() => pool.query('SELECT 1/0')).catch(() => {});
      await transactions.run(() => pool.query('SELECT 1'));
      expect(pool.stats().counters.created).toBe(1);
    });
  },
);
