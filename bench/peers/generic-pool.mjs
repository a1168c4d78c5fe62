import genericPool from 'generic-pool';
import { pgFactory } from './pg-factory.mjs';

export function open({ url, max }) {
  const pool = genericPool.createPool(pgFactory(url), { max, acquireTimeoutMillis: 5_000 });
  return {
    async query(text, values) {
      const client = await pool.acquire();
      try {
        return await client.query(text, values);
      } finally {
        await pool.release(client);
      }
    },
    async hold() {
      const client = await pool.acquire();
      return () => pool.release(client);
    },
    async end() {
      await pool.drain();
      await pool.clear();
    },
  };
}
