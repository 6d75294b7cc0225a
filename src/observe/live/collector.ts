/**
 * Looks at all metrics once a second: what the threads recorded (read from shared memory, which stops nobody), what the runtime
 * and the observer say, the memory of the process. Keeps the latest points and tells them on. Main thread only.
 *
 *   boards of all threads ──┐
 *   observer's picture ─────┼─▶ one table of series ─▶ history, stream, alerts, roll-ups
 *   runtime's snapshot ─────┤       (scrape: the same, read afresh)
 *   process memory, rates ──┘
 */
import type { TradingSummary } from '../../../actors/observer.ts';
import type { LogLevel } from '../../runtime/ports-context.ts';
import type { MetricLabels } from '../../runtime/metrics.ts';
import type { ThreadMetrics } from '../../runtime/metrics-board.ts';
import type { SystemSnapshot } from '../../runtime/snapshot.ts';
import { MetricHistory } from '../history.ts';
import type { Point } from '../history.ts';
import { mergeThreads, quantile, seriesKey, since } from '../series.ts';
import type { DistributionSeries, ScalarSeries, Series, SeriesTable } from '../series.ts';
import { memorySeries, systemSeries } from '../system-series.ts';
import { tradingSeries } from '../trading-series.ts';

/** Between two looks. */
const LOOK_EVERY_MS = 1_000;
/** The runtime's snapshot asks every thread for a moment of its time: one look in so many. */
const LOOKS_PER_SNAPSHOT = 5;
/** Counters shown as rates too, over this many looks. */
const RATES: ReadonlyMap<string, string> = new Map([['websocket_messages_total', 'websocket_message_rate']]);
const LOOKS_PER_RATE = 10;

/** One number as subscribers get it. Of a distribution two: what half and 99 in 100 of its values since the last look did not exceed. */
export interface MetricPoint {
  /** Epoch ms. */
  readonly timestamp: number;
  readonly metric: string;
  readonly value: number;
  readonly labels: MetricLabels;
}

/** What one look found. */
export interface Look {
  readonly atMs: number;
  readonly table: SeriesTable;
  /** Of distributions only what came since the look before. */
  readonly points: readonly MetricPoint[];
  /** Distributions since the look before, those without a new value left out. */
  readonly recent: readonly DistributionSeries[];
}

export interface CollectorOptions {
  readonly readMetrics: () => readonly ThreadMetrics[];
  /** May reject: the last one then stands. */
  readonly snapshot: () => Promise<SystemSnapshot>;
  readonly summary: () => Promise<TradingSummary | undefined>;
  /** Epoch ms. */
  readonly nowMs: () => number;
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly everyMs?: number;
}

