import { type Entry, type EntryState, NEXT_STATES } from './entry.js';

/** Every entry of a pool, counted by state, and the shelf of those that are idle. */
export class Roster<R> {
  readonly #entries = new Set<Entry<R>>();
  readonly #shelf: Entry<R>[] = [];
  readonly #counts: Record<EntryState, number> = {
    connecting: 0,
    checking: 0,
    idle: 0,
    leased: 0,
    returning: 0,
    closing: 0,
  };

  constructor(private readonly order: 'lifo' | 'fifo') {}

  /** Slots in use: closing entries count until the server has let them go. */
  get total(): number {
    return this.#entries.size;
  }

  /** Entries whose resource is open and not being closed. */
  get standing(): number {
    return this.#entries.size - this.#counts.connecting - this.#counts.closing;
  }

  count(state: EntryState): number {
    return this.#counts[state];
  }

  [Symbol.iterator](): IterableIterator<Entry<R>> {
    return this.#entries.values();
  }

  add(entry: Entry<R>): void {
    this.#entries.add(entry);
    this.#counts[entry.state] += 1;
  }

  remove(entry: Entry<R>): void {
    if (this.#entries.delete(entry)) this.#counts[entry.state] -= 1;
  }

  /** Puts an entry into another state, and onto or off the shelf with it. */
  move(entry: Entry<R>, to: EntryState): void {
    const from = entry.state;
    if (!NEXT_STATES[from].includes(to)) {
      throw new Error(`connection ${entry.id} cannot go from ${from} to ${to}`);
    }
    if (from === 'idle') this.#unshelve(entry);
    this.#counts[from] -= 1;
    this.#counts[to] += 1;
    entry.state = to;
    if (to === 'idle') this.#shelf.push(entry);
  }

  /** The idle entry whose turn it is; it stays on the shelf until it is moved. */
  nextIdle(): Entry<R> | undefined {
    return this.order === 'lifo' ? this.#shelf.at(-1) : this.#shelf[0];
  }

  #unshelve(entry: Entry<R>): void {
    if (this.#shelf.at(-1) === entry) this.#shelf.pop();
    else this.#shelf.splice(this.#shelf.indexOf(entry), 1);
  }
}
