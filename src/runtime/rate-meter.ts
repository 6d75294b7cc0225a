/** How fast a counter has grown lately. Costs nothing while it grows: it looks only when asked. Any thread, one owner. */

/** A rate covers the time since a look at least this long ago, and less than twice as long when asked all the time. */
const WINDOW_MS = 1_000;

interface Mark {
  readonly atMs: number;
  readonly total: number;
}

/** Turns a count that only grows into a rate. */
export class RateMeter {
  /** Since when the rate counts, and where the next one will count from. */
  #from: Mark = { atMs: 0, total: 0 };
  #next: Mark = { atMs: 0, total: 0 };

  /** Returns the growth per second up to now; since the beginning when asked for the first time. `nowMs` is monotonic. */
  perSecond(nowMs: number, total: number): number {
    if (nowMs - this.#next.atMs >= WINDOW_MS) {
      this.#from = this.#next;
      this.#next = { atMs: nowMs, total };
    }
    const elapsedMs = nowMs - this.#from.atMs;
    return elapsedMs > 0 ? ((total - this.#from.total) * 1_000) / elapsedMs : 0;
  }
}
