import { divide } from '../../fleet/division.js';
import { instancesIn } from '../../fleet/fleet-name.js';
import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import { sameServer } from '../../postgres/options/address.js';
import { sessionName } from '../../postgres/options/session-name.js';
import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import { sessionsBeside, wholeOf } from '../../routing/replica-pool.js';
import { INSTANCE } from '../application-name.js';
import { ADMIN } from '../pool-names.js';

/** One session to be seen by. */
const FLEET_SESSION = 1;

interface Member {
  readonly pool: Pool;
  readonly weight: number;
  readonly most: number;
  readonly min: number;
}

/** The pools of an instance that lead to the server of its primary, which share what it may have. */
export class FleetPools {
  readonly #members: readonly Member[];
  readonly #admin: Pool | undefined;
  /** Sessions that stand beside pools: the fleet's, and those that watch the lag of replicas. */
  readonly #kept: number;

  /**
   * @param pools all of the application, those of a pool of replicas one by one
   * @param weightOf the weight that was given to a pool
   */
  constructor(primary: Pool, pools: readonly Pool[], weightOf: (name: string) => number) {
    const here = pools.filter((pool) => sameServer(pool.address, primary.address));
    this.#admin = here.find(({ name }) => name === ADMIN);
    this.#members = here
      .filter((pool) => pool !== this.#admin)
      .map((pool) => {
        const { min, max } = partsOf(pool).settings;
        return { pool, weight: weightOf(wholeOf(pool).name), most: max, min };
      });
    const wholes = [...new Set(pools.map(wholeOf))];
    this.#kept = here.reduce((sum, pool) => sum + sessionsBeside(pool, wholes), FLEET_SESSION);
  }

  /** Connections that are there for other than the pools' own use. */
  get #overhead(): number {
    return this.#kept + (this.#admin ? partsOf(this.#admin).settings.max : 0);
  }

  /** With one connection for each pool. */
  get minimum(): number {
    return this.#overhead + this.#members.length;
  }

  get most(): number {
    return this.#overhead + this.#members.reduce((sum, { most }) => sum + most, 0);
  }

  /** What a pool has now, where that is less than it may have; else undefined. */
  shareOf(pool: Pool): number | undefined {
    const member = this.#members.find((each) => each.pool === pool);
    const { max } = pool.stats();
    return member && max < member.most ? max : undefined;
  }

  opened(): number {
    return this.#kept + (this.#admin?.stats().total ?? 0) + this.#total();
  }

  inUse(): number {
    return this.#overhead + this.#total();
  }

  /** Gives the pools so many connections, with what is not theirs taken off. */
  readonly apply = (connections: number): void => {
    const shares = divide(connections - this.#overhead, this.#members);
    for (const [index, { pool, min }] of this.#members.entries()) {
      const max = shares[index]!;
      const now = pool.stats();
      if (now.max === max && now.min === Math.min(min, max)) continue;
      pool.resize({ min: Math.min(min, max), max });
    }
  };

  /** @throws InvalidPoolOptionsError where sessions would not be seen as this instance's */
  refuseForeignNames(service: string): void {
    const all = [...this.#members.map(({ pool }) => pool), ...(this.#admin ? [this.#admin] : [])];
    const problems = all
      .filter((pool) => {
        const [seen] = instancesIn([sessionName(partsOf(pool).settings.connection)], service);
        return seen?.instance !== INSTANCE;
      })
      .map(({ name }) => ({
        pool: name,
        option: 'applicationName',
        message:
          'applicationName (or PGAPPNAME) names the sessions of this pool, which a fleet counts' +
          ' by their names: leave it out',
      }));
    if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
  }

  #total(): number {
    return this.#members.reduce((sum, { pool }) => sum + pool.stats().total, 0);
  }
}
