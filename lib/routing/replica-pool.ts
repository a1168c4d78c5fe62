import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import { CallSiteSampling } from '../engine/call-site.js';
import { addressOfPool } from '../postgres/options/address.js';
import type { HostAddress } from '../postgres/options/host-list.js';
import type { FallbackOption, PoolOptions } from '../postgres/options/pool-options.js';
import { resolvePoolOptions } from '../postgres/options/resolve-options.js';
import { Pool, partsOf } from '../postgres/pool/pool.js';
import type { PoolIdentity, PoolParts, PoolProbe } from '../postgres/pool/pool-parts.js';
import { processWarnings } from '../postgres/report/pool-log.js';
import type { PoolSeat, ReplicaSnapshot } from '../postgres/report/pool-seat.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { WalPosition } from './causal/wal-position.js';
import { Fallback, fallbackMax, fallbackOptions } from './fallback.js';
import { PrimaryWatch } from './primary-watch.js';
import { ReplicaEngine } from './replica-engine.js';
import { ReplicaHost } from './replica-host.js';
import { ReplicaLender } from './replica-lender.js';
import { type ReplicaMember, replicaMembers } from './replica-members.js';
import { ReplicaSet } from './replica-set.js';
import { strategyOf } from './strategy.js';

/** What a replica pool is beside its options. */
export interface ReplicaPoolIdentity extends Omit<PoolIdentity, 'assemble' | 'seat'> {
  /** The pool whose servers the replicas follow; undefined where none is known. */
  readonly primary?: Pool | undefined;
  /** The pool's options with the address of the primary; undefined where reads may not go there. */
  readonly atPrimary?: PoolOptions | undefined;
}

/** How one of the pools is that a replica pool is made of. */
export interface ReplicaReport extends ReplicaSnapshot {
  /** Name of the pool. */
  readonly pool: string;
  readonly host: string;
  readonly port: number;
}

/** Longest wait for the answer of a server that is asked how it is, in milliseconds. */
const PROBE_LIMIT_MS = 2_000;

/**
 * A pool of reads that go to one or more replicas: to whichever of them is well, is not far behind,
 * and shows what the reader has written; and in bounds to the primary when none is left.
 *
 * It is used as every {@link Pool}. Each host has a pool of its own underneath, with the bounds that
 * the options give.
 *
 * @publicApi
 */
export class ReplicaPool extends Pool {
  readonly #set: ReplicaSet;
  readonly #primary: Pool | undefined;

  /** @throws InvalidPoolOptionsError that lists everything that is wrong, before anything starts */
  constructor(options: PoolOptions, identity: ReplicaPoolIdentity = {}) {
    let set: ReplicaSet | undefined;
    super(options, {
      ...identity,
      assemble: (emitter) => {
        const assembled = assembleReplicas(emitter, options, identity);
        ({ set } = assembled);
        return assembled.parts;
      },
    });
    this.#set = set!;
    this.#primary = identity.primary;
  }

  /** The pools that it is made of: one for each host, and the one on the primary, if there is one. */
  get members(): readonly Pool[] {
    return this.#set.pools;
  }

