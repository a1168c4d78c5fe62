import { beforeAll, describe, expect, it } from '@jest/globals';
import * as states from './scenarios/end-in-every-state.js';
import { faultServer } from './support/fault-server.js';

type Ended = Awaited<ReturnType<typeof states.endIdle.run>>;

const STATES = {
  'connections are idle': states.endIdle,
  'a connection was never released': states.endLent,
  'a statement runs': states.endInFlight,
  'callers wait': states.endWithWaiters,
  'the network is silent and callers wait': states.endInBlackhole,
  'the network is silent and connections are idle': states.endIdleInBlackhole,
  'connects are under way into silence': states.endConnectingIntoBlackhole,
  'the database is down': states.endInOutage,
} as const;

type State = keyof typeof STATES;

describe('the end of a pool', () => {
  const ground = faultServer();
  const ends = new Map<State, Ended>();

  // Side by side: each is a process of its own, and they mostly wait.
  beforeAll(async () => {
    const measured = Object.entries(STATES).map(async ([state, scenario]) => {
      ends.set(state as State, await ground.measure(scenario));
    });
    // Where one fails the others still have their processes and pools to end.
    await Promise.allSettled(measured);
    await Promise.all(measured);
  }, 240_000);

  it.each(Object.keys(STATES) as State[])(
    'is bounded, forgets nobody and lets the process exit by itself when %s',
    (state) => {
      const { report, exitedAfterMs } = ends.get(state)!;

      expect(report).toMatchObject({ ended: 'ok', forgotten: 0 });
      // 0.5 s to drain, and twice the 2 s of closeTimeoutMs where nobody answers; more where
      // all of them have two processors together.
      expect(exitedAfterMs).toBeLessThan(12_000);
    },
  );

  it.each<State>(['a statement runs', 'callers wait'])(
    'stops at the server what still runs there when %s',
    (state) => {
      expect(ends.get(state)!.leftRunning).toBe(0);
    },
  );
});
