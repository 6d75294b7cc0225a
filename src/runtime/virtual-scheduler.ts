/** Virtual time: one queue of events ordered by (time, random tie key, insertion number). One thread, one owner. */
import { BinaryHeap } from './binary-heap.ts';
import type { RandomStream } from './actor.ts';

interface ScheduledEvent {
  readonly atMs: number;
  readonly tie: number;
  readonly insertion: number;
  run: (() => void) | undefined;
}

/** More events than this at one instant are a circle: time would stand still for ever, and whoever waits for it with it. */
const INSTANT_EVENTS_MAX = 1_000_000;

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
  #instantEvents = 0;

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

  /** Advances to the next event and runs it; returns false when there is none. Throws when time has stopped moving. */
  runOne(): boolean {
    if (this.nextAtMs() === Infinity) return false;
    const event = this.#events.pop();
    if (event?.run === undefined) return false;
    this.#instantEvents = event.atMs === this.#nowMs ? this.#instantEvents + 1 : 0;
    if (this.#instantEvents > INSTANT_EVENTS_MAX)
      throw new Error(`virtual time must move on, ${INSTANT_EVENTS_MAX} events ran at ${this.#nowMs} ms`);
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
