import { ServiceUnavailableException } from '@nestjs/common';
import type { ApplicationPhase } from './application-phase.js';
import type { HealthSettings } from './health-settings.js';
import type { PoolChecks, PoolHealth } from './pool-checks.js';
import type { HealthRequest } from './pool-health-options.js';

/** What the routes answer: the shape that Terminus has, of which most see the status only. */
export interface HealthAnswer {
  readonly status: 'ok' | 'degraded' | 'error' | 'starting' | 'shutting_down';
  readonly info?: PoolsByName;
  readonly error?: PoolsByName;
  readonly details?: PoolsByName;
}

type PoolsByName = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Checked extends PoolHealth {
  readonly name: string;
}

/** Answers the three questions of load balancers, orchestrators and people. */
export class HealthAnswers {
  constructor(
    private readonly settings: HealthSettings,
    private readonly checks: PoolChecks,
    private readonly phase: ApplicationPhase,
    private readonly pools: readonly string[],
  ) {}

  /** How all pools are. @throws ServiceUnavailableException as {@link ready} does */
  all(request: HealthRequest, isGuarded: boolean): Promise<HealthAnswer> {
    return this.#answer(this.pools, request, isGuarded);
  }

  /** That the process answers. Nothing else: a restart mends no database. */
  live(): HealthAnswer {
    return { status: 'ok' };
  }

  /**
   * Whether requests can be served.
   *
   * @throws ServiceUnavailableException at start and shutdown, and when a critical pool is down
   */
  ready(request: HealthRequest, isGuarded: boolean): Promise<HealthAnswer> {
    return this.#answer(this.settings.critical, request, isGuarded);
  }

  async #answer(
    names: readonly string[],
    request: HealthRequest,
    isGuarded: boolean,
  ): Promise<HealthAnswer> {
    const maySeeAll = await this.#maySeeAll(request, isGuarded);
    // No database needs to be asked for an answer that is known.
    const isKnown = this.phase.current !== 'serving' && !maySeeAll;
    const checked = isKnown ? [] : await Promise.all(names.map((name) => this.#check(name)));
    const status = this.#statusOf(checked);
    const answer = maySeeAll ? { status, ...detailsOf(checked) } : { status };
    if (status === 'ok' || status === 'degraded') return answer;
    throw new ServiceUnavailableException(answer);
  }

  async #check(name: string): Promise<Checked> {
    return { name, ...(await this.checks.check(name)) };
  }

  #statusOf(checked: readonly Checked[]): HealthAnswer['status'] {
    if (this.phase.current === 'starting') return 'starting';
    if (this.phase.current === 'draining') return 'shutting_down';
    const isDown = ({ name, status }: Checked) =>
      status === 'down' && this.settings.critical.includes(name);
    if (checked.some(isDown)) return 'error';
    return checked.every(({ status }) => status === 'up') ? 'ok' : 'degraded';
  }

  async #maySeeAll(request: HealthRequest, isGuarded: boolean): Promise<boolean> {
    const { details, authorize } = this.settings;
    if (details !== 'authorized') return details === 'always';
    if (!authorize) return isGuarded;
    try {
      return await authorize(request);
    } catch {
      return false;
    }
  }
}

function detailsOf(checked: readonly Checked[]): Omit<HealthAnswer, 'status'> {
  return {
    info: byName(checked.filter(({ status }) => status !== 'down')),
    error: byName(checked.filter(({ status }) => status === 'down')),
    details: byName(checked),
  };
}

function byName(checked: readonly Checked[]): PoolsByName {
  return Object.fromEntries(
    checked.map(({ name, status, details }) => [name, { status, ...details }]),
  );
}
