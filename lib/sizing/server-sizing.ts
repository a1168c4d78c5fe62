import { connectionsFor, shares } from './formula.js';
import type { Sizing } from './read-sizing.js';
import type { Storage } from './sizing-options.js';

/** A pool that goes to a server. */
export interface SizedPool {
  readonly pool: string;
  /** Its share beside the others with `max: 'auto'`. */
  readonly weight: number;
  /** What it was given instead of `'auto'`; undefined: `'auto'`. */
  readonly fixed: number | undefined;
}

/** What one pool has of its server. */
export interface PoolShare {
  readonly pool: string;
  readonly max: number;
  /** Whether the formula gave it, and not the application. */
  readonly isAuto: boolean;
  readonly weight: number;
}

/**
 * Why the pools that go to one server are as large as they are.
 *
 * @publicApi
 */
export interface ServerSizing {
  /** Host and port. */
  readonly server: string;
  readonly databaseCores: number;
  readonly storage: Storage;
  /** Effective spindles: 0 for memory, 1 for an SSD, the disks there are. */
  readonly spindles: number;
  readonly instances: number;
  /** What the server can work on at once: (databaseCores x 2) + spindles. */
  readonly connections: number;
  /** What is left of that for each instance, rounded down. */
  readonly perInstance: number;
  /** Without the admin pool, which asks a short question now and then. */
  readonly pools: readonly PoolShare[];
  /** Whether the pools have more than `perInstance`: each has at least 1, and some were given. */
  readonly isOver: boolean;
  /** All of this as one sentence. */
  readonly reason: string;
}

/** Divides what a server can work on among the instances, and there among the pools. */
export function sizeServer(
  server: string,
  sizing: Sizing & { readonly databaseCores: number },
  pools: readonly SizedPool[],
): ServerSizing {
  const { databaseCores, storage, spindles, instances = 1 } = sizing;
  const connections = connectionsFor({ databaseCores, spindles });
  const perInstance = Math.floor(connections / instances);
  const auto = pools.filter(({ fixed }) => fixed === undefined);
  const given = sum(pools.map(({ fixed = 0 }) => fixed));
  const parts = shares(
    perInstance - given,
    auto.map(({ weight }) => weight),
  );
  const shared = pools.map(({ pool, weight, fixed }) => ({
    pool,
    max: fixed ?? parts[auto.findIndex((other) => other.pool === pool)]!,
    isAuto: fixed === undefined,
    weight,
  }));
  const isOver = sum(shared.map(({ max }) => max)) > perInstance;
  const result = { server, databaseCores, storage, spindles, instances, connections, perInstance };
  return { ...result, pools: shared, isOver, reason: reasonOf({ ...result, pools: shared }) };
}

/** `8 cores x 2 + 1 for ssd = 17 connections`, for sentences. */
export function formulaText({
  databaseCores,
  storage,
  spindles,
}: Pick<ServerSizing, 'databaseCores' | 'storage' | 'spindles'>): string {
  const connections = connectionsFor({ databaseCores, spindles });
  const cores = databaseCores === 1 ? '1 core' : `${databaseCores} cores`;
  return `${cores} x 2 + ${spindles} for ${storage} = ${counted(connections, 'connection')}`;
}

/** `1 connection`, `2 connections`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function reasonOf(sizing: Omit<ServerSizing, 'isOver' | 'reason'>): string {
  const { server, instances, connections, perInstance, pools } = sizing;
  const taken = sum(pools.map(({ max }) => max));
  const division =
    instances === 1 ? '1 instance has them all' : `${instances} instances have ${perInstance} each`;
  const sentence = `${server}: ${formulaText(sizing)}; ${division}: ${pools.map(shareText).join(', ')}`;
  if (taken <= perInstance) return sentence;
  const excess = `${taken * instances} in all is more than ${connections}`;
  const cause = pools.some(({ isAuto }) => !isAuto)
    ? 'each pool has at least 1, and some have a max of their own'
    : 'each pool has at least 1';
  return `${sentence}; ${excess}, because ${cause}`;
}

function shareText({ pool, max, isAuto, weight }: PoolShare): string {
  if (!isAuto) return `${pool} ${max} (given)`;
  return weight === 1 ? `${pool} ${max}` : `${pool} ${max} (weight ${weight})`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
