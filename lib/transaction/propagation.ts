import { IllegalTransactionStateError } from '../errors/illegal-transaction-state.error.js';
import { type AmbientConnection, frameOf, standInOf } from '../postgres/pool/ambient.js';
import { type Pool, partsOf } from '../postgres/pool/pool.js';
import { abortedError } from './limits.js';
import { NestedScope } from './nested-scope.js';
import { Alone, Joined, Nested, Owner, type Participation } from './participation.js';
import { besideAll, membersOf, type PoolGroup } from './pool-group.js';
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
 * A routed one looks for that of its home before that of the replica pool: inside a transaction that
 * writes, every read stays on its connection.
 *
 * @param remainingMs how much of its `timeoutMs` is left
 * @param attempt counts from 1
 * @throws IllegalTransactionStateError, and TransactionAbortedError when its signal has fired before
 */
export function participate(
  group: PoolGroup,
  label: string,
  options: TransactionOptions,
  remainingMs: number | undefined,
  attempt: number,
): Participation {
  const around = scopesOf(group);
  const found = around[0];
  const { home, route } = group;
  const poolName = found?.parts.poolName ?? (route ?? home).name;
  const parts = { pool: home, others: route && [route], poolName, label, options };
  const begin = () => beginIn(group, parts, around, remainingMs, attempt);
  const join = (scope: Scope): Participation => {
    refuseToJoin(scope, label, options);
    return new Joined(scope, parts, remainingMs);
  };
  if (options.signal?.aborted) throw abortedError(parts);
  const illegal = (problem: string) => new IllegalTransactionStateError(poolName, label, problem);

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
      return new Alone(found ? besides(membersOf(parts, ...around.map(partsOfScope))) : asItIs);
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

function besides(pools: readonly object[]): <T>(work: () => T) => T {
  return (work) => besideAll(pools, work);
}

function partsOfScope({ parts }: Scope): ScopeParts {
  return parts;
}

const NONE: readonly Scope[] = [];

/** What the pools of a group are in here, the home's first. */
function scopesOf({ home, route }: PoolGroup): readonly Scope[] {
  const found = scopeOf(home);
  const routed = route && scopeOf(route);
  if (!found && !routed) return NONE;
  return [found, routed].filter((scope) => scope !== undefined);
}

/** Begins one on the pool that it is routed to, for the whole group. */
function beginIn(
  { home, route }: PoolGroup,
  asked: ScopeParts,
  around: readonly Scope[],
  remainingMs: number | undefined,
  attempt: number,
): Owner {
  const where = partsOf(route ?? home);
  const { name: poolName, log } = where;
  const aside = suspended(asked, around);
  const parts = aside || poolName !== asked.poolName ? { ...asked, poolName, aside } : asked;
  const host = standInOf(home) as TransactionHost | undefined;
  const holder = frameOf(home)?.scope ?? (route && frameOf(route)?.scope);
  const scope = host?.begin(parts, remainingMs) ?? new RootScope(parts, where, holder, remainingMs);
  return new Owner(scope, log, watchTransaction(where, asked.label, attempt));
}

/** What the transactions around stand for, and the new one does not: it is in none of them. */
function suspended(asked: ScopeParts, around: readonly Scope[]): object[] | undefined {
  if (around.length === 0) return undefined;
  const own = membersOf(asked);
  const others = membersOf(...around.map(partsOfScope)).filter((pool) => !own.includes(pool));
  return others.length > 0 ? others : undefined;
}

function nest(outer: Scope, parts: ScopeParts, remainingMs: number | undefined): Participation {
  refuseToJoin(outer, parts.label, { ...parts.options, settings: undefined });
  // Whoever is a member of the outer one must not be let past the savepoint.
  const others = membersOf(outer.parts, parts).filter((pool) => pool !== parts.pool);
  const all = { ...parts, others: others.length > 0 ? others : undefined };
  return new Nested(new NestedScope(all, outer), remainingMs);
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
