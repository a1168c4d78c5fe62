import type { OnInterrupt } from './interruption.js';
import { SavepointSettings } from './savepoint-settings.js';
import { Scope, type ScopeParts } from './scope.js';

/** What comes after a savepoint: undone, it leaves the rest of the transaction as it was. */
export class NestedScope extends Scope {
  readonly #name: string;
  readonly #settings: SavepointSettings;
  #turn: Promise<unknown> | undefined;
  #hasEntered = false;
  #ended!: () => void;

  constructor(
    parts: ScopeParts,
    readonly outer: Scope,
  ) {
    super(parts, outer.transaction, outer.token);
    this.#name = this.transaction.statements.nextSavepoint();
    this.#settings = new SavepointSettings(parts.options.settings);
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
    this.transaction.statements.precede({ text: `SAVEPOINT ${this.#name}` }, ...this.#settings.set);
  };

  interrupt(error: Error): void {
    this.outer.interrupt(error);
  }

  readonly onInterrupt: OnInterrupt = (tell) => this.outer.onInterrupt(tell);

  /** Whether the server knows of it. */
  get hasSent(): boolean {
    return this.#hasEntered;
  }

  /** What was done stays part of the transaction. The rest is sent with the next statement. */
  release(): void {
    if (!this.#hasEntered) return;
    const release = { text: `RELEASE SAVEPOINT ${this.#name}` };
    this.transaction.statements.precede(release, ...this.#settings.restore);
  }

  async rollBack(): Promise<void> {
    if (this.#hasEntered) await this.transaction.rollbackTo(this.#name);
  }

  /** The next sibling, and the outer scope's statements, may go on. */
  end(): void {
    this.#ended();
  }
}
