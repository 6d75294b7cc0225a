/** Durations in logarithmic buckets: constant memory, percentiles good to half a power of two. Any thread, one owner. */
import type { DurationSnapshot } from './snapshot.ts';

const BUCKETS = 64;
/** Upper edge of bucket 0; bucket n ends at this times 2^(n/2), the last above 50 minutes. */
const SMALLEST_MS = 0.0005;

export class DurationHistogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #totalMs = 0;
  #maxMs = 0;

  record(durationMs: number): void {
    this.#count += 1;
    this.#totalMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
    const bucket = durationMs <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(2 * Math.log2(durationMs / SMALLEST_MS)));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  snapshot(): DurationSnapshot {
    return { count: this.#count, totalMs: this.#totalMs, maxMs: this.#maxMs, p50Ms: this.#percentile(0.5), p99Ms: this.#percentile(0.99) };
  }

  #percentile(fraction: number): number {
    const rank = Math.ceil(this.#count * fraction);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= rank && seen > 0) return Math.min(this.#maxMs, SMALLEST_MS * 2 ** (bucket / 2));
    }
    return 0;
  }
}
