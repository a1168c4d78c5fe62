import { inspect } from 'node:util';
import { nearestName } from '../../postgres/options/nearest-name.js';
import type { PoolThreshold, PoolThresholdMetric, ThresholdOperator } from './pool-threshold.js';
import { ThresholdText, type Word } from './threshold-text.js';
import { type MetricKind, THRESHOLD_METRICS } from './threshold-metrics.js';
import { OPERATORS, type Threshold } from './threshold.js';

/** What is wrong with a threshold, in words for whoever wrote it. */
export class ThresholdProblem extends Error {}

const METRICS = Object.keys(THRESHOLD_METRICS) as PoolThresholdMetric[];

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  seconds: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
};

const DURATION = 'a number with ms, s, min or h';

const LIMIT_OF: Readonly<Record<MetricKind, string>> = {
  share: 'a number from 0 to 1, or a percentage',
  count: 'a whole number',
  duration: DURATION,
};

/** Understands a threshold, a string or an object. */
export function readThreshold(given: unknown): Threshold | ThresholdProblem {
  try {
    return typeof given === 'string' ? fromText(given) : fromObject(given);
  } catch (problem) {
    if (problem instanceof ThresholdProblem) return problem;
    throw problem;
  }
}

// --- As a string: metric, operator, limit, and perhaps "for" and a duration ----------------------

function fromText(given: string): Threshold {
  const text = new ThresholdText(given, refuse);
  const metric = metricIn(text);
  const operator = text.take('an operator (> >= < <=)', isOperator).text as ThresholdOperator;
  const limit = limitIn(text, THRESHOLD_METRICS[metric].kind);
  const forMs = text.takeIf('for') ? durationIn(text) : 0;
  text.end('"for" with a duration, or nothing');
  return { metric, operator, limit, forMs, pools: undefined, text: given.trim() };
}

function metricIn(text: ThresholdText): PoolThresholdMetric {
  const words = text.takeWhile(({ kind }) => kind === 'word');
  const name = words.map((word) => word.text.toLowerCase()).join(' ');
  const metric = name.replace('utilisation', 'utilization');
  if (isMetric(metric)) return metric;
  return text.refuseAt(words[0], `one of ${METRICS.join(', ')}${nearMiss(name)}`);
}

function limitIn(text: ThresholdText, kind: MetricKind): number {
  if (kind === 'duration') return durationIn(text);
  const word = text.take(LIMIT_OF[kind], isNumber);
  const limit = kind === 'share' && text.takeIf('%') ? Number(word.text) / 100 : Number(word.text);
  return isLimit(kind, limit) ? limit : text.refuseAt(word, LIMIT_OF[kind]);
}

function durationIn(text: ThresholdText): number {
  const amount = text.take(DURATION, isNumber);
  const unit = text.take('a unit (ms, s, min or h)', ({ text: word }) =>
    Object.hasOwn(UNITS_MS, word),
  );
  return Number(amount.text) * UNITS_MS[unit.text]!;
}

const isNumber = ({ kind }: Word) => kind === 'number';
const isOperator = ({ text }: Word) => OPERATORS.includes(text as ThresholdOperator);

// --- As an object --------------------------------------------------------------------------------

const PROPERTIES: Readonly<Record<keyof PoolThreshold, true>> = {
  metric: true,
  operator: true,
  limit: true,
  forMs: true,
  pools: true,
};

function fromObject(given: unknown): Threshold {
  if (typeof given !== 'object' || given === null) {
    throw refuse(
      `must be a string, as 'waiting > 0 for 10 s', or an object; it is ${shown(given)}`,
    );
  }
  for (const property of Object.keys(given)) {
    if (!Object.hasOwn(PROPERTIES, property)) {
      throw refuse(`knows ${Object.keys(PROPERTIES).join(', ')}, and no ${shown(property)}`);
    }
  }
  const { metric, operator = '>', limit, forMs = 0, pools } = given as PoolThreshold;
  if (!isMetric(metric)) throw wrong('metric', metric, `one of ${METRICS.join(', ')}`);
  if (!OPERATORS.includes(operator)) throw wrong('operator', operator, 'one of > >= < <=');
  const { kind } = THRESHOLD_METRICS[metric];
  if (!isLimit(kind, limit)) throw wrong('limit', limit, kind === 'duration' ? MS : LIMIT_OF[kind]);
  if (!isLimit('duration', forMs)) throw wrong('forMs', forMs, MS);
  const text = [
    metric,
    operator,
    written(kind, limit),
    ...(forMs > 0 ? ['for', inUnits(forMs)] : []),
  ];
  return { metric, operator, limit, forMs, pools, text: text.join(' ') };
}

const MS = 'a number of milliseconds, 0 or more';

function written(kind: MetricKind, limit: number): string {
  return kind === 'duration' ? inUnits(limit) : String(limit);
}

/** A duration in the largest unit that divides it. */
function inUnits(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const [unit, size] = units.find(([, each]) => ms > 0 && ms % each === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

// --- Both ----------------------------------------------------------------------------------------

function isMetric(name: unknown): name is PoolThresholdMetric {
  return typeof name === 'string' && Object.hasOwn(THRESHOLD_METRICS, name);
}

function isLimit(kind: MetricKind, limit: unknown): limit is number {
  if (typeof limit !== 'number' || !Number.isFinite(limit) || limit < 0) return false;
  if (kind === 'share') return limit <= 1;
  return kind === 'duration' || Number.isInteger(limit);
}

function nearMiss(name: string): string {
  const nearest = nearestName(name, METRICS);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

function wrong(property: string, given: unknown, allowed: string): ThresholdProblem {
  return refuse(`needs as ${property} ${allowed}; it is ${shown(given)}`);
}

function shown(given: unknown): string {
  return inspect(given, { depth: 0, maxStringLength: 80 });
}

function refuse(message: string): ThresholdProblem {
  return new ThresholdProblem(message);
}
