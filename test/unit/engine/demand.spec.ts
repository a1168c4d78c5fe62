import { describe, expect, it } from '@jest/globals';
import { Demand, type DemandView } from '../../../lib/engine/demand.js';

const NOBODY: DemandView = {
  now: 1_000,
  waiting: 0,
  oldestSince: undefined,
  connecting: 0,
  checking: 0,
  working: 0,
};

/** Connects take 100 ms here and uses 10 ms; the last connection came back at `returnedAt`. */
function busyPool(returnedAt: number): Demand {
  const demand = new Demand();
  demand.connected(100);
  demand.returned(10, returnedAt);
  return demand;
}

describe('how many attempts waiters are worth', () => {
  it('is one for each whom nothing is opened or checked for, as long as no connect is known', () => {
    const view = { ...NOBODY, waiting: 5, oldestSince: 0, connecting: 1, checking: 1, working: 9 };
    expect(new Demand().attemptsFor(view)).toBe(3);
  });

  it('leaves out those whom the connections in use will have served before', () => {
    const view = { ...NOBODY, waiting: 23, oldestSince: 1_000, working: 2 };
    expect(busyPool(1_000).attemptsFor(view)).toBe(3);
  });

  it('trusts the usual use time only as far as something comes back', () => {
    const view = { ...NOBODY, now: 1_050, waiting: 5, oldestSince: 1_000, working: 1 };
    expect(busyPool(1_000).attemptsFor(view)).toBe(3);
  });

  it('does not trust it at all when nothing has come back for as long as a connect takes', () => {
    const view = { ...NOBODY, now: 1_100, waiting: 5, oldestSince: 1_000, working: 1 };
    expect(busyPool(1_000).attemptsFor(view)).toBe(5);
  });

  it('is one in any case for each connect that the oldest could have waited for', () => {
    const view = { ...NOBODY, now: 1_350, waiting: 4, oldestSince: 1_000, working: 5 };
    const demand = busyPool(1_350);
    expect(demand.attemptsFor({ ...view, connecting: 2 })).toBe(1);
    expect(demand.attemptsFor({ ...view, connecting: 3 })).toBeLessThanOrEqual(0);
  });

  it('is one as well for each connect since somebody has been waiting, whoever it was', () => {
    const view = { ...NOBODY, now: 1_250, waiting: 3, oldestSince: 1_249, working: 5 };
    const demand = busyPool(1_250);
    demand.fallsShort(1_000);
    demand.fallsShort(1_200);
    expect(demand.attemptsFor({ ...view, connecting: 1 })).toBe(1);
    expect(demand.attemptsFor({ ...view, connecting: 2 })).toBeLessThanOrEqual(0);
    expect(demand.reconsiderInMs({ ...view, connecting: 2 })).toBe(50);
  });

  it('begins that count anew when a connection was left over', () => {
    const view = { ...NOBODY, waiting: 3, oldestSince: 1_249, working: 5 };
    const demand = busyPool(1_350);
    demand.fallsShort(1_000);
    demand.suffices();
    demand.fallsShort(1_249);
    expect(demand.attemptsFor({ ...view, now: 1_348 })).toBeLessThanOrEqual(0);
    expect(demand.attemptsFor({ ...view, now: 1_349 })).toBe(1);
  });

  it('does not count a connect for which nobody is left', () => {
    const view = { ...NOBODY, now: 9_000, waiting: 2, oldestSince: 1_000, connecting: 2 };
    expect(busyPool(1_000).attemptsFor(view)).toBe(0);
  });
});

describe('when that is to be asked again', () => {
  it('is never while nobody waits, or no connect is known', () => {
    expect(busyPool(1_000).reconsiderInMs(NOBODY)).toBeUndefined();
    const view = { ...NOBODY, waiting: 1, oldestSince: 1_000, working: 1 };
    expect(new Demand().reconsiderInMs(view)).toBeUndefined();
  });

  it('is never while something is opened for everybody', () => {
    const view = { ...NOBODY, waiting: 2, oldestSince: 1_000, connecting: 2, working: 1 };
    expect(busyPool(1_000).reconsiderInMs(view)).toBeUndefined();
  });

  it('is when the oldest has waited for one connect more than are under way', () => {
    const view = { ...NOBODY, now: 1_030, waiting: 2, oldestSince: 1_000, working: 1 };
    const demand = busyPool(1_000);
    expect(demand.reconsiderInMs({ ...view, connecting: 1, checking: 1 })).toBe(170);
    expect(demand.reconsiderInMs({ ...view, checking: 2 })).toBe(70);
  });

  it('is sooner the fewer work for those who wait, counted from the last return', () => {
    const view = { ...NOBODY, now: 1_030, waiting: 4, oldestSince: 1_000, working: 1 };
    expect(busyPool(1_020).reconsiderInMs({ ...view, connecting: 1, checking: 1 })).toBe(40);
  });

  it('is a millisecond from now when it should have been before', () => {
    const view = { ...NOBODY, now: 9_000, waiting: 2, oldestSince: 1_000, working: 1 };
    expect(busyPool(1_000).reconsiderInMs(view)).toBe(1);
  });
});

describe('how long a connect usually takes', () => {
  it('is unknown before the first', () => {
    expect(new Demand().expectedConnectMs).toBeUndefined();
  });

  it('is what the last one took when that was slow, else the average', () => {
    const demand = new Demand();
    demand.connected(100);
    demand.connected(200);
    expect(demand.expectedConnectMs).toBe(200);
    demand.connected(100);
    expect(demand.expectedConnectMs).toBeCloseTo(116);
  });

  it('is never less than a millisecond, the finest that timers are', () => {
    const demand = new Demand();
    demand.connected(0);
    expect(demand.expectedConnectMs).toBe(1);
  });
});
