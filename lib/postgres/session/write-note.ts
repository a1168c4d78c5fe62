/** The columns of an answer, as text. */
export type Columns = readonly (string | null)[];

/** Wants to know how far the server's log is when what somebody has written is in it. */
export interface WriteWitness {
  /** Asks for it; undefined where it is enough to know that something was written. */
  readonly question: string | undefined;
  /**
   * Something may have been written, and was committed, if it was.
   *
   * @param answer to the question; rejects where it cannot be had, undefined where it was not asked
   */
  wrote(answer: Columns | Promise<Columns> | undefined): void;
  /** Something may have been written on a connection whose borrower goes on with it. */
  writesOn(loan: object): void;
  /** That connection is on its way home; what was written on it comes by {@link wrote}. */
  leaves(loan: object): void;
}

/** Where a pool looks for who witnesses what its borrower writes; there is room for one. */
export interface WitnessSlot {
  /** Called in the async context of the borrower. */
  current: (() => WriteWitness | undefined) | undefined;
}

/**
 * Goes with a session from its hand-out until it is known what was written meanwhile. One for each
 * hand-out: whoever tells late tells nothing of the next.
 */
export class WriteNote {
  #isOpen = true;

  constructor(private readonly witness: WriteWitness) {}

  get question(): string | undefined {
    return this.witness.question;
  }

  /** Its borrower goes on, and may have written something by now. */
  held(): void {
    if (this.#isOpen) this.witness.writesOn(this);
  }

  /** What was written is in the log, if anything was. */
  tell(answer: Columns | Promise<Columns> | undefined): void {
    if (!this.#close()) return;
    this.witness.wrote(answer);
    this.witness.leaves(this);
  }

  /** The session can be asked no more. */
  lose(): void {
    this.tell(Promise.reject(new Error('the connection is gone')));
  }

  /** Nothing was written. */
  withdraw(): void {
    if (this.#close()) this.witness.leaves(this);
  }

  #close(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }
}

/** What a session was lent for has written nothing. */
export function withdrawNote(session: { note: WriteNote | undefined }): void {
  const { note } = session;
  session.note = undefined;
  note?.withdraw();
}
