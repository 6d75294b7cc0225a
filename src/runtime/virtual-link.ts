/** One ordered path with latency between two parties in virtual time: what a lane is between threads. One thread. */
import { Deque } from './deque.ts';
import type { RandomStream } from './actor.ts';
import type { VirtualScheduler } from './virtual-scheduler.ts';

/** How long a full receiver makes the link wait. */
const RETRY_MS = 1;

/** Delivers one item at the receiver; `full` leaves it, and all behind it, in the link. */
export type Delivery = () => 'taken' | 'full';

/** The way from one virtual thread to another: delays, and keeps order. */
export class VirtualLink {
  readonly #scheduler: VirtualScheduler;
  readonly #latency: RandomStream;
  readonly #latencyMsMax: number;
  readonly #isOpen: () => boolean;
  readonly #items = new Deque<Delivery>();
  #lastAtMs = -1;
  #lastTie = 0;

  /** Nothing arrives while `isOpen` is false (the receiving thread is away); `reopen` continues. */
  constructor(scheduler: VirtualScheduler, latency: RandomStream, latencyMsMax: number, isOpen: () => boolean) {
    this.#scheduler = scheduler;
    this.#latency = latency;
    this.#latencyMsMax = latencyMsMax;
    this.#isOpen = isOpen;
  }

  get length(): number {
    return this.#items.length;
  }

  send(deliver: Delivery): void {
    this.#items.pushBack(deliver);
    this.#scheduleArrival(this.#scheduler.nowMs + this.#latency.nextFraction() * this.#latencyMsMax);
  }

  /** Forgets what is on its way, as when the receiver's thread died. */
  clear(): void {
    this.#items.drain();
  }

  /** Schedules an arrival for everything still on its way. */
  reopen(): void {
    for (let index = 0; index < this.#items.length; index++) this.#scheduleArrival(this.#scheduler.nowMs);
  }

  /** Each arrival takes the front item; arrivals never overtake each other, and ties keep their order of insertion. */
  #scheduleArrival(atMs: number): void {
    if (atMs > this.#lastAtMs) {
      this.#lastAtMs = atMs;
      this.#lastTie = this.#scheduler.drawTie();
    }
    this.#scheduler.at(this.#lastAtMs, () => this.#arrive(), this.#lastTie);
  }

  #arrive(): void {
    const deliver = this.#items.front();
    if (deliver === undefined || !this.#isOpen()) return;
    if (deliver() === 'full') this.#scheduleArrival(this.#scheduler.nowMs + RETRY_MS);
    else this.#items.popFront();
  }
}
