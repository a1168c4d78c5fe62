import { TransactionTimeoutError } from '../errors/transaction-timeout.error.js';
import type { Pool } from '../postgres/pool/pool.js';
import { orInterrupted } from './interruption.js';
import type { Participation } from './participation.js';
import { pause } from './pause.js';
import type { PoolGroup } from './pool-group.js';
import { participate } from './propagation.js';
import { isWorthRetrying, pauseBeforeRetry } from './retry.js';
import type { TransactionOptions } from './transaction-options.js';

/** A part in a transaction whose end is still to come, and whose it is. */
export interface OpenPart {
  readonly participation: Participation;
  readonly pool: Pool;
  readonly label: string;
}

/**
 * Takes over a result whose work goes on after it was returned, and with it the end of the part:
 * whoever adopts tells it. Called inside of the part.
 *
 * @returns what is handed out instead; undefined for every other result
 */
export type Adopt = (result: unknown, part: OpenPart) => unknown;

export type Work = (participation: Participation) => unknown;

/** One run of the work, begun. */
interface Attempt {
  readonly participation: Participation;
  /** A promise of what the work will have returned, or of why there is nothing. */
  pending: PromiseLike<unknown> | undefined;
  /** What it has returned. */
  result: unknown;
  /** What is handed out of a result that goes on; undefined for every other. */
  adopted: unknown;
}

/** The call of a method that has to do with a transaction; it may take several attempts. */
export class Call {
  /** When `timeoutMs` is over; Infinity without one. */
  readonly #endAt: number;
  #attempts = 0;

  constructor(
    private readonly group: PoolGroup,
    private readonly label: string,
    private readonly options: TransactionOptions,
    private readonly work: Work,
    private readonly adopt?: Adopt,
  ) {
    const { timeoutMs } = options;
    this.#endAt = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  }

  /**
   * Begins at once. A result that goes on is handed out as it is, and a promise of any other.
   *
   * @throws IllegalTransactionStateError
   */
  handOut(): unknown {
    const attempt = this.#start();
    return attempt.adopted ?? this.#complete(attempt);
  }

  /**
   * Like {@link handOut}, where nothing is adopted.
   *
   * @throws IllegalTransactionStateError
   */
  run(): Promise<unknown> {
    return this.#complete(this.#start());
  }

  #start(): Attempt {
    this.#attempts += 1;
    const { group, label, options } = this;
    const participation = participate(group, label, options, this.#remainingMs, this.#attempts);
    const attempt: Attempt = {
      participation,
      pending: undefined,
      result: undefined,
      adopted: undefined,
    };
    participation.enter(() => {
      try {
        const returned = this.work(participation);
        if (isThenable(returned)) attempt.pending = promiseOf(returned);
        else this.#take(attempt, returned);
      } catch (error) {
        attempt.pending = Promise.reject(error);
      }
    });
    return attempt;
  }

  get #remainingMs(): number | undefined {
    return this.#endAt === Infinity ? undefined : Math.max(1, this.#endAt - performance.now());
  }

  #take(attempt: Attempt, result: unknown): void {
    const { group, label, adopt } = this;
    const { participation } = attempt;
    attempt.result = result;
    if (!adopt) return;
    attempt.adopted = participation.enter(() =>
      adopt(result, { participation, pool: group.home, label }),
    );
  }

  /** Not one async function in another where there is nothing to repeat: each costs as much again. */
  #complete(first: Attempt): Promise<unknown> {
    return this.options.retry ? this.#repeat(first) : this.#settle(first);
  }

  async #repeat(first: Attempt): Promise<unknown> {
    let attempt = first;
    for (;;) {
      try {
        return await this.#settle(attempt);
      } catch (error) {
        await this.#pauseBeforeNext(attempt, error);
      }
      attempt = this.#start();
    }
  }

  /** Brings an attempt to its end, or to where somebody else tells it. */
  async #settle(attempt: Attempt): Promise<unknown> {
    const { participation, pending } = attempt;
    if (attempt.adopted !== undefined) return attempt.adopted;
    try {
      if (pending) {
        this.#take(attempt, await orInterrupted(pending, participation.onInterrupt));
      }
    } catch (error) {
      await participation.fail(error);
      throw error;
    }
    if (attempt.adopted !== undefined) return attempt.adopted;
    await participation.succeed();
    return attempt.result;
  }

  /** @throws the error of the attempt where there is no other one */
  async #pauseBeforeNext({ participation }: Attempt, error: unknown): Promise<void> {
    const { retry, signal, timeoutMs } = this.options;
    const isLast = !retry || !participation.isOwner || this.#attempts >= retry.attempts;
    if (isLast || signal?.aborted || !isWorthRetrying(error, retry)) throw error;
    const pauseMs = pauseBeforeRetry(this.#attempts);
    if (performance.now() + pauseMs >= this.#endAt) {
      const timeout = new TransactionTimeoutError(this.group.home.name, this.label, timeoutMs!);
      throw Object.assign(timeout, { cause: error });
    }
    await pause(pauseMs, signal);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Its `then` is called here and now: a query builder begins its work in it, which is to be inside. */
function promiseOf(thenable: PromiseLike<unknown>): PromiseLike<unknown> {
  // oxlint-disable-next-line typescript/unbound-method -- only compared
  if (thenable.then === Promise.prototype.then) return thenable;
  return new Promise((resolve, reject) => void thenable.then(resolve, reject));
}
