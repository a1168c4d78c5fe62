import type { Revocation } from '../errors/lease-revoked.error.js';
import type { AcquireRequest } from './acquire-request.js';
import type { Entry } from './entry.js';

/**
 * One loan of one resource: fresh for every hand-out, so that a late second release can never free
 * what the next borrower holds.
 */
export class Lease<R> {
  /** Set once, by the pool's first warning about this lease. */
  leakReported = false;
  /** Why the pool took the resource back by force; undefined when it did not. */
  revoked: Revocation | undefined;
  /**
   * What the borrower has of it, if something that can be lost. The pool lets go of it when it
   * begins to watch for its collection.
   */
  handle: object | undefined;

  constructor(
    readonly entry: Entry<R>,
    readonly request: AcquireRequest,
    /** When it was handed out, on the engine's clock. */
    readonly since: number,
  ) {}

  get resource(): R {
    return this.entry.resource;
  }

  /** False once it was released or revoked. */
  get isOut(): boolean {
    return this.entry.lease === this;
  }

  /** Takes it away from its borrower. */
  revoke(revocation: Revocation): void {
    this.revoked = revocation;
    this.entry.lease = undefined;
  }
}
