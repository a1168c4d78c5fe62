import { median } from './measure/quantile.mjs';

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

/** Median of the paired ratios, and the worst and the best of them; undefined where there is none. */
export function ratioOf(metric, ours, theirs) {
  const ratios = pairedRatios(metric, ours, theirs);
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

export function medianOf(metric, rounds) {
  return median(rounds.map((figures) => figures[metric.name]));
}
