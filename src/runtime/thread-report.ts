/** Collects what a thread says of itself: lanes, wake-ups, event-loop delay, heap. Each thread for itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ThreadReport } from './control-plane.ts';
import type { ThreadRuntime } from './thread-runtime.ts';

/** Sampling distance; a delay is what exceeds it. */
// Each look is a wake-up: looking ten times as often took a percent of a core from five idle threads.
const RESOLUTION_MS = 100;

/** Answers for one thread. */
export class ThreadReporter {
  readonly #name: string;
  readonly #incarnation: number;
  readonly #runtime: ThreadRuntime;
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;

  constructor(name: string, incarnation: number, runtime: ThreadRuntime) {
    this.#name = name;
    this.#incarnation = incarnation;
    this.#runtime = runtime;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  report(): ThreadReport {
    const runtime = this.#runtime;
    return {
      thread: {
        name: this.#name,
        incarnation: this.#incarnation,
        status: 'running',
        loopDelay: {
          p50Ms: this.#delayMs(this.#delay.percentile(50)),
          p99Ms: this.#delayMs(this.#delay.percentile(99)),
          maxMs: this.#delayMs(this.#delay.max),
        },
        heapUsedBytes: getHeapStatistics().used_heap_size,
        lanes: runtime.laneSnapshots(),
        lostWakeUps: runtime.lostWakeUps,
        wakeUpsSent: runtime.wakeUpsSent,
        turns: runtime.turns,
        logRecordsDropped: runtime.logRecordsDropped,
        stale: false,
      },
      actors: runtime.host.actorSnapshots(),
      deadLetters: runtime.host.deadLettersSnapshot(),
    };
  }

  stop(): void {
    this.#delay.disable();
  }

  /** The histogram holds the whole sampling interval, in ns. */
  #delayMs(intervalNs: number): number {
    return Math.max(0, intervalNs / 1e6 - RESOLUTION_MS);
  }
}
