/** Virtual time: one queue of events ordered by (time, random tie key, insertion number). One thread, one owner. */
import { BinaryHeap } from './binary-heap.ts';
import type { RandomStream } from './actor.ts';

interface ScheduledEvent {
  readonly atMs: number;
  readonly tie: number;
  readonly insertion: number;
  run: (() => void) | undefined;
}

/** Runs events in order of virtual time. */
export class VirtualScheduler {
  readonly #events = new BinaryHeap<ScheduledEvent>((left, right) => {
    if (left.atMs !== right.atMs) return left.atMs < right.atMs;
    if (left.tie !== right.tie) return left.tie < right.tie;
    return left.insertion < right.insertion;
  });
  readonly #ties: RandomStream;
  #nowMs = 0;
  #insertions = 0;

  constructor(ties: RandomStream) {
    this.#ties = ties;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  drawTie(): number {
    return this.#ties.nextUint32();
  }

  /** Runs `run` at that time (now, when it is past); returns its cancel function. Same time and tie: in order of insertion. */
  at(atMs: number, run: () => void, tie: number = this.drawTie()): () => void {
    const event: ScheduledEvent = { atMs: Math.max(atMs, this.#nowMs), tie, insertion: this.#insertions, run };
    this.#insertions += 1;
    this.#events.push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Returns the time of the next event, or Infinity. */
  nextAtMs(): number {
    for (let next = this.#events.peek(); next !== undefined; next = this.#events.peek()) {
      if (next.run !== undefined) return next.atMs;
      this.#events.pop();
    }
    return Infinity;
  }

  /** Advances to the next event and runs it; returns false when there is none. */
  runOne(): boolean {
    if (this.nextAtMs() === Infinity) return false;
    const event = this.#events.pop();
    if (event?.run === undefined) return false;
    this.#nowMs = event.atMs;
    event.run();
    return true;
  }

  /** Moves time on without running anything; there must be no event before it. */
  advanceTo(atMs: number): void {
    if (this.nextAtMs() < atMs)
      throw new Error(`time must not pass an event at ${this.nextAtMs()} ms, was asked for ${atMs} ms`);
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }
}
