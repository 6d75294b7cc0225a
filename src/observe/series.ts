/** Series of all threads as one: what several threads recorded under the same name and labels, brought together. Pure. */
import type { MetricLabels } from '../runtime/metrics.ts';
import type { ThreadMetrics } from '../runtime/metrics-board.ts';
import { bucketUpperEdge } from '../runtime/value-buckets.ts';

/** A number as it stands. */
export interface ScalarSeries {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Values since the start, by bucket (see value-buckets.ts). */
export interface DistributionSeries {
  readonly kind: 'distribution';
  readonly name: string;
  readonly labels: MetricLabels;
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly buckets: Uint32Array;
}

export type Series = ScalarSeries | DistributionSeries;

/** By series key. */
export type SeriesTable = ReadonlyMap<string, Series>;

/** What a series goes by: the order of its labels does not matter. */
export function seriesKey(name: string, labels: MetricLabels): string {
  const pairs = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return pairs.length === 0
    ? name
    : `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
}

/** Brings threads together: counters and distributions add up, of a gauge the one set last counts. */
export function mergeThreads(threads: readonly ThreadMetrics[]): Map<string, Series> {
  const merged = new Map<string, Series & { readonly atMs?: number }>();
  for (const { series } of threads) {
    for (const reading of series) {
      const key = seriesKey(reading.name, reading.labels);
      const before = merged.get(key);
      if (reading.kind === 'distribution') {
        if (before !== undefined && before.kind !== 'distribution') continue;
        merged.set(key, addDistribution(before, reading));
      } else if (before === undefined) merged.set(key, reading);
      else if (before.kind === 'counter') merged.set(key, { ...before, value: before.value + reading.value });
      else if (before.kind === 'gauge' && reading.atMs >= (before.atMs ?? 0)) merged.set(key, reading);
    }
  }
  return merged;
}

function addDistribution(
  before: DistributionSeries | undefined,
  reading: {
    readonly name: string;
    readonly labels: MetricLabels;
    readonly sum: number;
    readonly max: number;
    readonly buckets: Uint32Array;
  },
): DistributionSeries {
  // A copy: the board goes on counting.
  const buckets = Uint32Array.from(reading.buckets);
  let count = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    buckets[bucket] = (buckets[bucket] ?? 0) + (before?.buckets[bucket] ?? 0);
    count += buckets[bucket] ?? 0;
  }
  return {
    kind: 'distribution',
    name: reading.name,
    labels: reading.labels,
    count,
    sum: reading.sum + (before?.sum ?? 0),
    max: Math.max(reading.max, before?.max ?? 0),
    buckets,
  };
}

/** Returns what came after `before`: values recorded since. Its largest value is known to the width of a bucket. */
export function since(before: DistributionSeries | undefined, now: DistributionSeries): DistributionSeries {
  if (before === undefined) return now;
  const buckets = new Uint32Array(now.buckets.length);
  let count = 0;
  let last = -1;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    const grown = (now.buckets[bucket] ?? 0) - (before.buckets[bucket] ?? 0);
    if (grown <= 0) continue;
    buckets[bucket] = grown;
    count += grown;
    last = bucket;
  }
  const max = last === -1 ? 0 : Math.min(now.max, bucketUpperEdge(last));
  return { ...now, count, sum: Math.max(0, now.sum - before.sum), max, buckets };
}

/** Returns the value that `fraction` of all values do not exceed, at most 1/32 too high; 0 of none. */
export function quantile({ count, max, buckets }: DistributionSeries, fraction: number): number {
  const rank = Math.ceil(count * fraction);
  let seen = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    seen += buckets[bucket] ?? 0;
    if (seen >= rank && seen > 0) return Math.min(max, bucketUpperEdge(bucket));
  }
  return 0;
}
