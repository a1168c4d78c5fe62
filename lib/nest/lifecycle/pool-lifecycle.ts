import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  ShutdownSignal,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Pool } from '../../postgres/pool/pool.js';
import type { Module } from './application-parts.js';
import { whenStartFails } from './failed-start.js';
import { PoolFleet } from '../fleet/pool-fleet.js';
import { nestPoolLog } from '../nest-pool-log.js';
import type { PoolDefinition } from '../definition/pool-definition.js';
import { PRIMARY, REPLICA } from '../pool-names.js';
import { PoolRegistry } from '../pool-registry.js';
import { POOL_DEFINITIONS } from '../pool.tokens.js';
import { warnOfReplicaAtPrimary } from './replica-address.js';
import { ServerCheck } from '../server-check/server-check.js';
import { refuseUnknownPools } from './unknown-pools.js';

/** `createApplicationContext()` is over before an application can enable its shutdown hooks. */
const TIME_TO_ENABLE_HOOKS_MS = 100;

/**
 * Ties the pools to the application's life.
 *
 * They come up in `onModuleInit`, and drain in `onApplicationShutdown`: the hooks before it run
 * while Nest still serves requests.
 */
@Injectable()
export class PoolLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('PoolModule');
  readonly #ended = new AbortController();
  #hooksCheck: NodeJS.Timeout | undefined;

  constructor(
    private readonly registry: PoolRegistry,
    private readonly modules: ModulesContainer,
    private readonly serverCheck: ServerCheck,
    private readonly fleet: PoolFleet,
    @Inject(POOL_DEFINITIONS) private readonly definitions: ReadonlyMap<string, PoolDefinition>,
  ) {
    // Nest calls the hooks of global modules first at start and last at shutdown. With this the
    // pools are also up before other global modules use them in a hook, and drain after those.
    this.#module.distance = Infinity;
  }

  async onModuleInit(): Promise<void> {
    try {
      refuseUnknownPools(this.modules, this.#module, this.registry);
      await this.fleet.join();
      await Promise.all(this.#pools.map((pool) => pool.start()));
      await this.serverCheck.beforeStart();
      whenStartFails(this.modules, this, () => this.#drain(0));
    } catch (error) {
      // Nest calls no shutdown hook when a start fails.
      await this.#drain(0);
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    this.serverCheck.begin();
    this.#lookAtReplica();
    // A test closes its application itself.
    if (process.env.NODE_ENV === 'test') return;
    this.#hooksCheck = setTimeout(() => this.#warnWithoutHooks(), TIME_TO_ENABLE_HOOKS_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.#hooksCheck);
    await this.#drain();
  }

  /** In the background: a server that is down delays no start. */
  #lookAtReplica(): void {
    if (this.definitions.get(REPLICA)?.addressFrom !== undefined) return;
    const poolOf = (name: string) => this.#pools.find((pool) => pool.name === name);
    const replica = poolOf(REPLICA);
    if (!replica) return;
    const log = nestPoolLog(this.#logger);
    void warnOfReplicaAtPrimary(replica, poolOf(PRIMARY), log, this.#ended.signal);
  }

  get #module(): Module {
    const own = [...this.modules.values()].find(({ providers }) => providers.has(PoolLifecycle));
    return own!;
  }

  /** Without what a test put in the place of a pool: that is the test's own. */
  get #pools(): Pool[] {
    return this.registry.injected.filter((pool) => pool instanceof Pool);
  }

  async #drain(timeoutMs?: number): Promise<void> {
    this.#ended.abort();
    const drained = this.#pools.map((pool) => pool.drain(timeoutMs));
    await Promise.all([this.serverCheck.stop(), ...drained]);
    // What it held is free for the others only now.
    await this.fleet.leave();
  }

  #warnWithoutHooks(): void {
    const isHeard = Object.values(ShutdownSignal).some((name) => process.listenerCount(name) > 0);
    if (isHeard) return;
    this.#logger.warn(
      'nobody listens to SIGTERM, so the pools are not drained when the process is stopped:' +
        ' call app.enableShutdownHooks() before app.listen()',
    );
  }
}
