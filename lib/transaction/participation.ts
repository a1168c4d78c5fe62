import { describeCause } from '../errors/describe-cause.js';
import { duration } from '../errors/duration.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import type { Outcome } from './hooks.js';
import { type OnInterrupt, orInterrupted } from './interruption.js';
import { Limits } from './limits.js';
import type { NestedScope } from './nested-scope.js';
import { type Membership, membersOf, withinAll } from './pool-group.js';
import { rollsBack } from './rollback-rules.js';
import type { RootScope } from './root-scope.js';
import { ROLLED_BACK, type Scope, type ScopeParts } from './scope.js';
import { Transaction } from './transaction.js';
import type { TransactionWatch } from './transaction-watch.js';

/** Unless `commitTimeoutMs` says otherwise. */
const COMMIT_TIMEOUT_MS = 30_000;

/** What a method has to do with a transaction, from its call to its end. */
export interface Participation {
  /** Undefined where it runs without one. */
  readonly transaction: Transaction | undefined;
  /** Whether the end of the method is that of the transaction. */
  readonly isOwner: boolean;
  /** Runs `work` where it belongs. */
  enter<T>(work: () => T): T;
  /** Tells when the transaction ends before its method does; undefined where it cannot. */
  readonly onInterrupt: OnInterrupt | undefined;
  /** The method has returned. */
  succeed(): Promise<void>;
  /** The method has failed; resolves when what that means is done. */
  fail(error: unknown): Promise<void>;
}

/** Runs work where statements belong to a scope, and the method knows it by its own handle. */
function inScope<T>(
  scope: Scope,
  handle: Transaction,
  work: () => T,
  membership: Membership = scope.parts,
): T {
  return withinAll(membership, { connection: scope, scope: scope.token, handle }, work);
}

/** Without a transaction. */
export class Alone implements Participation {
  readonly transaction = undefined;
  readonly onInterrupt = undefined;
  readonly isOwner = false;

  constructor(readonly enter: <T>(work: () => T) => T) {}

  succeed(): Promise<void> {
    return Promise.resolve();
  }

  fail(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Has part in the transaction of somebody else, which ends when its own limits say so: nobody can
 * go on with what it has half done.
 */
abstract class Guest implements Participation {
  readonly isOwner = false;
  readonly onInterrupt: OnInterrupt | undefined;
  readonly #limits: Limits | undefined;

  constructor(
    private readonly outer: Scope,
    parts: ScopeParts,
    remainingMs: number | undefined,
  ) {
    if (!Limits.of(parts.options)) return;
    this.onInterrupt = outer.onInterrupt;
    this.#limits = new Limits(parts, remainingMs, (error) => this.outer.interrupt(error));
  }

  abstract readonly transaction: Transaction;
  abstract enter<T>(work: () => T): T;

  succeed(): Promise<void> {
    this.#limits?.lift();
    return Promise.resolve();
  }

  fail(_error: unknown): Promise<void> {
    this.#limits?.lift();
    return Promise.resolve();
  }
}

/** In the transaction of somebody else, who ends it. */
export class Joined extends Guest {
  readonly transaction: Transaction;

  constructor(
    private readonly scope: Scope,
    private readonly parts: ScopeParts,
    remainingMs: number | undefined,
  ) {
    super(scope, parts, remainingMs);
    this.transaction = new Transaction(scope, false);
  }

  enter<T>(work: () => T): T {
    return inScope(this.scope, this.transaction, work, this.#membership);
  }

  /** Whoever joins with more pools than began it has them all in it, and nobody is suspended. */
  get #membership(): Membership {
    const { pool } = this.scope.parts;
    if (!this.parts.others && !this.scope.parts.others) return { pool };
    const others = membersOf(this.scope.parts, this.parts).filter((other) => other !== pool);
    return { pool, others };
  }

  /** What it did is half done: whoever swallows its error must not commit that. */
  override async fail(error: unknown): Promise<void> {
    await super.fail(error);
    if (rollsBack(error, this.parts.options)) this.scope.doom ??= { cause: error, byOwner: false };
  }
}

/** Behind a savepoint. */
export class Nested extends Guest {
  readonly transaction: Transaction;

  constructor(
    private readonly scope: NestedScope,
    remainingMs: number | undefined,
  ) {
    super(scope.outer, scope.parts, remainingMs);
    this.transaction = new Transaction(scope, true);
  }

  enter<T>(work: () => T): T {
    return inScope(this.scope, this.transaction, work);
  }

  override async succeed(): Promise<void> {
    const { scope } = this;
    await scope.idle();
    if (scope.hasSent) scope.transaction.statements.closeCursor();
    await super.succeed();
    scope.close('released');
    const hasFailed = scope.hasSent && (await scope.transaction.status()) === 'E';
    if (!hasFailed && !scope.doom) {
      scope.release();
      scope.outer.hooks.adopt(scope.hooks);
      scope.end();
      return;
    }
    const cause = scope.doom?.cause ?? scope.transaction.statements.failure;
    await scope.rollBack();
    scope.end();
    if (scope.doom?.byOwner) return;
    throw new UnexpectedRollbackError(scope.parts.poolName, scope.parts.label, cause);
  }

  override async fail(error: unknown): Promise<void> {
    const { scope } = this;
    if (!rollsBack(error, scope.parts.options)) {
      await this.succeed();
      return;
    }
    await super.fail(error);
    await scope.idle();
    scope.close(ROLLED_BACK);
    await scope.rollBack();
    scope.end();
  }
}

/** The one that began it, and ends it. */
export class Owner implements Participation {
  readonly transaction: Transaction;
  readonly isOwner = true;

  constructor(
    private readonly scope: RootScope,
    private readonly log: PoolLog,
    /** Undefined where nobody watches transactions. */
    private readonly watch: TransactionWatch | undefined,
  ) {
    this.transaction = new Transaction(scope, true);
  }

  get onInterrupt(): OnInterrupt {
    return this.scope.onInterrupt;
  }

  enter<T>(work: () => T): T {
    return this.#watched(() => inScope(this.scope, this.transaction, work));
  }

  /** Whoever traces sees what this sends as the transaction's. */
  #watched<T>(work: () => T): T {
    return this.watch ? this.watch.enter(work) : work();
  }

  /** What stands before COMMIT is awaited only where there is some: nearly nowhere. */
  succeed(): Promise<void> {
    return this.#isReadyToCommit ? this.#commit() : this.#conclude();
  }

  get #isReadyToCommit(): boolean {
    const { isBusy, doom, hooks, transaction } = this.scope;
    if (isBusy || doom || hooks.beforeCommit.length > 0) return false;
    return !transaction.statements.hadCursor && !this.#mayReturnEarly;
  }

