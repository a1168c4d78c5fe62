import { Injectable } from '@nestjs/common';
import { PoolFleet } from '../nest/fleet/pool-fleet.js';
import { PoolAdvisor } from '../nest/pool-advisor.js';
import { ArgumentCheck } from '../postgres/options/argument-check.js';
import { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import { bouncerAnswer } from './bouncer-answer.js';
import { PoolsReport } from './pools-report.js';
import { ServerDesk } from './server-desk.js';
import { ServerView } from './server-view.js';

/**
 * Options of {@link PoolDiagnostics.report}.
 *
 * @publicApi
 */
export interface PoolReportOptions {
  /**
   * Whether the servers are asked as well: what each backend does and waits for, who blocks it, and
   * since when it is idle in a transaction. Asked over the admin pool. Default: false.
   */
  readonly server?: boolean;
  /** Longest wait for the servers in milliseconds. Default: 2000, minimum: 1. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 2_000;

/**
 * Tells who holds what: the answer to "why is everything waiting?".
 *
 * ```ts
 * constructor(private readonly diagnostics: PoolDiagnostics) {}
 *
 * logger.warn(String(await this.diagnostics.report({ server: true })));
 * ```
 *
 * @publicApi
 */
@Injectable()
export class PoolDiagnostics {
  constructor(
    private readonly desk: ServerDesk,
    private readonly view: ServerView,
    private readonly advisor: PoolAdvisor,
    private readonly bouncer: PgBouncerAdmin,
    private readonly fleet: PoolFleet,
  ) {}

  /**
   * Every lease, every waiter, the last closes and errors of every pool. A server that cannot be
   * asked fails nothing: the report says so.
   *
   * @throws InvalidPoolOptionsError
   */
  async report(options: PoolReportOptions = {}): Promise<PoolsReport> {
    const { server = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    refuseWrong(server, timeoutMs);
    const seen = this.desk.pools.map((pool) => ({ pool, snapshot: pool.snapshot() }));
    const advice = this.advisor.advice();
    const fleet = this.fleet.snapshot();
    if (!server) {
      return new PoolsReport(snapshotsOf(seen), undefined, advice, undefined, fleet);
    }
    const [{ pools, answers }, bouncer] = await Promise.all([
      this.view.join(seen, timeoutMs),
      bouncerAnswer(this.bouncer),
    ]);
    return new PoolsReport(pools, answers, advice, bouncer, fleet);
  }
}

function snapshotsOf<T>(seen: readonly { readonly snapshot: T }[]): T[] {
  return seen.map(({ snapshot }) => snapshot);
}

function refuseWrong(server: unknown, timeoutMs: number): void {
  const check = new ArgumentCheck('PoolDiagnostics');
  if (typeof server !== 'boolean') check.refuse('server', server, 'true or false');
  if (!(Number.isFinite(timeoutMs) && timeoutMs >= 1)) {
    check.refuse('timeoutMs', timeoutMs, '1 or more milliseconds');
  }
  if (check.error) throw check.error;
}
