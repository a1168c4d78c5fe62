import { medianOf, ratioOf } from '../paired-ratios.mjs';
import { figure, tableOf, times } from './markdown.mjs';

/** One row for each peer in each case: medians, and medians of the paired ratios with their range. */
export function scenarioTable({ metrics, base }, cases) {
  const titles = metrics.map(({ title, isCount }) => (isCount ? title : [title, `to ${base}`]));
  const rows = Object.entries(cases).flatMap(([name, byPeer]) =>
    Object.entries(byPeer).map(([peer, rounds], row) => {
      const figures = metrics.map((metric) => cellsOf(metric, rounds, byPeer[base]));
      return [row === 0 ? name : '', peer, figures].flat(2);
    }),
  );
  return tableOf(['', '', titles].flat(2), rows);
}

function cellsOf(metric, rounds, base) {
  const median = medianOf(metric, rounds);
  return metric.isCount ? String(median) : [figure(median), comparison(metric, rounds, base)];
}

function comparison(metric, rounds, base) {
  if (rounds === base) return '1';
  const ratio = ratioOf(metric, rounds, base);
  if (!ratio) return '-';
  return `**${times(ratio.median)}** (${ratio.lowest.toFixed(2)}-${ratio.highest.toFixed(2)})`;
}
