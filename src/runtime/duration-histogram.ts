/** Durations in logarithmic buckets: bounded memory, percentiles at most 25 % too high. Any thread, one owner. */
import type { DurationSnapshot } from './snapshot.ts';

/** The unit of the buckets: a power of two close to a quarter of a microsecond. */
const UNITS_PER_MS = 4_096;
const UNITS_MAX = 2 ** 31 - 1;
/** Four buckets per power of two, from 0 to the longest duration told apart (8 minutes). */
const BUCKETS = 120;

/** Counts durations of one kind; constant size, whatever it is given. */
export class DurationHistogram {
  /** Made with the second duration: an idle actor has only its start, which the other fields tell all about. */
  #buckets: Uint32Array | undefined;
  #count = 0;
  #totalMs = 0;
  #maxMs = 0;

  record(durationMs: number): void {
    if (this.#buckets === undefined && this.#count === 1) {
      this.#buckets = new Uint32Array(BUCKETS);
      this.#buckets[bucketOf(this.#totalMs)] = 1;
    }
    this.#count += 1;
    this.#totalMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
    const buckets = this.#buckets;
    if (buckets === undefined) return;
    const bucket = bucketOf(durationMs);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }

  snapshot(): DurationSnapshot {
    return {
      count: this.#count,
      totalMs: this.#totalMs,
      maxMs: this.#maxMs,
      p50Ms: this.#percentile(0.5),
      p99Ms: this.#percentile(0.99),
    };
  }

  #percentile(fraction: number): number {
    if (this.#buckets === undefined) return this.#maxMs;
    const rank = Math.ceil(this.#count * fraction);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= rank && seen > 0) return Math.min(this.#maxMs, upperEdgeMs(bucket));
    }
    return 0;
  }
}

/** Integer arithmetic only: this runs for every message. The first four buckets are one unit wide each. */
function bucketOf(durationMs: number): number {
  const scaled = durationMs * UNITS_PER_MS;
  const units = scaled < UNITS_MAX ? scaled | 0 : UNITS_MAX;
  if (units < 4) return units < 0 ? 0 : units;
  const exponent = 31 - Math.clz32(units);
  return ((exponent - 1) << 2) | ((units >>> (exponent - 2)) & 3);
}

function upperEdgeMs(bucket: number): number {
  if (bucket < 4) return (bucket + 1) / UNITS_PER_MS;
  const exponent = (bucket >> 2) + 1;
  return (2 ** exponent * (1 + ((bucket & 3) + 1) / 4)) / UNITS_PER_MS;
}
