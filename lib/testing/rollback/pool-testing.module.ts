import { type DynamicModule, Module, type NestModule, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PoolRegistry } from '../../nest/pool-registry.js';
import type { RollbackOptions } from './rollback-options.js';
import { TransactionalTests } from './transactional-tests.js';

/**
 * Provides {@link TransactionalTests} of the pools of an application, beside its own modules.
 *
 * ```ts
 * const module = await Test.createTestingModule({
 *   imports: [AppModule, PoolTestingModule.forTest()],
 * }).compile();
 * const tests = module.get(TransactionalTests);
 *
 * beforeEach(() => tests.begin());
 * afterEach(() => tests.rollback());
 * ```
 *
 * A request belongs to the test in which it came, and to no later one, however long it is under way.
 *
 * @publicApi
 */
@Module({})
export class PoolTestingModule implements NestModule, OnModuleDestroy {
  static forTest(options: RollbackOptions = {}): DynamicModule {
    return {
      module: PoolTestingModule,
      providers: [
        {
          provide: TransactionalTests,
          inject: [PoolRegistry],
          useFactory: (registry: PoolRegistry) => new TransactionalTests(registry, options),
        },
      ],
      exports: [TransactionalTests],
    };
  }

  constructor(
    private readonly tests: TransactionalTests,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Before the application's own handlers, and for every path. */
  configure(): void {
    const adapter = this.host.httpAdapter as { use?: (middleware: Middleware) => void } | undefined;
    adapter?.use?.((_request, _response, next) => this.tests.enter(next));
  }

  /** An application that is closed in the middle of a test waits for no connection of it. */
  async onModuleDestroy(): Promise<void> {
    if (this.tests.isRunning) await this.tests.rollback();
  }
}

type Middleware = (request: unknown, response: unknown, next: () => void) => void;
