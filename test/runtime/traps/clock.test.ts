/** Trap 13: each thread's `performance.now()` counts from its own start. */
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { anchorNow, ThreadClock } from '../../../src/runtime/thread-clock.ts';
import { runTokens } from './bed.ts';

describe('trap 13: clocks of different threads', () => {
  it.each([false, true])(
    'agree: no message comes before it was sent (threads in their second life: %s)',
    async (killsFirst) => {
      const run = await runTokens({ wakes: ['nudge', 'wait', 'nudge'], tokens: 2, hopsPerToken: 3_000, killsFirst });
      expect(run).toMatchObject({ hops: 6_000, fromTheFuture: 0 });
    },
  );

  it('agree also when a thread is interrupted while it sets its clock', () => {
    const anchorNs = anchorNow();
    const reference = new ThreadClock({ type: 'live' }, anchorNs);
    const { hrtime } = process;
    // The first reading of the clock is followed by a pause of 20 ms, as when another process takes the core.
    let isInterrupted = false;
    const bigint = (): bigint => {
      const now = hrtime.bigint();
      const untilMs = performance.now() + (isInterrupted ? 0 : 20);
      isInterrupted = true;
      while (performance.now() < untilMs);
      return now;
    };
    process.hrtime = Object.assign((time?: [number, number]) => hrtime(time), { bigint });
    try {
      const clock = new ThreadClock({ type: 'live' }, anchorNs);
      // Between two readings this process may lose its core as well: the closest of many tells how far the clocks are apart.
      const apart = Array.from({ length: 200 }, () => Math.abs(clock.monotonicMs() - reference.monotonicMs()));
      expect(Math.min(...apart)).toBeLessThan(5);
    } finally {
      process.hrtime = hrtime;
    }
  });
});
