import { describe, expect, it } from '@jest/globals';
import { isTooFar, PrimaryTrack } from '../../../lib/routing/lag.js';

const LIMITS = { maxLagMs: 10_000, maxLagBytes: 1_000 };

describe('a replica is too far behind', () => {
  it('when it is by time and by bytes, and not by one of them alone', () => {
    expect(isTooFar({ ms: 10_001, bytes: 1_001 }, LIMITS, false)).toBe(true);
    expect(isTooFar({ ms: 10_000, bytes: 1_001 }, LIMITS, false)).toBe(false);
    expect(isTooFar({ ms: 10_001, bytes: 1_000 }, LIMITS, false)).toBe(false);
    expect(isTooFar({ ms: 3_600_000, bytes: 0 }, LIMITS, false)).toBe(false);
  });

  it('and then until it is within half of a limit', () => {
    expect(isTooFar({ ms: 9_000, bytes: 900 }, LIMITS, true)).toBe(true);
    expect(isTooFar({ ms: 5_000, bytes: 900 }, LIMITS, true)).toBe(false);
    expect(isTooFar({ ms: 9_000, bytes: 500 }, LIMITS, true)).toBe(false);
  });

  it('by the bytes alone where the time is not known, and never where they are not', () => {
    expect(isTooFar({ ms: undefined, bytes: 1_001 }, LIMITS, false)).toBe(true);
    expect(isTooFar({ ms: undefined, bytes: 1_000 }, LIMITS, false)).toBe(false);
    expect(isTooFar({ ms: 1e9, bytes: undefined }, LIMITS, false)).toBe(false);
  });

  it('never where the limit is 0', () => {
    expect(isTooFar({ ms: 1e9, bytes: 1e9 }, { ...LIMITS, maxLagMs: 0 }, false)).toBe(false);
  });
});

describe('how far a replica is behind', () => {
  it('is what the replica says while nobody knows where the primary is', () => {
    expect(new PrimaryTrack().lagOf(5n, 700)).toEqual({ ms: 700, bytes: undefined });
  });

  it('is nothing when it is where the primary was last, however long ago that was', () => {
    const track = new PrimaryTrack();
    track.add(100n, 0);
    track.add(100n, 3_600_000);

    expect(track.lagOf(100n, 3_600_000)).toEqual({ ms: 0, bytes: 0 });
    expect(track.lagOf(120n, 5)).toEqual({ ms: 0, bytes: 0 });
  });

  it('is the time since the primary was seen beyond it, after an idle hour as well', () => {
    const track = new PrimaryTrack();
    track.add(100n, 0);
    track.add(5_000n, 3_600_000);
    track.add(5_000n, 3_602_000);

    // By the timestamp of its last transaction it would be behind by an hour.
    expect(track.lagOf(100n, 3_602_000)).toEqual({ ms: 2_000, bytes: 4_900 });
  });

  it('does not grow while the primary does not answer', () => {
    const track = new PrimaryTrack();
    track.add(100n, 0);
    track.add(200n, 1_000);
    track.add(300n, 2_000);

    expect(track.lagOf(150n, 60_000)).toEqual({ ms: 1_000, bytes: 150 });
  });

  it('is what the replica says where it lacks what was there before anybody looked', () => {
    const track = new PrimaryTrack();
    track.add(900n, 10);
    track.add(1_000n, 1_010);

    expect(track.lagOf(100n, 45_000)).toEqual({ ms: 45_000, bytes: 900 });
    expect(track.lagOf(100n, undefined)).toEqual({ ms: undefined, bytes: 900 });
  });

  it('is measured anew when another history has begun', () => {
    const track = new PrimaryTrack();
    track.add(900n, 10);
    track.forget();
    track.add(500n, 20);

    expect(track.latest).toBe(500n);
    expect(track.lagOf(500n, 9)).toEqual({ ms: 0, bytes: 0 });
  });
});
