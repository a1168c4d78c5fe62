import { Pool, TransactionManager } from '../../../dist/lib/index.js';

export function open({ url, max }) {
  const pool = new Pool({ connectionString: url, max });
  const transactions = new TransactionManager({ get: () => pool });
  const query = ({ text, values }) => pool.query(text, values);
  return {
    transaction: (work) => transactions.run(() => work(query)),
    batch: (statements) => pool.batch(statements),
    end: () => pool.end(),
  };
}
