import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { drizzleSql } from './drizzle-sql.mjs';

export function open({ url, max }) {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 5_000 });
  const database = drizzle(pool);
  return {
    transaction: (work) =>
      database.transaction((transaction) =>
        work((statement) => transaction.execute(drizzleSql(statement))),
      ),
    end: () => pool.end(),
  };
}
