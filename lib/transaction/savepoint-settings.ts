import type { Prelude } from '../postgres/session/prelude-query.js';
import { settingsOf } from './begin.js';
import type { TransactionSettings } from './transaction-options.js';

/**
 * The settings of what stands behind a savepoint. PostgreSQL would keep them beyond its RELEASE: what
 * they were is put back then.
 */
export class SavepointSettings {
  readonly #wanted: readonly Prelude[];
  readonly #before = new Map<string, string | null>();

  constructor(settings: TransactionSettings | undefined) {
    this.#wanted = settingsOf(settings);
  }

  /** Notes what is there, and sets them. */
  get set(): Prelude[] {
    return [...this.#wanted.map((setting) => this.#noteBefore(setting)), ...this.#wanted];
  }

  /** Puts back what was there. */
  get restore(): Prelude[] {
    return Array.from(this.#before, ([name, value]) => ({
      text: 'SELECT set_config($1, $2, true)',
      values: [name, value ?? ''],
    }));
  }

  #noteBefore({ values }: Prelude): Prelude {
    const name = values![0]!;
    return {
      text: 'SELECT current_setting($1, true)',
      values: [name],
      row: ([value]) => this.#before.set(name, value ?? null),
    };
  }
}
