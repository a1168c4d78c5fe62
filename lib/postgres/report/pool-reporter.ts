import { labelOf } from '../../engine/acquire-request.js';
import type { CloseReason } from '../../engine/close-reason.js';
import { type CallSiteSampling, framesOf } from '../../engine/call-site.js';
import type { DrainReport } from '../../engine/drain-report.js';
import type { Lease } from '../../engine/lease.js';
import { describeCause } from '../../errors/describe-cause.js';
import { errorSentence } from '../../errors/error-sentence.js';
import { duration } from '../../errors/duration.js';
import { WrongServerRoleError } from '../../errors/wrong-server-role.error.js';
import type { InstrumentationSlot } from './instrumentation.js';
import {
  givenBackLate,
  heldForLong,
  lostWithoutRelease,
  possibleLeak,
  releasedInTransaction,
  returnedAfterAll,
  stillOutAtShutdown,
  takenBackByForce,
  type ToldLease,
} from './lease-sentences.js';
import { PoolChannels } from './pool-channels.js';
import { type PoolLog, tellError } from './pool-log.js';
import { detailsOf, headlineOf, TOLD } from './pool-report-text.js';
import type { PoolSeat } from './pool-seat.js';
import type { PoolSnapshot } from './pool-snapshot.js';
import { RecentEvents } from './recent-events.js';
import { RateLimit } from './rate-limit.js';
import { besides } from './statement-reporter.js';
import type { PostgresSession } from '../session/postgres-session.js';

/** An outage is told at its first failure, and then again at most this often. */
const REPEAT_AFTER_MS = 5_000;

/** Who holds what is told at the first acquire that fails for it, and again at most this often. */
const REPEAT_REPORT_AFTER_MS = 60_000;

/** Of acquires that were slow, one is told in so many milliseconds. */
const ONE_SLOW_ACQUIRE_IN_MS = 1_000;

/** What a pool's reports are made with. */
export interface ReporterParts {
  /** Name of the pool. */
  readonly pool: string;
  readonly log: PoolLog;
  /** Where the pool connects to, without any secret. */
  readonly address: () => string;
  /** Which of several hosts a session leads to; undefined where there is one. */
  readonly hostOf: (session: PostgresSession) => string | undefined;
  readonly sites: CallSiteSampling;
  readonly snapshot: (most?: number) => PoolSnapshot;
  readonly instrumentation: InstrumentationSlot;
  /** Waits from this length on are told, in milliseconds; 0: none. */
  readonly slowAcquireMs: number;
  readonly seat: PoolSeat | undefined;
}

/** Writes what an operator wants to know about a pool; nothing while all goes well. */
export class PoolReporter extends PoolChannels {
  readonly #slowAcquireMs: number;
  readonly #slowAcquires = new RateLimit(ONE_SLOW_ACQUIRE_IN_MS);
  #lastOutageReportAt = -Infinity;
  #lastReportAt = -Infinity;
  #hasConnected = false;
  readonly recent = new RecentEvents();

  protected readonly log: PoolLog;
  protected readonly address: () => string;
  protected readonly hostOf: ReporterParts['hostOf'];
  protected readonly sites: CallSiteSampling;
  protected readonly snapshot: (most?: number) => PoolSnapshot;
  protected readonly seat: PoolSeat | undefined;

  constructor(parts: ReporterParts) {
    super(parts.pool, parts.instrumentation);
    const { slowAcquireMs } = parts;
    this.log = parts.log;
    this.address = parts.address;
    this.hostOf = parts.hostOf;
    this.sites = parts.sites;
    this.snapshot = parts.snapshot;
    this.seat = parts.seat;
    this.#slowAcquireMs = slowAcquireMs > 0 ? slowAcquireMs : Infinity;
  }

  override acquired(lease: Lease<PostgresSession>, waitedMs: number): void {
    super.acquired(lease, waitedMs);
    if (waitedMs >= this.#slowAcquireMs) this.#slowAcquire(lease, waitedMs);
  }

  #slowAcquire({ request }: Lease<PostgresSession>, waitedMs: number): void {
    const suppressed = this.#slowAcquires.pass();
    if (suppressed === undefined) return;
    const label = labelOf(request);
    this.log.warn(
      `${this.pool}: slow acquire: ${label ?? 'somebody'} waited ${duration(waitedMs)} for a` +
        ` connection (slowAcquireMs is ${this.#slowAcquireMs})${besides(suppressed)};` +
        ' pool.holders() tells who has them',
      { pool: this.pool, label, waitedMs: Math.round(waitedMs), suppressed },
    );
  }

  override created(session: PostgresSession, tookMs: number): void {
    super.created(session, tookMs);
    this.#hasConnected = true;
    const host = this.hostOf(session);
    this.log.debug(`${this.pool}: connected${host ? ` to ${host}` : ''} in ${duration(tookMs)}`, {
      pool: this.pool,
      ...(host === undefined ? {} : { host }),
      backend: session.backend,
    });
  }

  override removed(session: PostgresSession, reason: CloseReason): void {
    super.removed(session, reason);
    this.recent.closed(reason, session.backend);
    this.log.debug(`${this.pool}: closed a connection: ${reason}`, {
      pool: this.pool,
      backend: session.backend,
      reason,
    });
  }

  statementFailed(error: unknown): void {
    this.recent.failed('a statement failed', error);
  }

  override lost(error: unknown): void {
    this.recent.failed('a connection was lost', error);
    this.seat?.lost(error);
    this.log.warn(`${this.pool}: lost a connection: ${describeCause(error)}`, { pool: this.pool });
  }

