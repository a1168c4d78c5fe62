import { InvalidPoolOptionsError, type OptionProblem } from '../../errors/invalid-options.error.js';
import {
  addressOfPool,
  type DatabaseAddress,
  describeServer,
  sameServer,
} from '../../postgres/options/address.js';
import { resolvePoolOptions } from '../../postgres/options/resolve-options.js';
import { isWeight } from '../../sizing/formula.js';
import { mergedSizing, type Sizing, sizingProblems } from '../../sizing/read-sizing.js';
import { type ServerSizing, sizeServer } from '../../sizing/server-sizing.js';
import type { SizingOptions } from '../../sizing/sizing-options.js';
import type { PoolDefinition } from './pool-definition.js';
import type { RegisteredPoolOptions } from '../pool-module-options.js';
import { ADMIN } from '../pool-names.js';
import { isOfReplicas } from './replica-definition.js';

/** `max` of a pool that takes its share. */
export const AUTO = 'auto';

/** How the definition of a pool that got its share calls its `max` in messages. */
const ORIGIN = "'auto', by sizing";

/** A pool, and what it says about its share. */
export interface ShareOfServer {
  readonly weight: number;
  readonly sizing: SizingOptions | undefined;
}

interface SizedServer {
  readonly sizing: ServerSizing | undefined;
  readonly instances: number | undefined;
}

/** A pool at one of its servers. */
interface Member extends ShareOfServer {
  readonly definition: PoolDefinition;
  readonly address: DatabaseAddress;
  readonly max: number | undefined;
}

/** What one pool says about its share, apart from what a pool itself knows. */
export function shareGiven({ weight, sizing }: RegisteredPoolOptions): ShareOfServer {
  return { weight: weight === undefined ? 1 : Number(weight), sizing };
}

/** What is wrong with what a pool says about its share. */
export function shareProblems(pool: string, options: RegisteredPoolOptions): OptionProblem[] {
  const { weight, max } = options;
  const problems = nestedProblems(pool, options.sizing);
  if (weight !== undefined && !isWeight(Number(weight))) {
    const message = 'weight must be a number above 0, at most 1000000; the default is 1';
    problems.push({ pool, option: 'weight', message });
  }
  if (pool === ADMIN && max === AUTO) {
    const message =
      "max is 'auto', but this pool has no part in the formula: give a number, or leave it out";
    problems.push({ pool, option: 'max', message });
  }
  return problems;
}

/** What is wrong with the `sizing` of the module, or of a pool. */
export function nestedProblems(pool: string, sizing: unknown): OptionProblem[] {
  return sizingProblems(sizing).map(({ option, message }) =>
    option === 'sizing' && message.startsWith('sizing')
      ? { pool, option, message }
      : { pool, option: `sizing.${option}`, message: `sizing.${message}` },
  );
}

/**
 * Gives each pool with `max: 'auto'` its share of its server. A pool of replicas has a share of each
 * of its hosts, and one `max` for all of them: the least.
 *
 * @param definitions the pool that the others are beside comes first
 * @param shares what each pool says, by name
 * @param common what the module says
 * @throws InvalidPoolOptionsError where the formula lacks something, or says two things
 */
export function sizePools(
  definitions: readonly PoolDefinition[],
  shares: ReadonlyMap<string, ShareOfServer>,
  common: SizingOptions | undefined,
): PoolDefinition[] {
  const problems: OptionProblem[] = [];
  const sized = new Map(definitions.map((each) => [each, [] as SizedServer[]] as const));
  const members = definitions.flatMap((each) => membersOf(each, each === definitions[0], shares));
  for (const group of byServer(members)) {
    const given = sizingOf(group, common, problems);
    if (!given) continue;
    const server = { sizing: sizeGroup(group, given, problems), instances: given.instances };
    for (const { definition } of group) sized.get(definition)!.push(server);
  }
  if (problems.length > 0) throw new InvalidPoolOptionsError(toldOnce(problems));
  return definitions.map((definition) => withShare(definition, sized.get(definition)!));
}

/** A pool of replicas is a pool at each of its hosts. */
function membersOf(
  definition: PoolDefinition,
  isHome: boolean,
  shares: ReadonlyMap<string, ShareOfServer>,
): Member[] {
  const { name, kind, options } = definition;
  const context = { strict: true, defaults: kind };
  const resolved = resolvePoolOptions(name, withoutAuto(options), context);
  const address = addressOfPool(resolved);
  const { hosts = [], database, user } = address;
  const isEach = hosts.length > 0 && !isHome && isOfReplicas(definition, resolved);
  const places = isEach
    ? hosts.map(({ host, port }) => ({ host, port, database, user }))
    : [address];
  const { weight, sizing } = shares.get(name) ?? { weight: 1, sizing: undefined };
  const max = options.max === AUTO ? undefined : resolved.max;
  return places.map((place) => ({ definition, weight, sizing, max, address: place }));
}

