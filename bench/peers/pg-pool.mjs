import pg from 'pg';

export function open({ url, max }) {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 5_000 });
  return {
    query: (text, values) => pool.query(text, values),
    async hold() {
      const client = await pool.connect();
      return () => client.release();
    },
    end: () => pool.end(),
  };
}
