import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { InvalidPoolOptionsError } from '../errors/invalid-options.error.js';
import { PRIMARY, type PoolName } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { PoolChecks } from './pool-checks.js';

/**
 * Options of {@link PoolHealthIndicator.check}.
 *
 * @publicApi
 */
export interface PoolCheckOptions {
  /**
   * Longest wait for the server's sign of life in milliseconds. Default: that of the module, 1000;
   * minimum 1.
   */
  readonly timeoutMs?: number;
}

type Session = ReturnType<HealthIndicatorService['check']>;

/**
 * Tells Terminus how the pools are.
 *
 * A pool is `down` when its server does not answer. One whose connections are all lent out is `up`
 * with `load: 'busy'`: a restart by the orchestrator would only make that worse. One that has
 * crossed a threshold is `degraded`, which Terminus 12 answers with 200; under Terminus 11, which
 * does not know the word, it is `up` and has `degradedBy`.
 *
 * ```ts
 * @Get('health') @HealthCheck()
 * health() {
 *   return this.health.check([() => this.pools.checkAll()]);
 * }
 * ```
 *
 * The answer names errors, and with them hosts: it is not for everybody.
 *
 * @publicApi
 */
@Injectable()
export class PoolHealthIndicator {
  constructor(
    private readonly registry: PoolRegistry,
    private readonly checks: PoolChecks,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Checks one pool.
   *
   * @param name default: `primary`
   * @throws UnknownPoolError when there is no such pool
   * @throws InvalidPoolOptionsError
   */
  async check(
    name: PoolName = PRIMARY,
    { timeoutMs }: PoolCheckOptions = {},
  ): Promise<HealthIndicatorResult> {
    if (timeoutMs !== undefined) refuseWrongTimeout(name, timeoutMs);
    const { status, details } = await this.checks.check(name, timeoutMs);
    const session = this.indicators.check(name);
    if (status === 'down') return session.down(details);
    return status === 'degraded' && knowsDegraded(session)
      ? session.degraded(details)
      : session.up(details);
  }

  /**
   * Checks every pool, each under its name; down when one of them is.
   *
   * @throws InvalidPoolOptionsError
   */
  async checkAll(options?: PoolCheckOptions): Promise<HealthIndicatorResult> {
    const names = this.registry.names();
    const results = await Promise.all(names.map((name) => this.check(name, options)));
    return Object.assign({}, ...results) as HealthIndicatorResult;
  }
}

/** Terminus 11 has no such method. */
function knowsDegraded(session: Partial<Session>): session is Session {
  return typeof session.degraded === 'function';
}

function refuseWrongTimeout(pool: string, timeoutMs: number): void {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 1) return;
  const message = `timeoutMs of a health check must be 1 or more milliseconds; it is ${timeoutMs}`;
  throw new InvalidPoolOptionsError([{ pool, option: 'timeoutMs', message }]);
}
