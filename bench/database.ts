/**
 * How long until 100 trades are on the disk, in one transaction and one by one?
 *
 *   main thread, a burst every 30 ms
 *   100 fills --encode--> [store port: group commit] --chain, insert--> [journal on SQLite: write-ahead log, commit waits for the disk]
 *             <--durable--
 *   baseline: the same 100, a transaction each, the journal alone
 *
 * Realistic because it is the engine's own store port and journal with their own settings (hash chain, unique ids, indexes, head record),
 * on the disk where it lies by default, and a trade is a fill as a connector writes it. A burst of fills is what group commit is for.
 * A latency counts from when the burst was due until its answer: the upkeep of the journal (head record, and bringing the log over
 * into the table) comes between bursts as in life, and a burst that finds the thread at it waits and says so.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeRow } from '../src/storage/hash-chain.ts';
import { openJournal, type JournalDatabase } from '../src/storage/live/journal-database.ts';
import type { JournalRow } from '../src/storage/rows.ts';
import { openStorePort, type OpenStorePort } from '../src/storage/store-port.ts';
import { median, percentile, spreadOf } from './distribution.ts';
import { trade } from './journal/rows.ts';
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

/** Between the due times of two bursts. */
const BURST_EVERY_MS = 30;
/** Timers are late by up to a millisecond; the rest is waited for awake. */
const TIMER_LATE_MS = 2;

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}

export async function measure(
  measurement: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  const { runs, batches, plainBatches, trades } = measurement;
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  const bursts = new Bursts(openJournalIn(join(folder, 'bursts')), trades);
  const plain = openJournalIn(join(folder, 'plain'));
  try {
    bursts.begin();
    await bursts.oneTransaction();
    oneByOne(plain, trades);
    const together: (readonly number[])[] = [];
    const apart: (readonly number[])[] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      bursts.begin();
      const times: number[] = [];
      for (let batch = 0; batch < batches; batch++) times.push(await bursts.oneTransaction());
      together.push(times);
      apart.push(Array.from({ length: plainBatches }, () => oneByOne(plain, trades)));
    }
    return results(together, apart, measurement);
  } finally {
    bursts.close();
    plain.close();
    rmSync(folder, { recursive: true });
  }
}

function openJournalIn(directory: string): JournalDatabase {
  mkdirSync(directory);
  const journal = openJournal(directory);
  journal.allocateBoot(Date.now());
  return journal;
}

/** Returns how long it took, ms. */
function oneByOne(journal: JournalDatabase, trades: number): number {
  const rows = nextTrades(journal.sequence, trades).map(encodeRow);
  const startedMs = performance.now();
  for (const row of rows) journal.append([row]);
  return performance.now() - startedMs;
}

function nextTrades(written: number, count: number): readonly JournalRow[] {
  return Array.from({ length: count }, (_, index) => trade(written + index));
}

class Bursts {
  readonly #port: OpenStorePort;
  readonly #trades: number;
  #written = 0;
  #dueMs = 0;
  #answered: ((failure: string | undefined) => void) | undefined;

  constructor(journal: JournalDatabase, trades: number) {
    this.#trades = trades;
    this.#port = openStorePort({
      open: () => journal,
      deliver: (message) => this.#answered?.(message.type === 'store-failed' ? message.detail : undefined),
      // As on the store thread: what is due now comes when the turn is over, all else by timer.
      schedule: (delayMs, action) => {
        if (delayMs === 0) {
          const turn = setImmediate(action);
          return () => clearImmediate(turn);
        }
        const timer = setTimeout(action, delayMs);
        return () => clearTimeout(timer);
      },
      monotonicMs: () => performance.now(),
      log: (level, event, fields) => {
        if (level === 'error') throw new Error(`${event} ${JSON.stringify(fields)}`);
      },
    });
  }

  /** The next burst is due a pause from now, those after it at even times whatever happens meanwhile. */
  begin(): void {
    this.#dueMs = performance.now();
  }

  /** Returns how long after it was due the burst was durable, ms. */
  async oneTransaction(): Promise<number> {
    const rows = nextTrades(this.#written, this.#trades);
    this.#written += this.#trades;
    this.#dueMs += BURST_EVERY_MS;
    await pause(Math.max(0, this.#dueMs - performance.now() - TIMER_LATE_MS));
    while (performance.now() < this.#dueMs);
    const failure = await new Promise<string | undefined>((resolve) => {
      this.#answered = resolve;
      this.#port.append(rows);
    });
    if (failure !== undefined) throw new Error(`every burst must be stored: ${failure}`);
    return performance.now() - this.#dueMs;
  }

  /** Ends the port and its journal. */
  close(): void {
    this.#port.dispose();
  }
}

function results(
  together: readonly (readonly number[])[],
  apart: readonly (readonly number[])[],
  { runs, trades }: Measurement,
): readonly BenchResult[] {
  const topology = `${trades} trades -> store port -> journal on SQLite, one thread, each commit waits for the disk`;
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
