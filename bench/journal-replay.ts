/**
 * How long does a start take to read a journal of 1,000,000 rows?
 *
 *   main thread and a helper (before the engine starts)      store thread                 trading thread
 *   [open: structure, every row's hash, head] -------------> [read 5 symbols' pages] <-> [fold: books, orders, pairs, payments]
 *   baseline: the same rows read once by SQLite, nothing checked and nothing decoded
 *
 * Realistic because it is what a start does: the journal is opened as the engine opens it, and each position asks the
 * journal actor for its symbol's rows page by page and folds each into the state it goes on with. The rows are some 8,600 pairs'
 * lives over five symbols, each with its orders, fills, states and two days of hourly payments on both legs: 57 years of one pair
 * per symbol. Starting threads is not in it: it takes no longer with many rows.
 */
import { measure, type Measurement } from './journal/replay.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'journal-replay';

const FULL: Measurement = { runs: 3, rows: 1_000_000, needMs: 10_000 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