  /** How each of the replicas is. */
  replicas(): ReplicaReport[] {
    return this.#set.hosts.map((host) => {
      const { host: name, port } = host.pool.address;
      return { pool: host.pool.name, host: name, port, ...host.snapshot() };
    });
  }

  /** Whether all replicas were asked, and reads go to none of them. */
  get isOut(): boolean {
    return !this.#set.isAnyIn && !this.#set.isAnyUnknown;
  }

  /** Whether its replicas follow the server of that pool. */
  follows(pool: Pool): boolean {
    return this.#primary === pool;
  }

  /** Where the primary was when it was asked last; undefined while that is not known. */
  get primaryPosition(): WalPosition | undefined {
    return this.#set.primary?.position;
  }

  /**
   * Where the primary is now; undefined when it does not answer, and once this pool drains. Asked
   * once for all who ask.
   */
  askPrimaryPosition(): Promise<WalPosition | undefined> {
    if (this.#set.refusal) return Promise.resolve(undefined);
    this.#set.watch();
    return this.#set.primary?.ask() ?? Promise.resolve(undefined);
  }

  /**
   * Whether a replica that reads go to shows what was written up to a position, within a time. It
   * takes no connection of the pool.
   *
   * @param waitMs 0: what is known now
   */
  reach(position: WalPosition, waitMs: number): Promise<boolean> {
    return this.#set.reach(position, waitMs);
  }

  /** Changes the bounds of each host at run time. @throws InvalidPoolOptionsError */
  override resize(bounds: { min?: number; max?: number }): void {
    for (const { pool } of this.#set.hosts) pool.resize(bounds);
    Object.assign(this.options, bounds);
  }
}

/** The pool of replicas that a pool belongs to; itself, where it stands alone. */
export function wholeOf(pool: Pool): Pool {
  const whole = partsOf(pool).seat?.whole;
  return whole instanceof Pool ? whole : pool;
}

/**
 * How many sessions are kept beside the connections of a physical pool, to know how its server is:
 * at a replica, and for each pool of replicas that follows it.
 *
 * @param all the pools of the application, as they are injected
 */
export function sessionsBeside(pool: Pool, all: readonly Pool[]): number {
  const isReplica = partsOf(pool).seat?.replica() !== undefined;
  const followers = all.filter((each) => each instanceof ReplicaPool && each.follows(pool));
  return followers.length + (isReplica ? 1 : 0);
}

/** Whether a physical pool is the share of the primary that reads may use when no replica serves. */
export function isFallback(pool: Pool): boolean {
  const { seat } = partsOf(pool);
  return seat !== undefined && seat.replica() === undefined;
}

/** The pools that a pool is made of, as they are watched and operated: itself, if it is one. */
export function physicalPoolsOf(pool: Pool): readonly Pool[] {
  return pool instanceof ReplicaPool ? pool.members : [pool];
}

function assembleReplicas(
  emitter: EventEmitter,
  options: PoolOptions,
  identity: ReplicaPoolIdentity,
): { readonly set: ReplicaSet; readonly parts: PoolParts } {
  const { name = 'replica', log = processWarnings, origins, primary, atPrimary } = identity;
  const kind = identity.kind ?? 'other';
  const settings = resolvePoolOptions(name, options, {
    strict: kind !== 'standalone',
    defaults: kind,
    ...(origins && { origins }),
  });
  const makePool = (
    member: ReplicaMember,
    seat: Omit<PoolSeat, 'whole'>,
    given: PoolIdentity,
  ): Pool =>
    new Pool(member.options, { ...given, name: member.name, seat: { ...seat, whole: emitter } });

  const watchLimits = { intervalMs: settings.lagProbeMs, answerMs: PROBE_LIMIT_MS };
  const primaryWatch =
    primary && new PrimaryWatch(primary, watchLimits, () => fallback?.leaveOldPrimary());
  const limits = {
    ...settings,
    probeLimitMs: PROBE_LIMIT_MS,
    mustBeStandby: settings.role === 'replica',
  };
  const hosts: ReplicaHost[] = replicaMembers(name, options, settings.hosts).map(
    (member) =>
      new ReplicaHost(
        (seat) => makePool(member, seat, { kind, log, ...(origins && { origins }) }),
        primaryWatch,
        limits,
        {
          log,
          changed: () => set.changed(),
          hasStandby: () => hosts.some(({ wasStandby }) => wasStandby),
        },
      ),
  );
  const fallback: Fallback | undefined = fallbackOf(
    settings.fallback,
    primary,
    atPrimary,
    (fallbackPoolOptions, host) =>
      makePool(
        { name: `${name}-fallback`, options: fallbackPoolOptions },
        {
          // The primary may be another one of its hosts by now: whoever watches it finds out.
          connectFailed: () => void (set.refusal ?? primaryWatch?.ask()),
          lost: () => {},
          replica: () => undefined,
          host,
        },
        { kind, log },
      ),
  );
  const set: ReplicaSet = new ReplicaSet({
    name,
    hosts,
    fallback,
    primary: primaryWatch,
    strategy: strategyOf(settings.strategy),
  });
  const engine = new ReplicaEngine(set);
  const parts: PoolParts = {
    name,
    settings: { ...settings, warnings: [] },
    log,
    engine,
    lender: new ReplicaLender(set, settings),
    address: () => addressOfPool(settings),
    probe: probeOf(set),
    open: openOf(set),
    snapshot: (most) => engine.snapshot(most),
    sites: new CallSiteSampling(settings.leakStackEvery),
    instrumentation: { current: undefined },
    witness: { current: undefined },
    statementLimitMs: hosts[0]!.parts.statementLimitMs,
    seat: undefined,
  };
  return { set, parts };
}

function fallbackOf(
  option: FallbackOption,
  primary: Pool | undefined,
  atPrimary: PoolOptions | undefined,
  makePool: (options: PoolOptions, host: () => HostAddress) => Pool,
): Fallback | undefined {
  if (option === false || !primary || !atPrimary) return undefined;
  const max = fallbackMax(option, partsOf(primary).settings.max);
  return new Fallback(
    // It writes nothing, so it could not tell an old primary that is read-only from the new one.
    makePool(fallbackOptions(atPrimary, max), () => primaryHost(primary)),
    primary,
  );
}

function primaryHost({ address: { host, port } }: Pool): HostAddress {
  return { host, port };
}

/** Asks those that serve, else all: one answer is enough. */
function probeOf({ hosts }: ReplicaSet): PoolProbe {
  const firstOf = async <T>(ask: (probe: PoolProbe) => Promise<T>): Promise<T> => {
    const serving = hosts.filter(({ isIn }) => isIn);
    const asked = (serving.length > 0 ? serving : hosts).map(({ parts }) => ask(parts.probe));
    try {
      return await Promise.any(asked);
    } catch {
      // Each says why; the first is as good as any.
      return await asked[0]!;
    }
  };
  const [first] = hosts as [ReplicaHost, ...ReplicaHost[]];
  return {
    ping: (limitMs) => firstOf((probe) => probe.ping(limitMs)),
    role: (limitMs, signal) => firstOf((probe) => probe.role(limitMs, signal)),
    canWrite: (limitMs) => firstOf((probe) => probe.canWrite(limitMs)),
    rows: (statement, values, limitMs) => first.parts.probe.rows(statement, values, limitMs),
    answer: (limitMs, question) => first.parts.probe.answer(limitMs, question),
    open: (limitMs) => first.parts.probe.open(limitMs),
  };
}

function openOf({ pools }: ReplicaSet): PoolParts['open'] {
  const all = pools.map((pool) => partsOf(pool).open);
  return {
    get clients(): Client[] {
      return all.flatMap(({ clients }) => clients);
    },
    get sessions(): ReadonlySet<PostgresSession> {
      return new Set(all.flatMap(({ sessions }) => Array.from(sessions)));
    },
  };
}
