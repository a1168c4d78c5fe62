import { median, quantile } from './measure/quantile.mjs';

/** Of so many ratios the middle half is told, and of fewer all: there a half would be one or two. */
const MANY = 8;

/**
 * How much better the figures of one peer are than those of another, round by round: 2 is twice as
 * good, whether the figure is one of which more or less is better.
 */
export function pairedRatios(metric, ours, theirs) {
  return ours.flatMap((figures, round) => {
    const [a, b] = [figures[metric.name], theirs[round][metric.name]];
    const ratio = metric.better === 'more' ? a / b : b / a;
    return Number.isFinite(ratio) ? [ratio] : [];
  });
}

/** Median of the paired ratios, and between which of them they lie; undefined where there is none. */
export function ratioOf(metric, ours, theirs) {
  const ratios = pairedRatios(metric, ours, theirs);
  if (ratios.length === 0) return undefined;
  const [low, high] = ratios.length >= MANY ? [0.25, 0.75] : [0, 1];
  return { median: median(ratios), lowest: quantile(ratios, low), highest: quantile(ratios, high) };
}

export function medianOf(metric, rounds) {
  return median(rounds.map((figures) => figures[metric.name]));
}
