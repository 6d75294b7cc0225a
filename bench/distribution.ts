/** Percentiles of measured durations and what several runs make of them. Any thread. */

/** Nearest rank: a value that was measured, never one in between. */
export function percentile(values: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Largest minus smallest. */
export function spreadOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
