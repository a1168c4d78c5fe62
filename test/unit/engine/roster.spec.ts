import { describe, expect, it } from '@jest/globals';
import { Entry } from '../../../lib/engine/entry.js';
import type { EntryState } from '../../../lib/engine/entry-state.js';
import { Roster } from '../../../lib/engine/roster.js';

/** A roster with one entry that has gone this way since its attempt began. */
function rosterWith(...way: EntryState[]) {
  const roster = new Roster<string>('lifo');
  const entry = new Entry<string>(1, 1, 0, () => {});
  roster.add(entry);
  for (const state of way) roster.move(entry, state);
  return { roster, entry };
}

describe('the roster', () => {
  it.each<EntryState[][]>([
    [['leased']],
    [['checking']],
    [['returning']],
    [['idle', 'returning']],
    [['idle', 'connecting']],
    [['idle', 'leased', 'checking']],
    [['idle', 'checking', 'leased']],
    [['idle', 'leased', 'returning', 'leased']],
    [['closing', 'idle']],
    [['closing', 'closing']],
    [['idle', 'idle']],
  ])('lets no connection that is being opened go by way of %p', (way) => {
    const { roster, entry } = rosterWith(...way.slice(0, -1));
    expect(() => roster.move(entry, way.at(-1)!)).toThrow(/^connection 1 cannot go from/);
  });

  it('counts a connection that vanishes twice once', () => {
    const { roster, entry } = rosterWith('idle', 'closing');
    roster.remove(entry);
    roster.remove(entry);
    expect(roster.total).toBe(0);
    expect(roster.counts.closing).toBe(0);
  });

  it('counts one that retires until it is closed, however often it is told to', () => {
    const { roster, entry } = rosterWith('idle');
    roster.retire(entry);
    roster.retire(entry);
    expect(roster.retiring).toBe(1);
    roster.move(entry, 'leased');
    expect(roster.retiring).toBe(1);
    roster.move(entry, 'closing');
    expect(roster.retiring).toBe(0);
  });

  it('tells the most that were leased at once since it was asked last', () => {
    const roster = new Roster<string>('lifo');
    const [first, second] = [1, 2].map((id) => {
      const entry = new Entry<string>(id, 1, 0, () => {});
      roster.add(entry);
      roster.move(entry, 'idle');
      return entry;
    });
    roster.move(first!, 'leased');
    roster.move(second!, 'leased');
    roster.move(first!, 'idle');

    expect(roster.takeMostLeased()).toBe(2);
    // One of them is still out.
    expect(roster.takeMostLeased()).toBe(1);
    roster.move(second!, 'idle');
    expect(roster.takeMostLeased()).toBe(1);
    expect(roster.takeMostLeased()).toBe(0);
  });
});
