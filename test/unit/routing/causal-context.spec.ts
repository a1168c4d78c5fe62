import { describe, expect, it } from '@jest/globals';
import {
  CausalContext,
  causalContext,
  inCausalContext,
  readYourWrites,
} from '../../../lib/routing/causal/causal-context.js';
import { positionToSee } from '../../../lib/routing/causal/position-to-see.js';
import { deferred } from '../../support/deferred.js';

const WINDOW_MS = 60_000;
const NOT_YET = 'only the primary has it';
const at = (lsn: number, timeline = 1) => [String(lsn), timeline.toString(16).padStart(8, '0')];

describe('a context of reads and writes', () => {
  it('has nothing to see before something was written', () => {
    expect(new CausalContext().toSee).toBeUndefined();
    expect(new CausalContext().seen(WINDOW_MS)).toBeUndefined();
  });

  it('has the furthest of its writes to see, and of the newest history', () => {
    const context = new CausalContext();

    context.wrote(at(200), WINDOW_MS);
    context.wrote(at(100), WINDOW_MS);
    expect(context.toSee).toEqual({ timeline: 1, lsn: 200n });
    context.wrote(at(50, 0x1f), WINDOW_MS);
    expect(context.toSee).toEqual({ timeline: 31, lsn: 50n });
    context.wrote(at(900), WINDOW_MS);
    expect(context.toSee).toEqual({ timeline: 31, lsn: 50n });
  });

  it('waits for the end of a page, and not for the header of the next one', () => {
    const context = new CausalContext();

    context.wrote(at(8_192 * 5 + 24), WINDOW_MS);

    expect(context.toSee).toEqual({ timeline: 1, lsn: 40_960n });
  });

  it('makes reads wait for what is being asked', async () => {
    const context = new CausalContext();
    const [first, second] = [deferred<string[]>(), deferred<string[]>()];
    context.wrote(first.promise, WINDOW_MS);
    const toSee = context.toSee;
    context.wrote(second.promise, WINDOW_MS);

    second.resolve(at(20));
    first.resolve(at(10));

    expect(await toSee).toEqual({ timeline: 1, lsn: 20n });
    expect(context.toSee).toEqual({ timeline: 1, lsn: 20n });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('gone'))],
    ['has no answer', () => Promise.resolve([null, null])],
    ['was not asked', () => undefined],
  ])('leaves reads to the primary for the window, where the question %s', async (_, answer) => {
    const context = new CausalContext();
    context.wrote(at(10), WINDOW_MS);

    context.wrote(answer(), WINDOW_MS);

    await expect(context.toSee).rejects.toThrow(NOT_YET);
    expect(context.seen(WINDOW_MS)!.primaryForMs).toBeGreaterThan(0);
  });

  it('knows the position again when the window is over', () => {
    const context = new CausalContext();
    context.wrote(at(10), WINDOW_MS);
    context.wrote(undefined, 0);

    expect(context.toSee).toEqual({ timeline: 1, lsn: 10n });
  });

  it('leaves reads to the primary while a connection is held that may have written', async () => {
    const context = new CausalContext();
    const loan = {};
    context.writesOn(loan);
    await expect(context.toSee).rejects.toThrow(NOT_YET);
    expect(context.seen(WINDOW_MS)).toEqual({ position: undefined, primaryForMs: WINDOW_MS });

    context.leaves(loan);
    expect(context.toSee).toBeUndefined();
  });

  it('goes on with what an earlier one has seen, and tells nobody of that', async () => {
    const context = new CausalContext();
    context.resume(Promise.resolve({ position: { timeline: 1, lsn: 5n }, primaryForMs: 0 }));
    context.resume(Promise.resolve(undefined));
    context.resume(Promise.reject(new Error('the primary does not answer')));

    expect(await context.toSee).toEqual({ timeline: 1, lsn: 5n });
    expect(context.seen(WINDOW_MS)).toBeUndefined();
  });

  it('tells as a window what is not known yet', () => {
    const context = new CausalContext();
    context.wrote(at(10), WINDOW_MS);
    expect(context.seen(WINDOW_MS)).toEqual({
      position: { timeline: 1, lsn: 10n },
      primaryForMs: 0,
    });

    context.wrote(deferred<string[]>().promise, WINDOW_MS);
    expect(context.seen(WINDOW_MS)!.primaryForMs).toBe(WINDOW_MS);
  });
});

describe('readYourWrites()', () => {
  it('opens a context, and is part of one that is around', () => {
    expect(causalContext()).toBeUndefined();
    readYourWrites(() => {
      const outer = causalContext();
      expect(outer).toBeInstanceOf(CausalContext);
      expect(readYourWrites(() => causalContext())).toBe(outer);
    });
    expect(causalContext()).toBeUndefined();
  });

  it('is what positionToSee() looks at', () => {
    const context = new CausalContext();
    context.wrote(at(10), WINDOW_MS);

    expect(inCausalContext(context, positionToSee)).toEqual({ timeline: 1, lsn: 10n });
    expect(positionToSee()).toBeUndefined();
  });
});
