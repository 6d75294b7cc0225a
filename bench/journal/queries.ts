/** Makes a journal of many payments and trades and measures each named query on it. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import { DATABASE_FILE, openJournal } from '../../src/storage/live/journal-database.ts';
import { QUERIES } from '../../src/storage/queries.ts';
import type { NamedQuery } from '../../src/storage/queries.ts';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult } from '../result.ts';
import { definitionRows, pairRows, tradeRow } from './rows.ts';

export interface Measurement {
  readonly runs: number;
  /** How often each query is asked in a run. */
  readonly asked: number;
  readonly payments: number;
  readonly trades: number;
}

const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const ROWS_PER_APPEND = 10_000;
const PAYMENTS_PER_PAIR = 96;
const TRADES_PER_PAIR = 4;
const MEDIAN_MS_MAX = 10;
const P99_MS_MAX = 50;

export function measure(measurement: Measurement, progress: (text: string) => void): readonly BenchResult[] {
  const { runs, asked, payments, trades } = measurement;
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  try {
    progress(`writing ${payments} payments and ${trades} trades`);
    const rows = write(folder, measurement);
    const database = new Database(join(folder, DATABASE_FILE), { readonly: true });
    const durations = new Map<string, { readonly values: number[]; readonly perRun: number[] }>();
    const baseline: number[] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      for (const [name, query] of Object.entries<NamedQuery>(QUERIES)) {
        const took = askMany(database, query, asked, rows);
        const known = durations.get(name) ?? { values: [], perRun: [] };
        durations.set(name, { values: [...known.values, ...took], perRun: [...known.perRun, median(took)] });
      }
      baseline.push(scanOnce(database));
    }
    database.close();
    const scanMs = median(baseline);
    const topology = `journal of ${rows} rows, ${payments} of them payments and ${trades} trades -> one query at a time`;
    return [...durations].flatMap(([name, { values, perRun }]) => [
      {
        ...{ metric: `${name}, median`, value: median(values), unit: 'ms', runs, spread: spreadOf(perRun), topology },
        baseline: { name: 'the fills found without an index', value: scanMs },
        ratio: median(values) / scanMs,
        target: { of: 'value', is: 'at most', need: MEDIAN_MS_MAX } as const,
      },
      {
        ...{
          metric: `${name}, p99`,
          value: percentile(values, 0.99),
          unit: 'ms',
          runs,
          spread: spreadOf(values),
          topology,
        },
        target: { of: 'value', is: 'at most', need: P99_MS_MAX } as const,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the number of rows. */
function write(folder: string, { payments, trades }: Measurement): number {
  const journal = openJournal(folder);
  journal.allocateBoot(Date.now());
  const pairs = Math.ceil(payments / PAYMENTS_PER_PAIR);
  let pending: EncodedRow[] = [...definitionRows()];
  const flush = (): void => {
    journal.append(pending);
    pending = [];
  };
  for (let pair = 0; pair < pairs; pair++) {
    pending.push(...pairRows(pair));
    if (pending.length >= ROWS_PER_APPEND) flush();
  }
  for (let trade = pairs * TRADES_PER_PAIR; trade < trades; trade++) {
    pending.push(tradeRow(trade));
    if (pending.length >= ROWS_PER_APPEND) flush();
  }
  flush();
  const { sequence } = journal;
  journal.close();
  return sequence;
}

/** Asks from ever other places: a place that was read before is in SQLite's cache. Returns how long each answer took, ms. */
function askMany(database: Database.Database, query: NamedQuery, times: number, rows: number): readonly number[] {
  const statement = database.prepare<(string | number)[]>(query.sql).raw();
  const took: number[] = [];
  for (let at = 0; at < times; at++) {
    const place = 1 + Math.floor((rows * (at + 0.5)) / times);
    const values = query.example.map((value) => (value === 0 || value === Number.MAX_SAFE_INTEGER ? place : value));
    const startedMs = performance.now();
    statement.all(...values);
    took.push(performance.now() - startedMs);
  }
  return took;
}

function scanOnce(database: Database.Database): number {
  const startedMs = performance.now();
  // The plus sign keeps SQLite from using the index.
  database.prepare(`SELECT count(*) FROM rows WHERE +type = 'fill'`).get();
  return performance.now() - startedMs;
}
