import type { PoolName } from '../../nest/pool-names.js';

/**
 * Which pools a test rolls back.
 *
 * @publicApi
 */
export interface RollbackOptions {
  /** Their names. Default: all of the application but `admin`. */
  readonly pools?: readonly PoolName[] | undefined;

  /**
   * Pools that use the connection of another one in a test, although they lead elsewhere, as to a
   * standby, which cannot see what a test has written: `{ replica: 'primary' }`. Pools with the same
   * host, port, database and user share one in any case.
   */
  readonly through?: Readonly<Partial<Record<PoolName, PoolName>>> | undefined;
}
