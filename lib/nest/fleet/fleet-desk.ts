import { readServerFacts, type ServerFacts } from '../../doctor/server-facts.js';
import { outsideUserContext } from '../../engine/outside-user-context.js';
import { systemDeadlines } from '../../engine/system-clock.js';
import { within } from '../../engine/within.js';
import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import { TimeLimitError } from '../../errors/time-limit.error.js';
import type { FleetSession } from '../../fleet/fleet.js';
import { sameServer } from '../../postgres/options/address.js';
import { type Pool, partsOf } from '../../postgres/pool/pool.js';
import type { PostgresSession } from '../../postgres/session/postgres-session.js';

/** Over which pool's way the fleet's session goes. */
export interface Way {
  readonly pool: Pool;
  /** Whether the pools go through a pooler, whose server connections are not theirs. */
  readonly isBesidePooler: boolean;
}

/**
 * The admin pool's, where there is one: to the server of the primary, or past the pooler before it.
 * An admin pool of another server has nothing to say about this one.
 *
 * @throws what connecting throws
 */
export async function wayOf(primary: Pool, admin: Pool | undefined, limitMs: number): Promise<Way> {
  if (!admin || sameServer(admin.address, primary.address)) {
    return { pool: admin ?? primary, isBesidePooler: false };
  }
  const isPooled =
    isNamedPooler(primary) ||
    (await partsOf(primary).probe.answer(limitMs, readServerFacts)).isPooled;
  return { pool: isPooled ? admin : primary, isBesidePooler: isPooled };
}

/** Opens the sessions of a fleet, one after the other. */
export class FleetDesk {
  /** A process whose pools are not up yet has nothing else that keeps it alive. */
  #keepsProcess = true;
  #newest: PostgresSession | undefined;

  constructor(private readonly pool: Pool) {}

  /**
   * What the server says of itself. Resolves when the session that was opened for it has gone.
   *
   * @throws InvalidPoolOptionsError where the way leads through a pooler; what connecting throws
   */
  async askServer(limitMs: number): Promise<ServerFacts> {
    const { name } = this.pool;
    const { pooler } = partsOf(this.pool).settings;
    if (isNamedPooler(this.pool)) throw throughPooler(name, `its pooler is '${pooler}'`);
    const session = await this.#open(limitMs);
    const late = () => new TimeLimitError(name, 'ping', limitMs);
    try {
      const asked = readServerFacts(session.client);
      const facts = await within(systemDeadlines, limitMs, asked, late);
      if (facts.isPooled) throw throughPooler(name, 'the server knows its sessions by other ids');
      // Politely, which ends when the server has let go of it.
      await within(systemDeadlines, limitMs, session.client.end(), late);
      return facts;
    } finally {
      await session.destroy();
    }
  }

  /**
   * @param lost told when the session ended by itself
   * @throws what connecting throws
   */
  async openSession(limitMs: number, lost: () => void): Promise<FleetSession> {
    const session = await this.#open(limitMs);
    this.#newest = session;
    if (!this.#keepsProcess) unref(session);
    session.client.on('end', lost);
    return { client: session.client, close: () => session.destroy() };
  }

  /** The pools are up: from now on this keeps no process alive. */
  rest(): void {
    this.#keepsProcess = false;
    if (this.#newest) unref(this.#newest);
  }

  #open(limitMs: number): Promise<PostgresSession> {
    return outsideUserContext(() => partsOf(this.pool).probe.open(limitMs));
  }
}

function throughPooler(name: string, reason: string): InvalidPoolOptionsError {
  const message =
    `fleet needs a session of its own at the server, and ${name} leads through a pooler` +
    ` (${reason}): give the pool admin the address of the server itself (DATABASE_ADMIN_URL)`;
  return new InvalidPoolOptionsError([{ pool: 'PoolModule', option: 'fleet', message }]);
}

function isNamedPooler(pool: Pool): boolean {
  return partsOf(pool).settings.pooler.startsWith('pgbouncer');
}

/** A client of another make need not have it. */
function unref({ client }: PostgresSession): void {
  (client as { unref?: () => void }).unref?.();
}
