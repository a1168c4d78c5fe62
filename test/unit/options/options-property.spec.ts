import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isIntegerRow, maximumOf } from '../../../lib/postgres/options/option-row.js';
import type { IntegerRow } from '../../../lib/postgres/options/option-row.js';
import {
  OPTION_NAMES,
  OPTION_TABLE,
  isConnectionOption,
} from '../../../lib/postgres/options/option-table.js';
import type { OptionName } from '../../../lib/postgres/options/option-table.js';
import { refusalOf, standalone, strictly } from './strictly.js';

const INTEGERS = OPTION_NAMES.filter((name) => isIntegerRow(OPTION_TABLE[name]));

/** Values that no option of the kind takes. */
function wrongValueOf(name: OptionName): fc.Arbitrary<unknown> {
  const row = OPTION_TABLE[name];
  const never = fc.constantFrom<unknown>(null, Symbol('x'), 5n, '', ' ');
  if (!isIntegerRow(row)) return never;
  return fc.oneof(
    never,
    fc.constantFrom<unknown>(NaN, -Infinity, 'ten', '1e3', '2,5', true, {}, [], () => 1),
    fc.integer({ max: row.minimum - 1 }),
    fc.integer({ max: row.minimum - 1 }).map(String),
    fc.integer({ min: 1, max: 1_000 }).map((whole) => whole + 0.5),
    fc.constant((maximumOf(row) ?? Number.MAX_SAFE_INTEGER) + 1),
  );
}

function rightValueOf(row: IntegerRow): fc.Arbitrary<number> {
  return fc.integer({ min: row.minimum, max: Math.min(maximumOf(row) ?? 1_000, 0x7fffffff) });
}

const someNames = fc.uniqueArray(fc.constantFrom(...OPTION_NAMES), { minLength: 1 });

function valuesFor(
  names: readonly OptionName[],
  valueOf: (name: OptionName) => fc.Arbitrary<unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(names.map((name) => [name, valueOf(name)])));
}

describe('any options', () => {
  it('that are wrong are reported once each, all at once', () => {
    const wrong = someNames.chain((names) => valuesFor(names, wrongValueOf));
    fc.assert(
      fc.property(wrong, (options) => {
        const { problems, message } = refusalOf(() => strictly(options));
        expect(problems.map(({ option }) => option).toSorted()).toEqual(
          Object.keys(options).toSorted(),
        );
        for (const name of Object.keys(options)) {
          expect(message.split(`- orders.${name} is `)).toHaveLength(2);
        }
      }),
    );
  });

  it('that are unknown are reported beside wrong ones', () => {
    const unknown = fc.uniqueArray(fc.stringMatching(/^x_[a-z]{3,9}$/), { minLength: 1 });
    fc.assert(
      fc.property(unknown, (names) => {
        const options = { max: -1, ...Object.fromEntries(names.map((name) => [name, 1])) };
        const { problems } = refusalOf(() => strictly(options));
        expect(problems.map(({ option }) => option).toSorted()).toEqual(
          ['max', ...names].toSorted(),
        );
      }),
    );
  });

  it('that are numbers mean the same as strings', () => {
    const independent = INTEGERS.filter(
      (name) => !['min', 'keepaliveMs', 'reclaimAfterMs'].includes(name),
    );
    const right = fc
      .subarray(independent)
      .chain((names) => valuesFor(names, (name) => rightValueOf(OPTION_TABLE[name] as IntegerRow)));
    fc.assert(
      fc.property(right, (numbers) => {
        const strings = Object.fromEntries(
          Object.entries(numbers).map(([name, value]) => [name, String(value)]),
        );
        const resolved = strictly(numbers);
        expect(strictly(strings)).toEqual(resolved);
        for (const [name, value] of Object.entries(numbers)) {
          const place = isConnectionOption(name as OptionName) ? resolved.connection : resolved;
          expect(place).toHaveProperty(name, value);
        }
      }),
    );
  });

  it('never make the reader fail in another way than by its own error', () => {
    const anything = fc.dictionary(fc.constantFrom(...OPTION_NAMES, 'xyz'), fc.anything());
    fc.assert(
      fc.property(anything, fc.boolean(), (options, strict) => {
        const read = strict ? strictly : standalone;
        try {
          read(options);
        } catch (error) {
          expect(error).toHaveProperty('code', 'POOL_INVALID_OPTIONS');
        }
      }),
    );
  });
});
