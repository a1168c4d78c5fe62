import { describe, expect, it } from '@jest/globals';
import { failoverOfStatements, failoverOfTransactions } from './scenarios/failover.js';
import { readOnlyOnPurpose } from './scenarios/read-only-on-purpose.js';
import { readOnlySession } from './scenarios/read-only-session.js';
import { faultServer } from './support/fault-server.js';
import { SLACK_MS } from './support/slack.js';

describe('a server that refuses writes', () => {
  const ground = faultServer();

  it.each([
    ['statements', failoverOfStatements],
    ['transactions', failoverOfTransactions],
  ])('is left within a second when the address leads to a new primary: %s', async (_, scenario) => {
    const { writesAfterMs, otherwiseFailed } = await ground.measure(scenario);

    expect(writesAfterMs).toBeLessThan(1_000 + SLACK_MS);
    expect(otherwiseFailed).toBe(0);
  });

  it('is not stormed with connections when it is read-only on purpose', async () => {
    const { writes, reads, connects, writesAgain } = await ground.measure(readOnlyOnPurpose);

    expect(writes).toMatch(/^\d+ 25006$/);
    expect(reads).toBe('ok');
    expect(connects).toBeLessThan(30);
    expect(writesAgain).toBe('ok');
  });

  it('is not suspected of a failover when the application made the sessions read-only', async () => {
    const { writes, told, connects } = await ground.measure(readOnlySession);

    expect(told).toBe(`${writes} 25006`);
    expect(connects).toBeLessThan(10);
  });
});
