import { inspect } from 'node:util';
import type { SizingOptions, Storage } from './sizing-options.js';

/** Sizing options after reading. */
export interface Sizing {
  /** Undefined where nobody said it: then there is no formula. */
  readonly databaseCores: number | undefined;
  readonly storage: Storage;
  /** Effective spindles: what the formula adds. */
  readonly spindles: number;
  /** Undefined where nobody said it. */
  readonly instances: number | undefined;
}

/** What is wrong with one of them; begins with its name. */
export interface SizingProblem {
  /** `sizing` where it is no object at all. */
  readonly option: string;
  readonly message: string;
}

interface NumberRule {
  readonly allowed: string;
  readonly fits: (value: number) => boolean;
}

const WHOLE: NumberRule = {
  allowed: 'a whole number of at least 1',
  fits: (value) => Number.isInteger(value) && value >= 1 && value <= 1_000_000,
};

const NUMBERS = {
  databaseCores: {
    allowed: 'a number of cores above 0, at most 10000',
    fits: (value) => value > 0 && value <= 10_000,
  },
  spindles: WHOLE,
  instances: WHOLE,
} satisfies Readonly<Record<string, NumberRule>>;

const STORAGES: readonly unknown[] = ['memory', 'ssd', 'hdd'] satisfies Storage[];

const OPTIONS: readonly string[] = [...Object.keys(NUMBERS), 'storage'];

/**
 * Reads sizing options one by one.
 *
 * @returns everything that is wrong with them; empty when nothing is
 */
export function sizingProblems(given: unknown): SizingProblem[] {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const message = `sizing is ${shown(given)}; give an object, as { databaseCores: 8 }`;
    return [{ option: 'sizing', message }];
  }
  const options = given as SizingOptions;
  return [
    ...Object.keys(options)
      .filter((name) => !OPTIONS.includes(name))
      .map((name) => unknownOption(name)),
    ...Object.entries(NUMBERS).flatMap(([name, rule]) =>
      wrongNumber(name as keyof typeof NUMBERS, options, rule),
    ),
    ...wrongStorage(options),
  ];
}

/**
 * Puts right options together; what a later one says replaces what an earlier one said.
 *
 * @returns the reason why they contradict each other, where they do
 */
export function mergedSizing(...layers: readonly (SizingOptions | undefined)[]): Sizing | string {
  const all = layers.reduce<SizingOptions>((under, over) => laidOver(under, over ?? {}), {});
  const { storage = 'ssd', spindles } = all;
  if (storage === 'hdd' && spindles === undefined) {
    return "storage is 'hdd', but spindles is missing; say how many disks work side by side";
  }
  if (storage !== 'hdd' && spindles !== undefined) {
    return `spindles is given, but storage is '${storage}', which has none; spindles are for 'hdd'`;
  }
  return {
    databaseCores: numberOf(all.databaseCores),
    storage,
    spindles: { memory: 0, ssd: 1, hdd: numberOf(spindles) ?? 0 }[storage],
    instances: numberOf(all.instances),
  };
}

function unknownOption(name: string): SizingProblem {
  return { option: name, message: `${name} is not an option; there are ${OPTIONS.join(', ')}` };
}

function wrongNumber(
  option: keyof typeof NUMBERS,
  options: SizingOptions,
  { allowed, fits }: NumberRule,
): SizingProblem[] {
  const given: unknown = options[option];
  if (given === undefined || fits(numberOf(given) ?? NaN)) return [];
  return [{ option, message: `${option} is ${shown(given)}; give ${allowed}` }];
}

function wrongStorage({ storage }: SizingOptions): SizingProblem[] {
  if (storage === undefined || STORAGES.includes(storage)) return [];
  const message = `storage is ${shown(storage)}; give 'memory' or 'ssd' or 'hdd'`;
  return [{ option: 'storage', message }];
}

/** Decimal notation alone: Number() would read '' as 0. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Whoever names another storage does not mean the disks of the one before. */
function laidOver(under: SizingOptions, over: SizingOptions): SizingOptions {
  const { spindles: _, ...rest } = under;
  const said = Object.entries(over).filter(([, value]) => value !== undefined);
  return { ...(over.storage === undefined ? under : rest), ...Object.fromEntries(said) };
}

/** Whatever was put there; a URL that strayed here would hold a password. */
function shown(value: unknown): string {
  if (typeof value === 'string' && (value.includes('://') || value.length > 40)) return 'a text';
  return typeof value === 'object' && value !== null ? 'an object' : inspect(value, { depth: 0 });
}
