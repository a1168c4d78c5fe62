import type { Prelude } from '../postgres/session/prelude-query.js';
import type { TransactionOptions, TransactionSettings } from './transaction-options.js';

/** What is sent before the first statement of a transaction. */
export function beginning(options: TransactionOptions): Prelude[] {
  return [{ text: beginText(options) }, ...settingsOf(options.settings)];
}

function beginText({ isolation, readOnly, deferrable }: TransactionOptions): string {
  const words = ['BEGIN'];
  if (isolation !== undefined) words.push(`ISOLATION LEVEL ${isolation.toUpperCase()}`);
  if (readOnly !== undefined) words.push(readOnly ? 'READ ONLY' : 'READ WRITE');
  if (deferrable) words.push('DEFERRABLE');
  return words.join(' ');
}

/** Parameters and not text: a value is data, whatever stands in it. */
export function settingsOf(settings: TransactionSettings | undefined = {}): Prelude[] {
  return Object.entries(settings).map(([name, value]) => ({
    text: 'SELECT set_config($1, $2, true)',
    values: [name, String(value)],
  }));
}
