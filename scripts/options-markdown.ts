import { inspect } from 'node:util';
import { OPTION_NAMES, OPTION_TABLE, pgNamesOf } from '../lib/postgres/options/option-table.js';
import type { OptionName } from '../lib/postgres/options/option-table.js';
import { isIntegerRow } from '../lib/postgres/options/option-row.js';
import type { OptionRow, OptionTier } from '../lib/postgres/options/option-row.js';

const TIERS: readonly { readonly tier: OptionTier; readonly title: string }[] = [
  { tier: 'essential', title: 'Essential: look at each of them once' },
  { tier: 'often', title: 'Often: when an application has a reason' },
  { tier: 'seldom', title: 'Seldom: the defaults are right for nearly everybody' },
];

const HEAD = ['Option', "pg's name", 'Default', 'Minimum', '0 means', 'Meaning'];

/** The options table of README.md, as prettier would write it. */
export function optionsMarkdown(): string {
  return TIERS.map(({ tier, title }) => `**${title}**\n\n${tableOf(tier)}`).join('\n\n');
}

function tableOf(tier: OptionTier): string {
  const names = OPTION_NAMES.filter((name) => OPTION_TABLE[name].tier === tier);
  const cells = [HEAD, ...names.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => widthOf(row, column))));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  const [head = [], ...rows] = cells;
  return [head, rule, ...rows].map(line).join('\n');
}

function widthOf(row: readonly string[], column: number): number {
  return (row[column] ?? '').length;
}

function rowOf(name: OptionName): string[] {
  const row = OPTION_TABLE[name];
  return [code(name), pgNameCell(name), defaultCell(row), ...limitCells(row), row.what];
}

function pgNameCell(name: OptionName): string {
  return Object.keys(pgNamesOf(name)).map(code).join(', ') || '-';
}

function limitCells(row: OptionRow): [minimum: string, zero: string] {
  if (!isIntegerRow(row)) return ['', ''];
  return [code(row.minimum), row.zero ?? (row.minimum > 0 ? 'not allowed' : '')];
}

function defaultCell(row: OptionRow): string {
  if (row.default === undefined) return row.otherwise ?? 'none';
  const exceptions = Object.entries(row.defaultFor ?? {}).map(
    ([role, value]) => `${role === 'standalone' ? '`new Pool()`' : code(role)}: ${literal(value)}`,
  );
  if (row.defaultOutsideProduction !== undefined) {
    exceptions.push(`outside production: ${literal(row.defaultOutsideProduction)}`);
  }
  const all = literal(row.default);
  return exceptions.length === 0 ? all : `${all} (${exceptions.join(', ')})`;
}

function literal(value: unknown): string {
  if (typeof value === 'object') return code(inspect(value));
  return code(typeof value === 'string' ? `'${value}'` : value);
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}
