import 'reflect-metadata';
import { ClsPluginTransactional, TransactionHost } from '@nestjs-cls/transactional';
import { TransactionalAdapterDrizzleOrm } from '@nestjs-cls/transactional-adapter-drizzle-orm';
import { NestFactory } from '@nestjs/core';
import { drizzle } from 'drizzle-orm/node-postgres';
import { ClsModule } from 'nestjs-cls';
import pg from 'pg';
import { drizzleSql } from './drizzle-sql.mjs';

const DATABASE = 'database';

/** In a Nest application, with the adapter for drizzle. */
export async function open({ url, max }) {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 5_000 });
  const application = await NestFactory.createApplicationContext(moduleAround(drizzle(pool)), {
    logger: false,
  });
  const host = application.get(TransactionHost);
  const query = (statement) => host.tx.execute(drizzleSql(statement));
  return {
    transaction: (work) => host.withTransaction(() => work(query)),
    async end() {
      await application.close();
      await pool.end();
    },
  };
}

function moduleAround(database) {
  const provided = {
    module: DatabaseModule,
    providers: [{ provide: DATABASE, useValue: database }],
    exports: [DATABASE],
  };
  const adapter = new TransactionalAdapterDrizzleOrm({ drizzleInstanceToken: DATABASE });
  const plugin = new ClsPluginTransactional({ imports: [provided], adapter });
  return ClsModule.forRoot({ global: true, plugins: [plugin] });
}

/** A module is a class for Nest; this one has nothing to say. */
function DatabaseModule() {}
