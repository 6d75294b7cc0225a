/** Time on one thread, comparable with the time of all other threads of the system. Any thread. */
import { performance } from 'node:perf_hooks';
import type { Calendar } from './system.ts';

/** Returns the process-wide monotonic instant, ns, that a system's monotonic ms count from. */
export function anchorNow(): bigint {
  return process.hrtime.bigint();
}

export class ThreadClock {
  readonly #calendar: Calendar;
  /** `performance.now()` counts from each thread's own start; this makes it count from the anchor. */
  readonly #offsetMs: number;

  constructor(calendar: Calendar, anchorNs: bigint) {
    this.#calendar = calendar;
    const sinceAnchorMs = Number(process.hrtime.bigint() - anchorNs) / 1e6;
    this.#offsetMs = sinceAnchorMs - performance.now();
  }

  monotonicMs(): number {
    return performance.now() + this.#offsetMs;
  }

  nowMs(): number {
    const calendar = this.#calendar;
    return calendar.type === 'live' ? Date.now() : Math.floor(calendar.startAtMs + this.monotonicMs() * calendar.scale);
  }
}
