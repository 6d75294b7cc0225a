/** What an actor or a port records of itself, by name: counts, current values, and how values are distributed. Types only, and a recorder that records nothing. */

/** What tells one series of a metric from another, for example `{ venue: 'bybit' }`. Few and fixed: each combination takes a place. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  /** Adds `by`, 1 when absent. */
  add(by?: number): void;
}

/** A number as it is now. */
export interface Gauge {
  set(value: number): void;
}

/** Values of one kind, told apart to about 3 %. From 1/4096 to 524,287; whoever records durations records ms. */
export interface Distribution {
  record(value: number): void;
}

/**
 * Where everything is recorded. The same name and labels give the same series, whoever asks: a recorder that is used often is
 * asked for once and kept. There are only so many places; what finds none is recorded nowhere and counted as refused.
 */
export interface Metrics {
  counter(name: string, labels?: MetricLabels): Counter;
  gauge(name: string, labels?: MetricLabels): Gauge;
  distribution(name: string, labels?: MetricLabels): Distribution;
  /** Runs `action` and records how long it took, ms, whether it returned or threw. */
  timed<Result>(name: string, action: () => Result): Result;
}

/** Records nothing. For playing an actor without a system. */
export const noMetrics: Metrics = {
  counter: () => ({ add: () => undefined }),
  gauge: () => ({ set: () => undefined }),
  distribution: () => ({ record: () => undefined }),
  timed: (_name, action) => action(),
};
