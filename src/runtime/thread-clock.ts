/** Time on one thread, comparable with the time of all other threads of the system. Any thread. */
import { performance } from 'node:perf_hooks';
import type { Calendar } from './system.ts';

/** Returns the process-wide monotonic instant, ns, that a system's monotonic ms count from. */
export function anchorNow(): bigint {
  return process.hrtime.bigint();
}

/** Readings of both clocks, of which the one that took the least time counts. */
const READINGS = 8;

/** The two times of one thread: calendar and monotonic. */
export class ThreadClock {
  readonly #calendar: Calendar;
  /** `performance.now()` counts from each thread's own start; this makes it count from the anchor. */
  readonly #offsetMs: number;

  constructor(calendar: Calendar, anchorNs: bigint) {
    this.#calendar = calendar;
    this.#offsetMs = offsetFrom(anchorNs);
  }

  monotonicMs(): number {
    return performance.now() + this.#offsetMs;
  }

  nowMs(): number {
    const calendar = this.#calendar;
    return calendar.type === 'live' ? Date.now() : Math.floor(calendar.startAtMs + this.monotonicMs() * calendar.scale);
  }
}

/**
 * Returns what this thread's `performance.now()` lacks to the ms since the anchor. A thread that is interrupted between its
 * readings of the two clocks would be wrong by the interruption for the rest of its life: so the reading is repeated, and
 * the one that was over soonest is taken.
 */
function offsetFrom(anchorNs: bigint): number {
  let offsetMs = 0;
  let tookMs = Infinity;
  for (let reading = 0; reading < READINGS; reading++) {
    const beforeMs = performance.now();
    const sinceAnchorMs = Number(process.hrtime.bigint() - anchorNs) / 1e6;
    const afterMs = performance.now();
    if (afterMs - beforeMs >= tookMs) continue;
    tookMs = afterMs - beforeMs;
    offsetMs = sinceAnchorMs - (beforeMs + afterMs) / 2;
  }
  return offsetMs;
}
