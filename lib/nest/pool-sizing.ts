import { InvalidPoolOptionsError, type OptionProblem } from '../errors/invalid-options.error.js';
import { addressOf, type DatabaseAddress, sameServer } from '../postgres/options/address.js';
import { resolvePoolOptions } from '../postgres/options/resolve-options.js';
import { mergedSizing, type Sizing, sizingProblems } from '../sizing/read-sizing.js';
import { type ServerSizing, sizeServer } from '../sizing/server-sizing.js';
import type { SizingOptions } from '../sizing/sizing-options.js';
import type { PoolDefinition } from './pool-definition.js';
import type { RegisteredPoolOptions } from './pool-module-options.js';
import { ADMIN } from './pool-names.js';

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
  if (weight !== undefined && !(Number(weight) > 0 && Number(weight) <= 1_000_000)) {
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
 * Gives each pool with `max: 'auto'` its share of its server.
 *
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
  const sized = new Map<PoolDefinition, SizedServer>();
  const members = definitions.map((definition) => memberOf(definition, shares));
  for (const group of byServer(members)) {
    const given = sizingOf(group, common, problems);
    if (!given) continue;
    const server = { sizing: sizeGroup(group, given, problems), instances: given.instances };
    for (const { definition } of group) sized.set(definition, server);
  }
  if (problems.length > 0) throw new InvalidPoolOptionsError(problems);
  return definitions.map((definition) => withShare(definition, sized.get(definition)));
}

function memberOf(definition: PoolDefinition, shares: ReadonlyMap<string, ShareOfServer>): Member {
  const { name, kind, options } = definition;
  const isAuto = options.max === AUTO;
  const { connection, max } = resolvePoolOptions(name, withoutAuto(options), {
    strict: true,
    defaults: kind,
  });
  return {
    ...(shares.get(name) ?? { weight: 1, sizing: undefined }),
    definition,
    address: addressOf(connection),
    max: isAuto ? undefined : max,
  };
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

/** Two pools with addresses of their own may lead to one server: then they must agree. */
function sizingOf(
  group: readonly Member[],
  common: SizingOptions | undefined,
  problems: OptionProblem[],
): Sizing | undefined {
  const layers = group.filter(
    ({ definition, sizing }) => sizing !== undefined && definition.addressFrom === undefined,
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
  const address = group[0]!.address;
  const server = serverName(address);
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

function serverName({ host, port }: DatabaseAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function withShare(definition: PoolDefinition, server: SizedServer | undefined): PoolDefinition {
  const { sizing, instances } = server ?? {};
  const known = { ...definition, ...(sizing && { sizing }), ...(instances && { instances }) };
  const share = sizing?.pools.find(({ pool }) => pool === definition.name);
  if (!share?.isAuto) return known;
  return {
    ...known,
    options: { ...definition.options, max: share.max },
    origins: { ...definition.origins, max: ORIGIN },
  };
}
