/** Knows up to which sequence of a lane every message was handled, though actors handle them out of order. One thread. */
import type { Origin } from './mailbox.ts';

/** Tells `publish` up to which sequence everything was handled, once for each advance. */
export class HandledTracker implements Origin {
  readonly threadIndex: number;
  readonly #publish: (sequence: number) => void;
  /** Handled before one that came earlier. */
  readonly #ahead = new Set<number>();
  /** The first sequence not handled yet. Sequences start at 1, have no gaps, and wrap at 32 bits. */
  #first = 1;

  /** `publish` hears of every advance. */
  constructor(threadIndex: number, publish: (sequence: number) => void) {
    this.threadIndex = threadIndex;
    this.#publish = publish;
  }

  handled(sequence: number): void {
    if (sequence !== this.#first) {
      this.#ahead.add(sequence);
      return;
    }
    do this.#first = (this.#first + 1) | 0;
    while (this.#ahead.size > 0 && this.#ahead.delete(this.#first));
    this.#publish((this.#first - 1) | 0);
  }
}
