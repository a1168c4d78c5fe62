import type {
  DynamicModule,
  ForwardReference,
  INestApplication,
  Provider,
  Type,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { RecordedLog } from './recorded-log.js';

export interface ApplicationParts {
  readonly imports: (Type | DynamicModule | Promise<DynamicModule> | ForwardReference)[];
  readonly providers?: Provider[];
  readonly controllers?: Type[];
  readonly log?: RecordedLog;
  /** Default: that of Express. */
  readonly adapter?: AbstractHttpAdapter;
  /** For `overrideProvider()` and the like. */
  readonly change?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

/** An application that is not initialised yet. */
export async function createApplication(parts: ApplicationParts): Promise<INestApplication> {
  const { imports, providers = [], controllers = [], change = (builder) => builder } = parts;
  const builder = Test.createTestingModule({ imports, providers, controllers });
  const testing = await change(builder)
    .setLogger(parts.log ?? new RecordedLog())
    .compile();
  const options = { logger: parts.log ?? new RecordedLog() };
  return parts.adapter
    ? testing.createNestApplication(parts.adapter, options)
    : testing.createNestApplication(options);
}

/** A running application; `await using` closes it. */
export async function startApplication(
  parts: ApplicationParts,
): Promise<INestApplication & AsyncDisposable> {
  const application = await createApplication(parts);
  await application.init();
  return Object.assign(application, {
    async [Symbol.asyncDispose]() {
      await application.close();
    },
  });
}
