import { limitsOf, type StatementConfig } from '../postgres/session/statement-limits.js';

export function signalOf(statement: string | StatementConfig): AbortSignal | undefined {
  return typeof statement === 'string' ? undefined : limitsOf(statement)?.signal;
}

/**
 * A text with several statements cannot travel with BEGIN. With parameters it cannot be one; a
 * semicolon in a literal costs little.
 */
export function mayHoldSeveral(statement: string | StatementConfig, values: unknown): boolean {
  const config = typeof statement === 'string' ? { text: statement } : statement;
  const parameters = values ?? config.values;
  const isSimple = !config.name && !(Array.isArray(parameters) && parameters.length > 0);
  return isSimple && /;\s*\S/.test(config.text);
}
