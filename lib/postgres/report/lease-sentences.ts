import { duration } from '../../errors/duration.js';

/** A lease that something is told of. */
export interface ToldLease {
  /** Who has it; undefined for a `connect()` that said nothing. */
  readonly label: string | undefined;
  readonly ageMs: number;
  /** The application's frames of the acquire, one a line; undefined where no stack was taken. */
  readonly frames: string | undefined;
}

const NOTED_FROM_NOW_ON = '; from now on the place of every acquire is noted';

/** Out for longer than leakThresholdMs, and only its holder can end it. */
export function possibleLeak({ label, ageMs, frames }: ToldLease): string {
  return (
    `possible leak: a connection${by(label)} has been out for ${duration(ageMs)};` +
    ' release it on every path, or use pool.use(); longer work deserves its own pool' +
    placeOrPromise(frames)
  );
}

/** Out for longer than leakThresholdMs, until its work ends. */
export function heldForLong({ label, ageMs, frames }: ToldLease): string {
  return (
    `held for long: ${worker(label)} has had its connection for ${duration(ageMs)}; a transaction` +
    ' or pool.use() keeps it until its work ends: await nothing slow in it, or limit it;' +
    ` longer work deserves its own pool${place(frames)}`
  );
}

/** Its handle was garbage-collected. */
export function lostWithoutRelease({ label, ageMs, frames }: ToldLease): string {
  return (
    `leak: a connection${by(label)} was lost without release(), and was taken back after` +
    ` ${duration(ageMs)}; release it on every path, or use pool.use()${placeOrPromise(frames)}`
  );
}

/** Out for longer than reclaimAfterMs. */
export function takenBackByForce({ label, ageMs, frames }: ToldLease): string {
  return (
    `took a connection${by(label)} back by force after ${duration(ageMs)}, as reclaimAfterMs says:` +
    ` what ran on it is cancelled, and it is closed${place(frames)}`
  );
}

/** It was told as a {@link possibleLeak}. */
export function returnedAfterAll({ label, ageMs }: ToldLease): string {
  return (
    `the connection${by(label)} that was reported as a possible leak was returned after all,` +
    ` after ${duration(ageMs)}`
  );
}

/** It was told as {@link heldForLong}. */
export function givenBackLate({ label, ageMs }: ToldLease): string {
  return (
    `${worker(label)}, which was reported for holding its connection for long, has given it back` +
    ` after ${duration(ageMs)}`
  );
}

/** A drain has waited for it in vain. */
export function stillOutAtShutdown({ label, ageMs, frames }: ToldLease): string {
  return `a connection${by(label)} was still out at shutdown, for ${duration(ageMs)}${place(frames)}`;
}

/** Its borrower has ended nothing of what it had begun. */
export function releasedInTransaction(label: string | undefined): string {
  return (
    `a connection${by(label)} was released inside an open transaction, which was rolled back;` +
    ' end every transaction with COMMIT or ROLLBACK before release()'
  );
}

function place(frames: string | undefined): string {
  return frames ? `. Acquired:\n${frames}` : '';
}

function placeOrPromise(frames: string | undefined): string {
  return frames ? place(frames) : NOTED_FROM_NOW_ON;
}

function by(label: string | undefined): string {
  return label === undefined ? '' : ` held by ${label}`;
}

function worker(label: string | undefined): string {
  return label ?? 'a pool.use()';
}
