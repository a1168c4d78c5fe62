import { systemClock } from '../../engine/system-clock.js';
import type { Clock, Timer } from '../../engine/clock.js';
import {
  describeFailures,
  type HostFailure,
  HostsFailedError,
} from '../../errors/hosts-failed.error.js';
import { WrongServerRoleError } from '../../errors/wrong-server-role.error.js';
import type { HostAddress } from '../options/host-list.js';

/** The next host is tried when the one before has not answered for so long. */
const STAGGER_MS = 250;

/** While a host is silent, those that have failed are tried again after these pauses. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1_000;

/** What a race is about. */
export interface HostRaceParts<T> {
  /** Name of the pool. */
  readonly pool: string;
  /** In the order in which they are tried. */
  readonly hosts: readonly HostAddress[];
  /** Tries one of them. Settles soon after the signal fires, with everything closed. */
  readonly attempt: (host: HostAddress, signal: AbortSignal) => Promise<T>;
  /** What is done with a host that came through too late. */
  readonly discard: (late: T) => void;
  readonly clock?: Clock;
}

/** Where a race stands with one host. */
interface Runner {
  readonly address: HostAddress;
  failure: unknown;
  hasFailed: boolean;
  pauseMs: number;
}

/**
 * Tries hosts one after the other, each when the one before has failed or is silent; the first that
 * is accepted wins, and the others are given up. While one is silent, those that were refused are
 * asked again: what is silent may be the old primary, and another be promoted meanwhile.
 */
export class HostRace<T> {
  readonly #stop = new AbortController();
  readonly #runners: readonly Runner[];
  readonly #timers = new Set<Timer>();
  readonly #attempts = new Set<Promise<void>>();
  readonly #clock: Clock;
  #started = 0;
  #running = 0;
  #isOver = false;
  #resolve!: (winner: T) => void;
  #reject!: (error: unknown) => void;

  constructor(private readonly parts: HostRaceParts<T>) {
    this.#clock = parts.clock ?? systemClock;
    this.#runners = parts.hosts.map((address) => ({
      address,
      failure: undefined,
      hasFailed: false,
      pauseMs: FIRST_PAUSE_MS,
    }));
  }

  /**
   * The first that is accepted.
   *
   * @throws the error of the only host; WrongServerRoleError when at least one has the wrong role;
   *   HostsFailedError; the reason of the signal
   */
  async run(signal: AbortSignal): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const abort = () => this.#fail(this.#timedOut(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) abort();
      else this.#startNext();
      return await done;
    } catch (error) {
      await Promise.all(this.#attempts);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #startNext(): void {
    const runner = this.#runners[this.#started];
    if (!runner || this.#isOver) return;
    this.#started += 1;
    const position = this.#started;
    this.#try(runner);
    this.#after(STAGGER_MS, () => {
      if (this.#started === position) this.#startNext();
    });
  }

  #try(runner: Runner): void {
    this.#running += 1;
    const attempt = this.parts
      .attempt(runner.address, this.#stop.signal)
      .then(
        (winner) => this.#accepted(winner),
        (error: unknown) => this.#failed(runner, error),
      )
      .finally(() => this.#attempts.delete(attempt));
    this.#attempts.add(attempt);
  }

  #accepted(winner: T): void {
    if (this.#isOver) {
      this.parts.discard(winner);
      return;
    }
    this.#end();
    this.#resolve(winner);
  }

  #failed(runner: Runner, error: unknown): void {
    this.#running -= 1;
    runner.failure = error;
    runner.hasFailed = true;
    if (this.#isOver) return;
    if (this.#started < this.#runners.length) this.#startNext();
    else if (this.#running === 0) this.#fail(this.#combined(this.#failures()));
    else this.#tryAgain(runner);
  }

  #tryAgain(runner: Runner): void {
    this.#after(runner.pauseMs, () => this.#try(runner));
    runner.pauseMs = Math.min(runner.pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #after(ms: number, run: () => void): void {
    const timer = this.#clock.after(
      ms,
      () => {
        this.#timers.delete(timer);
        run();
      },
      true,
    );
    this.#timers.add(timer);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) this.#clock.cancel(timer);
    this.#stop.abort();
  }

  #failures(): HostFailure[] {
    return this.#runners
      .filter(({ hasFailed }) => hasFailed)
      .map(({ address, failure }) => failureOf(address, failure));
  }

  /** What was heard of some hosts says more than that the time was over for the others. */
  #timedOut(reason: unknown): unknown {
    const failures = this.#failures();
    if (failures.length === 0) return reason;
    const silent = this.#runners.filter(({ hasFailed }) => !hasFailed);
    return this.#combined([
      ...failures,
      ...silent.map(({ address }) => failureOf(address, reason)),
    ]);
  }

  #combined(failures: readonly HostFailure[]): unknown {
    const { pool } = this.parts;
    const [only, ...more] = failures;
    if (only && more.length === 0) return only.error;
    const wrong = failures.find(({ error }) => error instanceof WrongServerRoleError);
    if (!wrong) return new HostsFailedError(pool, failures);
    const others = failures.filter((failure) => failure !== wrong);
    const { host, port, found, wanted } = wrong.error as WrongServerRoleError;
    return new WrongServerRoleError(pool, {
      host,
      port,
      found,
      wanted,
      others: describeFailures(others),
    });
  }
}

function failureOf({ host, port }: HostAddress, error: unknown): HostFailure {
  return { host, port, error };
}
