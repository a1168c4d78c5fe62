import { describe, expect, it } from '@jest/globals';
import { FleetView } from '../../../lib/fleet/fleet-view.js';

const GRACE_MS = 100;

describe('what an instance remembers of the others', () => {
  it('leaves out itself, and takes the larger of claim and sessions', () => {
    const view = new FleetView('own', GRACE_MS);
    const others = view.look(
      [
        { instance: 'own', claim: 9, sessions: 9 },
        { instance: 'a', claim: 9, sessions: 2 },
        { instance: 'b', claim: 3, sessions: 5 },
        { instance: 'c', claim: undefined, sessions: 4 },
      ],
      0,
    );
    expect(others).toEqual([
      { instance: 'a', isPresent: true, held: 9 },
      { instance: 'b', isPresent: true, held: 5 },
      { instance: 'c', isPresent: false, held: 4 },
    ]);
  });

  it('keeps the claim of one whose fleet session has gone, until it must have shrunk', () => {
    const view = new FleetView('own', GRACE_MS);
    view.look([{ instance: 'a', claim: 9, sessions: 2 }], 0);
    expect(view.look([{ instance: 'a', claim: undefined, sessions: 1 }], 50)).toEqual([
      { instance: 'a', isPresent: false, held: 9 },
    ]);
    expect(view.look([], 100)).toEqual([{ instance: 'a', isPresent: false, held: 9 }]);
    expect(view.look([{ instance: 'a', claim: undefined, sessions: 1 }], 101)).toEqual([
      { instance: 'a', isPresent: false, held: 1 },
    ]);
    expect(view.look([], 102)).toEqual([]);
  });

  it('is settled when it has looked for as long, and not after it has forgotten', () => {
    const view = new FleetView('own', GRACE_MS);
    expect(view.isSettled(1_000)).toBe(false);
    view.look([{ instance: 'a', claim: 9, sessions: 2 }], 1_000);
    expect(view.isSettled(1_099)).toBe(false);
    expect(view.isSettled(1_100)).toBe(true);
    view.forget();
    expect(view.isSettled(1_100)).toBe(false);
    expect(view.look([], 1_101)).toEqual([]);
  });
});
