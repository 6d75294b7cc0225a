/** Makes a journal of many rows and measures what a start does with it. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { PAGE_ROWS_MAX } from '../../actors/journal.ts';
import { beginHistory, endHistory, foldHistoryRow } from '../../src/execution/history-fold.ts';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import { DATABASE_FILE, openJournal, type JournalDatabase } from '../../src/storage/live/journal-database.ts';
import { median, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { BASES, definitionRows, pairRows } from './rows.ts';

export interface Measurement {
  readonly runs: number;
  /** At least so many. */
  readonly rows: number;
  /** What the whole may take. */
  readonly needMs: number;
}

const DATA_FOLDER = join(import.meta.dirname, '..', '..', 'var');
const ROWS_PER_APPEND = 10_000;
const BASELINE = 'rows read, nothing checked or decoded';

interface Replay {
  readonly openMs: number;
  readonly readMs: number;
  readonly foldMs: number;
}

export function measure({ runs, rows, needMs }: Measurement, progress: (text: string) => void): readonly BenchResult[] {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  try {
    progress(`writing ${rows} rows`);
    const pairs = write(folder, rows);
    const replays: Replay[] = [];
    const plain: number[] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      replays.push(replay(folder, pairs));
      plain.push(scan(join(folder, DATABASE_FILE)));
    }
    const topology = `journal of ${rows} rows, ${pairs} pairs of ${BASES.length} symbols -> open, read, fold`;
    const result = (metric: string, pick: (one: Replay) => number, target?: BenchTarget): BenchResult => {
      const values = replays.map(pick);
      const [value, baseline] = [median(values), median(plain)];
      return {
        ...{ metric, value, unit: 'ms', runs, spread: spreadOf(values), topology },
        ...{ baseline: { name: BASELINE, value: baseline }, ratio: value / baseline },
        ...(target === undefined ? {} : { target }),
      };
    };
    return [
      result('replay', ({ openMs, readMs, foldMs }) => openMs + readMs + foldMs, {
        ...{ of: 'value', is: 'at most', need: needMs },
      }),
      result('open and check', ({ openMs }) => openMs),
      result('read', ({ readMs }) => readMs),
      result('fold', ({ foldMs }) => foldMs),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns how many pairs the rows tell of. */
function write(folder: string, rows: number): number {
  const journal = openJournal(folder);
  journal.allocateBoot(Date.now());
  let pending: EncodedRow[] = [...definitionRows()];
  let pairs = 0;
  for (let written = journal.sequence; written < rows; pairs++) {
    pending.push(...pairRows(pairs));
    if (pending.length < ROWS_PER_APPEND && written + pending.length < rows) continue;
    journal.append(pending);
    written += pending.length;
    pending = [];
  }
  journal.close();
  return pairs;
}

/** One start. Throws unless every pair of the rows is found closed. */
function replay(folder: string, pairs: number): Replay {
  const startedMs = performance.now();
  const journal = openJournal(folder);
  const openMs = performance.now() - startedMs;
  let [readMs, foldMs, closed] = [0, 0, 0];
  for (const base of BASES) {
    const read = readSymbol(journal, base);
    readMs += read.readMs;
    foldMs += read.foldMs;
    closed += read.pairs;
  }
  journal.close();
  if (closed !== pairs) throw new Error(`${pairs} pairs must be found closed, were ${closed}`);
  return { openMs, readMs, foldMs };
}

/** Reads and folds a symbol's rows as a position actor does. */
function readSymbol(journal: JournalDatabase, correlation: string): Omit<Replay, 'openMs'> & { pairs: number } {
  const history = beginHistory();
  let [readMs, foldMs, afterSequence] = [0, 0, 0];
  for (;;) {
    const readFromMs = performance.now();
    const page = journal.read({ type: 'by-correlation', correlation, afterSequence, limit: PAGE_ROWS_MAX });
    const foldFromMs = performance.now();
    for (const row of page) foldHistoryRow(history, row, (atMs) => atMs);
    foldMs += performance.now() - foldFromMs;
    readMs += foldFromMs - readFromMs;
    afterSequence = page.at(-1)?.sequence ?? afterSequence;
    if (page.length < PAGE_ROWS_MAX) return { readMs, foldMs, pairs: endHistory(history).book.ledger.closed.pairs };
  }
}

function scan(file: string): number {
  const database = new Database(file, { readonly: true });
  const startedMs = performance.now();
  let characters = 0;
  for (const row of database.prepare<[], { payload: string }>('SELECT * FROM rows ORDER BY sequence').iterate())
    characters += row.payload.length;
  const tookMs = performance.now() - startedMs;
  database.close();
  if (characters === 0) throw new Error('the rows must have content');
  return tookMs;
}
