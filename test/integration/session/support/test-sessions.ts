import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import pg from 'pg';
import {
  type CancelRules,
  PostgresSession,
} from '../../../../lib/postgres/session/postgres-session.js';
import { TcpProxy } from '../../../support/tcp-proxy/tcp-proxy.js';
import { testDatabase, type TestDatabase } from '../../../support/test-database.js';

/** The defaults of a pool. */
const CANCEL_RULES: CancelRules = { cancelLimitMs: 2_000, answerLimitMs: 1_000, stream: undefined };

/** Sessions of one spec file, through a proxy, to a database of their own. */
export class TestSessions {
  #database: TestDatabase | undefined;
  #proxy: TcpProxy | undefined;
  #open: PostgresSession[] = [];

  get database(): TestDatabase {
    return this.#database!;
  }

  get proxy(): TcpProxy {
    return this.#proxy!;
  }

  async open(
    config: pg.ClientConfig = {},
    rules: Partial<CancelRules> = {},
  ): Promise<PostgresSession> {
    const connectionString = this.proxy.through(this.database.connectionString);
    const client = new pg.Client({ connectionString, ...config });
    const session = new PostgresSession(client, { ...CANCEL_RULES, ...rules });
    this.#open.push(session);
    await client.connect();
    session.connected();
    return session;
  }

  async prepare(): Promise<void> {
    this.#database = await testDatabase();
  }

  async begin(): Promise<void> {
    this.#proxy = await TcpProxy.to(this.database);
  }

  async end(): Promise<void> {
    await Promise.all(this.#open.map((session) => session.destroy()));
    this.#open = [];
    await this.proxy[Symbol.asyncDispose]();
  }
}

/** To be called once in a spec file, outside of its tests. */
export function testSessions(schema: string): TestSessions {
  const sessions = new TestSessions();
  beforeAll(async () => {
    await sessions.prepare();
    await sessions.database.query(schema);
  });
  beforeEach(() => sessions.begin());
  afterEach(() => sessions.end());
  afterAll(() => sessions.database.drop());
  return sessions;
}