  override connectFailed(error: unknown, failures: number, permanent: boolean): void {
    super.connectFailed(error, failures, permanent);
    this.recent.failed('connecting failed', error);
    this.seat?.connectFailed(error);
    const now = performance.now();
    if (failures === 1) this.#lastOutageReportAt = -Infinity;
    if (!permanent && now - this.#lastOutageReportAt < REPEAT_AFTER_MS) return;
    this.#lastOutageReportAt = now;
    const next = permanent ? 'waiting would not help' : 'trying again';
    const sentence =
      `${this.pool}: cannot connect to ${this.address()}: ${errorSentence(error)}` +
      ` (attempt ${failures}, ${next})`;
    const details = { pool: this.pool, attempt: failures, permanent };
    if (error instanceof WrongServerRoleError) tellError(this.log, sentence, details);
    else this.log.warn(sentence, details);
  }

  override recovered(failures: number, downMs: number): void {
    this.log.info(
      `${this.pool}: connected again after ${duration(downMs)} and ${failures} failed attempts`,
      { pool: this.pool, failures, downMs },
    );
  }

  override checkFailed(error: unknown): void {
    this.recent.failed('an idle connection was dead', error);
    this.log.warn(
      `${this.pool}: an idle connection was dead (${describeCause(error)}) and is replaced`,
      { pool: this.pool },
    );
  }

  override resetFailed(error: unknown): void {
    this.recent.failed('a returned connection could not be cleaned', error);
    this.log.warn(
      `${this.pool}: a returned connection could not be cleaned (${describeCause(error)})` +
        ' and is closed',
      { pool: this.pool },
    );
  }

  /** The first line of an incident names who holds the pool; a storm costs some comparisons each. */
  override exhausted(error: Error, leased: number): void {
    this.recent.failed('an acquire went without a connection', error);
    // Where nobody holds anything, no server was to be had: that is told already.
    if (leased === 0) return;
    const now = performance.now();
    if (now - this.#lastReportAt < REPEAT_REPORT_AFTER_MS) return;
    this.#lastReportAt = now;
    const snapshot = this.snapshot(TOLD);
    const { max, waiting } = snapshot;
    this.log.warn(
      [
        headlineOf(snapshot) +
          ' (told because an acquire went without a connection, at most once a minute)',
        ...detailsOf(snapshot),
      ].join('\n'),
      { pool: this.pool, leased, max, waiting },
    );
  }

  override leaked(lease: Lease<PostgresSession>, ageMs: number): void {
    super.leaked(lease, ageMs);
    this.sites.leakSeen();
    this.#tellOf(lease, ageMs, possibleLeak);
  }

  override heldLong(lease: Lease<PostgresSession>, ageMs: number): void {
    super.heldLong(lease, ageMs);
    this.#tellOf(lease, ageMs, heldForLong);
  }

  override reclaimed(lease: Lease<PostgresSession>, ageMs: number): void {
    super.reclaimed(lease, ageMs);
    this.sites.leakSeen();
    this.#tellOf(lease, ageMs, lostWithoutRelease);
  }

  override revoked(lease: Lease<PostgresSession>, ageMs: number): void {
    super.revoked(lease, ageMs);
    this.#tellOf(lease, ageMs, takenBackByForce);
  }

  override leakReturned(lease: Lease<PostgresSession>, ageMs: number): void {
    super.leakReturned(lease, ageMs);
    this.#tellOf(lease, ageMs, lease.request.endsWithWork ? givenBackLate : returnedAfterAll);
  }

  #tellOf(
    { request }: Lease<PostgresSession>,
    ageMs: number,
    sentenceOf: (told: ToldLease) => string,
  ): void {
    const { label, site } = request;
    this.#tell({ label, ageMs, frames: framesOf(site) }, sentenceOf);
  }

  #tell(told: ToldLease, sentenceOf: (told: ToldLease) => string): void {
    const { label, ageMs } = told;
    this.log.warn(`${this.pool}: ${sentenceOf(told)}`, {
      pool: this.pool,
      label,
      ageMs: Math.round(ageMs),
    });
  }

  openTransaction(holder: string | undefined): void {
    this.log.warn(`${this.pool}: ${releasedInTransaction(holder)}`, {
      pool: this.pool,
      label: holder,
    });
  }

  /** @param host the one that can write, where there are several to choose from */
  failedOver(host: string | undefined): void {
    const told = host
      ? `${host} of ${this.address()} can write, which other connections cannot`
      : `${this.address()} leads to another server now, which can write`;
    this.log.warn(`${this.pool}: ${told}: the connections to the old one are replaced`, {
      pool: this.pool,
    });
  }

  readOnlyServer(): void {
    this.log.warn(
      `${this.pool}: ${this.address()} refuses writes, and new connections are read-only as well;` +
        ' they are kept, and the question is asked again while writes are refused',
      { pool: this.pool },
    );
  }

  override drained({ tookMs, refusedWaiters, revoked }: DrainReport): void {
    // A pool that nobody has used has nothing to tell.
    if (!this.#hasConnected && refusedWaiters === 0) return;
    this.log.info(
      `${this.pool}: drained in ${duration(tookMs)}:` +
        ` ${revoked.length} taken back, ${refusedWaiters} waiters refused`,
      { pool: this.pool, tookMs: Math.round(tookMs), refusedWaiters, takenBack: revoked.length },
    );
    for (const { label, ageMs, stack } of revoked) {
      this.#tell({ label, ageMs, frames: stack }, stillOutAtShutdown);
    }
  }
}