  async #conclude(): Promise<void> {
    const { scope } = this;
    try {
      await this.#beforeCommit();
    } catch (error) {
      await this.#rollBack(error);
      throw error;
    }
    if (scope.doom) {
      await this.#rollBack(scope.doom.cause);
      if (scope.doom.byOwner) return;
      throw new UnexpectedRollbackError(scope.parts.poolName, scope.parts.label, scope.doom.cause);
    }
    const isEarly =
      this.#mayReturnEarly && (await scope.transaction.status()) === 'T' && scope.isOpen;
    const committed = this.#commit();
    if (isEarly) committed.catch((error: unknown) => this.#reportLate(error));
    else await committed;
  }

  async fail(error: unknown): Promise<void> {
    if (rollsBack(error, this.scope.parts.options)) await this.#rollBack(error);
    else await this.succeed();
  }

  /** A transaction that is going to be rolled back is not told of a commit. */
  async #beforeCommit(): Promise<void> {
    const { hooks, doom, transaction, onInterrupt } = this.scope;
    await this.#waitForTheRest();
    transaction.statements.closeCursor();
    if (hooks.beforeCommit.length === 0 || doom || (await transaction.status()) === 'E') return;
    const hooksRun = this.enter(() => hooks.runBeforeCommit());
    await orInterrupted(hooksRun, onInterrupt);
    await this.#waitForTheRest();
    transaction.statements.closeCursor();
  }

  /** A read has its rows; whether its COMMIT was answered changes nothing for it. */
  get #mayReturnEarly(): boolean {
    const { options } = this.scope.parts;
    const isPlainRead = options.readOnly === true && options.isolation !== 'serializable';
    return isPlainRead && !this.scope.hooks.awaitOutcome;
  }

  /** Not async: what follows COMMIT is awaited only where somebody waits for its outcome. */
  #commit(): Promise<void> {
    const { scope, watch } = this;
    scope.close('committed');
    const { commitTimeoutMs = COMMIT_TIMEOUT_MS, resolveUnknownCommit } = scope.parts.options;
    const committed = this.#watched(() =>
      scope.transaction.commit(commitTimeoutMs, resolveUnknownCommit),
    );
    const isTold = watch !== undefined || scope.hooks.awaitOutcome;
    return committed.then(isTold ? () => this.#tell('committed', undefined) : undefined, (error) =>
      this.#commitFailed(error),
    );
  }

  async #commitFailed(error: unknown): Promise<never> {
    const isUnknown = (error as { code?: unknown }).code === 'POOL_COMMIT_OUTCOME_UNKNOWN';
    await this.#tell(isUnknown ? 'unknown' : this.#outcome, error);
    throw error;
  }

  async #rollBack(cause: unknown): Promise<void> {
    this.scope.close(ROLLED_BACK);
    await this.#watched(() => this.scope.transaction.rollback());
    await this.#tell(this.#outcome, cause);
  }

  /** Of one that was not committed by us: whether by itself nobody knows, when it ended by itself. */
  get #outcome(): Outcome {
    return this.scope.transaction.statements.isLost ? 'unknown' : 'rolled back';
  }

  /** What was not awaited may still be on its way: it belongs to the transaction, and is waited for. */
  async #waitForTheRest(): Promise<void> {
    const { scope, log } = this;
    if (!scope.isBusy) return;
    const { poolName, label } = scope.parts;
    const startedAt = performance.now();
    await orInterrupted(scope.idle(), scope.onInterrupt);
    log.warn(
      `${poolName}: ${label} returned before all statements of its transaction were answered; they` +
        ` were waited for, for ${duration(performance.now() - startedAt)}; await each of them`,
      { pool: poolName, label },
    );
  }

  /** Undefined where no hook runs: a promise that is returned into another one costs three more. */
  #tell(outcome: Outcome, cause: unknown): Promise<void> | undefined {
    this.watch?.ended(outcome, this.scope.statements, cause);
    if (this.scope.hooks.noneAfter) return undefined;
    return this.scope.hooks.runAfter(outcome, cause, (error, hook) => {
      const { poolName, label } = this.scope.parts;
      this.log.warn(
        `${poolName}: a hook (${hook}) of ${label} failed: ${describeCause(error)};` +
          ` the transaction is ${outcome} all the same`,
        { pool: poolName, label, hook },
      );
    });
  }

  #reportLate(error: unknown): void {
    const { poolName, label } = this.scope.parts;
    this.log.warn(
      `${poolName}: the COMMIT of ${label}, which only reads, failed: ${describeCause(error)}`,
      { pool: poolName, label },
    );
  }
}
