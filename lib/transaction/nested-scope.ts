import type { Prelude } from '../postgres/session/prelude-query.js';
import { settingsOf } from './begin.js';
import type { OnInterrupt } from './interruption.js';
import { Scope, type ScopeParts } from './scope.js';

/** What comes after a savepoint: undone, it leaves the rest of the transaction as it was. */
export class NestedScope extends Scope {
  readonly #name: string;
  readonly #before = new Map<string, string | null>();
  #turn: Promise<unknown> | undefined;
  #hasEntered = false;
  #ended!: () => void;

  constructor(
    parts: ScopeParts,
    readonly outer: Scope,
  ) {
    super(parts, outer.transaction, outer.token);
    this.#name = this.transaction.statements.nextSavepoint();
    this.#turn = outer.admit(new Promise((resolve) => (this.#ended = resolve)));
  }

  /** Its statements wait until the siblings before it are through. */
  whenReady(send: () => void): void {
    this.outer.whenReady(() => {
      const go = (): void => {
        this.#turn = undefined;
        send();
      };
      if (this.#turn) void this.#turn.then(go);
      else go();
    });
  }

  /**
   * The savepoint travels with the first statement, and not before: what the outer scope has asked
   * for may still be waiting to be sent, and is not to be undone with this.
   */
  readonly enter = (): void => {
    this.outer.enter();
    if (this.#hasEntered) return;
    this.#hasEntered = true;
    const settings = settingsOf(this.parts.options.settings);
    this.transaction.statements.precede(
      { text: `SAVEPOINT ${this.#name}` },
      ...settings.map((s) => this.#noteBefore(s)),
      ...settings,
    );
  };

  interrupt(error: Error): void {
    this.outer.interrupt(error);
  }

  readonly onInterrupt: OnInterrupt = (tell) => this.outer.onInterrupt(tell);

  /** PostgreSQL would keep a setting beyond RELEASE: what it was is put back then. */
  #noteBefore({ values }: Prelude): Prelude {
    const name = values![0]!;
    return {
      text: 'SELECT current_setting($1, true)',
      values: [name],
      row: ([value]) => this.#before.set(name, value ?? null),
    };
  }

  /** Whether the server knows of it. */
  get hasSent(): boolean {
    return this.#hasEntered;
  }

  /** What was done stays part of the transaction. The rest is sent with the next statement. */
  release(): void {
    if (!this.#hasEntered) return;
    const restored = Array.from(this.#before, ([name, value]) => ({
      text: 'SELECT set_config($1, $2, true)',
      values: [name, value ?? ''],
    }));
    this.transaction.statements.precede({ text: `RELEASE SAVEPOINT ${this.#name}` }, ...restored);
  }

  async rollBack(): Promise<void> {
    if (this.#hasEntered) await this.transaction.rollbackTo(this.#name);
  }

  /** The next sibling, and the outer scope's statements, may go on. */
  end(): void {
    this.#ended();
  }
}
