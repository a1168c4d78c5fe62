import tarn from 'tarn';
import { pgFactory } from './pg-factory.mjs';

export function open({ url, max }) {
  const pool = new tarn.Pool({ ...pgFactory(url), min: 0, max, acquireTimeoutMillis: 5_000 });
  return {
    async query(text, values) {
      const client = await pool.acquire().promise;
      try {
        return await client.query(text, values);
      } finally {
        pool.release(client);
      }
    },
    async hold() {
      const client = await pool.acquire().promise;
      return () => pool.release(client);
    },
    end: () => pool.destroy(),
  };
}
