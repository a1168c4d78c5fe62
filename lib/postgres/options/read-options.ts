import { shownName } from '../../errors/shown-name.js';
import { givenAs, unknownNames } from './given-options.js';
import type { GivenOption } from './given-options.js';
import type { OptionFindings } from './option-findings.js';
import { defaultOf } from './option-row.js';
import { OPTION_NAMES, OPTION_TABLE } from './option-table.js';
import type { OptionName } from './option-table.js';
import type { PoolOptions } from './pool-options.js';
import { presetDefault } from './presets.js';
import { WRONG, readValue } from './read-value.js';
import type { ResolveContext } from './resolve-context.js';
import { describeAllowed, describeGiven } from './value-texts.js';

/** Options one by one: each is right alone, whether they fit together is still open. */
export interface ReadOptions {
  /** Right values and defaults, in our units. An option that was refused is missing. */
  readonly values: ReadonlyMap<OptionName, unknown>;
  /** How the options that were given are called in messages. */
  readonly labels: ReadonlyMap<OptionName, string>;
}

/** Reads every option on its own and reports what is wrong with it. */
export function readOptions(
  options: PoolOptions,
  { strict, defaults, origins = {}, production }: ResolveContext,
  findings: OptionFindings,
): ReadOptions {
  const values = new Map<OptionName, unknown>();
  const labels = new Map<OptionName, string>();

  for (const { name: written, nearest } of unknownNames(options)) {
    const name = shownName(written);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    findings.object(name, `${name} is not an option${hint}`);
  }

  for (const name of OPTION_NAMES) {
    const spellings = givenAs(options, name, strict);
    const [given] = spellings;
    if (given === undefined) {
      const own = defaultOf(OPTION_TABLE[name], defaults, production);
      values.set(name, presetDefault(options, name) ?? own);
    } else if (spellings.length > 1) {
      findings.refuse(name, refusalOfTwoNames(spellings));
    } else {
      const label = origins[name] === undefined ? given.as : `${given.as} (${origins[name]})`;
      const value = readValue(OPTION_TABLE[name], given.value, given.factor);
      if (value === WRONG) findings.refuse(given.as, refusalOfValue(label, given));
      else values.set(name, value);
      labels.set(name, label);
    }
  }
  return { values, labels };
}

function refusalOfTwoNames(spellings: readonly GivenOption[]): string {
  const names = spellings.map(({ as }) => as);
  return `${names.join(' and ')} are names of the same option; keep one of them`;
}

function refusalOfValue(label: string, { name, value, factor }: GivenOption): string {
  const row = OPTION_TABLE[name];
  return `${label} is ${describeGiven(value, row)}; give ${describeAllowed(row, factor)}`;
}
