import 'reflect-metadata';
import { DataSource } from 'typeorm';
import {
  StorageDriver,
  addTransactionalDataSource,
  initializeTransactionalContext,
  runInTransaction,
} from 'typeorm-transactional';

/** With AsyncLocalStorage, the fastest of its ways to know the transaction. */
export async function open({ url, max }) {
  initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });
  const source = new DataSource({
    type: 'postgres',
    url,
    poolSize: max,
    connectTimeoutMS: 5_000,
  });
  addTransactionalDataSource(source);
  await source.initialize();
  const query = ({ text, values }) => source.query(text, values);
  return {
    transaction: (work) => runInTransaction(() => work(query)),
    end: () => source.destroy(),
  };
}
