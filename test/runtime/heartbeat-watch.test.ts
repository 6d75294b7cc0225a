import { describe, expect, it } from 'vitest';
import { HeartbeatWatch } from '../../src/runtime/heartbeat-watch.ts';

/** Looks every 100 ms with the given heartbeats and returns the times at which the thread was found hung. */
function timesHung(watch: HeartbeatWatch, heartbeats: readonly number[], isAsleep = false): number[] {
  return heartbeats.flatMap((heartbeat, index) =>
    watch.look([{ name: 'a', heartbeat, isAsleep, coreWaitMs: () => 0 }], index * 100).length > 0 ? [index * 100] : [],
  );
}

describe('the heartbeat watch', () => {
  it('finds a thread whose heart stood still for the whole limit, not earlier', () => {
    expect(timesHung(new HeartbeatWatch(300), [1, 2, 2, 2, 2, 2])).toEqual([500]);
  });

  it('asks how long a thread waited for a core only when it is silent', () => {
    const watch = new HeartbeatWatch(300);
    let asked = 0;
    const coreWaitMs = (): number => {
      asked += 1;
      return 0;
    };
    const look = (heartbeat: number, nowMs: number) =>
      watch.look([{ name: 'a', heartbeat, isAsleep: false, coreWaitMs }], nowMs);
    [1, 2, 3, 4].forEach((heartbeat, index) => look(heartbeat, index * 100));
    expect(asked).toBe(0);
    look(4, 400);
    expect(asked).toBe(1);
  });

  it('leaves beating and sleeping threads alone', () => {
    expect(timesHung(new HeartbeatWatch(300), [1, 2, 3, 4, 5, 6, 7])).toEqual([]);
    expect(timesHung(new HeartbeatWatch(300), [1, 1, 1, 1, 1, 1, 1], true)).toEqual([]);
  });

  it('blames nobody for the time it slept itself', () => {
    const watch = new HeartbeatWatch(300);
    const pulse = [{ name: 'a', heartbeat: 1, isAsleep: false, coreWaitMs: () => 0 }];
    watch.look(pulse, 0);
    expect(watch.look(pulse, 60_000)).toEqual([]);
    expect(watch.look(pulse, 60_100)).toEqual([]);
    expect([watch.look(pulse, 60_200), watch.look(pulse, 60_300)]).toEqual([[], []]);
    expect(watch.look(pulse, 60_400)).toEqual(['a']);
  });

  it('gives the next life of a thread a clean record', () => {
    const watch = new HeartbeatWatch(300);
    timesHung(watch, [1, 1, 1]);
    watch.forget('a');
    expect(watch.look([{ name: 'a', heartbeat: 1, isAsleep: false, coreWaitMs: () => 0 }], 300)).toEqual([]);
  });

  it('does not count the time in which the thread had no core to beat on', () => {
    const watch = new HeartbeatWatch(300);
    const look = (nowMs: number, coreWaitMs: number): string[] =>
      watch.look([{ name: 'a', heartbeat: 1, isAsleep: false, coreWaitMs: () => coreWaitMs }], nowMs);
    const looks = [
      look(0, 900),
      look(100, 1_000),
      look(200, 1_100),
      look(300, 1_150),
      look(400, 1_200),
      look(500, 1_200),
    ];
    expect(looks).toEqual(looks.map(() => []));
    expect(look(600, 1_200)).toEqual(['a']);
  });
});
