/** The pool that `@InjectPool()` means. */
export const PRIMARY = 'primary';

/** The pool for health checks and diagnostics, which never queue behind user traffic. */
export const ADMIN = 'admin';

/** The pool that reads may go to; without an address of its own it reads from the primary's. */
export const REPLICA = 'replica';

/** The pool whose address the others use, and whose replicas they lead to. */
export function homeOf(names: readonly string[]): string | undefined {
  return names.includes(PRIMARY) ? PRIMARY : names[0];
}

/**
 * The names of an application's pools. Augment it, and a misspelt name no longer compiles:
 *
 * ```ts
 * declare module 'nestjs-pools' {
 *   interface PoolNames { primary: true; replica: true; admin: true }
 * }
 * ```
 *
 * @publicApi
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- it is there to be augmented
export interface PoolNames {}

/** A pool's name: one of {@link PoolNames} when the application declares them, else any string. */
export type PoolName = keyof PoolNames extends never ? string : Extract<keyof PoolNames, string>;
