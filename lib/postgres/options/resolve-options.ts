import { connectionConfig, hostAddresses } from './connection-config.js';
import { reportContradictions } from './contradictions.js';
import { withImplied } from './implied-options.js';
import { OptionFindings } from './option-findings.js';
import { OPTION_NAMES, isConnectionOption } from './option-table.js';
import type { PoolOptions } from './pool-options.js';
import { readOptions } from './read-options.js';
import type { ReadOptions } from './read-options.js';
import type { ResolveContext } from './resolve-context.js';
import type { ResolvedPoolOptions } from './resolved-pool-options.js';

/**
 * Reads the options of one pool: checks them, brings them to one name and one unit each, and adds
 * the defaults.
 *
 * @throws InvalidPoolOptionsError with all that is wrong, not the first thing alone.
 */
export function resolvePoolOptions(
  name: string,
  options: PoolOptions | null | undefined,
  context: ResolveContext,
): ResolvedPoolOptions {
  const findings = new OptionFindings(name, context.strict);
  const read = readOptions(asObject(options, findings), context, findings);
  reportContradictions(read, findings);
  findings.throwIfAny();
  return assembled(name, read, context, findings.warnings);
}

/** Callers without a type checker pass a connection string here. */
function asObject(options: unknown, findings: OptionFindings): PoolOptions {
  if (options === undefined || options === null) return {};
  if (typeof options === 'object') return options;
  findings.refuse(
    'options',
    "options must be an object, as { connectionString: 'postgres://...' }",
  );
  return {};
}

function assembled(
  name: string,
  read: ReadOptions,
  { defaults }: ResolveContext,
  warnings: readonly string[],
): ResolvedPoolOptions {
  const values = withImplied(read, defaults);
  const connection = connectionConfig(values);
  const ours = OPTION_NAMES.filter((option) => !isConnectionOption(option));
  return Object.freeze({
    ...Object.fromEntries(ours.map((option) => [option, values.get(option)])),
    initSql: values.get('initSql') ?? Object.freeze([]),
    name,
    connection,
    hosts: Object.freeze(hostAddresses(values, connection)),
    warnings: Object.freeze([...warnings]),
  }) as ResolvedPoolOptions;
}
