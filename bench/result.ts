/** What a benchmark file exports and what it measures. Types only. */

/** One measured number, beside a baseline from the same run. */
export interface BenchResult {
  /** For example `latency p99` or `messages`. */
  readonly metric: string;
  readonly value: number;
  /** For example `us` or `1/s`. */
  readonly unit: string;
  /** How many runs `value` is the median of. */
  readonly runs: number;
  /** Largest minus smallest run, in `unit`. */
  readonly spread: number;
  readonly baseline?: { readonly name: string; readonly value: number };
  /** Value over baseline value. */
  readonly ratio?: number;
  /** Who talks to whom, for example `1 producer -> 1 consumer, 2 threads`. */
  readonly topology: string;
}

export interface BenchOptions {
  /** Says what is going on, for people; goes to stderr. */
  readonly progress: (text: string) => void;
}

/** A file under bench/ named after the benchmark: bench/<name>.ts or bench/<area>/<name>.ts. */
export interface BenchModule {
  /** Same as the file's name without `.ts`. */
  readonly name: string;
  /** Measures and gives the results one by one, or all at the end. */
  run(options: BenchOptions): AsyncIterable<BenchResult> | Promise<readonly BenchResult[]>;
}
