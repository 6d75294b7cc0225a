/** The latest points of every series, a bounded number of each. Pure state, one owner. */
import type { MetricLabels } from '../runtime/metrics.ts';

export const POINTS_MAX = 1_000;
/** Series remembered at most; more are not, and counted. */
const SERIES_MAX = 4_000;
const POINTS_FIRST = 32;

/** One look at a number. */
export interface ScalarPoint {
  readonly atMs: number;
  readonly value: number;
}

/** Values of a distribution between two looks. Nothing in between leaves no point. */
export interface DistributionPoint {
  readonly atMs: number;
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export type Point = ScalarPoint | DistributionPoint;

export interface SeriesHistory {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly points: readonly Point[];
}

const SCALAR_WIDTH = 2;
const DISTRIBUTION_WIDTH = 6;

/** Points of one series in the order of time, the newest at most POINTS_MAX. */
class PointRing {
  readonly #width: number;
  #values: Float64Array;
  #next = 0;
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#values = new Float64Array(POINTS_FIRST * width);
  }

  push(point: readonly number[]): void {
    const capacity = this.#values.length / this.#width;
    if (this.#count === capacity && capacity < POINTS_MAX) this.#grow(Math.min(POINTS_MAX, capacity * 2));
    const room = this.#values.length / this.#width;
    this.#values.set(point, this.#next * this.#width);
    this.#next = (this.#next + 1) % room;
    this.#count = Math.min(room, this.#count + 1);
  }

  list(): readonly Point[] {
    const room = this.#values.length / this.#width;
    const first = (this.#next - this.#count + room) % room;
    return Array.from({ length: this.#count }, (_, index) => this.#pointAt((first + index) % room));
  }

  #pointAt(index: number): Point {
    const at = index * this.#width;
    const [atMs = 0, one = 0, mean = 0, p50 = 0, p99 = 0, max = 0] = this.#values.subarray(at, at + this.#width);
    return this.#width === SCALAR_WIDTH ? { atMs, value: one } : { atMs, count: one, mean, p50, p99, max };
  }

  /** A full ring begins anew in more room; it has not gone round while it could still grow. */
  #grow(points: number): void {
    const values = new Float64Array(points * this.#width);
    values.set(this.#values);
    this.#next = this.#count;
    this.#values = values;
  }
}

interface Kept {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly ring: PointRing;
}

export class MetricHistory {
  readonly #series = new Map<string, Kept>();
  /** Series beyond the bound, none of whose points are kept. */
  refused = 0;

  /** Adds a point to the series of that key. */
  add(key: string, name: string, labels: MetricLabels, point: Point): void {
    let kept = this.#series.get(key);
    if (kept === undefined) {
      if (this.#series.size >= SERIES_MAX) {
        this.refused += 1;
        return;
      }
      kept = { name, labels, ring: new PointRing('value' in point ? SCALAR_WIDTH : DISTRIBUTION_WIDTH) };
      this.#series.set(key, kept);
    }
    if ('value' in point) kept.ring.push([point.atMs, point.value]);
    else kept.ring.push([point.atMs, point.count, point.mean, point.p50, point.p99, point.max]);
  }

  /** Returns every series of a metric whose labels include the wanted ones. */
  of(name: string, wanted: MetricLabels = {}): readonly SeriesHistory[] {
    const asked = Object.entries(wanted);
    return [...this.#series.values()]
      .filter((kept) => kept.name === name && asked.every(([label, value]) => kept.labels[label] === value))
      .map(({ labels, ring }) => ({ name, labels, points: ring.list() }));
  }

  /** Names of all metrics there are points of, with how many series each has. */
  names(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { name } of this.#series.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }
}
