import { figure } from './markdown.mjs';
import { curvesOf } from './pool-size-curve.mjs';

const PANEL = { width: 440, height: 200, left: 64, top: 92, gapX: 96, gapY: 76 };
const STEPS = [1, 2, 2.5, 5, 10];
const GRID_LINES = 4;

const STYLE = `
    text { font-family: ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; font-size: 12.5px; fill: #57606a; }
    .head { font-size: 16px; font-weight: 600; fill: #24292f; }
    .name { font-size: 13.5px; font-weight: 600; fill: #24292f; }
    .end { text-anchor: end; } .middle { text-anchor: middle; }
    .page { fill: #ffffff; stroke: #d0d7de; }
    .grid { stroke: #d8dee4; stroke-width: 1; }
    .line { fill: none; stroke-width: 2.4; stroke-linejoin: round; }
    .rate.line { stroke: #0969da; } .rate.dot { fill: #0969da; }
    .late.line { stroke: #bc4c00; } .late.dot { fill: #bc4c00; }
    .best { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 5 4; }
    .told { fill: #1a7f37; font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1; } .head, .name { fill: #e6edf3; }
      .page { fill: #0d1117; stroke: #3d444d; } .grid { stroke: #2a313c; }
      .rate.line { stroke: #58a6ff; } .rate.dot { fill: #58a6ff; }
      .late.line { stroke: #ffa657; } .late.dot { fill: #ffa657; }
      .best { stroke: #3fb950; } .told { fill: #3fb950; }
    }`;

/** Throughput above, the slow end below, one column a statement; the optimum is marked in both. */
export function poolSizePicture(cases, ground) {
  const curves = curvesOf(cases);
  const { width: w, height: h, left, top, gapX, gapY } = PANEL;
  const width = left + curves.length * w + (curves.length - 1) * gapX + 32;
  const height = top + 2 * h + gapY + 62;
  const panels = curves.flatMap((curve, column) => {
    const x = left + column * (w + gapX);
    return [
      `<text class="head" x="${x}" y="${top - 46}">${curve.what}</text>`,
      panel(curve, { x, y: top, key: 'perSecond', kind: 'rate', title: 'statements per second' }),
      panel(curve, { x, y: top + h + gapY, key: 'p99Ms', kind: 'late', title: 'p99, ms' }),
      `<text class="middle" x="${x + w / 2}" y="${top + 2 * h + gapY + 42}">connections in the pool</text>`,
    ];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
  <title id="title">Throughput and p99 over the size of the pool</title>
  <desc id="description">${described(curves)} 64 callers, client and server on the same ${ground.cores} cores.</desc>
  <style>${STYLE}
  </style>
  <rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
  ${panels.join('\n  ')}
</svg>
`;
}

function panel({ points, optimum }, { x, y, key, kind, title }) {
  const { width, height } = PANEL;
  const top = niceAbove(Math.max(...points.map((point) => point[key])));
  const atX = (index) => x + ((index + 0.5) * width) / points.length;
  const atY = (value) => y + height - (value / top) * height;
  const best = points.findIndex(({ max }) => max === optimum);
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, n) => (top * n) / GRID_LINES);
  const corners = points.map((point, n) => `${round(atX(n))},${round(atY(point[key]))}`);
  return [
    `<text class="name" x="${x}" y="${y - 14}">${title}</text>`,
    ...grid.map(
      (value) =>
        `<line class="grid" x1="${x}" x2="${x + width}" y1="${round(atY(value))}" y2="${round(atY(value))}"/>` +
        `<text class="end" x="${x - 8}" y="${round(atY(value) + 4)}">${axisLabel(value)}</text>`,
    ),
    `<line class="best" x1="${round(atX(best))}" x2="${round(atX(best))}" y1="${y}" y2="${y + height}"/>`,
    `<polyline class="${kind} line" points="${corners.join(' ')}"/>`,
    ...points.map(({ max, [key]: value }, n) => {
      const at = `cx="${round(atX(n))}" cy="${round(atY(value))}"`;
      const label = `<text class="middle" x="${round(atX(n))}" y="${y + height + 18}">${max}</text>`;
      return `<circle class="${kind} dot" ${at} r="4"/>${label}`;
    }),
    `<text class="told middle" x="${round(atX(best))}" y="${y - 6}">${figure(points[best][key])}</text>`,
  ].join('\n  ');
}

/** The end of an axis that has whole steps. */
function niceAbove(value) {
  const step = value / GRID_LINES;
  const unit = 10 ** Math.floor(Math.log10(step));
  return GRID_LINES * unit * STEPS.find((candidate) => candidate * unit >= step);
}

function axisLabel(value) {
  return new Intl.NumberFormat('en').format(value);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function described(curves) {
  return curves
    .map(({ what, optimum, points }) => {
      const { perSecond, p99Ms } = points.find(({ max }) => max === optimum);
      return `With ${what} a pool of ${optimum} is enough: ${figure(perSecond)} statements per second, p99 ${figure(p99Ms)} ms.`;
    })
    .join(' ');
}
