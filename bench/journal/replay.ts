/** Makes a journal of many rows and measures what a start does with it. Main thread. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { journalRef } from '../../actors/addresses.ts';
import { engineDelivery } from '../../src/composition/delivery.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import { DATABASE_FILE, openJournal } from '../../src/storage/live/journal-database.ts';
import type { JournalThreadData } from '../../src/storage/live/journal-ports.ts';
import { median, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { reader, type ReaderArgs, type ReaderReport } from './reader.ts';
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
const LOOK_EVERY_MS = 10;
const ASK_MS = 60_000;
const STOP_MS = 5_000;

interface Replay {
  readonly openMs: number;
  /** From the first question to the last page folded, on both threads. */
  readonly readMs: number;
  /** How much of it the trading thread was folding. */
  readonly foldMs: number;
}

export async function measure(
  { runs, rows, needMs }: Measurement,
  progress: (text: string) => void,
): Promise<readonly BenchResult[]> {
  mkdirSync(DATA_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(DATA_FOLDER, 'bench-'));
  try {
    progress(`writing ${rows} rows`);
    const pairs = write(folder, rows);
    const replays: Replay[] = [];
    const plain: number[] = [];
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}`);
      replays.push(await replay(folder, pairs));
      plain.push(scan(join(folder, DATABASE_FILE)));
    }
    const topology = `journal of ${rows} rows, ${pairs} pairs -> main: open and check -> store: read <-> trading: ${BASES.length} symbols fold`;
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
      result('replay', ({ openMs, readMs }) => openMs + readMs, {
        ...{ of: 'value', is: 'at most', need: needMs },
      }),
      result('open and check', ({ openMs }) => openMs),
      result('read and fold', ({ readMs }) => readMs),
      result('folding alone', ({ foldMs }) => foldMs),
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
async function replay(folder: string, pairs: number): Promise<Replay> {
  const startedMs = performance.now();
  const journal = openJournal(folder);
  const openMs = performance.now() - startedMs;
  const boot = journal.allocateBoot(Date.now());
  journal.close();
  const system = await startReaders({ journalDirectory: folder, boot });
  try {
    for (const base of BASES) system.tell(readerPath(base), { type: 'begin' });
    const reports = await Promise.all(BASES.map((base) => ended(system, base)));
    const closed = reports.reduce((sum, report) => sum + report.pairs, 0);
    if (closed !== pairs) throw new Error(`${pairs} pairs must be found closed, were ${closed}`);
    const begunAtMs = Math.min(...reports.map((report) => report.begunAtMs));
    const endedAtMs = Math.max(...reports.map((report) => report.endedAtMs));
    return { openMs, readMs: endedAtMs - begunAtMs, foldMs: reports.reduce((sum, { foldMs }) => sum + foldMs, 0) };
  } finally {
    await system.stop({ deadlineMs: STOP_MS });
  }
}

function readerPath(base: string): string {
  return `reader/${base}`;
}

/** The engine's store thread with its journal, and a trading thread with a reader for each symbol. */
function startReaders(store: JournalThreadData): Promise<ActorSystem> {
  return startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [
        { type: 'actor', id: journalRef.path, kind: 'journal', args: {}, thread: 'store' },
        ...BASES.map((base) => {
          const args: ReaderArgs = { base, journal: journalRef };
          return { type: 'actor', id: readerPath(base), kind: reader.kind, args, thread: 'trading' } as const;
        }),
      ],
    },
    kinds: [],
    delivery: [...engineDelivery, reader.delivery],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => undefined,
    threads: [
      { name: 'store', entry: new URL('../../workers/store.ts', import.meta.url), data: store },
      { name: 'trading', entry: new URL('./reader-worker.ts', import.meta.url) },
    ],
  });
}

/** Asked rarely: the question takes a turn of the thread that folds. */
async function ended(system: ActorSystem, base: string): Promise<ReaderReport> {
  for (;;) {
    // The reader answers with what its message type says.
    const report = (await system.ask(
      readerPath(base),
      { type: 'report-replay' },
      { deadlineMs: ASK_MS },
    )) as ReaderReport | null;
    if (report !== null) return report;
    await pause(LOOK_EVERY_MS);
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
