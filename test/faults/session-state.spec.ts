import { describe, expect, it } from '@jest/globals';
import { openTransaction } from './scenarios/open-transaction.js';
import { resetByDiscard, resetToState } from './scenarios/session-state.js';
import { faultServer } from './support/fault-server.js';

describe('what a borrower leaves behind in its session', () => {
  const ground = faultServer();

  it.each([
    ["reset: 'state'", resetToState],
    ["reset: 'discard'", resetByDiscard],
  ])('never reaches the next borrower with %s', async (_, scenario) => {
    const { met, ownSetUpKept, namedStatement, sameBackend } = await ground.measure(scenario);

    expect(met).toEqual([]);
    expect(sameBackend).toBe(true);
    expect(ownSetUpKept).toBe(true);
    expect(namedStatement).toBe('ok');
  });

  it('is rolled back when it is an open or failed transaction, without any reset', async () => {
    const { inherited } = await ground.measure(openTransaction);

    expect(inherited).toEqual([]);
  });
});
