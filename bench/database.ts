/**
 * How long until 100 trades are on the disk, in one transaction and one by one?
 *
 *   main thread
 *   100 fills --encode, chain, insert--> [journal on SQLite: write-ahead log, each commit waits for the disk]
 *   baseline: the same 100, a transaction each
 *
 * Realistic because it is the engine's own journal with its own settings (hash chain, unique ids, four indexes, head record), on the
 * disk where it lies by default, and a trade is a fill as a connector writes it. A burst of fills is what group commit is for. The
 * journal already holds some thousand rows, and its log is brought over into the table by SQLite whenever it has grown enough:
 * that is in the numbers, as it is in life.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal, type JournalDatabase } from '../src/storage/live/journal-database.ts';
import { median, percentile, spreadOf } from './distribution.ts';
import { tradeRow } from './journal/rows.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'database';

export interface Measurement {
  readonly runs: number;
  readonly batches: number;
  /** Batches of the baseline, each of as many transactions as it has trades. */
  readonly plainBatches: number;
  readonly trades: number;
}

const FULL: Measurement = { runs: 5, batches: 100, plainBatches: 3, trades: 100 };
/** Where the engine keeps its journal by default: the disk that counts. */
const DATA_FOLDER = join(import.meta.dirname, '..', 'var');

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return Promise.resolve(measure(FULL, progress));
}

export function measure(measurement: Measurement, progress: (text: string) => void): readonly BenchResult[] {
  const { runs, batches, plainBatches, trades } = measurement;
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const journal = openJournal(folder);
  try {
    journal.allocateBoot(Date.now());
    const writer = new Writer(journal, trades);
    writer.oneTransaction();
    writer.oneByOne();
    const together: (readonly number[])[] = [];
    const apart: (readonly number[])[] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      together.push(Array.from({ length: batches }, () => writer.oneTransaction()));
      apart.push(Array.from({ length: plainBatches }, () => writer.oneByOne()));
    }
    return results(together, apart, measurement);
  } finally {
    journal.close();
    rmSync(folder, { recursive: true });
  }
}

class Writer {
  readonly #journal: JournalDatabase;
  readonly #trades: number;
  #written = 0;

  constructor(journal: JournalDatabase, trades: number) {
    this.#journal = journal;
    this.#trades = trades;
  }

  /** Returns how long it took, ms. */
  oneTransaction(): number {
    const rows = this.#rows();
    const startedMs = performance.now();
    this.#journal.append(rows);
    return performance.now() - startedMs;
  }

  oneByOne(): number {
    const rows = this.#rows();
    const startedMs = performance.now();
    for (const row of rows) this.#journal.append([row]);
    return performance.now() - startedMs;
  }

  #rows(): readonly ReturnType<typeof tradeRow>[] {
    this.#written += this.#trades;
    return Array.from({ length: this.#trades }, (_, index) => tradeRow(this.#written + index));
  }
}

function results(
  together: readonly (readonly number[])[],
  apart: readonly (readonly number[])[],
  { runs, trades }: Measurement,
): readonly BenchResult[] {
  const topology = `${trades} trades -> journal on SQLite, one thread, each commit waits for the disk`;
  const baseline = `${trades} transactions`;
  const compared = (metric: string, share: number): BenchResult => {
    const values = together.map((run) => percentile(run, share));
    const plain = median(apart.map((run) => percentile(run, share)));
    const value = median(values);
    return {
      ...{ metric, value, unit: 'ms', runs, spread: spreadOf(values), topology },
      ...{ baseline: { name: baseline, value: plain }, ratio: value / plain },
    };
  };
  const perSecond = (times: readonly number[]): number => (times.length * trades * 1_000) / sum(times);
  const throughput = together.map(perSecond);
  const plainThroughput = median(apart.map(perSecond));
  return [
    compared('one transaction p50', 0.5),
    { ...compared('one transaction p99', 0.99), target: { of: 'value', is: 'at most', need: 10 } },
    compared('one transaction max', 1),
    {
      ...{ metric: 'trades', value: median(throughput), unit: '1/s', runs, spread: spreadOf(throughput), topology },
      ...{ baseline: { name: baseline, value: plainThroughput }, ratio: median(throughput) / plainThroughput },
      target: { of: 'ratio', is: 'at least', need: 10 },
    },
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
