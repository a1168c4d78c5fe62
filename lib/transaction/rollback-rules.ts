/** A class of errors, or a question about one. */
export type RollbackRule =
  (abstract new (...args: never[]) => unknown) | ((error: unknown) => boolean);

type ErrorClass = abstract new (...args: never[]) => unknown;

/** What of an error decides whether it rolls back. */
export interface RollbackRules {
  readonly rollbackFor?: RollbackRule | readonly RollbackRule[] | undefined;
  readonly noRollbackFor?: RollbackRule | readonly RollbackRule[] | undefined;
}

/** Farther than any class of any error. */
const NOT_AT_ALL = Infinity;

/**
 * Whether an error rolls its transaction back. Every error does, unless `noRollbackFor` matches it
 * nearer than `rollbackFor`: its own class is nearer than the class that it extends. A function that
 * says yes is as near as the error's own class; of two that are equally near `rollbackFor` wins.
 */
export function rollsBack(error: unknown, { rollbackFor, noRollbackFor }: RollbackRules): boolean {
  const against = nearest(error, noRollbackFor);
  return against === NOT_AT_ALL || nearest(error, rollbackFor) <= against;
}

function nearest(error: unknown, rules: RollbackRule | readonly RollbackRule[] = []): number {
  return Math.min(NOT_AT_ALL, ...[rules].flat().map((rule) => distanceOf(error, rule)));
}

function distanceOf(error: unknown, rule: RollbackRule): number {
  if (!isClass(rule)) return rule(error) ? 0 : NOT_AT_ALL;
  if (!(error instanceof rule)) return NOT_AT_ALL;
  let distance = 0;
  let prototype: unknown = Object.getPrototypeOf(error);
  while (prototype && prototype !== rule.prototype) {
    distance += 1;
    prototype = Object.getPrototypeOf(prototype);
  }
  return distance;
}

/** A class has a prototype that cannot be replaced, or is one of those that came before classes. */
function isClass(rule: RollbackRule): rule is ErrorClass {
  const prototype = Object.getOwnPropertyDescriptor(rule, 'prototype');
  return prototype !== undefined && (!prototype.writable || prototype.value instanceof Error);
}
