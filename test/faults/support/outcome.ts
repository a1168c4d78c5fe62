/** What became of one call. */
export interface Outcome<T = unknown> {
  /** `ok`, what the caller was told instead, or `nothing` when it still waits. */
  readonly told: string;
  readonly startedAt: number;
  /** How long it took to be told. */
  readonly ms: number;
  readonly value?: T;
}

/** Waits for a call, but not for ever: some calls of some pools never end. */
export async function outcomeOf<T>(call: Promise<T>, patienceMs = 10_000): Promise<Outcome<T>> {
  const startedAt = performance.now();
  const stamp = () => ({ startedAt, ms: performance.now() - startedAt });
  const patience = new AbortController();
  try {
    return await Promise.race([
      call.then(
        (value) => ({ ...stamp(), told: 'ok', value }),
        (error: unknown) => ({ ...stamp(), told: toldBy(error) }),
      ),
      end(patienceMs, patience.signal).then(() => ({ ...stamp(), told: 'nothing' })),
    ]);
  } finally {
    patience.abort();
  }
}

/** The stable part of an error: its code with that of its cause, else its message. */
export function toldBy(error: unknown): string {
  const { code, message, cause } = error as { code?: unknown; message?: string; cause?: unknown };
  if (typeof code !== 'string') return message ?? String(error);
  const { code: because } = (cause ?? {}) as { code?: unknown };
  return typeof because === 'string' ? `${code}: ${because}` : code;
}

/** How often each thing was told, as `593 ok, 7 ECONNREFUSED`. */
export function tally(told: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of told) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}

/** Resolves after the time, or as soon as nobody needs it any more. */
function end(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
