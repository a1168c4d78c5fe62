import { describe, expect, it } from '@jest/globals';
import { believed } from '../../../lib/routing/causal/primary-position.js';
import type { WalPosition } from '../../../lib/routing/causal/wal-position.js';

const at = (timeline: number, lsn: bigint): WalPosition => ({ timeline, lsn });
const seen = (position?: WalPosition) => ({ position, primaryForMs: position ? 0 : 1_000 });

/** A primary that was at one place when it was asked last, and is at another one now. */
const primary = (last: WalPosition | undefined, now: WalPosition | undefined) => ({
  asked: 0,
  primaryPosition: last,
  askPrimaryPosition(): Promise<WalPosition | undefined> {
    this.asked += 1;
    return Promise.resolve(now);
  },
});

describe('what somebody says that he has seen', () => {
  it.each<[string, WalPosition | undefined, WalPosition | undefined, WalPosition | undefined]>([
    ['is nothing but a time', undefined, undefined, undefined],
    ['the primary has passed', at(1, 10n), at(1, 20n), undefined],
    ['the primary has passed since', at(1, 30n), at(1, 20n), at(1, 30n)],
    ['is of a history that the primary has begun since', at(2, 30n), at(1, 20n), at(2, 30n)],
    ['is of the history before the failover', at(1, 10n), at(2, 20n), undefined],
    ['nobody can say anything about', at(1, 30n), at(1, 20n), undefined],
  ])('is believed where it %s', async (_, position, last, now) => {
    expect(await believed(seen(position), primary(last, now))).toEqual(seen(position));
  });

  it.each([
    ['is beyond the log', at(1, 30n)],
    ['is of a later history', at(2, 10n)],
    ['is of an earlier history, and was lost with it', at(0, 30n)],
  ])('is not where it %s', async (_, position) => {
    const here = at(1, 20n);
    expect(await believed(seen(position), primary(here, here))).toBeUndefined();
  });

  it('costs no question where the answer of the last one will do', async () => {
    const known = primary(at(2, 20n), undefined);

    await believed(seen(at(2, 10n)), known);
    await believed(seen(at(1, 10n)), known);

    expect(known.asked).toBe(0);
  });
});
