import { describe, expect, it } from '@jest/globals';
import { isIntegerRow, maximumOf } from '../../../lib/postgres/options/option-row.js';
import type { OptionName } from '../../../lib/postgres/options/option-table.js';
import {
  OPTION_NAMES,
  OPTION_TABLE,
  pgNamesOf,
} from '../../../lib/postgres/options/option-table.js';
import { WRONG, readValue } from '../../../lib/postgres/options/read-value.js';
import { optionsMarkdown } from '../../../scripts/options-markdown.js';

const rows = OPTION_NAMES.map((name) => [name, OPTION_TABLE[name]] as const);

describe('the option table', () => {
  it.each(rows)('%s accepts its own defaults', (_, row) => {
    const defaults = [
      row.default,
      row.defaultOutsideProduction,
      ...Object.values(row.defaultFor ?? {}),
    ].filter((value) => value !== undefined);
    for (const value of defaults) expect(readValue(row, value, 1)).toBe(value);
  });

  it.each(rows.filter(([, row]) => isIntegerRow(row)))(
    '%s accepts no more than its range',
    (_, row) => {
      if (!isIntegerRow(row)) throw new Error('not an integer');
      expect(readValue(row, row.minimum, 1)).toBe(row.minimum);
      expect(readValue(row, row.minimum - 1, 1)).toBe(WRONG);
      const maximum = maximumOf(row) ?? Number.MAX_SAFE_INTEGER;
      expect(readValue(row, maximum, 1)).toBe(maximum);
      expect(readValue(row, maximum + 1, 1)).toBe(WRONG);
    },
  );

  it.each(rows.filter(([, row]) => isIntegerRow(row) && row.minimum === 0))(
    '%s tells what 0 means',
    (_, row) => {
      expect(row).toHaveProperty('zero');
    },
  );

  it('gives every name to one option alone', () => {
    const names = OPTION_NAMES.flatMap((name: OptionName) => [
      ...new Set([name, ...Object.keys(pgNamesOf(name))]),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rows)('%s is described by one sentence', (_, row) => {
    expect(row.what).toMatch(/^[^\n|]+\.$/);
  });

  it.each(OPTION_NAMES)('%s stands once in the documentation', (name) => {
    const lines = optionsMarkdown().split('\n');
    expect(lines.filter((line) => line.startsWith(`| \`${name}\` `))).toHaveLength(1);
  });
});
