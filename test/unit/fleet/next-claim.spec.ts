import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FleetView, type SeenInstance } from '../../../lib/fleet/fleet-view.js';
import { type ClaimQuestion, nextClaim } from '../../../lib/fleet/next-claim.js';

const ALONE: ClaimQuestion = {
  budget: 40,
  expected: 1,
  instance: 'b',
  claim: 8,
  minimum: 3,
  most: 100,
  mayGrow: true,
  others: [],
};

describe('the claim of an instance', () => {
  it('begins with the minimum', () => {
    expect(nextClaim({ ...ALONE, claim: 0 })).toBe(3);
  });

  it('begins with nothing where others hold too much', () => {
    const others = [{ instance: 'a', isPresent: true, held: 38 }];
    expect(nextClaim({ ...ALONE, claim: 0, others })).toBe(0);
  });

  it('begins with nothing where only those have room who are expected and have not come yet', () => {
    const question = { ...ALONE, claim: 0, expected: 5 };
    const others = [{ instance: 'a', isPresent: true, held: 33 }];
    expect(nextClaim({ ...question, others })).toBe(3);
    expect(nextClaim({ ...question, others: [{ ...others[0]!, held: 35 }] })).toBe(0);
  });

  it('leaves a session to each of those that start together, however they take their turns', () => {
    const budget = 54;
    const claims = new Map([
      ['a', 22],
      ['b', 21],
    ]);
    for (let n = 0; n < 10; n += 1) {
      const others = Array.from(claims, ([instance, claim]) => ({
        instance,
        isPresent: true,
        held: Math.max(1, claim),
      }));
      const question = { ...ALONE, budget, expected: 12, minimum: 2, instance: `c${n}`, others };
      claims.set(`c${n}`, nextClaim({ ...question, claim: 0 }));
      const open = [...claims.values()].reduce((sum, claim) => sum + Math.max(1, claim), 0);
      expect(open).toBeLessThanOrEqual(budget);
    }
    expect(claims.get('c0')).toBe(2);
  });

  it('grows by three quarters, up to all but the minimum of the next one', () => {
    expect(nextClaim(ALONE)).toBe(14);
    expect(nextClaim({ ...ALONE, claim: 35 })).toBe(37);
    expect(nextClaim({ ...ALONE, claim: 37 })).toBe(37);
  });

  it('does not grow over what it could use', () => {
    expect(nextClaim({ ...ALONE, most: 9 })).toBe(9);
  });

  it('holds back one connection for each that is expected beyond the next', () => {
    expect(nextClaim({ ...ALONE, expected: 6, claim: 35 })).toBe(33);
  });

  it('shrinks to its share at once when somebody has come', () => {
    const others = [{ instance: 'a', isPresent: true, held: 3 }];
    expect(nextClaim({ ...ALONE, claim: 37, others })).toBe(18);
    expect(nextClaim({ ...ALONE, claim: 37, others, instance: '0' })).toBe(19);
  });

  it('grows only into what nobody holds, dead or alive', () => {
    const others = [{ instance: 'a', isPresent: false, held: 28 }];
    expect(nextClaim({ ...ALONE, others })).toBe(9);
    expect(nextClaim({ ...ALONE, others, mayGrow: false })).toBe(8);
  });

  it('leaves the minimum to one that cannot see the others and has little open', () => {
    const others = [{ instance: 'a', isPresent: false, held: 1 }];
    expect(nextClaim({ ...ALONE, claim: 33, others })).toBe(34);
  });

  it('is never below the minimum, whatever the share', () => {
    const others = ['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'].map((instance) => ({
      instance,
      isPresent: true,
      held: 3,
    }));
    expect(nextClaim({ ...ALONE, claim: 9, others })).toBe(3);
  });
});

const GRACE = 10;
const MOST = 30;
const MINIMUM = 3;

/** An instance in a world without a clock: it takes a turn whenever it is its turn. */
class Instance {
  claim = 0;
  /** What it has open; anything up to its claim. */
  sessions = 1;
  readonly view: FleetView;

  constructor(readonly name: string) {
    this.view = new FleetView(name, GRACE);
  }

  turn(fleet: Fleet, now: number): void {
    const others = this.view.look(fleet.seen(), now);
    const { claim } = this;
    const { budget, expected } = fleet;
    this.claim = nextClaim({
      budget,
      expected,
      instance: this.name,
      claim,
      minimum: MINIMUM,
      most: MOST,
      mayGrow: this.view.isSettled(now),
      others,
    });
    // It closes first what it gives up, and opens what it has got whenever it likes.
    this.sessions = Math.min(this.sessions, Math.max(1, this.claim));
  }
}

class Fleet {
  readonly expected = 12;
  instances: Instance[] = [];
  /** Sessions of the dead that the server has not noticed yet. */
  ghosts: SeenInstance[] = [];

  constructor(readonly budget: number) {}

  seen(): SeenInstance[] {
    const alive = this.instances.map(({ name, claim, sessions }) => ({
      instance: name,
      claim,
      sessions,
    }));
    return [...alive, ...this.ghosts];
  }

  get open(): number {
    return this.seen().reduce((sum, { sessions }) => sum + sessions, 0);
  }

  get couldOpen(): number {
    const claims = this.instances.map(({ claim, sessions }) => Math.max(claim, sessions));
    const ghosts = this.ghosts.map(({ sessions }) => sessions);
    return [...claims, ...ghosts].reduce((sum, each) => sum + each, 0);
  }
}

const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ what: fc.constant('turn'), who: fc.nat(11) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('open'), who: fc.nat(11) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('join'), who: fc.nat(11) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('kill'), who: fc.nat(11) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('bury'), who: fc.nat(11) }) },
);

describe('a fleet, whatever happens', () => {
  it('never holds more than its budget', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 400 }),
        fc.integer({ min: 40, max: 80 }),
        (steps, budget) => {
          const fleet = new Fleet(budget);
          let names = 0;
          let now = 0;
          for (const { what, who } of steps) {
            now += 1;
            const instance = fleet.instances[who % Math.max(1, fleet.instances.length)];
            if (what === 'join' && fleet.instances.length < fleet.expected) {
              fleet.instances.push(new Instance(`i${(names += 1)}`));
            } else if (what === 'turn') instance?.turn(fleet, now);
            else if (what === 'open' && instance) instance.sessions = Math.max(1, instance.claim);
            else if (what === 'kill' && instance) {
              fleet.instances = fleet.instances.filter((other) => other !== instance);
              const { name, sessions } = instance;
              fleet.ghosts.push({ instance: name, claim: undefined, sessions });
            } else if (what === 'bury') fleet.ghosts.shift();
            expect(fleet.couldOpen).toBeLessThanOrEqual(budget);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('comes to shares that differ by one at most, whoever is there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 50, max: 80 }),
        (count, budget) => {
          const fleet = new Fleet(budget);
          let now = 0;
          for (let n = 0; n < count; n += 1) fleet.instances.push(new Instance(`i${n}`));
          for (let round = 0; round < 40; round += 1) {
            for (const instance of fleet.instances) instance.turn(fleet, (now += 1));
          }
          const claims = fleet.instances.map(({ claim }) => claim);
          expect(Math.max(...claims) - Math.min(...claims)).toBeLessThanOrEqual(1);
          expect(Math.min(...claims)).toBeGreaterThanOrEqual(MINIMUM);
        },
      ),
    );
  });
});
