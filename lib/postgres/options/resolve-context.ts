import type { PoolKind } from './option-row.js';
import type { OptionName } from './option-table.js';

/** Environment variables behind options, as `{ max: 'POOL_PRIMARY_MAX' }`; messages name them. */
export type OptionOrigins = Readonly<Partial<Record<OptionName, string>>>;

export interface ResolveContext {
  /** Refuse unknown names and empty values; false for a `new Pool()`, which reads them as pg does. */
  readonly strict: boolean;
  /** Whose defaults apply. */
  readonly defaults: PoolKind;
  readonly origins?: OptionOrigins;
  /** Default: whether NODE_ENV is `production`. */
  readonly production?: boolean;
}
