import {
  AcquireTimeoutError,
  type AcquireTimeoutStats,
  type LeaseHolder,
} from '../errors/acquire-timeout.error.js';
import { PoolSelfDeadlockError } from '../errors/pool-self-deadlock.error.js';
import { type AcquireRequest, type Lane, labelOf } from './acquire-request.js';
import { outerScopesOf } from './acquire-scope.js';
import { framesOf } from './call-site.js';
import type { Lease } from './lease.js';
import type { PoolContext } from './pool-context.js';
import type { Roster } from './roster.js';
import type { PoolStats } from './statistics.js';

/** The pool's numbers at this moment. */
export function countsOf<R>({ roster, queue, max, clock }: PoolContext<R>): AcquireTimeoutStats {
  const { oldestSince } = queue;
  return {
    total: roster.total,
    max,
    leased: roster.counts.leased,
    idle: roster.counts.idle,
    connecting: roster.counts.connecting,
    waiting: queue.size,
    oldestWaiterMs: oldestSince === undefined ? undefined : clock.now() - oldestSince,
  };
}

/** Everything that can be measured about the pool. */
export function statsOf<R>(pool: PoolContext<R>): PoolStats {
  const { roster, health, statistics, options, state, min, max, clock } = pool;
  const counts = countsOf(pool);
  const leases = leasesOf(roster);
  const [longest] = leases;
  return {
    ...counts,
    name: options.name,
    state,
    health: health.snapshot(),
    lastError: health.lastError(),
    min,
    checking: roster.counts.checking,
    returning: roster.counts.returning,
    closing: roster.counts.closing,
    expired: expiredOf(roster, clock.now()),
    utilization: counts.leased / max,
    longestLeaseMs: longest && clock.now() - longest.since,
    leaking: leases.filter(({ leakReported }) => leakReported).length,
    counters: statistics.counters(),
    histograms: statistics.histograms(),
  };
}

/** A loan, and what is lent. */
export interface LeaseView<R> extends LeaseHolder {
  readonly resource: R;
  /** When it was handed out, on the engine's clock. */
  readonly since: number;
  /** Whether it comes home by itself, whatever its caller does. */
  readonly comesHome: boolean;
}

/** Somebody who waits. */
export interface WaiterView extends LeaseHolder {
  readonly lane: Lane;
  readonly comesHome: boolean;
}

/** The loans, the longest first. Stacks are formatted of those alone that are asked for. */
export function leaseViewsOf<R>({ roster, clock }: PoolContext<R>, most: number): LeaseView<R>[] {
  const now = clock.now();
  const leases = leasesOf(roster).slice(0, most);
  return leases.map(({ request, since, resource }) => {
    const comesHome = request.canLeak === false;
    return Object.assign(holderOf(request, now - since), { resource, since, comesHome });
  });
}

/** Those who wait, the one who has waited longest first. */
export function waiterViewsOf<R>({ queue, clock }: PoolContext<R>, most: number): WaiterView[] {
  const now = clock.now();
  const waiters = [...queue].toSorted((a, b) => a.since - b.since).slice(0, most);
  return waiters.map(({ request, since, lane }) => {
    const comesHome = request.canLeak === false;
    return Object.assign(holderOf(request, now - since), { lane, comesHome });
  });
}

/** Who has a resource now, the longest lease first. */
export function holdersOf<R>(roster: Roster<R>, now: number): LeaseHolder[] {
  return leasesOf(roster).map(({ request, since }) => holderOf(request, now - since));
}

function holderOf(request: AcquireRequest, ageMs: number): LeaseHolder {
  return { label: labelOf(request), ageMs, stack: framesOf(request.site) };
}

/** What a caller is told who waited in vain. */
export function timeoutErrorOf<R>(
  pool: PoolContext<R>,
  waitedMs: number,
  loopLagMs: number,
): AcquireTimeoutError {
  const { health, options, roster, clock } = pool;
  const last = health.lastError();
  const isRelevant = last && (health.isFailing || last.agoMs <= waitedMs);
  return new AcquireTimeoutError({
    pool: options.name,
    waitedMs,
    stats: countsOf(pool),
    holders: holdersOf(roster, clock.now()),
    loopLagMs,
    lastConnectError: isRelevant ? last : undefined,
  });
}

/** What a caller is told who is refused so that a pool which waits for itself can go on. */
export function selfDeadlockErrorOf<R>(
  { options, roster, clock }: PoolContext<R>,
  { scope, label }: AcquireRequest,
): PoolSelfDeadlockError {
  return new PoolSelfDeadlockError({
    pool: options.name,
    scopes: [scope?.label ?? label, ...outerScopesOf(scope).map((outer) => outer.label)],
    holders: holdersOf(roster, clock.now()),
  });
}

function expiredOf<R>(roster: Roster<R>, now: number): number {
  let expired = 0;
  for (const { expiresAt } of roster) if (now >= expiresAt) expired += 1;
  return expired;
}

function leasesOf<R>(roster: Roster<R>): Lease<R>[] {
  const leases: Lease<R>[] = [];
  for (const { lease } of roster) if (lease) leases.push(lease);
  return leases.toSorted((a, b) => a.since - b.since);
}
