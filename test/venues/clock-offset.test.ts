import { describe, expect, it } from 'vitest';
import { bestOffset, observeServerTime, unknownClockOffset } from '../../src/venues/clock-offset.ts';

describe('clock offset', () => {
  it('is the server time against the middle of the round trip, half the trip uncertain (EX-11)', () => {
    const offset = observeServerTime(unknownClockOffset, {
      sentAtMs: 1_000,
      serverMs: 1_052,
      receivedAtMs: 1_080,
      scale: 1,
      nowMonotonicMs: 0,
    });
    expect(bestOffset(offset, 0)).toMatchObject({ offsetMs: 12, errorMs: 40 });
  });

  it('believes the shortest round trip of the last ten minutes', () => {
    let offset = observeServerTime(unknownClockOffset, {
      sentAtMs: 0,
      serverMs: 30,
      receivedAtMs: 40,
      scale: 1,
      nowMonotonicMs: 0,
    });
    offset = observeServerTime(offset, {
      sentAtMs: 1_000,
      serverMs: 1_900,
      receivedAtMs: 2_000,
      scale: 1,
      nowMonotonicMs: 1_000,
    });
    expect(bestOffset(offset, 1_000)).toMatchObject({ offsetMs: 10, errorMs: 20 });
    offset = observeServerTime(offset, {
      sentAtMs: 700_000,
      serverMs: 700_500,
      receivedAtMs: 700_600,
      scale: 1,
      nowMonotonicMs: 700_000,
    });
    expect(bestOffset(offset, 700_000)).toMatchObject({ offsetMs: 200, errorMs: 300 });
  });

  it('is measured in real milliseconds when calendar time is compressed', () => {
    const offset = observeServerTime(unknownClockOffset, {
      sentAtMs: 0,
      serverMs: 3_600,
      receivedAtMs: 3_600,
      scale: 360,
      nowMonotonicMs: 0,
    });
    expect(bestOffset(offset, 0)).toMatchObject({ offsetMs: 5, errorMs: 5 });
  });

  it('is unknown before the first round trip', () => {
    expect(bestOffset(unknownClockOffset, 0)).toBeUndefined();
  });

  it('is unknown again when nothing could be measured for ten minutes', () => {
    const trip = { sentAtMs: 0, serverMs: 20, receivedAtMs: 40, scale: 1, nowMonotonicMs: 0 };
    const offset = observeServerTime(unknownClockOffset, trip);
    expect(bestOffset(offset, 599_999)).toBeDefined();
    expect(bestOffset(offset, 600_000)).toBeUndefined();
  });

  it('forgets the oldest of many samples', () => {
    let offset = unknownClockOffset;
    for (let count = 0; count < 500; count++)
      offset = observeServerTime(offset, {
        sentAtMs: 0,
        serverMs: 5,
        receivedAtMs: 10,
        scale: 1,
        nowMonotonicMs: count,
      });
    expect(offset.samples.length).toBe(64);
  });
});
