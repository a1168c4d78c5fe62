/** Whose defaults a pool has: the module's pools by name, or a `new Pool()` without Nest. */
export type PoolKind = 'primary' | 'admin' | 'other' | 'standalone';

/** How often an application has a reason to set an option. */
export type OptionTier = 'essential' | 'often' | 'seldom';

/** What the table says about an option, whatever its values are. */
interface AnyRow {
  readonly tier: OptionTier;
  /** One line for the documentation. */
  readonly what: string;
  /** pg's names for it, each with the factor from pg's unit to ours. */
  readonly pgNames?: Readonly<Record<string, number>>;
  readonly default?: unknown;
  readonly defaultFor?: Readonly<Partial<Record<PoolKind, unknown>>>;
  readonly defaultOutsideProduction?: unknown;
  /** What applies instead of a default of ours, for the documentation. */
  readonly otherwise?: string;
}

export interface IntegerRow extends AnyRow {
  readonly kind: 'milliseconds' | 'count' | 'port';
  readonly minimum: number;
  readonly maximum?: number;
  /** Meaning of 0 where it has one of its own. */
  readonly zero?: string;
  /** Other spellings of 0. */
  readonly zeroAs?: readonly unknown[];
}

export interface ChoiceRow extends AnyRow {
  readonly kind: 'choice';
  readonly values: readonly string[];
  /** Whether a function is a choice, too. */
  readonly orFunction?: boolean;
}

interface PlainRow extends AnyRow {
  readonly kind:
    | 'boolean'
    | 'text'
    | 'host'
    | 'hosts'
    | 'statements'
    | 'function'
    | 'type parsers'
    | 'tls'
    | 'password'
    | 'connection string'
    | 'fallback';
}

/** A row of the option table. */
export type OptionRow = IntegerRow | ChoiceRow | PlainRow;

export function isIntegerRow(row: OptionRow): row is IntegerRow {
  return row.kind === 'milliseconds' || row.kind === 'count' || row.kind === 'port';
}

/** setTimeout waits at most this long; given more, it fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

export function maximumOf(row: IntegerRow): number | undefined {
  return row.maximum ?? (row.kind === 'milliseconds' ? LONGEST_TIMER_MS : undefined);
}

/** The default of an option for a pool of its kind; undefined when the table has none. */
export function defaultOf(row: OptionRow, kind: PoolKind, production = isProduction()): unknown {
  const forKind = row.defaultFor?.[kind];
  if (forKind !== undefined) return forKind;
  return production ? row.default : (row.defaultOutsideProduction ?? row.default);
}

function isProduction(): boolean {
  return process.env.NODE_ENV === 'production';
}
