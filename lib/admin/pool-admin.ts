import { Injectable, Logger } from '@nestjs/common';
import { BackendRefusedError } from '../errors/backend-refused.error.js';
import { PoolDiagnostics, type PoolReportOptions } from '../diagnostics/pool-diagnostics.js';
import type { PoolsReport } from '../diagnostics/pools-report.js';
import { sessionWith } from '../diagnostics/own-sessions.js';
import { ServerDesk } from '../diagnostics/server-desk.js';
import type { PoolName } from '../nest/pool-names.js';
import { PoolRegistry } from '../nest/pool-registry.js';
import { ArgumentCheck } from '../postgres/options/argument-check.js';
import type { Pool } from '../postgres/pool/pool.js';
import { maskedStatement } from '../postgres/report/masked-statement.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import { signalBackend } from './signal-backend.js';

/** How a pool is after something was done to it. */
export interface PoolState {
  readonly pool: string;
  readonly state: 'open' | 'suspended' | 'draining' | 'closed';
  readonly min: number;
  readonly max: number;
  readonly total: number;
  readonly leased: number;
  readonly idle: number;
  readonly waiting: number;
}

/** What was done to a backend, and what it was doing. */
export interface BackendTold {
  readonly pool: string;
  readonly backend: number;
  readonly told: 'cancel' | 'terminate';
  /** Who has its connection; undefined when nobody has, or somebody without a label. */
  readonly label: string | undefined;
  /** What it was running, cut and masked; undefined when nothing. */
  readonly statement: string | undefined;
}

/** Which of the pools a backend is looked for in; needed where two servers use the same id. */
export interface BackendOptions {
  readonly pool?: PoolName | undefined;
}

interface OwnBackend {
  readonly pool: Pool;
  readonly session: PostgresSession;
}

const TIME_LIMIT_MS = 5_000;
const HIGHEST_PID = 2 ** 31 - 1;

/**
 * The ways out of an incident without a restart. Whatever is done is logged.
 *
 * @publicApi
 */
@Injectable()
export class PoolAdmin {
  readonly #logger = new Logger('PoolAdmin');

  constructor(
    private readonly registry: PoolRegistry,
    private readonly diagnostics: PoolDiagnostics,
    private readonly desk: ServerDesk,
  ) {}

  /** See {@link PoolDiagnostics.report}. */
  report(options?: PoolReportOptions): Promise<PoolsReport> {
    return this.diagnostics.report(options);
  }

  /**
   * Asks the server to cancel the statement that a backend of these pools runs. Its transaction
   * stays, as a failed one. The request carries the secret of that one connection, and is held
   * against it: it can hit neither another backend nor a later statement.
   *
   * @throws BackendRefusedError, UnknownPoolError, InvalidPoolOptionsError
   */
  cancel(backend: number, { pool }: BackendOptions = {}): BackendTold {
    const own = this.#ownBackend(backend, pool);
    if (!own.session.running) throw new BackendRefusedError(backend, 'idle', own.pool.name);
    const told = toldOf(own, 'cancel');
    own.session.cancel();
    this.#note(told);
    return told;
  }

  /**
   * Ends a backend of these pools at the server: its transaction is rolled back, its locks are free,
   * and its borrower is told that the connection was lost. The server is asked over the admin pool,
   * and does it only if it, too, knows the backend as one of this process.
   *
   * @throws BackendRefusedError, ServerNotAskedError, UnknownPoolError, InvalidPoolOptionsError
   */
  async terminate(backend: number, { pool }: BackendOptions = {}): Promise<BackendTold> {
    const own = this.#ownBackend(backend, pool);
    const told = toldOf(own, 'terminate');
    const isDone = await signalBackend(this.desk, own.pool, own.session, TIME_LIMIT_MS);
    if (!isDone) throw new BackendRefusedError(backend, 'gone', own.pool.name);
    this.#note(told);
    return told;
  }

  /**
   * Replaces every connection of a pool, each as soon as it is home.
   *
   * @throws UnknownPoolError
   */
  softEvict(name: PoolName): PoolState {
    return this.#change(name, 'all connections are to be replaced', (pool) => pool.softEvict());
  }

  /**
   * Changes the bounds of a pool until the next start.
   *
   * @throws UnknownPoolError, InvalidPoolOptionsError
   */
  resize(name: PoolName, bounds: { readonly min?: number; readonly max?: number }): PoolState {
    const pool = this.registry.get(name);
    const checked = checkedBounds(name, bounds);
    return this.#change(pool.name, `resized to ${JSON.stringify(checked)}`, () =>
      pool.resize(checked),
    );
  }

  /**
   * Stops lending; callers queue, and their deadlines go on.
   *
   * @throws UnknownPoolError
   */
  suspend(name: PoolName): PoolState {
    return this.#change(name, 'suspended', (pool) => pool.suspend());
  }

  /**
   * Ends {@link suspend}.
   *
   * @throws UnknownPoolError
   */
  resume(name: PoolName): PoolState {
    return this.#change(name, 'resumed', (pool) => pool.resume());
  }

  #change(name: PoolName, what: string, change: (pool: Pool) => void): PoolState {
    const pool = this.registry.get(name);
    change(pool);
    this.#logger.warn(`${name}: ${what}, as an operator asked`, { pool: name });
    const { state, min, max, total, leased, idle, waiting } = pool.stats();
    return { pool: name, state, min, max, total, leased, idle, waiting };
  }

  #ownBackend(backend: number, name: PoolName | undefined): OwnBackend {
    const check = new ArgumentCheck('PoolAdmin');
    if (!Number.isInteger(backend) || backend < 1 || backend > HIGHEST_PID) {
      check.refuse('backend', backend, 'the process id of a backend');
    }
    if (check.error) throw check.error;
    const pools = name === undefined ? this.desk.pools : [this.registry.get(name)];
    const own = pools.flatMap((pool) => {
      const session = sessionWith(pool, backend);
      return session ? [{ pool, session }] : [];
    });
    if (own.length > 1) throw new BackendRefusedError(backend, 'ambiguous');
    if (!own[0]) throw new BackendRefusedError(backend, 'unknown', name);
    return own[0];
  }

  #note({ pool, backend, told, label, statement }: BackendTold): void {
    const whose = label === undefined ? '' : ` of ${label}`;
    const running = statement === undefined ? '' : `, which ran '${statement}'`;
    this.#logger.warn(`${pool}: ${told} of backend ${backend}${whose}${running}, by an operator`, {
      pool,
      backend,
    });
  }
}

function toldOf({ pool, session }: OwnBackend, told: BackendTold['told']): BackendTold {
  const backend = session.backend!;
  const text = session.running?.text;
  return {
    pool: pool.name,
    backend,
    told,
    label: pool.snapshot().leases.find((lease) => lease.backend === backend)?.label,
    statement: text === undefined ? undefined : maskedStatement(text),
  };
}

function checkedBounds(
  pool: string,
  bounds: { readonly min?: number; readonly max?: number },
): { min?: number; max?: number } {
  const check = new ArgumentCheck(pool);
  const names = Object.keys(bounds ?? {});
  if (names.length === 0 || !names.every((name) => name === 'min' || name === 'max')) {
    // What else was given is not repeated: it may be anything.
    check.refuse('bounds', names, 'an object with min, max or both');
  } else {
    for (const [name, value] of Object.entries(bounds)) {
      if (!Number.isInteger(value)) check.refuse(name, value, 'a whole number');
    }
  }
  if (check.error) throw check.error;
  return bounds;
}
