import type { Lane } from '../../../lib/engine/acquire-request.js';
import type { LastUse } from '../../../lib/engine/driver.js';
import { type AcquireScope, outerScopesOf } from '../../../lib/engine/acquire-scope.js';
import { PoolSelfDeadlockError } from '../../../lib/errors/pool-self-deadlock.error.js';
import type { Caller } from './caller.js';
import { poolUnderTest } from './pool-under-test.js';
import type { Reaction, Schedule, Scoping, ServerMood, Step } from './schedule.js';
import { seededRandom } from './seeded-random.js';

const DOWN = Object.assign(new Error('down'), { code: 'DOWN' });

interface Ask {
  readonly lane: Lane;
  readonly timeoutMs: number;
  readonly scope: AcquireScope | undefined;
  readonly reaction: Reaction;
}

/** How somebody asks who has just been served. */
const AGAIN = { lane: 'normal', timeoutMs: 100, reaction: 'hold' } as const;

interface Customer {
  readonly caller: Caller;
  readonly abort: AbortController;
  readonly arrival: number;
  /** For how long the event loop had been blocked in all when it came. */
  readonly blockedBefore: number;
}

/**
 * Lives a schedule on a virtual clock, and throws at the first step after which the pool or what
 * its callers saw contradicts the contract.
 */
export async function live({ options, seed, steps, drainMs }: Schedule): Promise<void> {
  const life = new LiveSchedule(options, seed);
  for (const step of steps) {
    await life.take(step);
    life.assertContract();
  }
  await life.recover();
  await life.end(drainMs);
}

/** By then every attempt that began before the server was well has ended... */
const OLD_ATTEMPTS_MS = 1_000;
/** ...and by then all is as it should be: longer than the limits of the options together. */
const RECOVERY_MS = 2_000;
const HEALED: ServerMood = {
  openMs: 10,
  checkMs: 1,
  recycleMs: 1,
  closeMs: 1,
  opens: 'well',
  destroyIsSilent: false,
  throwing: [],
};

class LiveSchedule {
  readonly #world;
  readonly #customers: Customer[] = [];
  #arrivals = 0;
  #blockedMs = 0;
  #everybodyReleases = false;

  constructor(options: Schedule['options'], seed: number) {
    this.#world = poolUnderTest(options, { random: seededRandom(seed) });
    const { driver, pool } = this.#world;
    const open = driver.open.bind(driver);
    driver.open = (request) => {
      const attempt = open(request);
      claim(driver.taken <= pool.counts.max, 'no more than max places are taken');
      return attempt;
    };
  }

