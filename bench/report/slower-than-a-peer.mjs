import { medianOf, ratioOf } from '../paired-ratios.mjs';
import { SCENARIOS } from '../scenarios/index.mjs';
import { figure, tableOf, times } from './markdown.mjs';

const OURS = ['nestjs-pools', 'nestjs-pools, leaks watched'];
/** Measured beside ours to explain it; nobody else's. */
const NO_PEERS = new Set([...OURS, 'its bare engine']);
/** Less than this is not told from noise. */
const NOTABLE = 0.97;

/** Every figure in which a peer is better than we are, the greatest difference first. */
export function slowerThanAPeer(measured) {
  const rows = Object.entries(measured)
    .flatMap(([name, cases]) => slowerIn(SCENARIOS[name], cases))
    .toSorted((a, b) => a.ratio - b.ratio)
    .map(({ cells }) => cells);
  if (rows.length === 0) return 'Nothing: no peer was better by 3 % or more in any figure.';
  return tableOf(['', '', 'what', 'ours', 'peer', 'theirs', 'better by'], rows);
}

function slowerIn(scenario, cases) {
  const metrics = scenario.metrics.filter(({ isCount }) => !isCount);
  return Object.entries(cases).flatMap(([name, byPeer]) =>
    metrics.flatMap((metric) => slowerAt(scenario, name, byPeer, metric)),
  );
}

function slowerAt(scenario, caseName, byPeer, metric) {
  return OURS.filter((us) => byPeer[us]).flatMap((us) =>
    peersIn(byPeer).flatMap((peer) => {
      const ratio = ratioOf(metric, byPeer[us], byPeer[peer])?.median;
      if (ratio === undefined || ratio > NOTABLE) return [];
      const ours = figure(medianOf(metric, byPeer[us]));
      const theirs = figure(medianOf(metric, byPeer[peer]));
      const where = us === OURS[0] ? caseName : `${caseName}, leaks watched`;
      const better = times(1 / ratio);
      return [{ ratio, cells: [scenario.title, where, metric.title, ours, peer, theirs, better] }];
    }),
  );
}

function peersIn(byPeer) {
  return Object.keys(byPeer).filter((peer) => !NO_PEERS.has(peer));
}
