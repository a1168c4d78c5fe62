import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { TcpProxy } from '../../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../../support/test-database.js';
import { environmentSays } from './environment.js';

/**
 * The database of one spec file, and the network before it: a proxy, new for each test, through
 * which DATABASE_URL leads. Applications that are told nothing else connect there.
 */
export class ProxiedDatabase {
  #database: TestDatabase | undefined;
  #proxy: TcpProxy | undefined;
  #restore = () => {};

  /** The database itself, past the proxy. */
  get database(): TestDatabase {
    return this.#database!;
  }

  get proxy(): TcpProxy {
    return this.#proxy!;
  }

  /** Leads through the proxy. */
  get connectionString(): string {
    return this.proxy.through(this.database.connectionString);
  }

  /** The environment says something else about databases, until the end of the test. */
  says(variables: Readonly<Record<string, string>>): void {
    this.#restore();
    this.#restore = environmentSays(variables);
  }

  async create(): Promise<void> {
    this.#database = await testDatabase();
  }

  async connect(): Promise<void> {
    this.#proxy = await TcpProxy.to(this.database);
    this.says({ DATABASE_URL: this.connectionString });
  }

  async disconnect(): Promise<void> {
    this.#restore();
    this.#restore = () => {};
    await this.#proxy?.close();
  }

  async drop(): Promise<void> {
    await this.#database?.drop();
  }
}

/** To be called once in a spec file, outside of its tests. */
export function proxiedDatabase(): ProxiedDatabase {
  const network = new ProxiedDatabase();
  beforeAll(() => network.create());
  beforeEach(() => network.connect());
  afterEach(() => network.disconnect());
  afterAll(() => network.drop());
  return network;
}
