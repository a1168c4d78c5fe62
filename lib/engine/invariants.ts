import { outerScopesOf } from './acquire-scope.js';
import { ENTRY_STATES } from './entry-state.js';
import type { PoolContext } from './pool-context.js';

/** What must hold whenever the pool is at rest between two events. */
export function assertInvariants<R>({ roster, queue, state, max }: PoolContext<R>): void {
  const entries = [...roster];
  const waiters = [...queue];
  const claim = (holds: boolean, sentence: string) => {
    if (!holds) throw new Error(`broken invariant: ${sentence}`);
  };

  for (const name of ENTRY_STATES) {
    const counted = entries.filter((entry) => entry.state === name).length;
    claim(counted === roster.counts[name], `the count of ${name} entries is right`);
  }
  for (const entry of entries) {
    const leased = entry.state === 'leased';
    claim(leased === (entry.lease !== undefined), 'exactly the leased entries have a lease');
    claim(!entry.lease || entry.lease.isOut, 'a lease that is out belongs to its entry');
  }
  const staying = roster.total - roster.counts.closing;
  claim(staying <= max || roster.counts.idle === 0, 'nothing idles over max');
  const retiring = entries.filter((entry) => entry.retiring && entry.state !== 'closing').length;
  claim(retiring === roster.retiring, 'the count of retiring entries is right');

  claim(waiters.length === queue.size, 'the queue knows its length');
  claim(
    waiters.every((waiter) => waiter.isWaiting),
    'nobody who was settled stands in the queue',
  );
  const sorted = waiters.toSorted(
    (a, b) => Number(a.lane === 'normal') - Number(b.lane === 'normal') || a.since - b.since,
  );
  claim(
    waiters.every((waiter, at) => waiter === sorted[at]),
    'the queue is in order',
  );
  if (state !== 'suspended') {
    const covered = roster.counts.checking >= queue.size;
    claim(roster.counts.idle === 0 || queue.size === 0 || covered, 'nobody waits beside idle');
  }
  const waiting = new Set(waiters.flatMap(({ request }) => outerScopesOf(request.scope)));
  const deadlocked = entries.every(({ lease }) => {
    const scope = lease?.request.scope;
    return scope !== undefined && waiting.has(scope);
  });
  claim(
    state === 'suspended' || roster.total < max || !deadlocked,
    'somebody who holds an entry does not wait for another',
  );
  claim(state !== 'closed' || roster.total + queue.size === 0, 'a closed pool is empty');
}
