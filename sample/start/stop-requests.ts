import { constants } from 'node:os';

/** Ask the process to stop: Ctrl-C, a process manager, a closed terminal. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type StopSignal = (typeof STOP_SIGNALS)[number];

/**
 * One key press can arrive several times: the terminal sends it to every process of the group, and npm
 * and the Nest CLI each pass on what they got.
 */
const SAME_KEY_PRESS_MS = 500;

/**
 * Listens to requests to stop, from the first moment to the last.
 *
 * The first request gets the reaction that fits the moment: an immediate exit while the application
 * is not up yet. A second one ends the process at once, whatever it is doing. Either way it leaves by
 * `process.exit()`, so that whatever must end with the process hears of it.
 */
export class StopRequests {
  private firstAskedAt: number | undefined;
  private reaction = leave;

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, () => this.asked(signal));
  }

  /** From now on the first request is somebody else's to answer; `tell` is called beside it. */
  leaveTo(tell: () => void): void {
    this.reaction = tell;
  }

  /** Lets work finish that must not be cut short, and leaves after it if asked meanwhile. */
  async holdDuring<T>(work: () => Promise<T>): Promise<T> {
    let asked: StopSignal | undefined;
    this.reaction = (signal) => (asked = signal);
    try {
      return await work();
    } finally {
      this.reaction = leave;
      if (asked !== undefined) leave(asked);
    }
  }

  private asked(signal: StopSignal): void {
    const now = performance.now();
    if (this.firstAskedAt === undefined) {
      this.firstAskedAt = now;
      this.reaction(signal);
    } else if (now - this.firstAskedAt > SAME_KEY_PRESS_MS) {
      leave(signal);
    }
  }
}

/** By convention a process that a signal ended has the exit code 128 and the signal's number. */
function leave(signal: StopSignal): void {
  process.exit(128 + constants.signals[signal]);
}
