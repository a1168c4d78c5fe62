import type { OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';

type Implied = readonly (readonly [OptionName, unknown])[];

/** The values with what some of them mean for options that were not given. */
export function withImplied({ values, labels }: ReadOptions): ReadonlyMap<OptionName, unknown> {
  const implied = [...byCompatibility(values), ...byReclaiming(values)];
  return new Map([...values, ...implied.filter(([name]) => !labels.has(name))]);
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
