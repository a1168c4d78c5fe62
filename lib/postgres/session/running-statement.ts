import type { Client } from 'pg';

/** A statement that was sent and is not answered. */
export interface RunningStatement {
  /** As it was sent, with whatever stands in it; undefined when the client does not tell. */
  readonly text: string | undefined;
  /** When it was sent, on the clock of the process. */
  readonly sentAt: number;
  /** Whether a BEGIN travels with it, of which the server has not told yet. */
  readonly begins: boolean;
}

/** A query of node-postgres' client: its own, a cursor, a stream around one, or one of ours. */
interface ActiveQuery {
  readonly text?: unknown;
  readonly cursor?: { readonly text?: unknown };
  /** What one of ours shows, where it has reason to have no `text`. */
  readonly shownText?: string;
  readonly begins?: boolean;
}

interface ClientInternals {
  readonly _activeQuery?: ActiveQuery | null;
  /** In pipeline mode: what was sent behind the active one. */
  readonly _sentQueryQueue?: readonly ActiveQuery[];
}

/**
 * What a client runs now. Read from the client, which knows it whoever has sent it, so that nobody
 * pays for it while nobody asks.
 */
export function runningOn(client: Client, sentAt: number): RunningStatement | undefined {
  const { _activeQuery, _sentQueryQueue } = client as unknown as ClientInternals;
  const query = _activeQuery ?? _sentQueryQueue?.[0];
  if (!query) return undefined;
  const text = query.shownText ?? query.text ?? query.cursor?.text;
  return {
    text: typeof text === 'string' ? text : undefined,
    sentAt,
    begins: query.begins === true,
  };
}
