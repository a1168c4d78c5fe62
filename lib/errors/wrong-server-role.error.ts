import { PoolError } from './pool.error.js';

/** What a server turned out to be. */
export type FoundRole = 'primary' | 'replica' | 'read-only primary';

/** A server that is not what a pool's `role` asks for. */
export interface WrongServerRole {
  readonly host: string;
  readonly port: number;
  readonly found: FoundRole;
  readonly wanted: 'primary' | 'replica';
  /** What became of the pool's other hosts, in words. */
  readonly others?: string | undefined;
}

/**
 * A server is not what the pool's `role` asks for, and was not used: a primary after a failover, a
 * replica where the primary was meant. It is asked again, since a failover may change it; callers
 * who waited in vain find it as the cause of their timeout.
 *
 * @publicApi
 */
export class WrongServerRoleError extends PoolError {
  readonly code = 'POOL_WRONG_SERVER_ROLE';
  readonly host: string;
  readonly port: number;
  readonly found: FoundRole;
  readonly wanted: 'primary' | 'replica';
  readonly #others: string | undefined;

  constructor(pool: string, role: WrongServerRole) {
    super(
      `${sentenceOf(role, role.others)}; it is asked again, as a failover may change it:` +
        " check that the pool's hosts are the right ones, or its option role",
      { pool },
    );
    this.host = role.host;
    this.port = role.port;
    this.found = role.found;
    this.wanted = role.wanted;
    this.#others = role.others;
  }

  override get brief(): string {
    return sentenceOf(this, this.#others);
  }
}

function sentenceOf(role: WrongServerRole, others: string | undefined): string {
  const { host, port, found, wanted } = role;
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const rest = others === undefined ? '' : ` (${others})`;
  return `${server} is a ${found}, and role is '${wanted}'${rest}`;
}
