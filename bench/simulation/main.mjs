// A fleet before one PostgreSQL: the arithmetic of its connections, and what waiting costs.
import { HELP, readOptions } from './options.mjs';
import { percentile, simulate } from './simulate.mjs';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function arithmeticOf({ instances, max, poolers, serverConnections, cores, ...rest }) {
  const clients = instances * max;
  const atServer = poolers === 0 ? clients : poolers * serverConnections;
  const { maxConnections, rate, statementMs } = rest;
  return {
    clientConnections: clients,
    clientsPerPooler: poolers === 0 ? 0 : Math.ceil(instances / poolers) * max,
    serverConnections: atServer,
    formula: cores * 2 + 1,
    // 3 are reserved for superusers unless somebody has changed that.
    fits: atServer <= maxConnections - 3,
    coresNeeded: (rate * statementMs) / 1_000,
  };
}

const ms = (value) => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
const whole = (value) => Math.round(value).toLocaleString('en');

function sentences(fleet, arithmetic, measured) {
  const { instances, max, poolers, maxConnections, cores, rate, statementMs } = fleet;
  const between =
    poolers === 0
      ? 'no pooler between'
      : `${whole(poolers)} poolers, each with ${whole(arithmetic.clientsPerPooler)} clients and` +
        ` ${whole(fleet.serverConnections)} server connections`;
  const lines = [
    `${whole(instances)} instances x ${whole(max)} = ${whole(arithmetic.clientConnections)} connections; ${between}`,
    `at the server: ${whole(arithmetic.serverConnections)} of max_connections ${whole(maxConnections)};` +
      ` (${whole(cores)} cores x 2) + 1 = ${whole(arithmetic.formula)} would do`,
    `work: ${whole(rate)} statements/s x ${statementMs} ms = ${arithmetic.coresNeeded.toFixed(1)} of ${whole(cores)} cores`,
  ];
  if (!measured) {
    return [...lines, 'the server would refuse connections (53300): nothing was simulated'];
  }
  const row = (name, values) =>
    `  ${name.padEnd(24)}p50 ${ms(percentile(values, 50))}, p99 ${ms(percentile(values, 99))}`;
  return [
    ...lines,
    `simulated ${whole(measured.statements)} statements, the server ${Math.round(measured.utilization * 100)} % busy,` +
      ` at most ${whole(measured.mostRunning)} at once:`,
    row('wait at the instance', measured.waits.instance),
    ...(poolers === 0 ? [] : [row('wait at the pooler', measured.waits.pooler)]),
    row('whole statement', measured.times),
  ];
}

function figures(arithmetic, measured) {
  if (!measured) return { ...arithmetic, simulated: false };
  const of = (values) => ({ p50Ms: percentile(values, 50), p99Ms: percentile(values, 99) });
  const { statements, utilization, mostRunning, waits, times } = measured;
  return {
    ...arithmetic,
    simulated: true,
    statements,
    utilization,
    mostRunning,
    waitAtInstance: of(waits.instance),
    waitAtPooler: of(waits.pooler),
    wholeStatement: {
      ...of(times),
      meanMs: times.reduce((sum, each) => sum + each, 0) / statements,
    },
  };
}

try {
  const fleet = readOptions(process.argv.slice(2));
  if (fleet.help) {
    console.log(HELP);
  } else {
    const arithmetic = arithmeticOf(fleet);
    const measured = arithmetic.fits ? simulate(fleet, seeded(fleet.seed)) : undefined;
    if (fleet.json) console.log(JSON.stringify(figures(arithmetic, measured), undefined, 2));
    else console.log(sentences(fleet, arithmetic, measured).join('\n'));
  }
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
