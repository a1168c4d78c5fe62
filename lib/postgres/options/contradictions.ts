import {
  connectionConfig,
  hostAddresses,
  repeatedOptions,
  withConnectionSettings,
} from './connection-config.js';
import { hostProblems } from './host-problems.js';
import type { OptionFindings } from './option-findings.js';
import type { OptionName } from './option-table.js';
import { pgRefusal } from './pg-refusal.js';
import type { ReadOptions } from './read-options.js';

/** Looks at options that are right alone and may be wrong beside each other. */
export function reportContradictions(read: ReadOptions, findings: OptionFindings): void {
  const label = (name: OptionName): string => read.labels.get(name) ?? name;
  const number = (name: OptionName): number => (read.values.get(name) ?? NaN) as number;

  if (number('min') > number('max')) {
    findings.refuse(
      'min',
      `${label('min')} is ${number('min')}, more than ${label('max')}, which is ${number('max')}`,
    );
  }

  if (neverPings(read, number('keepaliveMs'), number('maxLifetimeMs'))) {
    findings.refuse(
      'keepaliveMs',
      `${label('keepaliveMs')} is ${number('keepaliveMs')}, too long for any ping: connections are` +
        ` replaced after ${number('maxLifetimeMs')} ms (maxLifetimeMs); give less, or 0 for no pings`,
    );
  }

  const reclaimAfterMs = number('reclaimAfterMs');
  if (takesBackUnreported(read, reclaimAfterMs, number('leakThresholdMs'))) {
    findings.refuse(
      'reclaimAfterMs',
      `${label('reclaimAfterMs')} is ${reclaimAfterMs}, not above leakThresholdMs, which is` +
        ` ${number('leakThresholdMs')}: connections would be taken back before they are reported;` +
        ' give more, or 0 to take none back',
    );
  }

  for (const name of repeatedOptions(read)) {
    findings.object(
      label(name),
      `${label(name)} is set by ${label('connectionString')} too, which pg prefers;` +
        ' remove one of the two',
    );
  }

  for (const { option, message } of hostProblems(read)) findings.refuse(option, message);

  const refusal = findings.clean ? refusalOfPg(read) : undefined;
  if (refusal !== undefined) findings.refuse(refusal.option, refusal.message);
}

/** The hosts differ by their ports alone: one of them may have none. */
function refusalOfPg({ values }: ReadOptions): ReturnType<typeof pgRefusal> {
  const connection = connectionConfig(values);
  const refusal = pgRefusal(connection);
  if (refusal !== undefined) return refusal;
  const without = hostAddresses(values, connection).find(({ port }) => Number.isNaN(port));
  return without && pgRefusal(withConnectionSettings(connection, without));
}

/** The default of the threshold gives way. */
function takesBackUnreported(
  { labels }: ReadOptions,
  reclaimAfterMs: number,
  leakThresholdMs: number,
): boolean {
  return labels.has('leakThresholdMs') && reclaimAfterMs > 0 && reclaimAfterMs <= leakThresholdMs;
}

/** The default may well be the longer of the two: a short life needs no ping. */
function neverPings({ labels }: ReadOptions, keepaliveMs: number, maxLifetimeMs: number): boolean {
  return labels.has('keepaliveMs') && maxLifetimeMs > 0 && keepaliveMs >= maxLifetimeMs;
}
