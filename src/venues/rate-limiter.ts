/** An exact weighted sliding window with priority shares: what may be sent now without ever exceeding a venue's limit. Any thread. */
import type { LimitBucket } from './venue.ts';

/** 0 cancels and reducing orders, 1 hedges, 2 resolving unknowns, 3 opens, 4 account snapshots, 5 market data (domain 12.5). */
export type RequestPriority = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * Share of the whole limit that all requests together may use when one of this priority asks. Queries stop short of what hedges may
 * use, and hedges of what reducing may: a comparison with the venue must never keep a close waiting.
 */
const TOTAL_SHARE: Readonly<Record<RequestPriority, number>> = { 0: 0.8, 1: 0.75, 2: 0.6, 3: 0.5, 4: 0.5, 5: 0.5 };
/** Share of the whole limit that requests of this priority alone may use (of the usable half: opens 30 %, snapshots 10 %, market data 20 %). */
const CLASS_SHARE: Readonly<Record<RequestPriority, number>> = { 0: 0.8, 1: 0.75, 2: 0.6, 3: 0.15, 4: 0.05, 5: 0.1 };

interface Entry {
  readonly atMs: number;
  readonly weight: number;
  readonly priority: RequestPriority | undefined;
}

/** One bucket's memory. Times are monotonic ms and never go back. */
export class RateLimiter {
  readonly bucket: LimitBucket;
  #entries: Entry[] = [];
  #first = 0;
  #used = 0;
  #usedByPriority = [0, 0, 0, 0, 0, 0];
  #silentUntilMs = Number.NEGATIVE_INFINITY;

  constructor(bucket: LimitBucket) {
    if (!(bucket.max > 0) || !(bucket.windowMs > 0)) {
      throw new RangeError(
        `limit ${bucket.name} must have a positive max and window, was ${bucket.max} per ${bucket.windowMs} ms`,
      );
    }
    this.bucket = bucket;
  }

  /** Books `weight` and returns 0 when it may be sent now; else returns how many ms to wait before asking again. */
  acquire(weight: number, priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return this.#silentUntilMs - nowMs;
    this.#forget(nowMs);
    // A single request heavier than its class share must still be possible alone, or it would wait for ever.
    const classMax = Math.max(weight, this.bucket.max * CLASS_SHARE[priority]);
    const totalMax = Math.max(weight, this.bucket.max * TOTAL_SHARE[priority]);
    const usedByClass = this.#usedByPriority[priority] ?? 0;
    if (this.#used + weight <= totalMax && usedByClass + weight <= classMax) {
      this.#entries.push({ atMs: nowMs, weight, priority });
      this.#used += weight;
      this.#usedByPriority[priority] = usedByClass + weight;
      return 0;
    }
    const oldest = this.#entries[this.#first];
    return oldest === undefined ? 1 : Math.max(1, oldest.atMs + this.bucket.windowMs - nowMs);
  }

  /** Counts `weight` as sent now in no priority class: what was sent without this limiter, perhaps by an earlier life. */
  book(weight: number, nowMs: number): void {
    this.#forget(nowMs);
    this.#entries.push({ atMs: nowMs, weight, priority: undefined });
    this.#used += weight;
  }

  /** Returns for how long nothing at all may be sent because the venue refused; 0 when that is over. */
  silentForMs(nowMs: number): number {
    return Math.max(0, this.#silentUntilMs - nowMs);
  }

  /** The venue refused for its limit: nothing is sent until then. */
  silence(untilMs: number): void {
    this.#silentUntilMs = Math.max(this.#silentUntilMs, untilMs);
  }

  /** Share 0..1 of the class's budget that is free now. */
  freeShare(priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return 0;
    this.#forget(nowMs);
    const total = 1 - this.#used / (this.bucket.max * TOTAL_SHARE[priority]);
    const own = 1 - (this.#usedByPriority[priority] ?? 0) / (this.bucket.max * CLASS_SHARE[priority]);
    return Math.max(0, Math.min(total, own));
  }

  /** Weight that requests of this priority may use in one window at most. */
  allowed(priority: RequestPriority): number {
    return this.bucket.max * Math.min(TOTAL_SHARE[priority], CLASS_SHARE[priority]);
  }

  /** Weight that requests of this priority may book now. */
  room(priority: RequestPriority, nowMs: number): number {
    if (nowMs < this.#silentUntilMs) return 0;
    this.#forget(nowMs);
    const total = this.bucket.max * TOTAL_SHARE[priority] - this.#used;
    const own = this.bucket.max * CLASS_SHARE[priority] - (this.#usedByPriority[priority] ?? 0);
    return Math.max(0, Math.min(total, own));
  }

  /** Weight used in the window that ends now. */
  used(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used;
  }

  #forget(nowMs: number): void {
    // An entry leaves only when strictly older than the window: the venue's window edges may include both ends.
    for (
      let entry = this.#entries[this.#first];
      entry !== undefined && entry.atMs < nowMs - this.bucket.windowMs;
      entry = this.#entries[this.#first]
    ) {
      this.#used -= entry.weight;
      if (entry.priority !== undefined)
        this.#usedByPriority[entry.priority] = (this.#usedByPriority[entry.priority] ?? 0) - entry.weight;
      this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