export class Collector {
  readonly history = new MetricHistory();
  readonly #options: CollectorOptions;
  readonly #listeners = new Set<(look: Look) => void>();
  /** What others on the main thread count themselves: stream, alerts, sinks. */
  readonly #sources = new Set<() => readonly ScalarSeries[]>();
  #timer: NodeJS.Timeout | undefined;
  #snapshot: SystemSnapshot | undefined;
  #summary: TradingSummary | undefined;
  #isAsking = false;
  #looks = 0;
  #before = new Map<string, Series>();
  /** Counters to be shown as rates, of the last looks, oldest first. */
  #counted: { readonly atMs: number; readonly values: ReadonlyMap<string, ScalarSeries> }[] = [];

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.#options.everyMs ?? LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  /** Calls `listener` after every look until the returned function is called. A throw of one is logged and disturbs no other. */
  onLook(listener: (look: Look) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds series that somebody on the main thread keeps by itself. */
  addSource(source: () => readonly ScalarSeries[]): void {
    this.#sources.add(source);
  }

  /** The latest snapshot of the runtime; undefined before the first. */
  get snapshot(): SystemSnapshot | undefined {
    return this.#snapshot;
  }

  /** Returns all series as of now; what others have to be asked for is as old as the last look. */
  table(): Map<string, Series> {
    const threads = this.#options.readMetrics();
    const table = mergeThreads(threads);
    const { rss, heapUsed } = process.memoryUsage();
    const refused = threads.map(({ thread, refused: value }): ScalarSeries => {
      return { kind: 'counter', name: 'metric_series_refused_total', labels: { thread }, value };
    });
    const others: readonly ScalarSeries[] = [
      ...(this.#snapshot === undefined ? [] : systemSeries(this.#snapshot)),
      ...(this.#summary === undefined ? [] : tradingSeries(this.#summary)),
      ...memorySeries({ rss, heapUsed }, this.#snapshot),
      ...refused,
      ...[...this.#sources].flatMap((source) => source()),
      ...this.#rates(),
    ];
    for (const series of others) table.set(seriesKey(series.name, series.labels), series);
    return table;
  }

  /** One look; settles when everybody was asked and everybody told. */
  async look(): Promise<void> {
    // Whoever is asked may be slow: the looks in between go without.
    if (!this.#isAsking) {
      this.#isAsking = true;
      await this.#ask().finally(() => (this.#isAsking = false));
    }
    this.#looks += 1;
    const atMs = this.#options.nowMs();
    const table = this.table();
    this.#noteCounted(atMs, table);
    const points: MetricPoint[] = [];
    const recent: DistributionSeries[] = [];
    for (const [key, series] of table) {
      const { name, labels } = series;
      if (series.kind !== 'distribution') {
        this.history.add(key, name, labels, { atMs, value: series.value });
        points.push({ timestamp: atMs, metric: name, value: series.value, labels });
        continue;
      }
      const before = this.#before.get(key);
      const news = since(before?.kind === 'distribution' ? before : undefined, series);
      if (news.count === 0) continue;
      recent.push(news);
      const point = pointOf(atMs, news);
      this.history.add(key, name, labels, point);
      points.push({ timestamp: atMs, metric: name, value: point.p50, labels: { ...labels, quantile: '0.5' } });
      points.push({ timestamp: atMs, metric: name, value: point.p99, labels: { ...labels, quantile: '0.99' } });
    }
    this.#before = table;
    this.#tell({ atMs, table, points, recent });
  }

  #tell(look: Look): void {
    for (const listener of this.#listeners) {
      try {
        listener(look);
      } catch (error) {
        this.#options.log('error', 'metrics-listener-failed', { error });
      }
    }
  }

  async #ask(): Promise<void> {
    const { snapshot, summary } = this.#options;
    const isDue = this.#snapshot === undefined || this.#looks % LOOKS_PER_SNAPSHOT === 0;
    const asked = [
      summary().then((found) => (this.#summary = found ?? this.#summary)),
      ...(isDue ? [snapshot().then((found) => (this.#snapshot = found))] : []),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'rejected') this.#options.log('warn', 'metrics-not-read', { error: outcome.reason });
    }
  }

  #noteCounted(atMs: number, table: SeriesTable): void {
    const values = new Map<string, ScalarSeries>();
    for (const [key, series] of table) if (series.kind === 'counter' && RATES.has(series.name)) values.set(key, series);
    this.#counted.push({ atMs, values });
    if (this.#counted.length > LOOKS_PER_RATE + 1) this.#counted.shift();
  }

  #rates(): readonly ScalarSeries[] {
    const first = this.#counted.at(0);
    const last = this.#counted.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return [];
    return [...last.values].map(([key, { name, labels, value }]): ScalarSeries => {
      const grown = value - (first.values.get(key)?.value ?? 0);
      return {
        kind: 'gauge',
        name: RATES.get(name) ?? name,
        labels,
        value: (grown * 1_000) / (last.atMs - first.atMs),
      };
    });
  }
}

function pointOf(atMs: number, news: DistributionSeries): Point & { readonly p50: number; readonly p99: number } {
  const { count, sum, max } = news;
  return { atMs, count, mean: sum / count, p50: quantile(news, 0.5), p99: quantile(news, 0.99), max };
}
