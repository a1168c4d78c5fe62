import { frameOf, within } from './ambient.js';
import type { Pool } from './pool.js';

/**
 * The same pool, used outside of the transaction that is open where it is called: for what has to
 * last whatever becomes of that (an audit), and for what must not be in one (LISTEN, migrations).
 *
 * It takes connections of its own beside the transaction's.
 *
 * @publicApi
 */
export class PoolOutside {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** {@link Pool.query} */
  readonly query: Pool['query'] = ((...args: Parameters<Pool['query']>) =>
    this.#apart(() => this.#pool.query(...args))) as Pool['query'];

  /** {@link Pool.batch} */
  batch(...args: Parameters<Pool['batch']>): ReturnType<Pool['batch']> {
    return this.#apart(() => this.#pool.batch(...args));
  }

  /** {@link Pool.connect} */
  readonly connect: Pool['connect'] = ((...args: Parameters<Pool['connect']>) =>
    this.#apart(() => this.#pool.connect(...args))) as Pool['connect'];

  /** {@link Pool.acquire} */
  acquire(...args: Parameters<Pool['acquire']>): ReturnType<Pool['acquire']> {
    return this.#apart(() => this.#pool.acquire(...args));
  }

  /** {@link Pool.use} */
  readonly use: Pool['use'] = (work, options) => this.#apart(() => this.#pool.use(work, options));

  /** The one around may wait for whoever asks for another connection here. */
  #apart<T>(work: () => T): T {
    return within(this.#pool, { scope: frameOf(this.#pool)?.scope }, work);
  }
}
