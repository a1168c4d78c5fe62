import { randomBytes } from 'node:crypto';
import pg, { type QueryResult, type QueryResultRow } from 'pg';
import { withSession } from './postgres/admin-session.js';
import { SHARED_SERVER_VARIABLE } from './shared-server.js';

/** A database of its own on the shared server, for one spec file. */
export class TestDatabase implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly connectionString: string,
  ) {}

  static async create(): Promise<TestDatabase> {
    const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
    await withSession(sharedServer(), (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(sharedServer());
    url.pathname = name;
    return new TestDatabase(name, url.href);
  }

  get host(): string {
    return new URL(this.connectionString).hostname;
  }

  get port(): number {
    return Number(new URL(this.connectionString).port || pg.defaults.port);
  }

  /** One statement over a connection of its own, which no pool under test knows. */
  query<R extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): Promise<QueryResult<R>> {
    return withSession(this.connectionString, (client) => client.query<R>(sql, values));
  }

  /** Removes it, and ends the connections that a test left behind. */
  async drop(): Promise<void> {
    await withSession(sharedServer(), (client) =>
      client.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }
}

/** A fresh database: `beforeAll(async () => (database = await testDatabase()))`, `afterAll(() => database.drop())`. */
export function testDatabase(): Promise<TestDatabase> {
  return TestDatabase.create();
}

function sharedServer(): string {
  const url = process.env[SHARED_SERVER_VARIABLE];
  if (url !== undefined) return url;
  throw new Error(`${SHARED_SERVER_VARIABLE} is not set: run the tests by "npm test".`);
}
