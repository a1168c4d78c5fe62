import { describe, expect, it } from '@jest/globals';
import { refusal } from './support/refusal.js';
import { testSessions } from './support/test-sessions.js';

const sessions = testSessions('');

const TRIES = 60;

describe('a cancel request that comes before the statement has arrived', () => {
  it('is repeated, because the server forgets it', async () => {
    const session = await sessions.open({}, { answerLimitMs: 20_000 });
    for (let n = 0; n < TRIES; n += 1) {
      const sleeping = session.client.query('SELECT pg_sleep(30)');
      session.cancel();
      expect(await refusal(sleeping)).toMatchObject({ code: '57014' });
      await session.whenQuiet();
      expect(session.hasEnded).toBe(false);
    }
    const { rows } = await session.client.query('SELECT 1 AS n');
    expect(rows).toEqual([{ n: 1 }]);
  });
});
