import { describeCause } from '../errors/describe-cause.js';
import { duration } from '../errors/duration.js';
import { UnexpectedRollbackError } from '../errors/unexpected-rollback.error.js';
import { within } from '../postgres/pool/ambient.js';
import type { PoolLog } from '../postgres/report/pool-log.js';
import type { Outcome } from './hooks.js';
import type { NestedScope } from './nested-scope.js';
import { rollsBack } from './rollback-rules.js';
import type { RootScope } from './root-scope.js';
import type { Scope } from './scope.js';
import { Transaction } from './transaction.js';

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
  /** Rejects when the transaction ends before its method does. */
  readonly interrupted: Promise<never> | undefined;
  /** The method has returned. */
  succeed(): Promise<void>;
  /** The method has failed; resolves when what that means is done. */
  fail(error: unknown): Promise<void>;
}

/** Without a transaction. */
export class Alone implements Participation {
  readonly transaction = undefined;
  readonly interrupted = undefined;
  readonly isOwner = false;

  constructor(readonly enter: <T>(work: () => T) => T) {}

  succeed(): Promise<void> {
    return Promise.resolve();
  }

  fail(): Promise<void> {
    return Promise.resolve();
  }
}

/** In the transaction of somebody else, who ends it. */
export class Joined implements Participation {
  readonly transaction: Transaction;
  readonly interrupted = undefined;
  readonly isOwner = false;

  constructor(
    private readonly scope: Scope,
    private readonly options: Scope['parts']['options'],
  ) {
    this.transaction = new Transaction(scope, false);
  }

  enter<T>(work: () => T): T {
    return work();
  }

  succeed(): Promise<void> {
    return Promise.resolve();
  }

  /** What it did is half done: whoever swallows its error must not commit that. */
  fail(error: unknown): Promise<void> {
    if (rollsBack(error, this.options)) this.scope.doom ??= { cause: error, byOwner: false };
    return Promise.resolve();
  }
}

/** Behind a savepoint. */
export class Nested implements Participation {
  readonly transaction: Transaction;
  readonly interrupted = undefined;
  readonly isOwner = false;

  constructor(private readonly scope: NestedScope) {
    this.transaction = new Transaction(scope, true);
  }

  enter<T>(work: () => T): T {
    const { parts, token } = this.scope;
    return within(parts.pool, this.scope, token, work);
  }

  async succeed(): Promise<void> {
    const { scope } = this;
    await scope.idle();
    scope.close('released');
    const hasFailed = scope.hasEntered && (await scope.transaction.status()) === 'E';
    if (!hasFailed && !scope.doom) {
      scope.release();
      scope.outer.hooks.adopt(scope.hooks);
      scope.end();
      return;
    }
    const cause = scope.doom?.cause ?? scope.transaction.failure;
    await scope.rollBack();
    scope.end();
    if (scope.doom?.byOwner) return;
    throw new UnexpectedRollbackError(scope.parts.poolName, scope.parts.label, cause);
  }

  async fail(error: unknown): Promise<void> {
    const { scope } = this;
    if (!rollsBack(error, scope.parts.options)) {
      await this.succeed();
      return;
    }
    await scope.idle();
    scope.close('rolled back');
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
  ) {
    this.transaction = new Transaction(scope, true);
  }

  get interrupted(): Promise<never> {
    return this.scope.interrupted;
  }

  enter<T>(work: () => T): T {
    const { parts, token } = this.scope;
    return within(parts.pool, this.scope, token, work);
  }

  async succeed(): Promise<void> {
    const { scope } = this;
    try {
      await this.enter(() => scope.hooks.runBeforeCommit());
      await this.#waitForTheRest();
    } catch (error) {
      await this.fail(error);
      throw error;
    }
    if (scope.doom) {
      await this.#rollBack(scope.doom.cause);
      if (scope.doom.byOwner) return;
      throw new UnexpectedRollbackError(scope.parts.poolName, scope.parts.label, scope.doom.cause);
    }
    const isEarly = this.#mayReturnEarly && (await scope.transaction.status()) === 'T';
    const committed = this.#commit();
    if (isEarly) committed.catch((error: unknown) => this.#reportLate(error));
    else await committed;
  }

  async fail(error: unknown): Promise<void> {
    if (rollsBack(error, this.scope.parts.options)) await this.#rollBack(error);
    else await this.succeed();
  }

  /** A read has its rows; whether its COMMIT was answered changes nothing for it. */
  get #mayReturnEarly(): boolean {
    const { options } = this.scope.parts;
    const isPlainRead = options.readOnly === true && options.isolation !== 'serializable';
    return isPlainRead && !this.scope.hooks.awaitOutcome;
  }

  async #commit(): Promise<void> {
    const { scope } = this;
    scope.close('committed');
    try {
      const { commitTimeoutMs = COMMIT_TIMEOUT_MS, resolveUnknownCommit } = scope.parts.options;
      await scope.transaction.commit(commitTimeoutMs, resolveUnknownCommit);
    } catch (error) {
      const isUnknown = (error as { code?: unknown }).code === 'POOL_COMMIT_OUTCOME_UNKNOWN';
      await this.#runHooks(isUnknown ? 'unknown' : 'rolled back', error);
      throw error;
    }
    await this.#runHooks('committed', undefined);
  }

  async #rollBack(cause: unknown): Promise<void> {
    this.scope.close('rolled back');
    await this.scope.transaction.rollback();
    await this.#runHooks('rolled back', cause);
  }

  /** What was not awaited may still be on its way: it belongs to the transaction, and is waited for. */
  async #waitForTheRest(): Promise<void> {
    const { scope, log } = this;
    if (!scope.isBusy) return;
    const { poolName, label } = scope.parts;
    const startedAt = performance.now();
    await Promise.race([scope.idle(), scope.interrupted]);
    log.warn(
      `${poolName}: ${label} returned before all statements of its transaction were answered; they` +
        ` were waited for, for ${duration(performance.now() - startedAt)}; await each of them`,
      { pool: poolName, label },
    );
  }

  #runHooks(outcome: Outcome, cause: unknown): Promise<void> {
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
