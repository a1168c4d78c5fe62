import type { OpenPart } from '../../transaction/call.js';
import { orInterrupted } from '../../transaction/interruption.js';
import { PendingEnd } from './pending-end.js';

type Step = Promise<IteratorResult<unknown>>;

/** Steps of an async iterator inside of a transaction, which ends with the last one. */
export function adoptIterator(source: AsyncIterable<unknown>, part: OpenPart): AdoptedIterator {
  return new AdoptedIterator(source, part);
}

class AdoptedIterator implements AsyncIterableIterator<unknown, unknown> {
  readonly #end: PendingEnd;
  readonly #source: AsyncIterator<unknown>;

  constructor(source: AsyncIterable<unknown>, part: OpenPart) {
    this.#end = new PendingEnd(part, 'begun to iterate');
    this.#source = source[Symbol.asyncIterator]();
  }

  async next(value?: unknown): Step {
    this.#end.begin();
    return await this.#step(() => this.#source.next(value));
  }

  /** Leaves early. What the source does at that, in a `finally` block, is part of it. */
  async return(value?: unknown): Step {
    const left = await this.#take(async () => {
      return (await this.#source.return?.(value)) ?? { done: true, value };
    });
    if (left.done && this.#end.claim()) await this.#end.abandon('it was left early', false);
    return left;
  }

  async throw(error?: unknown): Step {
    return await this.#step(async () => {
      if (this.#source.throw) return await this.#source.throw(error);
      throw error;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #step(move: () => Step): Step {
    const result = await this.#take(move);
    if (result.done && this.#end.claim()) await this.#end.succeed();
    return result;
  }

  async #take(move: () => Step): Step {
    const { inside, onInterrupt } = this.#end;
    try {
      return await orInterrupted(inside(move), onInterrupt);
    } catch (error) {
      if (this.#end.claim()) await this.#end.fail(error);
      throw error;
    }
  }
}
