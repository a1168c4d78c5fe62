import { connectionStringFault } from './connection-string.js';
import { readHosts } from './host-list.js';
import { isIntegerRow, maximumOf } from './option-row.js';
import type { IntegerRow, OptionRow } from './option-row.js';

const LONGEST_ECHO = 40;

/**
 * A wrong value as a message may show it. A string in the place of a secret is never shown, nor is
 * a URL anywhere: one that strayed into another option still holds its password.
 */
export function describeGiven(value: unknown, row: OptionRow): string {
  switch (typeof value) {
    case 'string':
      return describeString(value, row);
    case 'number':
    case 'boolean':
    case 'undefined':
      return isSecret(row) && value !== undefined ? `a ${typeof value}` : String(value);
    case 'object':
      if (value === null) return 'null';
      if (row.kind === 'hosts') return readHosts(value).fault ?? 'a list';
      return Array.isArray(value) ? 'a list' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

function describeString(value: string, row: OptionRow): string {
  if (value.trim() === '') return 'empty';
  if (row.kind === 'connection string') return connectionStringFault(value) ?? 'a string';
  if (value.includes('://')) return 'a URL';
  if (isSecret(row)) return 'a string';
  if (row.kind === 'hosts') return 'a text';
  return value.length > LONGEST_ECHO ? `'${value.slice(0, LONGEST_ECHO)}...'` : `'${value}'`;
}

function isSecret({ kind }: OptionRow): boolean {
  return kind === 'password' || kind === 'connection string' || kind === 'tls';
}

/** What an option takes, as the end of a sentence. `factor` leads from the unit of the name used. */
export function describeAllowed(row: OptionRow, factor: number): string {
  if (isIntegerRow(row)) return describeRange(row, factor);
  switch (row.kind) {
    case 'choice':
      return [
        ...row.values.map((value) => `'${value}'`),
        ...(row.orFunction ? ['a function'] : []),
      ].join(' or ');
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'text that is not empty';
    case 'host':
      return 'the name of a host (a URL goes into connectionString)';
    case 'hosts':
      return "a list of hosts, each as 'db1', 'db1:5432', '[::1]:5432' or { host, port }";
    case 'statements':
      return 'a statement, or a list of statements, none of them empty';
    case 'function':
      return 'a function or a class';
    case 'type parsers':
      return 'an object with a function getTypeParser';
    case 'fallback':
      return '{ share: 0.2 } above 0 and up to 1, { max: 2 } of at least 1, or false';
    case 'tls':
      return "true, false, 'no-verify', or an object of TLS options";
    case 'password':
      return 'text that is not empty, or a function that returns it';
    case 'connection string':
      return (
        'postgres://user:password@host:5432/database with special characters percent-encoded,' +
        ' or leave the key out (pg would silently connect to localhost)'
      );
  }
}

function describeRange(row: IntegerRow, factor: number): string {
  const maximum = maximumOf(row);
  const range =
    maximum === undefined
      ? `of at least ${row.minimum}`
      : `from ${row.minimum} to ${Math.floor(maximum / factor)}`;
  const meaningOfZero = row.zero === undefined ? '' : ` (0: ${row.zero})`;
  return `${describeNumber(row, factor)} ${range}${meaningOfZero}`;
}

function describeNumber({ kind }: IntegerRow, factor: number): string {
  if (kind !== 'milliseconds') return 'a whole number';
  return factor === 1 ? 'a whole number of milliseconds' : 'a number of seconds';
}
