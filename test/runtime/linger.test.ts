/** When a thread without work sleeps, in made-up time: every look takes 1 us, and so does every message. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Linger, TRY_EVERY } from '../../src/runtime/linger.ts';

const LOOK_MS = 0.001;
const WINDOW_MS_MAX = 0.2;

/** Plays a thread to which messages come at these times; returns how often it was woken and how many looks found nothing. */
function play(linger: Linger, atMs: readonly number[]): { wakeUps: number; idleLooks: number } {
  let nowMs = (atMs[0] ?? 1) - 1;
  let wakeUps = 0;
  let idleLooks = 0;
  for (const dueMs of atMs) {
    while (nowMs < dueMs) {
      nowMs += LOOK_MS;
      if (linger.staysAwake(nowMs, false)) idleLooks += 1;
      else {
        // Asleep until the message wakes it.
        if (nowMs < dueMs) {
          wakeUps += 1;
          nowMs = dueMs;
        }
        break;
      }
    }
    nowMs = Math.max(nowMs, dueMs) + LOOK_MS;
    linger.staysAwake(nowMs, true);
  }
  return { wakeUps, idleLooks };
}

function every(periodMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => 2 + index * periodMs);
}

describe('a thread without work', () => {
  it('trap 4: stays awake between messages that come faster than a wake-up is worth', () => {
    const { wakeUps } = play(new Linger(WINDOW_MS_MAX), every(0.05, 10_000));
    expect(wakeUps).toBeLessThanOrEqual(TRY_EVERY + 1);
  });

  it('trap 4: without a window it is woken for every one of them', () => {
    expect(play(new Linger(0), every(0.05, 10_000))).toEqual({ wakeUps: 10_000, idleLooks: 0 });
  });

  it('sleeps between messages that come rarely, and does not look for them in vain', () => {
    const { wakeUps, idleLooks } = play(new Linger(WINDOW_MS_MAX), every(5, 2_000));
    expect(wakeUps).toBe(2_000);
    expect(idleLooks).toBe(0);
  });

  it('gives up staying awake soon after the messages became rare', () => {
    const linger = new Linger(WINDOW_MS_MAX);
    play(linger, every(0.05, 10_000));
    const later = every(5, 200).map((atMs) => atMs + 1_000);
    // 0.2 ms, then half as long each time: less than 0.5 ms of looks in all.
    expect(play(linger, later).idleLooks).toBeLessThan(500);
  });

  it('trap 12: tries a long window no more than once in so many soon wake-ups, whatever the times between messages', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 2_000 }),
        (gapsMs) => {
          let atMs = 2;
          const times = gapsMs.map((gapMs) => (atMs += gapMs));
          const { wakeUps, idleLooks } = play(new Linger(WINDOW_MS_MAX), times);
          const stayed = times.length - wakeUps;
          // Looks in vain are bounded: by one window per message that came in it, and by the tries and their halves.
          expect(idleLooks * LOOK_MS).toBeLessThanOrEqual(
            (stayed + 3 * (1 + Math.floor(wakeUps / TRY_EVERY))) * (WINDOW_MS_MAX + LOOK_MS) + 1e-6,
          );
        },
      ),
    );
  });
});
