import { systemClock } from '../../engine/system-clock.js';
import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import { PoolModuleError } from '../../errors/pool-module.error.js';
import { StartupFailedError } from '../../errors/startup-failed.error.js';
import type { FleetOnServer } from '../../doctor/fleet-finding.js';
import type { ServerFacts } from '../../doctor/server-facts.js';
import { claimOf, onlyFleetSessions } from '../../fleet/fleet-name.js';
import { Fleet, type FleetSnapshot } from '../../fleet/fleet.js';
import { type DatabaseAddress, sameServer } from '../../postgres/options/address.js';
import { isPermanentConnectError } from '../../postgres/driver/error-rules.js';
import { Pool, partsOf } from '../../postgres/pool/pool.js';
import type { PoolLog } from '../../postgres/report/pool-log.js';
import { applicationName, INSTANCE } from '../application-name.js';
import { ADMIN } from '../pool-names.js';
import type { PoolRegistry } from '../pool-registry.js';
import { budgetOf, budgetProblem } from './fleet-budget.js';
import { FleetDesk, wayOf } from './fleet-desk.js';
import { FleetPools } from './fleet-pools.js';
import type { FleetSettings } from './fleet-settings.js';

/** Services that this process is an instance of: its sessions have one name, whoever opens them. */
const taken = new Set<string>();

const CONNECT_LIMIT_MS = 5_000;
const CONNECT_PAUSE_MS = 200;

/** What the server said at the start. */
interface Found {
  readonly desk: FleetDesk;
  readonly budget: number;
  readonly isBesidePooler: boolean;
}

/**
 * This instance among those of its service, which share the budget that the option `fleet` gives.
 *
 * @publicApi
 */
export class PoolFleet {
  #fleet: Fleet | undefined;
  #pools: FleetPools | undefined;
  #service: string | undefined;
  /** Whose server the budget is of; undefined where it is a pooler's clients. */
  #home: Pool | undefined;

  /** Made by the module. */
  constructor(
    private readonly registry: PoolRegistry,
    private readonly settings: FleetSettings | undefined,
    private readonly weightOf: (pool: string) => number,
    private readonly log: PoolLog,
  ) {}

  /** The fleet as this instance sees it; undefined without the option `fleet`, or before the start. */
  snapshot(): FleetSnapshot | undefined {
    return this.#fleet?.snapshot();
  }

  /** What the fleet leaves a pool, where that is less than its own max; else undefined. */
  shareOf(pool: Pool): number | undefined {
    return this.#pools?.shareOf(pool);
  }

  /** The budget that holds at a server, instead of the sizes of the pools; undefined: none does. */
  at(server: DatabaseAddress): FleetOnServer | undefined {
    const snapshot = this.snapshot();
    if (!snapshot || !this.#home || !sameServer(this.#home.address, server)) return undefined;
    return { service: snapshot.service, budget: snapshot.budget, claimOf };
  }

  /**
   * Takes the place of this instance, and gives its pools their share: until then they wait. Called
   * by the module at its start.
   *
   * @throws InvalidPoolOptionsError, FleetFullError, StartupFailedError, PoolModuleError
   */
  async join(): Promise<void> {
    const { settings } = this;
    if (!settings) return;
    const all = [...this.registry].filter((pool) => pool instanceof Pool);
    const primary = all.find((pool) => pool === this.registry.write());
    if (primary) await this.#join(settings, primary, all);
    for (const pool of all) pool.resume();
  }

  /** Called by the module when its pools are drained. */
  async leave(): Promise<void> {
    await this.#fleet?.leave();
    if (this.#service !== undefined) taken.delete(this.#service);
    this.#service = undefined;
  }

  async #join(settings: FleetSettings, primary: Pool, all: readonly Pool[]): Promise<void> {
    const { service } = settings;
    this.#take(service);
    const pools = (this.#pools = new FleetPools(primary, all, this.weightOf));
    pools.refuseForeignNames(service);
    const { startupTimeoutMs } = partsOf(primary).settings;
    const endAt = systemClock.now() + startupTimeoutMs;
    const { desk, budget, isBesidePooler } = await this.#found(settings, primary, pools, endAt);
    this.#home = isBesidePooler ? undefined : primary;
    this.#fleet = new Fleet({
      pool: primary.name,
      service,
      instance: INSTANCE,
      budget,
      expected: settings.instances,
      minimum: pools.minimum,
      most: pools.most,
      intervalMs: settings.intervalMs,
      countsSessions: !isBesidePooler,
      openSession: (limitMs, lost) => desk.openSession(limitMs, lost),
      nameOf: (pool) => applicationName(service, pool),
      apply: (connections) => pools.apply(connections),
      opened: () => pools.opened(),
      inUse: () => pools.inUse(),
      clock: systemClock,
      log: this.log,
    });
    await this.#fleet.join(Math.max(0, endAt - systemClock.now()));
    desk.rest();
  }

  #take(service: string): void {
    if (taken.has(service)) {
      throw new PoolModuleError(
        `two applications of this process have the fleet ${service}, and their sessions the same` +
          ' names: run them as processes of their own, or give each a fleet.service',
      );
    }
    taken.add(service);
    this.#service = service;
  }

  /** @throws StartupFailedError where the server cannot be asked; InvalidPoolOptionsError */
  async #found(
    settings: FleetSettings,
    primary: Pool,
    pools: FleetPools,
    endAt: number,
  ): Promise<Found> {
    const given = budgetProblem(settings, pools.minimum);
    if (given) throw given;
    const startedAt = systemClock.now();
    for (let attempts = 1; ; attempts += 1) {
      try {
        const admin = this.registry.has(ADMIN) ? this.registry.get(ADMIN) : undefined;
        const own = admin instanceof Pool ? admin : undefined;
        const { pool, isBesidePooler } = await wayOf(primary, own, CONNECT_LIMIT_MS);
        const desk = new FleetDesk(pool);
        const facts = await desk.askServer(CONNECT_LIMIT_MS);
        refuseOtherDatabase(settings.service, facts);
        const limits = isBesidePooler ? undefined : facts.limits;
        return {
          desk,
          isBesidePooler,
          budget: budgetOf(settings, pools.minimum, limits, this.log),
        };
      } catch (error) {
        if (error instanceof InvalidPoolOptionsError) throw error;
        const waitedMs = systemClock.now() - startedAt;
        // What only a person can mend is not waited for.
        const permanent = isPermanentConnectError(error, attempts);
        if (permanent || systemClock.now() >= endAt) {
          throw new StartupFailedError(primary.name, {
            waitedMs,
            attempts,
            cause: error,
            permanent,
          });
        }
        await new Promise<void>((resolve) => {
          systemClock.after(CONNECT_PAUSE_MS, resolve, true);
        });
      }
    }
  }
}

/** Advisory locks, by which instances take turns, are those of a database. */
function refuseOtherDatabase(service: string, { database, sessions }: ServerFacts): void {
  const other = sessions.find(
    (session) =>
      session.database !== database &&
      session.application.startsWith(`${service}:`) &&
      onlyFleetSessions([session.application]).length > 0,
  );
  if (!other) return;
  const message =
    `fleet ${service} has its instances in the database ${other.database}, and this one is in` +
    ` ${database}: give the pool admin the same database in all of them, or this one another` +
    ' fleet.service';
  throw new InvalidPoolOptionsError([{ pool: 'PoolModule', option: 'fleet', message }]);
}
