import { IllegalTransactionStateError } from '../errors/illegal-transaction-state.error.js';
import { type AmbientConnection, frameOf, standInOf, within } from '../postgres/pool/ambient.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import { abortedError } from './limits.js';
import { NestedScope } from './nested-scope.js';
import { Alone, Joined, Nested, Owner, type Participation } from './participation.js';
import { RootScope } from './root-scope.js';
import { Scope, type ScopeParts } from './scope.js';
import { watchTransaction } from './transaction-watch.js';
import { ISOLATION_LEVELS, type TransactionOptions } from './transaction-options.js';

/** What stands in for a pool's own connections, in a test: transactions begin on it as well. */
export interface TransactionHost extends AmbientConnection {
  /** @param remainingMs how much of its `timeoutMs` is left */
  begin(parts: ScopeParts, remainingMs: number | undefined): RootScope;
}

/** The scope that statements of a pool belong to here; undefined outside of every transaction. */
export function scopeOf(pool: Pool): Scope | undefined {
  const connection = frameOf(pool)?.connection;
  return connection instanceof Scope ? connection : undefined;
}

/**
 * Decides what a method does with the transaction that it finds.
 *
 * @param remainingMs how much of its `timeoutMs` is left
 * @param attempt counts from 1
 * @throws IllegalTransactionStateError, and TransactionAbortedError when its signal has fired before
 */
export function participate(
  pool: Pool,
  label: string,
  options: TransactionOptions,
  remainingMs: number | undefined,
  attempt: number,
): Participation {
  const found = scopeOf(pool);
  const parts = { pool, poolName: pool.name, label, options };
  const begin = (): Participation => {
    const host = standInOf(pool) as TransactionHost | undefined;
    const holder = frameOf(pool)?.scope;
    const poolParts = partsOf(pool);
    const scope =
      host?.begin(parts, remainingMs) ?? new RootScope(parts, poolParts, holder, remainingMs);
    return new Owner(scope, poolParts.log, watchTransaction(poolParts, label, attempt));
  };
  const join = (scope: Scope): Participation => {
    refuseToJoin(scope, label, options);
    return new Joined(scope, parts, remainingMs);
  };
  if (options.signal?.aborted) throw abortedError(parts);
  const illegal = (problem: string) => new IllegalTransactionStateError(pool.name, label, problem);

  switch (options.propagation ?? 'REQUIRED') {
    case 'REQUIRED':
      return found ? join(found) : begin();
    case 'REQUIRES_NEW':
      return begin();
    case 'NESTED':
      return found ? nest(found, parts, remainingMs) : begin();
    case 'SUPPORTS':
      return found ? join(found) : new Alone(asItIs);
    case 'NOT_SUPPORTED':
      return new Alone(found ? besides(pool) : asItIs);
    case 'MANDATORY':
      if (found) return join(found);
      throw illegal('needs a transaction (MANDATORY) and was called outside of one');
    case 'NEVER':
      if (!found) return new Alone(asItIs);
      throw illegal(
        `must not run in a transaction (NEVER) and was called in that of ${found.parts.label}`,
      );
  }
}

function asItIs<T>(work: () => T): T {
  return work();
}

/** Where the transaction's connection is still held: whoever takes another one may wait for it. */
function besides(pool: Pool): <T>(work: () => T) => T {
  return (work) => within(pool, { scope: frameOf(pool)?.scope }, work);
}

function nest(outer: Scope, parts: ScopeParts, remainingMs: number | undefined): Participation {
  refuseToJoin(outer, parts.label, { ...parts.options, settings: undefined });
  return new Nested(new NestedScope(parts, outer), remainingMs);
}

/**
 * Whoever joins gets what was begun. Only somebody who asks for more in so many words is refused; a
 * helper that says nothing joins anything.
 */
function refuseToJoin(scope: Scope, label: string, options: TransactionOptions): void {
  const { poolName, label: outer } = scope.parts;
  const refuse = (problem: string): void => {
    throw new IllegalTransactionStateError(
      poolName,
      label,
      `cannot join the transaction of ${outer}: ${problem}; use REQUIRES_NEW, or begin it so`,
    );
  };
  const { isolation, readOnly, settings } = options;
  const begun = beginningOf(scope);
  if (isolation !== undefined && strengthOf(isolation) > strengthOf(begun.isolation)) {
    refuse(`it asks for ${isolation} and finds ${begun.isolation ?? "the server's default"}`);
  }
  if (readOnly === false && begun.readOnly === true)
    refuse('it wants to write and finds READ ONLY');
  for (const [name, value] of Object.entries(settings ?? {})) {
    const found = settingIn(scope, name);
    if (found === undefined || String(found) !== String(value)) {
      refuse(`it asks for another value of the setting ${name}`);
    }
  }
}

function beginningOf(scope: Scope): TransactionOptions {
  let root = scope;
  while (root.outer) root = root.outer;
  return root.parts.options;
}

function settingIn(scope: Scope | undefined, name: string): string | number | boolean | undefined {
  for (let here = scope; here; here = here.outer) {
    const value = here.parts.options.settings?.[name];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** What the server's default is, is not known here: to ask for a level is to ask for more. */
function strengthOf(isolation: TransactionOptions['isolation']): number {
  return isolation === undefined ? 0 : ISOLATION_LEVELS.indexOf(isolation);
}
