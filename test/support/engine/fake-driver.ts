import type { Clock } from '../../../lib/engine/clock.js';
import type { Driver, OpenRequest, Suspicion } from '../../../lib/engine/driver.js';

/** A resource that does nothing but remember what happened to it. */
export class FakeResource {
  state: 'open' | 'closed' | 'destroyed' = 'open';
  /** False when it does not answer checks: they fail at once. */
  isAlive = true;
  /** True when checks, resets and goodbyes are never answered. */
  isSilent = false;
  /** True when it has to be cleaned before the next borrower. */
  isDirty = false;

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
  permanent = false;

  readonly opened: FakeResource[] = [];
  /** Every attempt to open, with the time at which it began. */
  readonly attempts: number[] = [];
  opening = 0;
  /** The most attempts that ever ran at once. */
  mostOpening = 0;

  constructor(private readonly clock: Clock) {}

  /** Resources that exist on the other side: what `max` promises to bound. */
  get alive(): number {
    return this.opened.filter((resource) => resource.state === 'open').length;
  }

  async open(request: OpenRequest): Promise<FakeResource> {
    this.attempts.push(this.clock.now());
    this.opening += 1;
    this.mostOpening = Math.max(this.mostOpening, this.opening);
    try {
      await this.#pass(this.openMs, this.openIsSilent, request.signal);
      if (this.openFails !== undefined) throw this.openFails;
      const resource = new FakeResource(this.opened.length + 1, request);
      this.opened.push(resource);
      return resource;
    } finally {
      this.opening -= 1;
    }
  }

  async check(resource: FakeResource): Promise<void> {
    await this.#pass(this.checkMs, resource.isSilent);
    if (!resource.isAlive) throw new Error('no answer');
  }

  recycle(resource: FakeResource): Promise<void> | undefined {
    if (!resource.isDirty) return undefined;
    resource.isDirty = false;
    return this.#pass(this.recycleMs, resource.isSilent);
  }

  async close(resource: FakeResource): Promise<void> {
    await this.#pass(this.closeMs, resource.isSilent);
    resource.state = 'closed';
  }

  destroy(resource: FakeResource): Promise<void> {
    resource.state = 'destroyed';
    return Promise.resolve();
  }

  isPermanent(): boolean {
    return this.permanent;
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
