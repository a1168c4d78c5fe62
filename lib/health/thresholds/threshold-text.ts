/** A piece of a written threshold. */
export interface Word {
  readonly kind: 'word' | 'number' | 'sign';
  readonly text: string;
  /** Where it begins, counted from 1. */
  readonly at: number;
}

/** A number and its unit may stand together, as in `50ms`. */
const WORDS = /([a-z_][a-z0-9_]*)|(\d+(?:\.\d+)?|\.\d+)|([<>]=?|\S)/gi;

/** Reads a written threshold from left to right, and says where it stops making sense. */
export class ThresholdText {
  readonly #words: readonly Word[];
  #next = 0;

  /** @param refuse makes the error to throw */
  constructor(
    private readonly given: string,
    private readonly refuse: (message: string) => Error,
  ) {
    this.#words = Array.from(given.matchAll(WORDS), ({ 0: text, 1: word, 2: number, index }) => ({
      kind: kindOf(word, number),
      text,
      at: index + 1,
    }));
  }

  /** @param wanted what is allowed here, for the error */
  take(wanted: string, fits: (word: Word) => boolean): Word {
    const word = this.#words[this.#next];
    if (!word || !fits(word)) return this.refuseAt(word, wanted);
    this.#next += 1;
    return word;
  }

  takeIf(text: string): boolean {
    const isThere = this.#words[this.#next]?.text.toLowerCase() === text;
    if (isThere) this.#next += 1;
    return isThere;
  }

  takeWhile(fits: (word: Word) => boolean): Word[] {
    const from = this.#next;
    while (this.#words[this.#next] && fits(this.#words[this.#next]!)) this.#next += 1;
    return this.#words.slice(from, this.#next);
  }

  end(wanted: string): void {
    const word = this.#words[this.#next];
    if (word) this.refuseAt(word, wanted);
  }

  refuseAt(word: Word | undefined, wanted: string): never {
    const place = word ? `at "${word.text}" (character ${word.at})` : 'at its end';
    throw this.refuse(`${JSON.stringify(this.given)}: ${place} it needs ${wanted}`);
  }
}

function kindOf(word: string | undefined, number: string | undefined): Word['kind'] {
  if (word !== undefined) return 'word';
  return number === undefined ? 'sign' : 'number';
}
