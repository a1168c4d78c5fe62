import { Pool } from '../../dist/lib/index.js';

export function open({ url, max }) {
  const pool = new Pool({ connectionString: url, max });
  return {
    query: (text, values) => pool.query(text, values),
    async hold() {
      const client = await pool.connect();
      return () => client.release();
    },
    end: () => pool.end(),
  };
}
