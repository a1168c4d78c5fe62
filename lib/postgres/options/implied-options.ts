import { serverChoice } from './connection-config.js';
import type { PoolKind } from './option-row.js';
import type { OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';
import type { ServerRole } from './server-choice.js';

type Implied = readonly (readonly [OptionName, unknown])[];

/** The values with what some of them mean for options that were not given. */
export function withImplied(
  { values, labels }: ReadOptions,
  kind: PoolKind,
): ReadonlyMap<OptionName, unknown> {
  const implied = [...byCompatibility(values), ...byReclaiming(values), ...byServers(values, kind)];
  return new Map([...values, ...implied.filter(([name]) => !labels.has(name))]);
}

/** Of several hosts, those that the primary pool means are the ones that can write. */
export function impliedRole(
  kind: PoolKind,
  hosts: readonly unknown[] | undefined,
): ServerRole | undefined {
  return kind === 'primary' && (hosts?.length ?? 1) > 1 ? 'primary' : undefined;
}

function byServers(values: ReadOptions['values'], kind: PoolKind): Implied {
  const choice = serverChoice(values);
  const hosts = choice.hosts ?? (values.get('hosts') as readonly unknown[] | undefined);
  return [
    ['role', impliedRole(kind, hosts)],
    ...(Object.entries(choice) as [OptionName, unknown][]),
  ];
}

function byCompatibility(values: ReadOptions['values']): Implied {
  if (values.get('compatibility') !== 'pg-pool') return [];
  // pg-pool has one limit for both, and 0 is none.
  const limitMs = values.get('acquireTimeoutMs');
  const connecting: Implied = limitMs === 0 ? [] : [['connectTimeoutMs', limitMs]];
  return [['onConnectError', 'reject'], ...connecting];
}

/** What is to be taken back is reported before, in production as well. */
function byReclaiming(values: ReadOptions['values']): Implied {
  const reclaimAfterMs = values.get('reclaimAfterMs') as number;
  const isEarly = reclaimAfterMs > 0 && reclaimAfterMs <= (values.get('leakThresholdMs') as number);
  return isEarly ? [['leakThresholdMs', Math.ceil(reclaimAfterMs / 2)]] : [];
}
