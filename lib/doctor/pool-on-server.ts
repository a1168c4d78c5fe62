/** What has to be known of a pool to say whether it fits its server. Durations in milliseconds. */
export interface PoolOnServer {
  readonly name: string;
  /** Whether requests wait for it; the admin pool answers none. */
  readonly servesRequests: boolean;
  readonly user: string;
  readonly database: string;
  readonly min: number;
  readonly max: number;
  /** Sessions that are kept open beside its connections, to ask the server how it is. */
  readonly beside: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly keepaliveMs: number;
}

/** `primary 10, admin 1` */
export function poolsText(pools: readonly PoolOnServer[]): string {
  return pools.map(({ name, max }) => `${name} ${max}`).join(', ');
}
