import { systemClock } from '../../engine/system-clock.js';
import type { HostAddress } from '../options/host-list.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';

type Choice = Pick<ResolvedPoolOptions, 'hosts' | 'role' | 'loadBalanceHosts'>;

/** In which order the hosts of a pool are tried. */
export class HostOrder {
  #right: HostAddress | undefined;

  /** @param follows the host that somebody else has found to be the right one */
  constructor(
    private readonly choice: Choice,
    private readonly follows?: () => HostAddress,
  ) {}

  /** The host that was right the last time; undefined before the first time. */
  get right(): HostAddress | undefined {
    return this.#right;
  }

  /** A connection to this host was accepted. */
  wasRight(host: HostAddress): void {
    this.#right = host;
  }

  /** The order for one connection. */
  next(): readonly HostAddress[] {
    if (this.follows) return [this.follows()];
    const { hosts, role, loadBalanceHosts } = this.choice;
    const byLot = loadBalanceHosts === 'random';
    const order = byLot ? shuffled(hosts) : hosts;
    // Of replicas, any is as right as the other; there is one primary.
    if (!this.#right || (byLot && role !== 'primary')) return order;
    return [this.#right, ...order.filter((host) => host !== this.#right)];
  }
}

function shuffled(hosts: readonly HostAddress[]): HostAddress[] {
  const lots = hosts.map((host) => ({ host, lot: systemClock.random() }));
  return lots.toSorted((a, b) => a.lot - b.lot).map(({ host }) => host);
}
