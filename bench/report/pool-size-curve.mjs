import { medianOf } from '../paired-ratios.mjs';
import { poolSize } from '../scenarios/pool-size.mjs';

/** A pool that brings this share of the most is big enough: more only makes the rest wait longer. */
const ENOUGH = 0.95;
const [PER_SECOND, P99] = poolSize.metrics;

/** For each statement its points over the sizes, and the smallest pool that is big enough. */
export function curvesOf(cases) {
  const curves = new Map();
  for (const [name, { peers, what, max }] of Object.entries(poolSize.cases)) {
    const rounds = cases[name][peers[0]];
    const point = { max, perSecond: medianOf(PER_SECOND, rounds), p99Ms: medianOf(P99, rounds) };
    curves.set(what, [...(curves.get(what) ?? []), point]);
  }
  return [...curves].map(([what, points]) => ({ what, points, optimum: optimumOf(points) }));
}

function optimumOf(points) {
  const most = Math.max(...points.map(({ perSecond }) => perSecond));
  return points.find(({ perSecond }) => perSecond >= ENOUGH * most).max;
}
