import { afterAll, beforeAll } from '@jest/globals';
import type { DynamicModule, INestApplication, LogLevel } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import request from 'supertest';
import { environmentSays } from '../../integration/nest/support/environment.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

export interface SampleParts {
  /** What the environment says beside the databases. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Modules beside those of the sample. */
  readonly imports?: readonly DynamicModule[];
  /** Default: errors alone. */
  readonly logger?: LogLevel[] | false;
}

/** The sample inside of this process, over HTTP, on a database of its own. */
export class StartedSample {
  #database: TestDatabase | undefined;
  #app: INestApplication<Server> | undefined;
  #restore = () => {};

  get database(): TestDatabase {
    return this.#database!;
  }

  get app(): INestApplication<Server> {
    return this.#app!;
  }

  /** What a client of it asks with: `sample.asks().get('/health')`. */
  asks(): ReturnType<typeof request> {
    return request(this.app.getHttpServer());
  }

  async start({ environment, imports = [], logger = ['error'] }: SampleParts): Promise<void> {
    this.#database = await testDatabase();
    const { connectionString } = this.#database;
    this.#restore = environmentSays({
      DATABASE_URL: connectionString,
      DATABASE_REPLICA_URL: connectionString,
      ...environment,
    });
    // What the environment says decides which modules there are.
    const { AppModule } = await import('../../../sample/app.module.js');
    const { configureApp } = await import('../../../sample/configure-app.js');
    const module = await Test.createTestingModule({ imports: [AppModule, ...imports] }).compile();
    this.#app = module.createNestApplication<INestApplication<Server>>({ logger });
    configureApp(this.#app);
    await this.#app.listen(0, '127.0.0.1');
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    this.#restore();
    await this.#database?.drop();
  }
}

/** To be called once in a spec file, outside of its tests. */
export function startedSample(parts: SampleParts = {}): StartedSample {
  const sample = new StartedSample();
  beforeAll(() => sample.start(parts));
  afterAll(() => sample.stop());
  return sample;
}
