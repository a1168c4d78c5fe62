import { sameServer } from '../../postgres/options/address.js';
import { Pool, partsOf } from '../../postgres/pool/pool.js';
import { CausalContext } from '../../routing/causal/causal-context.js';
import { believed } from '../../routing/causal/primary-position.js';
import { SeenTokens } from '../../routing/causal/seen-token.js';
import { watchWrites } from '../../routing/causal/watch-writes.js';
import { ReplicaPool } from '../../routing/replica-pool.js';
import { ADMIN, homeOf } from '../pool-names.js';
import type { PoolRegistry } from '../pool-registry.js';
import type { CausalOptions, CausalTokenOptions } from './causal-options.js';

const WINDOW_MS = 2_000;
const MAX_AGE_MS = 30_000;
const COOKIE = 'pools-seen';
const HEADER = 'x-pools-seen';

/** How tokens travel. */
export interface TokenNames {
  readonly cookie: string | undefined;
  readonly header: string | undefined;
  readonly maxAgeMs: number;
}

/** Opens the contexts in which reads see what was written, where an application has replicas. */
export class CausalReads {
  /** Whether there is a replica that could show the past. */
  readonly isActive: boolean;
  /** Undefined where no token is sent. */
  readonly names: TokenNames | undefined;
  readonly #windowMs: number;
  readonly #tokens: SeenTokens | undefined;
  readonly #replicas: ReplicaPool | undefined;

  /** @param options have been checked */
  constructor(registry: PoolRegistry, options: CausalOptions) {
    const { causal = 'lsn', causalWindowMs = WINDOW_MS, causalToken } = options;
    // Without what a test has put in the place of a pool.
    const pools = registry
      .names()
      .map((name) => registry.get(name))
      .filter((pool) => pool instanceof Pool);
    const home = homeOf(registry.names());
    const primary = pools.find(({ name }) => name === home);
    this.#windowMs = causalWindowMs;
    this.#replicas = pools.find((pool) => pool instanceof ReplicaPool);
    this.isActive = causal !== 'off' && primary !== undefined && this.#replicas !== undefined;
    if (!this.isActive || causal === 'off') return;
    for (const pool of poolsThatWrite(pools, primary!)) {
      watchWrites(partsOf(pool), { by: causal, windowMs: causalWindowMs });
    }
    if (!causalToken) return;
    this.names = namesOf(causalToken);
    this.#tokens = new SeenTokens([causalToken.secret].flat(), this.names.maxAgeMs);
  }

  /** A context of a request that has brought these tokens, if it has brought any. */
  open(tokens: readonly (string | undefined)[] = []): CausalContext {
    const context = new CausalContext();
    for (const token of tokens) {
      const seen = token === undefined ? undefined : this.#tokens?.read(token);
      if (seen) context.resume(believed(seen, this.#replicas!));
    }
    return context;
  }

  /** What the client of a context is to bring the next time; undefined where it has nothing new. */
  tokenOf(context: CausalContext): string | undefined {
    const seen = context.seen(this.#windowMs);
    return seen && this.#tokens?.issue(seen);
  }
}

function namesOf({ cookie = COOKIE, header = HEADER, maxAgeMs = MAX_AGE_MS }: CausalTokenOptions) {
  return {
    cookie: cookie || undefined,
    header: header ? header.toLowerCase() : undefined,
    maxAgeMs,
  };
}

/**
 * Every pool that leads to the primary, as whichever user and to whichever database, but for that
 * which asks about the server.
 */
function poolsThatWrite(pools: readonly Pool[], primary: Pool): Pool[] {
  return pools.filter(
    (pool) =>
      pool.name !== ADMIN &&
      !(pool instanceof ReplicaPool) &&
      sameServer(pool.address, primary.address),
  );
}
