import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { Injectable, Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { PoolModuleError } from '../errors/pool-module.error.js';
import { PoolRegistry } from './pool-registry.js';

/**
 * Ties the pools to the application's life.
 *
 * They come up in `onModuleInit`, and drain in `onApplicationShutdown`: the hooks before it run
 * while Nest still serves requests.
 */
@Injectable()
export class PoolLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('PoolModule');

  constructor(
    private readonly registry: PoolRegistry,
    private readonly modules: ModulesContainer,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      this.#refuseSecondRegistration();
      await Promise.all([...this.registry].map((pool) => pool.start()));
    } catch (error) {
      // Nest calls no shutdown hook when a start fails.
      await Promise.all([...this.registry].map((pool) => pool.drain(0)));
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    const listens = process.listenerCount('SIGTERM') > 0;
    // A test closes its application itself.
    if (listens || process.env['NODE_ENV'] === 'test') return;
    this.#logger.warn(
      'nobody listens to SIGTERM, so the pools are not drained when the process is stopped:' +
        ' call app.enableShutdownHooks() before app.listen()',
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.registry].map((pool) => pool.drain()));
  }

  #refuseSecondRegistration(): void {
    const own = [...this.modules.values()].filter((module) =>
      [...module.providers.values()].some(({ metatype }) => metatype === PoolLifecycle),
    );
    if (own.length < 2) return;
    throw new PoolModuleError(
      'PoolModule is registered more than once in this application; it is global:' +
        ' call forRoot() or forRootAsync() once, and name all pools there',
    );
  }
}
