/** What a benchmark file exports and what it measures. */

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
  /** What the project wants of this number. */
  readonly target?: BenchTarget;
  /** What a reader must know of this number, for example who could not take part, and why. */
  readonly note?: string;
}

/** A bound on the value, in its unit, or on its ratio to the baseline. */
export interface BenchTarget {
  readonly of: 'value' | 'ratio';
  readonly is: 'at least' | 'at most';
  /** What must be reached. */
  readonly need: number;
  /** What would be better still. */
  readonly aim?: number;
}

export type TargetOutcome = 'aim reached' | 'reached' | 'missed';

/** Returns whether a result is where it should be; undefined when it has no target, or no ratio for one that needs it. */
export function targetOutcome({ value, ratio, target }: BenchResult): TargetOutcome | undefined {
  const measured = target?.of === 'ratio' ? ratio : value;
  if (target === undefined || measured === undefined) return undefined;
  const reaches = (bound: number): boolean => (target.is === 'at least' ? measured >= bound : measured <= bound);
  if (target.aim !== undefined && reaches(target.aim)) return 'aim reached';
  return reaches(target.need) ? 'reached' : 'missed';
}

/** Says a target in words, for example `at least 1x, aim 3x` or `at most 5000 us, aim 400 us`. */
export function targetText(target: BenchTarget, unit: string, numberText: (value: number) => string = String): string {
  const bound = (value: number): string =>
    target.of === 'ratio' ? `${numberText(value)}x` : `${numberText(value)} ${unit}`;
  const aim = target.aim === undefined ? '' : `, aim ${bound(target.aim)}`;
  return `${target.is} ${bound(target.need)}${aim}`;
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
