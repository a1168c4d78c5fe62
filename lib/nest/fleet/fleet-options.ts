/**
 * A budget of connections that all instances of a service share: each gives its pools its share of
 * it, as instances come and go.
 *
 * @see docs/scaling.md
 * @publicApi
 */
export interface FleetOptions {
  /**
   * The most connections that all instances may have open together, fleet sessions and admin pools
   * included: a number, or a part of what the role may use, as `'70%'`, read at the start. A number
   * over what the role may use is lowered to that, with a warning. Minimum: what `instances` need
   * at least, with one connection for each pool. Required.
   */
  readonly budget: number | `${number}%`;

  /**
   * Whose instances share it: the first part of their sessions' names, in the place of the module's
   * `service`. Up to 27 characters of printable ASCII, without a colon. Default: `service`.
   */
  readonly service?: string;

  /**
   * Instances that are expected at once, for which room is kept. Default: `sizing.instances`, else
   * 1; minimum 1.
   */
  readonly instances?: number;

  /**
   * Milliseconds within which an instance that does not see the others any more shrinks to its
   * minimum; it looks twice as often. Default 2000, minimum 100.
   */
  readonly intervalMs?: number;
}
