import type { Clock } from '../../../lib/engine/clock.js';
import type { Driver, LastUse, OpenRequest, Suspicion } from '../../../lib/engine/driver.js';

/** A resource that does nothing but remember what happened to it. */
export class FakeResource {
  state: 'open' | 'closed' | 'destroyed' = 'open';
  /** False when it does not answer checks: they fail at once. */
  isAlive = true;
  /** True when checks, resets and goodbyes are never answered. */
  isSilent = false;
  /** True when it has to be cleaned before the next borrower. */
  isDirty = false;
  /** What still uses it when its borrower is gone. */
  lastUse: LastUse = 'nothing';
  /** Whether it keeps the process alive. */
  keepsProcess = true;

  constructor(
    readonly id: number,
    private readonly request: OpenRequest,
  ) {}

  /** Dies by itself, as a connection does that the server closes. */
  die(suspicion: Suspicion = 'trust others', error: unknown = new Error('died')): void {
    this.isAlive = false;
    this.request.lost(error, suspicion);
  }
}

/** The methods of a driver that can be made to throw before they have returned a promise. */
export type Throwing = 'open' | 'check' | 'recycle' | 'close' | 'destroy' | 'lastUseOf';

/**
 * The engine's driver without a database: the first proof that the engine knows none. Opening,
 * checking, cleaning and closing take the milliseconds that the test sets, on its clock.
 */
export class FakeDriver implements Driver<FakeResource> {
  openMs = 10;
  checkMs = 1;
  recycleMs = 1;
  closeMs = 1;
  /** What opening answers: undefined is success. A silent server never answers. */
  openFails: unknown;
  openIsSilent = false;
  /** True when an attempt that was given up succeeds all the same. */
  ignoresAbort = false;
  /** True when destroying is never over. */
  destroyIsSilent = false;
  permanent = false;
  readonly throwing = new Set<Throwing>();

  readonly opened: FakeResource[] = [];
  /** Every attempt to open, with the time at which it began. */
  readonly attempts: number[] = [];
  /** Every check that was asked for, in order. */
  readonly checked: FakeResource[] = [];
  opening = 0;
  /** The most attempts that ever ran at once. */
  mostOpening = 0;
  /** The most places that were ever taken on the other side. */
  mostTaken = 0;

  constructor(private readonly clock: Clock) {}

  /** Resources that exist on the other side. */
  get alive(): number {
    return this.opened.filter((resource) => resource.state === 'open').length;
  }

  /** Places taken on the other side, by those that are being opened as well: `max` bounds them. */
  get taken(): number {
    return this.alive + this.opening;
  }

  open(request: OpenRequest): Promise<FakeResource> {
    this.attempts.push(this.clock.now());
    this.#throwIf('open');
    return this.#open(request);
  }

  check(resource: FakeResource): Promise<void> {
    this.checked.push(resource);
    this.#throwIf('check');
    return this.#pass(this.checkMs, resource.isSilent).then(() => {
      if (!resource.isAlive) throw new Error('no answer');
    });
  }

  recycle(resource: FakeResource): Promise<void> | undefined {
    this.#throwIf('recycle');
    if (!resource.isDirty) return undefined;
    resource.isDirty = false;
    return this.#pass(this.recycleMs, resource.isSilent).then(() => {
      if (!resource.isAlive) throw new Error('no answer');
    });
  }

  close(resource: FakeResource): Promise<void> {
    this.#throwIf('close');
    return this.#pass(this.closeMs, resource.isSilent).then(() => {
      if (resource.state === 'open') resource.state = 'closed';
    });
  }

  destroy(resource: FakeResource): Promise<void> {
    resource.state = 'destroyed';
    this.#throwIf('destroy');
    return this.destroyIsSilent ? new Promise(() => {}) : Promise.resolve();
  }

  lastUseOf(resource: FakeResource): Promise<LastUse> {
    this.#throwIf('lastUseOf');
    return this.#pass(this.checkMs, resource.isSilent).then(() => resource.lastUse);
  }

  isPermanent(): boolean {
    return this.permanent;
  }

  setIdle(resource: FakeResource, idle: boolean): void {
    resource.keepsProcess = !idle;
  }

  async #open(request: OpenRequest): Promise<FakeResource> {
    this.opening += 1;
    this.mostOpening = Math.max(this.mostOpening, this.opening);
    this.mostTaken = Math.max(this.mostTaken, this.taken);
    try {
      const signal = this.ignoresAbort ? undefined : request.signal;
      await this.#pass(this.openMs, this.openIsSilent, signal);
      if (this.openFails !== undefined) throw this.openFails;
      const resource = new FakeResource(this.opened.length + 1, request);
      this.opened.push(resource);
      return resource;
    } finally {
      this.opening -= 1;
    }
  }

  #throwIf(method: Throwing): void {
    if (this.throwing.has(method)) throw new Error(`${method} is broken`);
  }

  #pass(ms: number, silent: boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = silent ? undefined : this.clock.after(ms, resolve, true);
      signal?.addEventListener('abort', () => {
        if (timer !== undefined) this.clock.cancel(timer);
        reject(signal.reason as Error);
      });
    });
  }
}
