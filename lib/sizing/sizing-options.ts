/** A number; as a string when it comes from the environment. */
type NumberOption = number | string | undefined;

/** What a server keeps its data on, as far as statements wait for it. */
export type Storage = 'memory' | 'ssd' | 'hdd';

/**
 * What a server can work on, for `max: 'auto'`, and for the check of the servers at start. The
 * server does not tell it: its cores and disks are not to be seen through a connection.
 *
 * @see docs/sizing.md
 * @publicApi
 */
export interface SizingOptions {
  /**
   * Cores of the database server, above 0: those there are, without hyper-threads. A vCPU of most
   * clouds is half a core. Required for `max: 'auto'`.
   */
  readonly databaseCores?: NumberOption;

  /**
   * What reads wait for. `'memory'`: nothing, the data in use fits the server's memory. `'ssd'`
   * (default): counted as one disk. `'hdd'`: `spindles` disks.
   */
  readonly storage?: Storage | undefined;

  /** Disks that work side by side, a whole number from 1. With `storage: 'hdd'`, and only there. */
  readonly spindles?: NumberOption;

  /** Processes of this application that run at once, at most; a whole number. Default 1, minimum 1. */
  readonly instances?: NumberOption;
}
