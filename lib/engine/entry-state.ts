export const ENTRY_STATES = [
  'connecting',
  'checking',
  'idle',
  'leased',
  'returning',
  'closing',
] as const;

export type EntryState = (typeof ENTRY_STATES)[number];

/** Where an entry may go from each state; from `connecting` and `closing` it may also vanish. */
export function mayGo(from: EntryState, to: EntryState): boolean {
  switch (from) {
    case 'idle':
      return to === 'leased' || to === 'checking' || to === 'closing';
    case 'leased':
      return to === 'idle' || to === 'returning' || to === 'closing';
    case 'connecting':
    case 'checking':
    case 'returning':
      return to === 'idle' || to === 'closing';
    case 'closing':
      return false;
  }
}

/** How many entries are in each state. Spelt out: it is counted at every hand-out. */
export class StateCounts {
  connecting = 0;
  checking = 0;
  idle = 0;
  leased = 0;
  returning = 0;
  closing = 0;

  add(state: EntryState, change: 1 | -1): void {
    switch (state) {
      case 'idle':
        this.idle += change;
        break;
      case 'leased':
        this.leased += change;
        break;
      case 'connecting':
        this.connecting += change;
        break;
      case 'checking':
        this.checking += change;
        break;
      case 'returning':
        this.returning += change;
        break;
      case 'closing':
        this.closing += change;
        break;
    }
  }
}
