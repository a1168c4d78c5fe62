import { beginText } from '../postgres/session/batch-statements.js';
import { ownStatement } from '../postgres/session/own-statement.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Prelude } from '../postgres/session/prelude-query.js';
import type { TransactionOptions, TransactionSettings } from './transaction-options.js';

/** What is sent before the first statement of a transaction. */
export function beginning(options: TransactionOptions): Prelude[] {
  const text = beginText(options) + (options.deferrable ? ' DEFERRABLE' : '');
  const begin = { text, messages: ownStatement(text) };
  return options.settings ? [begin, ...settingsOf(options.settings)] : [begin];
}

/** Behind BEGIN, the limits that a pooler has kept the session from being told. */
export function withLimits(
  preludes: readonly Prelude[],
  session: PostgresSession | undefined,
): readonly Prelude[] {
  const [begin, ...others] = preludes;
  const { pooler } = session ?? {};
  return pooler && begin ? [begin, ...pooler.preludes, ...others] : preludes;
}

/** Parameters and not text: a value is data, whatever stands in it. */
export function settingsOf(settings: TransactionSettings | undefined = {}): Prelude[] {
  return Object.entries(settings).map(([name, value]) => ({
    text: 'SELECT set_config($1, $2, true)',
    values: [name, String(value)],
  }));
}
