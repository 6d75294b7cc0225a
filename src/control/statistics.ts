/** The metrics at a glance, as `/debug/stats` answers them: caches, the journal's database, response times, errors. Pure. */
import { quantile } from '../observe/series.ts';
import type { DistributionSeries, Series, SeriesTable } from '../observe/series.ts';

export interface Statistics {
  /** By cache. */
  readonly cache_stats: Readonly<
    Record<string, { readonly hits: number; readonly misses: number; readonly hit_ratio: number }>
  >;
  /** One connection, on the store thread: what it was asked, and how long that took. */
  readonly db_pool: {
    readonly connections: number;
    readonly queries: number;
    readonly by_query: Readonly<Record<string, Times>>;
  };
  /** By venue: HTTP calls of all endpoints together; and what the engine itself answers to. */
  readonly response_times: Readonly<Record<string, Times>>;
  readonly error_rate: {
    readonly calls: number;
    readonly errors: number;
    /** Errors per call, 0 to 1. */
    readonly ratio: number;
    readonly by_venue: Readonly<
      Record<string, { readonly calls: number; readonly errors: number; readonly ratio: number }>
    >;
  };
}

/** Since the start, ms. */
export interface Times {
  readonly count: number;
  readonly mean_ms: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

export function statisticsOf(table: SeriesTable): Statistics {
  const all = [...table.values()];
  const queries = distributionsOf(all, 'database_query_duration');
  return {
    cache_stats: cacheStatistics(all),
    db_pool: {
      connections: 1,
      queries: queries.reduce((sum, { count }) => sum + count, 0),
      by_query: Object.fromEntries(queries.map((one) => [one.labels['query'] ?? '', timesOf([one])])),
    },
    response_times: responseTimes(all),
    error_rate: errorRate(all),
  };
}

function cacheStatistics(all: readonly Series[]): Statistics['cache_stats'] {
  const names = new Set(
    all.filter(({ name }) => /^cache_(?:hits|misses)_total$/.test(name)).map(({ labels }) => labels['cache'] ?? ''),
  );
  return Object.fromEntries(
    [...names].sort().map((cache) => {
      const hits = countOf(all, 'cache_hits_total', 'cache', cache);
      const misses = countOf(all, 'cache_misses_total', 'cache', cache);
      return [cache, { hits, misses, hit_ratio: ratioOf(hits, hits + misses) }];
    }),
  );
}

function responseTimes(all: readonly Series[]): Statistics['response_times'] {
  const calls = distributionsOf(all, 'api_call_latency');
  const orders = distributionsOf(all, 'order_placement_latency');
  const venues = [...new Set(calls.map(({ labels }) => labels['venue'] ?? ''))].sort();
  return Object.fromEntries([
    ...venues.map((venue) => [venue, timesOf(calls.filter(({ labels }) => labels['venue'] === venue))] as const),
    ...(orders.length === 0 ? [] : [['order_placement', timesOf(orders)] as const]),
  ]);
}

function errorRate(all: readonly Series[]): Statistics['error_rate'] {
  const calls = distributionsOf(all, 'api_call_latency');
  const venues = [...new Set(calls.map(({ labels }) => labels['venue'] ?? ''))].sort();
  const byVenue = venues.map((venue) => {
    const own = calls.filter(({ labels }) => labels['venue'] === venue).reduce((sum, { count }) => sum + count, 0);
    const errors = countOf(all, 'api_errors_total', 'venue', venue);
    return [venue, { calls: own, errors, ratio: ratioOf(errors, own) }] as const;
  });
  const total = byVenue.reduce((sum, [, one]) => sum + one.calls, 0);
  const errors = byVenue.reduce((sum, [, one]) => sum + one.errors, 0);
  return { calls: total, errors, ratio: ratioOf(errors, total), by_venue: Object.fromEntries(byVenue) };
}

function distributionsOf(all: readonly Series[], name: string): readonly DistributionSeries[] {
  return all.filter((one): one is DistributionSeries => one.kind === 'distribution' && one.name === name);
}

function countOf(all: readonly Series[], name: string, label: string, value: string): number {
  return all.reduce(
    (sum, one) => (one.kind === 'counter' && one.name === name && one.labels[label] === value ? sum + one.value : sum),
    0,
  );
}

function timesOf(series: readonly DistributionSeries[]): Times {
  const [first, ...others] = series;
  if (first === undefined) return { count: 0, mean_ms: 0, p50_ms: 0, p99_ms: 0, max_ms: 0 };
  const buckets = Uint32Array.from(first.buckets);
  let { count, sum, max } = first;
  for (const other of others) {
    for (let at = 0; at < buckets.length; at++) buckets[at] = (buckets[at] ?? 0) + (other.buckets[at] ?? 0);
    count += other.count;
    sum += other.sum;
    max = Math.max(max, other.max);
  }
  const all = { ...first, count, sum, max, buckets };
  return {
    count,
    mean_ms: round(ratioOf(sum, count)),
    p50_ms: round(quantile(all, 0.5)),
    p99_ms: round(quantile(all, 0.99)),
    max_ms: round(max),
  };
}

function ratioOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
