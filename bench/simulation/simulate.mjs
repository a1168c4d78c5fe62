import { Processor } from './processor.mjs';
import { Station } from './station.mjs';

/**
 * Statements arrive at instances by chance, each takes a connection of its instance, then a server
 * connection of its instance's pooler, if there are poolers, and then shares the server's cores.
 *
 * @param fleet see options.mjs
 * @returns waits and times in milliseconds, sorted, and what was busy
 */
export function simulate(fleet, random = Math.random) {
  const { instances, max, poolers, serverConnections, cores, rate, statementMs, seconds } = fleet;
  const shops = Array.from({ length: instances }, () => new Station(max));
  const doors = Array.from({ length: poolers }, () => new Station(serverConnections));
  const server = new Processor(cores);
  const endAt = seconds * 1_000;
  const perMs = rate / 1_000;
  const exponential = (mean) => -Math.log(1 - random()) * mean;

  const waits = { instance: [], pooler: [] };
  const times = [];
  let mostRunning = 0;
  let now = 0;
  let arrivalAt = exponential(1 / perMs);

  const arrive = () => {
    const cameAt = now;
    const index = Math.floor(random() * instances);
    const shop = shops[index];
    const door = poolers > 0 ? doors[index % poolers] : undefined;
    const run = (atDoor) => {
      if (door) waits.pooler.push(now - atDoor);
      server.run(exponential(statementMs), () => {
        door?.give();
        shop.give();
        times.push(now - cameAt);
      });
      mostRunning = Math.max(mostRunning, server.running);
    };
    shop.take(() => {
      waits.instance.push(now - cameAt);
      const atDoor = now;
      if (door) door.take(() => run(atDoor));
      else run(atDoor);
    });
  };

  // Arrivals end at the end of the time, and whoever has come is served.
  for (;;) {
    const nextEndAt = server.nextEndAt;
    const nextArrivalAt = arrivalAt < endAt ? arrivalAt : Infinity;
    if (nextEndAt === Infinity && nextArrivalAt === Infinity) break;
    now = Math.min(nextEndAt, nextArrivalAt);
    server.passTo(now);
    if (nextEndAt <= nextArrivalAt) {
      server.end();
    } else {
      arrive();
      arrivalAt = now + exponential(1 / perMs);
    }
  }
  const sorted = (values) => Float64Array.from(values).toSorted();
  return {
    statements: times.length,
    times: sorted(times),
    waits: { instance: sorted(waits.instance), pooler: sorted(waits.pooler) },
    mostRunning,
    utilization: now === 0 ? 0 : server.used / (now * cores),
  };
}

/** @param sorted values, the smallest first */
export function percentile(sorted, percent) {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}
