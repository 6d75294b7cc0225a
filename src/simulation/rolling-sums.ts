/** A venue's request limits as true sliding windows: what was counted in the last so many ms, by key. Any thread. */

const MINUTE_MS = 60_000;

/** Sums of the last window by key, on the monotonic clock. An entry counts for exactly one window. */
export class RollingSums {
  readonly #logs = new Map<string, { readonly entries: { atMs: number; weight: number }[]; total: number }>();
  readonly #windowMs: number;

  constructor(windowMs = MINUTE_MS) {
    this.#windowMs = windowMs;
  }

  /** Adds when the sum stays within `max`; false, and nothing added, otherwise. */
  take(key: string, weight: number, max: number, nowMs: number): boolean {
    const log = this.#current(key, nowMs);
    if (log.total + weight > max) return false;
    log.entries.push({ atMs: nowMs, weight });
    log.total += weight;
    return true;
  }

  /** What counts now. */
  used(key: string, nowMs: number): number {
    return this.#current(key, nowMs).total;
  }

  /** How long until the oldest entry counts no more; 0 when there is none. */
  firstLeavesInMs(key: string, nowMs: number): number {
    const first = this.#current(key, nowMs).entries[0];
    return first === undefined ? 0 : first.atMs + this.#windowMs - nowMs;
  }

  #current(key: string, nowMs: number): { readonly entries: { atMs: number; weight: number }[]; total: number } {
    const log = this.#logs.get(key) ?? { entries: [], total: 0 };
    this.#logs.set(key, log);
    let gone = 0;
    for (const entry of log.entries) {
      if (nowMs - entry.atMs < this.#windowMs) break;
      log.total -= entry.weight;
      gone += 1;
    }
    log.entries.splice(0, gone);
    return log;
  }
}