  async take(step: Step): Promise<void> {
    const { pool, driver, clock } = this.#world;
    switch (step.do) {
      case 'ask':
        this.#ask({ ...step, scope: this.#scopeFor(step.scoping, step.who) });
        break;
      case 'release':
        pick(this.#holders, step.who)?.release(step.withError ? new Error('broken') : undefined);
        break;
      case 'release twice':
        this.#releaseTwice(pick(this.#holders, step.who));
        break;
      case 'lose the handle':
        this.#loseHandle(pick(this.#holders, step.who), step.lastUse);
        break;
      case 'abort':
        pick(this.#waiting, step.who)?.abort.abort();
        break;
      case 'die':
        pick(driver.opened, step.who)?.die(step.suspicion);
        break;
      case 'spoil': {
        const resource = pick(driver.opened, step.who);
        if (resource) resource[step.how] = step.how !== 'isAlive';
        break;
      }
      case 'change the server':
        this.#changeServer(step.mood);
        break;
      case 'let time pass':
        await clock.advance(step.ms);
        break;
      case 'block the loop':
        this.#blockedMs += step.ms;
        await clock.block(step.ms);
        break;
      case 'resize':
        pool.resize({ min: Math.min(step.min, step.max), max: step.max });
        break;
      case 'ping':
        void pool.pingIdle(step.limitMs);
        break;
      case 'turn away':
        pool.turnAway(() => new Error('turned away'));
        break;
      default:
        pool[step.do]();
    }
  }

  /** When the server is well and everybody gives back, nobody is left waiting, and min stands. */
  async recover(): Promise<void> {
    const { pool, clock } = this.#world;
    this.#changeServer(HEALED);
    pool.resume();
    pool.start();
    this.#everybodyReleases = true;
    for (const holder of this.#holders) holder.release();
    await clock.advance(OLD_ATTEMPTS_MS);
    pool.reconsider();
    await clock.advance(RECOVERY_MS);
    this.assertContract();
    claim(this.#waiting.length === 0, 'nobody waits for ever');
    const { total, min, max } = pool.stats();
    claim(total >= Math.min(min, max), 'min is kept, but for the moment of a retirement');
  }

  /** Drains the pool: then everybody was told, and nothing is left. */
  async end(drainMs: number): Promise<void> {
    const { pool, driver, clock } = this.#world;
    const drained = pool.drain(drainMs);
    let tendingAtTheEnd: number | undefined;
    void drained.then(() => (tendingAtTheEnd = clock.pending.tending));
    this.assertContract();
    await clock.advance(drainMs + 5_000);
    this.assertContract();
    claim(pool.stats().state === 'closed', 'a drained pool is closed');
    claim(this.#waiting.length === 0, 'everybody was told in the end');
    claim(driver.taken === 0, 'nothing is left on the other side');
    claim(tendingAtTheEnd === 0, 'nothing is tended any more in the moment in which it ends');
    claim(clock.pending.keeping + clock.pending.tending === 0, 'no timer is left');
    const { revoked } = await drained;
    claim(revoked.length <= this.#customers.length, 'nobody was revoked who held nothing');
    this.#assertNumbers();
  }

  assertContract(): void {
    const { pool, clock } = this.#world;
    pool.assertInvariants();
    const lent = this.#holders.map(({ resource }) => resource);
    claim(new Set(lent).size === lent.length, 'no resource is lent twice at once');
    claim(
      lent.every(({ state }) => state === 'open'),
      'what is lent is open',
    );
    claim(pool.counts.leased === lent.length, 'the pool knows what it has lent');
    claim(pool.counts.waiting === this.#waiting.length, 'the pool knows who waits');
    for (const { caller, blockedBefore } of this.#customers) {
      claim(caller.answers <= 1, 'nobody is told twice');
      const timeoutMs = caller.request.timeoutMs ?? 0;
      if (timeoutMs === 0) continue;
      // Time in which the loop was blocked is given back once, so it counts double.
      const limitMs = timeoutMs + 2 * (this.#blockedMs - blockedBefore) + 1;
      const waitedMs = caller.waitedMs ?? clock.now() - caller.askedAt;
      claim(waitedMs <= limitMs, 'nobody waits past the deadline');
    }
  }

  #assertNumbers(): void {
    const { acquires, hits, misses, timeouts, aborted, refused, leaks, reclaimed } =
      this.#world.pool.stats().counters;
    claim(reclaimed <= leaks, 'what was reclaimed had leaked');
    claim(acquires === hits + misses, 'a hand-out is a hit or a miss');
    claim(
      acquires + timeouts + aborted + refused === this.#customers.length,
      'everybody is counted once',
    );
  }

  #scopeFor(scoping: Scoping, who: number): AcquireScope | undefined {
    if (scoping === 'none') return undefined;
    if (scoping === 'own') return {};
    const open = this.#customers.filter(({ caller }) => caller.isWaiting || caller.lease?.isOut);
    return { outer: pick(open, who)?.caller.request.scope };
  }

  #ask({ lane, timeoutMs, reaction, scope }: Ask): void {
    const abort = new AbortController();
    const arrival = (this.#arrivals += 1);
    const blockedBefore = this.#blockedMs;
    let isKnown = false;
    // Whoever is served at once is served before `ask` returns.
    const know = (caller: Caller) => {
      if (!isKnown) this.#customers.push({ caller, abort, arrival, blockedBefore });
      isKnown = true;
    };
    const request = { priority: lane, timeoutMs, signal: abort.signal, scope };
    const serve = (served: Caller) => {
      know(served);
      this.#assertTurn(lane, arrival);
      this.#react(served, this.#everybodyReleases ? 'release' : reaction);
    };
    const caller = this.#world.ask(request, serve, (refused) => this.#assertRefusal(refused));
    know(caller);
  }

  /** Nobody overtakes: all who came before in the lane, and all in the high one, are done. */
  #assertTurn(lane: Lane, arrival: number): void {
    for (const other of this.#waiting) {
      const isBefore =
        other.caller.request.priority === lane ? other.arrival < arrival : lane === 'normal';
      claim(!isBefore, 'nobody overtakes');
    }
  }

  /** Whoever is refused for the sake of a deadlock was part of one up to this moment. */
  #assertRefusal({ error, request }: Caller): void {
    if (!(error instanceof PoolSelfDeadlockError)) return;
    const { state, total, leased, max } = this.#world.pool.stats();
    claim(state !== 'suspended' && total >= max && leased === total, 'all places were lent');
    const holding = this.#holders.map((holder) => holder.request.scope);
    const around = outerScopesOf(request.scope);
    claim(
      around.some((scope) => holding.includes(scope)),
      'a holder waited on whom the pool refused',
    );
    const waiting = this.#waiting.flatMap(({ caller }) => outerScopesOf(caller.request.scope));
    claim(
      holding.every((scope) => scope && [...around, ...waiting].includes(scope)),
      'every holder waited',
    );
  }

  #react(caller: Caller, reaction: Reaction): void {
    switch (reaction) {
      case 'hold':
        break;
      case 'release':
        caller.release();
        break;
      case 'release with error':
        caller.release(true);
        break;
      case 'ask again':
        this.#ask({ ...AGAIN, scope: undefined });
        break;
      case 'nest':
        this.#ask({ ...AGAIN, scope: { outer: caller.request.scope } });
        break;
      case 'abort another':
        this.#waiting.at(-1)?.abort.abort();
        break;
      case 'evict':
        this.#world.pool.softEvict();
        break;
    }
  }

  #releaseTwice(holder: Caller | undefined): void {
    if (!holder) return;
    holder.release();
    const before = this.#holders.length;
    let refused = false;
    try {
      holder.release();
    } catch {
      refused = true;
    }
    claim(refused, 'a double release throws');
    claim(this.#holders.length === before, 'a double release frees nobody');
  }

  /** Somebody forgets a release; the collector sees it when the pool has let go of the handle. */
  #loseHandle(holder: Caller | undefined, lastUse: LastUse): void {
    if (!holder) return;
    holder.resource.lastUse = lastUse;
    this.#world.handles.collect(holder.handle);
  }

  #changeServer(mood: ServerMood): void {
    const { driver } = this.#world;
    driver.openMs = mood.openMs;
    driver.checkMs = mood.checkMs;
    driver.recycleMs = mood.recycleMs;
    driver.closeMs = mood.closeMs;
    driver.destroyIsSilent = mood.destroyIsSilent;
    driver.openFails = mood.opens.startsWith('failing') ? DOWN : undefined;
    driver.permanent = mood.opens === 'failing for good';
    driver.openIsSilent = mood.opens === 'silent';
    driver.ignoresAbort = mood.opens === 'although given up';
    driver.throwing.clear();
    for (const method of mood.throwing) driver.throwing.add(method);
  }

  get #waiting(): Customer[] {
    return this.#customers.filter(({ caller }) => caller.isWaiting);
  }

  get #holders(): Caller[] {
    return this.#customers.map(({ caller }) => caller).filter(({ lease }) => lease?.isOut);
  }
}

function pick<T>(among: readonly T[], who: number): T | undefined {
  return among[who % Math.max(1, among.length)];
}

function claim(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`broken contract: ${sentence}`);
}