/** A pool at several hosts has the same problem at each of them. */
function toldOnce(problems: readonly OptionProblem[]): OptionProblem[] {
  const isSame = (a: OptionProblem, b: OptionProblem) => a.pool === b.pool && a.option === b.option;
  return problems.filter(
    (problem, position) => problems.findIndex((other) => isSame(other, problem)) === position,
  );
}

/** The options with a `max` that fits everything, as long as the share is not known. */
export function withoutAuto(options: PoolDefinition['options']): PoolDefinition['options'] {
  return options.max === AUTO ? { ...options, max: Number.MAX_SAFE_INTEGER } : options;
}

function byServer(members: readonly Member[]): Member[][] {
  const groups: Member[][] = [];
  for (const member of members) {
    const group = groups.find(([other]) => sameServer(other!.address, member.address));
    if (group) group.push(member);
    else groups.push([member]);
  }
  return groups;
}

/**
 * Two pools with addresses of their own may lead to one server: then they must agree. Who goes there
 * by the address of another one leaves it to that.
 */
function sizingOf(
  group: readonly Member[],
  common: SizingOptions | undefined,
  problems: OptionProblem[],
): Sizing | undefined {
  const layers = group.filter(
    ({ definition: { addressFrom }, sizing }) =>
      sizing !== undefined && !group.some(({ definition: { name } }) => name === addressFrom),
  );
  const [first, ...others] = layers;
  for (const other of others) problems.push(...disagreements(first!, other));
  const merged = mergedSizing(common, ...layers.map(({ sizing }) => sizing));
  if (typeof merged !== 'string') return merged;
  const pool = first?.definition.name ?? 'PoolModule';
  problems.push({ pool, option: 'sizing', message: `sizing.${merged}` });
  return undefined;
}

function disagreements(one: Member, other: Member): OptionProblem[] {
  return Object.entries(other.sizing ?? {})
    .filter(([option, value]) => {
      const before = one.sizing?.[option as keyof SizingOptions];
      return before !== undefined && value !== undefined && String(before) !== String(value);
    })
    .map(([option, value]) => ({
      pool: other.definition.name,
      option: `sizing.${option}`,
      message:
        `sizing.${option} is ${String(value)}, but ${one.definition.name}, which goes to the same` +
        ` server, says ${String(one.sizing![option as keyof SizingOptions])}; say it once`,
    }));
}

function sizeGroup(
  group: readonly Member[],
  sizing: Sizing,
  problems: OptionProblem[],
): ServerSizing | undefined {
  const { databaseCores } = sizing;
  const working = group.filter(({ definition }) => definition.name !== ADMIN);
  if (working.length === 0) return undefined;
  const server = describeServer(group[0]!.address);
  if (databaseCores !== undefined) {
    const pools = working.map(({ definition, weight, max }) => ({
      pool: definition.name,
      weight,
      fixed: max,
    }));
    return sizeServer(server, { ...sizing, databaseCores }, pools);
  }
  for (const { definition } of working.filter(({ max }) => max === undefined)) {
    problems.push({
      pool: definition.name,
      option: 'max',
      message:
        `max is 'auto', but nobody says how many cores its server ${server} has;` +
        ' set sizing: { databaseCores: 8 } beside pools, or in this pool, or give a number',
    });
  }
  return undefined;
}

function withShare(definition: PoolDefinition, servers: readonly SizedServer[]): PoolDefinition {
  const sizing = servers.flatMap((server) => server.sizing ?? []);
  const instances = servers.find((server) => server.instances !== undefined)?.instances;
  const known = {
    ...definition,
    ...(sizing.length > 0 && { sizing }),
    ...(instances && { instances }),
  };
  const shares = sizing.flatMap(({ pools }) =>
    pools.filter(({ pool, isAuto }) => pool === definition.name && isAuto),
  );
  if (shares.length === 0) return known;
  return {
    ...known,
    options: { ...definition.options, max: Math.min(...shares.map(({ max }) => max)) },
    origins: { ...definition.origins, max: ORIGIN },
  };
}
