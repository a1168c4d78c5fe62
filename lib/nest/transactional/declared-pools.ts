import 'reflect-metadata';
import { PRIMARY, REPLICA } from '../pool-names.js';
import type { TransactionOptions } from '../../transaction/transaction-options.js';
import { labelOf } from './transactional-method.js';

/** Beside a class: which of its methods asks for a transaction of which pool. */
const DECLARED = 'nestjs-pools:transactional-pools';

type Declaration = readonly [key: string | symbol, pool: string];

/** A pool that somebody begins transactions on. */
export interface DeclaredPool {
  readonly pool: string;
  /** Class and method. */
  readonly place: string;
}

/** Notes the pools of a method, so that a start can refuse one that is not registered. */
export function declarePools(
  prototype: object,
  key: string | symbol,
  { pool = PRIMARY, route }: Pick<TransactionOptions, 'pool' | 'route'> = {},
): void {
  const declared: Declaration[] = [...declarationsOf(prototype), [key, pool]];
  // Without the replica pool of this name the primary is read.
  if (route !== undefined && route !== REPLICA) declared.push([key, route]);
  Reflect.defineMetadata(DECLARED, declared, prototype);
}

/** What the methods of a class ask for, inherited ones included that it does not replace. */
export function declaredPools(prototype: object | null): DeclaredPool[] {
  const found: DeclaredPool[] = [];
  const replaced = new Set<string | symbol>();
  for (let here: object | null = prototype; here; here = Object.getPrototypeOf(here) as object) {
    for (const [key, pool] of declarationsOf(here)) {
      if (!replaced.has(key)) found.push({ pool, place: labelOf(prototype!, key) });
    }
    for (const key of Reflect.ownKeys(here)) replaced.add(key);
  }
  return found;
}

function declarationsOf(prototype: object): readonly Declaration[] {
  return (Reflect.getOwnMetadata(DECLARED, prototype) as Declaration[] | undefined) ?? [];
}
