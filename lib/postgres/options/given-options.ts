import { nearestName } from './nearest-name.js';
import { OPTION_NAMES, OPTION_TABLE, pgNamesOf } from './option-table.js';
import type { OptionName } from './option-table.js';
import { pgMeaning } from './pg-meaning.js';
import type { PoolOptions } from './pool-options.js';

/** An option as it was written. */
export interface GivenOption {
  readonly name: OptionName;
  /** The name that was used for it. */
  readonly as: string;
  /** Factor from the unit of that name to ours. */
  readonly factor: number;
  readonly value: unknown;
}

const EVERY_NAME: readonly string[] = OPTION_NAMES.flatMap((name) => spellingsOf(name));

/** What other libraries call our options, in small letters: no misspelling leads from one to the other. */
const ELSEWHERE: ReadonlyMap<string, OptionName> = new Map([
  ['url', 'connectionString'],
  ['uri', 'connectionString'],
  ['dsn', 'connectionString'],
  ['hostname', 'host'],
  ['db', 'database'],
  ['dbname', 'database'],
  ['username', 'user'],
  ['pass', 'password'],
  ['passwd', 'password'],
  ['size', 'max'],
  ['poolsize', 'max'],
  ['connectionlimit', 'max'],
]);

/** The spellings of one option that carry a value; more than one is a contradiction. */
export function givenAs(options: PoolOptions, name: OptionName, strict: boolean): GivenOption[] {
  const pgNames = pgNamesOf(name);
  return spellingsOf(name).flatMap((as) => {
    if (!(as in options)) return [];
    const written: unknown = options[as as keyof PoolOptions];
    const isPgs = Object.hasOwn(pgNames, as);
    const value = isPgs && !strict ? pgMeaning(OPTION_TABLE[name], written) : written;
    // An unset variable behind connectionString is a mistake; behind others it means the default.
    const counts = value !== undefined || (strict && name === 'connectionString');
    return counts ? [{ name, as, factor: pgNames[as] ?? 1, value }] : [];
  });
}

/** Whether a pool has an option of this name, in our words or in pg's. */
export function isPoolOption(name: string): boolean {
  return EVERY_NAME.includes(name);
}

/** Names that no option has, each with the one that was likely meant. */
export function unknownNames(
  options: PoolOptions,
): { readonly name: string; readonly nearest: string | undefined }[] {
  return Object.keys(options)
    .filter((name) => !isPoolOption(name))
    .map((name) => ({ name, nearest: meantBy(name) }));
}

function meantBy(name: string): string | undefined {
  return ELSEWHERE.get(name.toLowerCase()) ?? nearestName(name, EVERY_NAME);
}

function spellingsOf(name: OptionName): string[] {
  return [...new Set([name, ...Object.keys(pgNamesOf(name))])];
}
