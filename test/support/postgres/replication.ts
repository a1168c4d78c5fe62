import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';

const POLL_MS = 2;

/**
 * A position that every standby reaches exactly when it has replayed all that was committed before.
 * A flushed marker, because asynchronous commits may not have reached the WAL file yet.
 */
export async function markPosition(session: Client): Promise<string> {
  const inRecovery = await isInRecovery(session);
  const { rows } = await session.query<{ position: string }>(
    inRecovery
      ? 'SELECT pg_last_wal_replay_lsn() AS position'
      : "SELECT pg_logical_emit_message(false, 'replay marker', '', flush => true) AS position",
  );
  return rows[0]!.position;
}

export async function waitForPosition(
  session: Client,
  position: string,
  timeoutMs: number,
): Promise<void> {
  const reached = await holdsWithin(timeoutMs, async () => {
    const { rows } = await session.query<{ reached: boolean | null }>(
      'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached',
      [position],
    );
    return rows[0]!.reached === true;
  });
  if (!reached) throw timedOut(`The standby has not replayed ${position}`, timeoutMs);
}

/** Returns when the server accepts writes. */
export async function promote(session: Client, timeoutMs: number): Promise<void> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1_000));
  const { rows } = await session.query<{ promoted: boolean }>(
    'SELECT pg_promote(wait => true, wait_seconds => $1) AS promoted',
    [seconds],
  );
  if (!rows[0]!.promoted) throw timedOut('The standby was not promoted', timeoutMs);
}

/** Returns when replay has really stopped: pausing is only a request. */
export async function pauseReplay(session: Client, timeoutMs: number): Promise<void> {
  await session.query('SELECT pg_wal_replay_pause()');
  const paused = await holdsWithin(timeoutMs, async () => {
    const { rows } = await session.query<{ state: string }>(
      'SELECT pg_get_wal_replay_pause_state() AS state',
    );
    return rows[0]!.state === 'paused';
  });
  if (!paused) throw timedOut('Replay did not pause', timeoutMs);
}

export async function resumeReplay(session: Client): Promise<void> {
  await session.query('SELECT pg_wal_replay_resume()');
}

export async function createSlot(session: Client, name: string): Promise<void> {
  await session.query(
    `SELECT pg_create_physical_replication_slot($1, immediately_reserve => true)
      WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`,
    [name],
  );
}

/** The sender notices the end of its standby a moment later, and a slot in use cannot be dropped. */
export async function dropSlot(session: Client, name: string, timeoutMs: number): Promise<void> {
  await holdsWithin(timeoutMs, async () => {
    const { rows } = await session.query<{ active: boolean }>(
      'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
      [name],
    );
    if (rows[0]?.active === true) return false;
    await session.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [name],
    );
    return true;
  });
}

async function isInRecovery(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ recovering: boolean }>(
    'SELECT pg_is_in_recovery() AS recovering',
  );
  return rows[0]!.recovering;
}

async function holdsWithin(timeoutMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

function timedOut(what: string, timeoutMs: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError('REPLICATION_TIMED_OUT', `${what} within ${timeoutMs} ms.`);
}
