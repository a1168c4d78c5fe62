import pg from 'pg';

/** As the manual of node-postgres writes it. */
export function open({ url, max }) {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 5_000 });

  async function transaction(work) {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await work(({ text, values }) => client.query(text, values));
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  return {
    transaction,
    batch: (statements) =>
      transaction(async (query) => {
        for (const statement of statements) await query(statement);
      }),
    end: () => pool.end(),
  };
}
