import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { Client } from 'pg';
import { PoolModule, type PoolModuleOptions } from '../../../../lib/index.js';
import { TcpProxy } from '../../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../../support/test-database.js';
import { startApplication } from './application.js';
import { environmentSays } from './environment.js';
import { RecordedLog } from './recorded-log.js';

/**
 * Applications of one spec file, on a database of their own, and whoever else is connected to it.
 * What a test has started ends with it, the newest first.
 */
export class TestApplications {
  #database: TestDatabase | undefined;
  #started: AsyncDisposable[] = [];
  #restore = () => {};

  get database(): TestDatabase {
    return this.#database!;
  }

  /** An application called `bank`, with its pools and these modules. */
  async start(
    modules: readonly DynamicModule[],
    options: PoolModuleOptions = {},
    log = new RecordedLog(),
  ): Promise<INestApplication> {
    const pools = PoolModule.forRoot({ service: 'bank', ...options });
    const application = await startApplication({ imports: [pools, ...modules], log });
    this.#started.push(application);
    return application;
  }

  /** A session at the server that no pool knows. */
  async stranger(applicationName = 'psql'): Promise<Client> {
    const { connectionString } = this.database;
    const client = new Client({ connectionString, application_name: applicationName });
    client.on('error', () => {});
    await client.connect();
    this.#started.push({ [Symbol.asyncDispose]: () => client.end() });
    return client;
  }

  /** Another address of the same server, as far as a pool can tell. */
  async proxy(): Promise<TcpProxy> {
    const proxy = await TcpProxy.to(this.database);
    this.#started.push(proxy);
    return proxy;
  }

  /** The environment says something else about databases, until the end of the test. */
  says(variables: Readonly<Record<string, string>>): void {
    this.#restore();
    this.#restore = environmentSays(variables);
  }

  async createDatabase(): Promise<void> {
    this.#database = await testDatabase();
  }

  async endAll(): Promise<void> {
    for (const one of this.#started.toReversed()) await one[Symbol.asyncDispose]();
    this.#started = [];
    this.#restore();
    this.#restore = () => {};
  }
}

/** To be called once in a spec file, outside of its tests. */
export function testApplications(): TestApplications {
  const applications = new TestApplications();
  beforeAll(() => applications.createDatabase());
  beforeEach(() => applications.says({ DATABASE_URL: applications.database.connectionString }));
  afterEach(() => applications.endAll());
  afterAll(() => applications.database.drop());
  return applications;
}
