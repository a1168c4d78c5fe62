import { describe, expect, it } from '@jest/globals';
import { cancelOverdue } from './scenarios/cancel-overdue.js';
import { lateCancel, lateCancelForNeighbour } from './scenarios/late-cancel.js';
import {
  abortSignal,
  borrowedLimit,
  limitByPgsName,
  ownLimit,
  poolLimit,
} from './scenarios/statement-stopped.js';
import { statementOverTls } from './scenarios/statement-over-tls.js';
import { statementsAtMostMax } from './scenarios/statements-at-most-max.js';
import { faultServer } from './support/fault-server.js';

describe('a statement that is given up', () => {
  const ground = faultServer();

  it.each([
    ['statementTimeoutMs of the pool', poolLimit, '57014'],
    ['timeoutMs of the statement', ownLimit, 'POOL_STATEMENT_TIMEOUT'],
    ["query_timeout, pg's name of it", limitByPgsName, 'POOL_STATEMENT_TIMEOUT'],
    ['timeoutMs on a borrowed connection', borrowedLimit, 'POOL_STATEMENT_TIMEOUT'],
    ['an AbortSignal', abortSignal, 'POOL_STATEMENT_ABORTED'],
  ])(
    'by %s stops at the server, and the next borrower does not wait',
    async (_, scenario, told) => {
      const stopped = await ground.measure(scenario);

      expect(stopped.told).toBe(told);
      // All of it would take three seconds if nothing were stopped.
      expect(stopped.toldAfterMs).toBeLessThan(2_500);
      expect(stopped.stillRunning).toBe(0);
      expect(stopped.nextTold).toBe('ok');
      expect(stopped.nextMs).toBeLessThan(2_500);
    },
  );

  it('does not let more statements run at the server than max, in whatever way it is given up', async () => {
    const { max, mostRunning, mostSessions, samples, unsettled } =
      await ground.measure(statementsAtMostMax);

    expect(samples).toBeGreaterThan(20);
    expect(mostRunning).toBeLessThanOrEqual(max);
    expect(mostSessions).toBeLessThanOrEqual(max);
    expect(unsettled).toBe(0);
  });

  it.each([
    ['of the next borrower', lateCancel],
    ['of the same borrower', lateCancelForNeighbour],
  ])('never harms the next statement %s, however late the cancel arrives', async (_, scenario) => {
    const { tries, givenUp, cancelRequests, harmed } = await ground.measure(scenario);

    expect(givenUp).toBeGreaterThan(tries / 4);
    expect(cancelRequests).toBeGreaterThan(tries / 4);
    expect(harmed).toEqual([]);
  });

  it('never harms the next statement by a cancel that arrives when nobody waits for it any more', async () => {
    const { cancelRequests, harmed } = await ground.measure(cancelOverdue);

    expect(cancelRequests).toBeGreaterThan(0);
    expect(harmed).toBe(0);
  });

  it('is cancelled over TLS that is verified like that of its session', async () => {
    const { told, stillRunning, cancelsVerified } = await ground.measure(statementOverTls);

    expect(told).toBe('POOL_STATEMENT_TIMEOUT');
    expect(stillRunning).toBe(0);
    expect(cancelsVerified).toBe(1);
  });
});
