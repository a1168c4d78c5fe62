import type { PoolKind } from '../../postgres/options/option-row.js';
import type { PoolOptions } from '../../postgres/options/pool-options.js';
import type { OptionOrigins } from '../../postgres/options/resolve-context.js';
import type { ServerSizing } from '../../sizing/server-sizing.js';

/** One pool as it is about to be made. */
export interface PoolDefinition {
  readonly name: string;
  readonly kind: PoolKind;
  readonly options: PoolOptions;
  readonly origins: OptionOrigins;
  /** The pool whose address it uses; undefined when it has one of its own. */
  readonly addressFrom: string | undefined;
  /** Its options with the address of the primary, for a pool of replicas of that; else undefined. */
  readonly atPrimary?: PoolOptions | undefined;
  /** How its servers are divided; undefined where nobody said what they can work on. */
  readonly sizing?: readonly ServerSizing[];
  /** How many instances of the application are declared for its server. */
  readonly instances?: number;
}
