import { describe, expect, it } from '@jest/globals';
import { Alarm } from '../../../lib/engine/alarm.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

function alarmUnderTest() {
  const clock = new VirtualClock();
  const rings: number[] = [];
  const alarm = new Alarm(clock, () => rings.push(clock.now()));
  return { alarm, clock, rings };
}

describe('the alarm', () => {
  it('rings once, at the earliest of the times that it was asked for', async () => {
    const { alarm, clock, rings } = alarmUnderTest();
    alarm.ringIn(100);
    alarm.ringIn(50);
    alarm.ringIn(200);
    await clock.advance(1_000);
    expect(rings).toEqual([50]);
  });

  it('can be set anew after it has rung', async () => {
    const { alarm, clock, rings } = alarmUnderTest();
    alarm.ringIn(50);
    await clock.advance(60);
    alarm.ringIn(50);
    await clock.advance(1_000);
    expect(rings).toEqual([50, 110]);
  });

  it('does not ring when it was cleared, and can be set anew', async () => {
    const { alarm, clock, rings } = alarmUnderTest();
    alarm.ringIn(50);
    alarm.clear();
    await clock.advance(100);
    alarm.ringIn(50);
    await clock.advance(100);
    expect(rings).toEqual([150]);
  });

  it('keeps no process alive', () => {
    const { alarm, clock } = alarmUnderTest();
    alarm.ringIn(50);
    expect(clock.pending).toEqual({ keeping: 0, tending: 1 });
  });
});
