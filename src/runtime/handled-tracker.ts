/** Knows up to which sequence of a lane every message was handled, though actors handle them out of order. One thread. */
import { Deque } from './deque.ts';
import type { Origin } from './mailbox.ts';

export class HandledTracker implements Origin {
  /** From the first unhandled sequence on: whether that one was handled. */
  readonly #done = new Deque<{ isDone: boolean }>();
  readonly #publish: (sequence: number) => void;
  #first: number;

  readonly threadIndex: number;

  /** `publish` hears of every advance. The first sequence is 1. */
  constructor(threadIndex: number, publish: (sequence: number) => void) {
    this.threadIndex = threadIndex;
    this.#publish = publish;
    this.#first = 1;
  }

  /** A message arrived; sequences arrive without gaps. */
  arrived(): void {
    this.#done.pushBack({ isDone: false });
  }

  /** The message that arrived last stays in the lane after all; it will arrive again. */
  takeBack(): void {
    this.#done.popBack();
  }

  handled(sequence: number): void {
    const entry = this.#done.at((sequence - this.#first) | 0);
    if (entry === undefined) return;
    entry.isDone = true;
    let hasAdvanced = false;
    while (this.#done.front()?.isDone === true) {
      this.#done.popFront();
      this.#first = (this.#first + 1) | 0;
      hasAdvanced = true;
    }
    if (hasAdvanced) this.#publish((this.#first - 1) | 0);
  }
}
