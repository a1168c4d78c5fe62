import type { Entry } from './entry.js';
import { type EntryState, mayGo, StateCounts } from './entry-state.js';

/** Every entry of a pool, counted by state, and the shelf of those that are idle. */
export class Roster<R> {
  readonly #entries = new Set<Entry<R>>();
  /** In the order in which they were last used, so that a ping makes no entry look used. */
  readonly #shelf: Entry<R>[] = [];
  readonly #counts = new StateCounts();
  #retiring = 0;
  #mostLeased = 0;

  constructor(private readonly order: 'lifo' | 'fifo') {}

  /** Slots in use: closing entries count until the server has let them go. */
  get total(): number {
    return this.#entries.size;
  }

  /** Entries whose resource is open and not being closed. */
  get standing(): number {
    return this.#entries.size - this.#counts.connecting - this.#counts.closing;
  }

  /** Entries that stay until their replacement stands. */
  get retiring(): number {
    return this.#retiring;
  }

  get counts(): Readonly<StateCounts> {
    return this.#counts;
  }

  /** The most that were leased at once since this was asked last. */
  takeMostLeased(): number {
    const most = this.#mostLeased;
    this.#mostLeased = this.#counts.leased;
    return most;
  }

  [Symbol.iterator](): IterableIterator<Entry<R>> {
    return this.#entries.values();
  }

  add(entry: Entry<R>): void {
    this.#entries.add(entry);
    this.#counts.add(entry.state, 1);
  }

  remove(entry: Entry<R>): void {
    if (this.#entries.delete(entry)) this.#counts.add(entry.state, -1);
  }

  /** Puts an entry into another state, and onto or off the shelf with it. */
  move(entry: Entry<R>, to: EntryState): void {
    const from = entry.state;
    if (!mayGo(from, to)) {
      throw new Error(`connection ${entry.id} cannot go from ${from} to ${to}`);
    }
    if (from === 'idle') this.#unshelve(entry);
    this.#counts.add(from, -1);
    this.#counts.add(to, 1);
    entry.state = to;
    if (to === 'idle') this.#shelve(entry);
    else if (to === 'leased') this.#mostLeased = Math.max(this.#mostLeased, this.#counts.leased);
    else if (to === 'closing' && entry.retiring) this.#retiring -= 1;
  }

  /** Asks for a replacement: the entry is to be closed when that stands. */
  retire(entry: Entry<R>): void {
    if (entry.retiring) return;
    entry.retiring = true;
    this.#retiring += 1;
  }

  /** The idle entry whose turn it is; it stays on the shelf until it is moved. */
  nextIdle(): Entry<R> | undefined {
    const shelf = this.#shelf;
    if (shelf.length === 0) return undefined;
    return shelf[this.order === 'lifo' ? shelf.length - 1 : 0];
  }

  #shelve(entry: Entry<R>): void {
    const shelf = this.#shelf;
    let at = shelf.length;
    while (at > 0 && (shelf[at - 1] as Entry<R>).idleSince > entry.idleSince) at -= 1;
    if (at === shelf.length) shelf.push(entry);
    else shelf.splice(at, 0, entry);
  }

  #unshelve(entry: Entry<R>): void {
    const shelf = this.#shelf;
    if (shelf[shelf.length - 1] === entry) shelf.pop();
    else if (shelf[0] === entry) shelf.shift();
    else shelf.splice(shelf.indexOf(entry), 1);
  }
}
