import { beginText } from '../postgres/session/batch-statements.js';
import { encoded, type Prelude } from '../postgres/session/prelude-query.js';
import type { TransactionOptions, TransactionSettings } from './transaction-options.js';

/** There are as many as ways to begin a transaction, and each is sent over and over. */
const begins = new Map<string, Prelude>();

/** What is sent before the first statement of a transaction. */
export function beginning(options: TransactionOptions): Prelude[] {
  const text = beginText(options) + (options.deferrable ? ' DEFERRABLE' : '');
  let begin = begins.get(text);
  if (!begin) begins.set(text, (begin = encoded({ text })));
  return [begin, ...settingsOf(options.settings)];
}

/** Parameters and not text: a value is data, whatever stands in it. */
export function settingsOf(settings: TransactionSettings | undefined = {}): Prelude[] {
  return Object.entries(settings).map(([name, value]) => ({
    text: 'SELECT set_config($1, $2, true)',
    values: [name, String(value)],
  }));
}
