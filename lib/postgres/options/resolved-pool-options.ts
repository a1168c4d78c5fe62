import type { ConnectionConfig } from './connection-config.js';
import type { OptionName, ConnectionOptionName } from './option-table.js';
import type { HostAddress } from './host-list.js';
import type { PoolOptions } from './pool-options.js';
import type { ServerRole } from './server-choice.js';

type PoolOptionName = Exclude<OptionName, ConnectionOptionName>;

/** An option as it is after reading: no string for a number or a switch, no list or single one. */
type Resolved<Value> = number extends Value
  ? number
  : false extends Value
    ? boolean
    : Value extends string
      ? Value
      : never;

/** Options that may stay without a value, because there is nothing to put in their place. */
type HookName = 'onConnect' | 'evictOn' | 'Client' | 'verify' | 'log' | 'preset';

type SettingName = Exclude<
  PoolOptionName,
  HookName | 'initSql' | 'reset' | 'fallback' | 'hosts' | 'role'
>;

/**
 * The options of one pool, checked and complete, every one by its one name and in its one unit.
 * Frozen. See {@link PoolOptions} for what each of them means.
 */
export type ResolvedPoolOptions = {
  readonly [Name in SettingName]: Resolved<NonNullable<PoolOptions[Name]>>;
} & {
  readonly [Name in HookName]: PoolOptions[Name];
} & {
  /** Name of the pool. */
  readonly name: string;
  /** What `pg.Client` is made with. Its secrets are not enumerable. */
  readonly connection: ConnectionConfig;
  /**
   * The servers to choose from, at least one: where a single one is given in the way of pg, the
   * address that pg would use at the time of reading.
   */
  readonly hosts: readonly HostAddress[];
  /** What a server has to be; undefined: it is not asked. */
  readonly role: ServerRole | undefined;
  /** Statements for every new connection; empty when there are none. */
  readonly initSql: readonly string[];
  readonly reset: NonNullable<PoolOptions['reset']>;
  readonly fallback: NonNullable<PoolOptions['fallback']>;
  /** Sentences about options that are ignored, or likely mean something else, for the log. */
  readonly warnings: readonly string[];
};
