/**
 * How long does each query of the engine take on a journal of 1,000,000 payments and 100,000 trades?
 *
 *   main thread
 *   question -> [SQLite: one index, in the order of the answer, until its limit] -> rows as they are stored
 *   baseline: the same table looked through without an index
 *
 * Realistic because the questions are the engine's own, named and with the limits it asks with, on the disk where the journal lies by
 * default; each is asked from many places of the journal, so that most of its pages are not in SQLite's own cache.
 */
import { measure, type Measurement } from './journal/queries.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'queries';

const FULL: Measurement = { runs: 3, asked: 200, payments: 1_000_000, trades: 100_000 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return Promise.resolve(measure(FULL, progress));
}
