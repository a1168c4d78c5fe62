import { figure, tableOf } from './markdown.mjs';
import { curvesOf } from './pool-size-curve.mjs';

export function poolSizeTable(cases) {
  const curves = curvesOf(cases);
  const head = ['connections', ...curves.flatMap(({ what }) => [`${what}, per s`, 'p99, ms'])];
  const rows = curves[0].points.map(({ max }, row) => [
    String(max),
    ...curves.flatMap(({ points, optimum }) => {
      const { perSecond, p99Ms } = points[row];
      const cells = [figure(perSecond), figure(p99Ms)];
      return max === optimum ? cells.map((cell) => `**${cell}**`) : cells;
    }),
  ]);
  const named = curves.map(({ what, optimum }) => `${optimum} for ${what}`).join(', ');
  return `${tableOf(head, rows)}\n\nOptimum: ${named}.`;
}
