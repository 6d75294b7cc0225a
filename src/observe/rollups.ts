/** Makes one row per series of a minute, and of an hour, out of the looks in between. Pure state, one owner. */
import type { MetricLabels } from '../runtime/metrics.ts';
import { quantile, since } from './series.ts';
import type { DistributionSeries, ScalarSeries, SeriesTable } from './series.ts';

/** A period of one series. Plain data. */
export interface Rollup {
  readonly name: string;
  readonly labels: MetricLabels;
  /** Begin of the period, epoch ms; and its length. */
  readonly atMs: number;
  readonly periodMs: number;
  /** Values of a distribution, looks at a number. */
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  /** The last look at a number; of a distribution its median. */
  readonly last: number;
  /** What 99 in 100 values did not exceed; of a number its least. */
  readonly edge: number;
}

interface Looks {
  readonly series: ScalarSeries;
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly min: number;
}

/** One length of period. */
export class RollupBuilder {
  readonly #periodMs: number;
  /** Number of the period that is gathered now; undefined before the first look. */
  #period: number | undefined;
  /** Distributions as they were when the period began. */
  #begin: ReadonlyMap<string, DistributionSeries> = new Map();
  #looks = new Map<string, Looks>();
  /** Last value written of each number: one that stays what it was is written once a day. */
  readonly #written = new Map<string, { readonly value: number; readonly atMs: number }>();

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** Takes one look; returns the rows of the period before when a new one has begun. */
  add(atMs: number, table: SeriesTable): readonly Rollup[] {
    const period = Math.floor(atMs / this.#periodMs);
    const isOver = this.#period !== undefined && period !== this.#period;
    const rows = isOver ? this.#finish(table) : [];
    if (this.#period === undefined || isOver) {
      this.#period = period;
      this.#begin = distributionsOf(table);
      this.#looks = new Map();
    }
    for (const [key, series] of table) {
      if (series.kind === 'distribution') continue;
      const { value } = series;
      const before = this.#looks.get(key) ?? { series, count: 0, sum: 0, max: -Infinity, min: Infinity };
      this.#looks.set(key, {
        series,
        count: before.count + 1,
        sum: before.sum + value,
        max: Math.max(before.max, value),
        min: Math.min(before.min, value),
      });
    }
    return rows;
  }

  #finish(table: SeriesTable): readonly Rollup[] {
    const periodMs = this.#periodMs;
    const atMs = (this.#period ?? 0) * periodMs;
    const rows: Rollup[] = [];
    for (const [key, { series, count, sum, max, min }] of this.#looks) {
      const { name, labels, value } = series;
      if (!this.#isNews(key, value, min !== max, atMs)) continue;
      this.#written.set(key, { value, atMs });
      rows.push({ name, labels, atMs, periodMs, count, sum, max, last: value, edge: min });
    }
    for (const [key, now] of distributionsOf(table)) {
      const news = since(this.#begin.get(key), now);
      if (news.count === 0) continue;
      const { name, labels, count, sum, max } = news;
      rows.push({
        name,
        labels,
        atMs,
        periodMs,
        count,
        sum,
        max,
        last: quantile(news, 0.5),
        edge: quantile(news, 0.99),
      });
    }
    return rows;
  }

  #isNews(key: string, value: number, hasMoved: boolean, atMs: number): boolean {
    const written = this.#written.get(key);
    return written === undefined || hasMoved || written.value !== value || atMs - written.atMs >= REPEATED_MS;
  }
}

const REPEATED_MS = 86_400_000;

function distributionsOf(table: SeriesTable): ReadonlyMap<string, DistributionSeries> {
  const found = new Map<string, DistributionSeries>();
  for (const [key, series] of table) if (series.kind === 'distribution') found.set(key, series);
  return found;
}
