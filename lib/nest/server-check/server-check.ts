import { type Finding, findingText } from '../../doctor/finding.js';
import { OverBudgetError } from '../../errors/over-budget.error.js';
import { Pool } from '../../postgres/pool/pool.js';
import type { PoolLog } from '../../postgres/report/pool-log.js';
import { wholeOf } from '../../routing/replica-pool.js';
import type { PoolFleet } from '../fleet/pool-fleet.js';
import { ADMIN } from '../pool-names.js';
import type { PoolRegistry } from '../pool-registry.js';
import { sizingFor } from '../server-share.js';
import type { ServerCheckSettings } from './server-check-settings.js';
import { checkServer, type CheckResult } from './server-findings.js';
import { loginsByServer } from './server-login.js';

/**
 * Asks the servers whether the pools fit them, and warns of each misfit once, for as long as it is
 * there. Nothing waits for it, unless an application wants to be refused.
 */
export class ServerCheck {
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  /**
   * @param settings undefined: nobody is asked
   * @param instances `sizing.instances`, by the name of a pool
   * @param fleet whose budget holds at its server
   */
  constructor(
    private readonly registry: PoolRegistry,
    private readonly settings: ServerCheckSettings | undefined,
    private readonly instances: ReadonlyMap<string, number>,
    private readonly fleet: Pick<PoolFleet, 'at'>,
    private readonly log: PoolLog,
  ) {}

  /**
   * Refuses a start whose pools do not fit, where the application wants that.
   *
   * @throws OverBudgetError
   */
  async beforeStart(): Promise<void> {
    if (!this.settings?.refuses) return;
    const { findings, unanswered } = await this.#ask(this.settings);
    const over = findings.filter(({ code }) => code === 'over-budget');
    if (over.length > 0) throw new OverBudgetError(over.map((finding) => findingText(finding)));
    this.#tell(findings, unanswered.length === 0);
    for (const server of unanswered) {
      this.log.warn(`could not ask a server whether the pools fit it: ${server}; starting`, {});
    }
  }

  /** The application runs: asks in the background, and again each interval. */
  begin(): void {
    const { settings } = this;
    if (!settings || this.#isStopped) return;
    if (!settings.refuses) this.#inBackground(settings);
    if (settings.intervalMs === 0) return;
    this.#timer = setInterval(() => this.#inBackground(settings), settings.intervalMs).unref();
  }

  /** Resolves when no question is on its way any more, which its time limit sees to. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #inBackground(settings: ServerCheckSettings): void {
    this.#running ??= this.#ask(settings)
      .then(({ findings, unanswered }) => {
        if (this.#isStopped) return;
        this.#tell(findings, unanswered.length === 0);
        for (const server of unanswered) {
          this.log.debug(`could not ask a server whether the pools fit it: ${server}`, {});
        }
      })
      .finally(() => (this.#running = undefined));
  }

  async #ask(settings: ServerCheckSettings): Promise<CheckResult> {
    const pools = [...this.registry].filter((pool) => pool instanceof Pool);
    const admin = pools.find(({ name }) => name === ADMIN);
    if (!admin) return { findings: [], unanswered: [] };
    const results = await Promise.all(
      loginsByServer(pools).map((logins) => {
        const there = logins.flatMap((login) => login.pools);
        const known = <T>(read: (pool: Pool) => T | undefined) =>
          there.map(read).find((value) => value !== undefined);
        const declared = {
          admin,
          injected: this.registry.injected,
          sizing: known((pool) => sizingFor(pool, this.registry.sizing())),
          instances: known((pool) => this.instances.get(wholeOf(pool).name)),
          fleet: this.fleet.at(logins[0]!.address),
        };
        return checkServer(logins, declared, settings);
      }),
    );
    return {
      findings: results.flatMap(({ findings }) => findings),
      unanswered: results.flatMap(({ unanswered }) => unanswered),
    };
  }

  /** What has gone may be told again when it comes back; of a silent server nobody knows. */
  #tell(findings: readonly Finding[], isComplete: boolean): void {
    const keys = new Set(findings.map((finding) => keyOf(finding)));
    const gone = isComplete ? [...this.#told].filter((key) => !keys.has(key)) : [];
    for (const key of gone) this.#told.delete(key);
    for (const finding of findings) {
      if (this.#told.has(keyOf(finding))) continue;
      this.#told.add(keyOf(finding));
      this.log.warn(findingText(finding), { code: finding.code, about: finding.about });
    }
  }
}

function keyOf({ code, about }: Finding): string {
  return `${code} ${about}`;
}
