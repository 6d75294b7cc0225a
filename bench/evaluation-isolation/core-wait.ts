/**
 * Samples the event loop of its own thread and tells what a delay was made of: on a machine with too few cores a thread is also late
 * because it waits, ready to run, for a core. That share is the machine's; the rest is the thread's own. Any thread.
 */
import { openSync, readSync } from 'node:fs';

/** One thread's times as the kernel counts them; its second number is ns spent waiting for a core. Linux only. */
const SCHEDULE_FILE = '/proc/thread-self/schedstat';
const BYTES_MAX = 128;

export interface LoopSample {
  /** What the sampling timer was late by, ms. */
  readonly lateMs: number;
  /** Part of it in which the thread was ready to run and had no core, ms. */
  readonly coreWaitMs: number;
}

export class LoopSampler {
  readonly #everyMs: number;
  readonly #file = openSchedule();
  readonly #buffer = Buffer.alloc(BYTES_MAX);
  #samples: LoopSample[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** A sample each `everyMs`. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#samples = [];
    let lastMs = performance.now();
    let lastWaitNs = this.#waitedNs();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const waitNs = this.#waitedNs();
      const lateMs = Math.max(0, nowMs - lastMs - this.#everyMs);
      this.#samples.push({ lateMs, coreWaitMs: Math.min(lateMs, (waitNs - lastWaitNs) / 1e6) });
      lastMs = nowMs;
      lastWaitNs = waitNs;
    }, this.#everyMs);
  }

  /** Returns the samples; undefined where the kernel does not tell how long threads waited. */
  stop(): readonly LoopSample[] | undefined {
    clearInterval(this.#timer);
    return this.#file === undefined ? undefined : this.#samples;
  }

  #waitedNs(): number {
    if (this.#file === undefined) return 0;
    const length = readSync(this.#file, this.#buffer, 0, BYTES_MAX, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[1]);
  }
}

function openSchedule(): number | undefined {
  try {
    return openSync(SCHEDULE_FILE, 'r');
  } catch {
    // Not Linux, or a kernel without these counts: the delays themselves are still measured.
    return undefined;
  }
}
