import { describe, expect, it } from 'vitest';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import type { AppendSummary, Journal } from '../../src/storage/journal.ts';
import type { ReadPage } from '../../src/storage/row-page.ts';
import { openJournal, reopenJournal } from '../../src/storage/live/journal-database.ts';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.ts';
import {
  COMPANY_MS,
  GROUP_ROWS_MAX,
  openStorePort,
  SLOW_APPEND_MS,
  SLOW_QUERY_MS,
} from '../../src/storage/store-port.ts';
import type { StorePortOptions } from '../../src/storage/store-port.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { row } from './rows.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A door with a hand-moved clock; `journal` is the one it opens. */
function stagePort(open: () => Journal, options: Partial<StorePortOptions> = {}) {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly action: () => void }[] = [];
  const delivered: unknown[] = [];
  const logged: [string, Readonly<Record<string, unknown>>][] = [];
  const port = openStorePort({
    open,
    deliver: (message) => delivered.push(message),
    schedule: (delayMs, action) => {
      const timer = { atMs: nowMs + delayMs, action };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    monotonicMs: () => nowMs,
    log: (_, event, fields) => logged.push([event, fields]),
    ...options,
  });
  return {
    port,
    delivered,
    logged,
    /** Lets time pass inside an operation. */
    pass: (byMs: number) => void (nowMs += byMs),
    advance: (byMs: number) => {
      nowMs += byMs;
      const due = timers.filter((timer) => timer.atMs <= nowMs);
      timers = timers.filter((timer) => timer.atMs > nowMs);
      for (const timer of due) timer.action();
    },
  };
}

/** A journal in memory that records its transactions and fails on demand. */
class RecordingJournal implements Journal {
  readonly transactions: string[][] = [];
  closed = 0;
  synced = 0;
  fails = false;
  onAppend: () => void = () => undefined;
  onRead: () => void = () => undefined;

  append(rows: readonly EncodedRow[]): AppendSummary {
    this.onAppend();
    if (this.fails) throw new Error('disk I/O error');
    this.transactions.push(rows.map((encoded) => encoded.id));
    return { appended: rows.length, repeatedAt: new Set() };
  }
  read(): readonly JournalRow[] {
    this.onRead();
    return [row('found')];
  }
  readPage(): ReadPage {
    return { page: '', complete: true };
  }
  upkeep(): void {
    this.synced += 1;
  }
  close(): void {
    this.closed += 1;
  }
}

describe('a read', () => {
  it.each([
    [SLOW_QUERY_MS, 0],
    [SLOW_QUERY_MS + 1, 1],
  ])('of %i ms is told in the log %i times, with the question and the rows it found', (durationMs, times) => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    journal.onRead = () => stage.pass(durationMs);
    const query = { type: 'by-correlation', correlation: 'BTC', afterSequence: 7, limit: 100 } as const;
    stage.port.read(query);
    expect(stage.logged).toEqual([['query-slow', { durationMs, query, rows: 1 }]].slice(0, times));
  });
});

describe('group commit', () => {
  it('writes what one turn appends in one transaction and answers each in order', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    const refs = [stage.port.append([row('a'), row('b')]), stage.port.append([]), stage.port.append([row('c')])];
    expect(stage.delivered).toEqual([]);
    stage.advance(0);
    expect(journal.transactions).toEqual([['a', 'b', 'c']]);
    expect(stage.delivered).toEqual(refs.map((ref) => ({ type: 'rows-durable', ref })));
  });

  it('lets word of orders wait for company, and what is waited for take it along', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    stage.port.append([row('a', { type: 'order-event' })]);
    stage.advance(COMPANY_MS - 1);
    expect(journal.transactions).toEqual([]);
    stage.advance(1);
    expect(journal.transactions).toEqual([['a']]);
    stage.port.append([row('b', { type: 'order-event' })]);
    stage.port.append([row('c', { type: 'intent' }), row('d', { type: 'order-event' })]);
    stage.port.append([row('e', { type: 'order-event' })]);
    stage.advance(0);
    expect(journal.transactions).toEqual([['a'], ['b', 'c', 'd', 'e']]);
    stage.advance(COMPANY_MS);
    expect(journal.transactions).toHaveLength(2);
    stage.port.append([row('f', { type: 'order-event' })]);
    stage.advance(COMPANY_MS);
    expect(journal.transactions.at(-1)).toEqual(['f']);
  });

  it('writes a full group at once', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    stage.port.append(Array.from({ length: GROUP_ROWS_MAX }, (_, at) => row(`${at}`, { type: 'order-event' })));
    stage.advance(0);
    expect(journal.transactions.map((ids) => ids.length)).toEqual([GROUP_ROWS_MAX]);
  });

  it('syncs the head record once for many commits', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    for (const id of ['a', 'b', 'c']) {
      stage.port.append([row(id)]);
      stage.advance(1);
    }
    expect(journal.synced).toBe(0);
    stage.advance(1_000);
    expect(journal.synced).toBe(1);
  });

  it('tells a slow commit', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    journal.onAppend = () => stage.pass(SLOW_APPEND_MS + 1);
    stage.port.append([row('a')]);
    stage.advance(0);
    expect(stage.logged).toEqual([['append-slow', { durationMs: SLOW_APPEND_MS + 1, rows: 1 }]]);
    expect(stage.delivered).toMatchObject([{ type: 'rows-durable', slowCommitMs: SLOW_APPEND_MS + 1 }]);
    journal.onAppend = () => stage.pass(SLOW_APPEND_MS);
    stage.port.append([row('b')]);
    stage.advance(0);
    expect(stage.delivered.at(-1)).not.toHaveProperty('slowCommitMs');
  });
});

describe('a failed write', () => {
  it('fails every append of the group, discards the connection and opens a new one for the next', () => {
    const broken = new RecordingJournal();
    const fresh = new RecordingJournal();
    const journals: Journal[] = [broken, fresh];
    const stage = stagePort(() => journals.shift() ?? fresh);
    broken.fails = true;
    stage.port.append([row('a')]);
    stage.port.append([row('b')]);
    stage.advance(0);
    expect(stage.delivered).toEqual([
      { type: 'store-failed', ref: 1, detail: 'disk I/O error' },
      { type: 'store-failed', ref: 2, detail: 'disk I/O error' },
    ]);
    expect(broken.closed).toBe(1);
    stage.port.append([row('a')]);
    stage.advance(0);
    expect(fresh.transactions).toEqual([['a']]);
    expect(stage.delivered.at(-1)).toEqual({ type: 'rows-durable', ref: 3 });
  });

  it('keeps failing while the journal cannot be opened, without crashing', () => {
    const broken = new RecordingJournal();
    broken.fails = true;
    let opened = 0;
    const stage = stagePort(() => {
      opened += 1;
      if (opened > 1) throw new Error('no such disk');
      return broken;
    });
    for (const id of ['a', 'b']) {
      stage.port.append([row(id)]);
      stage.advance(0);
    }
    expect(stage.delivered).toMatchObject([{ detail: 'disk I/O error' }, { detail: 'no such disk' }]);
  });

  it('is the only one told when its row contradicts a stored one, and the connection is kept', () => {
    const disk = new SimulatedDisk();
    let opened = 0;
    const stage = stagePort(() => {
      opened += 1;
      return disk.open();
    });
    stage.port.append([row('a')]);
    stage.advance(0);
    stage.port.append([row('b')]);
    stage.port.append([row('c'), row('a', { payload: { quantity: 1n } })]);
    stage.port.append([row('d'), row('a')]);
    stage.advance(0);
    expect(stage.delivered.slice(1)).toEqual([
      { type: 'rows-durable', ref: 2 },
      {
        type: 'store-failed',
        ref: 3,
        isConflict: true,
        detail: expect.stringContaining('must state the fact of row 1, a differs: quantity') as unknown,
      },
      { type: 'rows-durable', ref: 4, repeatedRows: 1 },
    ]);
    expect(disk.rowsAfter(0).map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    expect(stage.logged).toEqual([['row-conflict', expect.objectContaining({ id: 'a' })]]);
    expect(opened).toBe(1);
  });

  it('is the only one told when its row breaks a rule', () => {
    const journal = new RecordingJournal();
    const stage = stagePort(() => journal);
    stage.port.append([row('a')]);
    stage.port.append([row('b', { payload: { price: Number.NaN } })]);
    stage.port.append([row('c')]);
    stage.advance(0);
    expect(journal.transactions).toEqual([['a', 'c']]);
    expect(stage.delivered).toContainEqual({
      type: 'store-failed',
      ref: 2,
      detail: 'payload.price must be a finite number, was NaN',
    });
    expect(stage.delivered).toHaveLength(3);
  });
});

describe('on the real database', () => {
  it('answers after the rows are on disk and counts repeats for each append', () => {
    const directory = temporaryDirectory();
    const first = openJournal(directory);
    const boot = first.allocateBoot(1);
    first.close();
    const seen: number[] = [];
    const stage = stagePort(() => reopenJournal(directory, boot), {
      deliver: (message) => {
        const other = openJournal(directory);
        seen.push(other.sequence);
        other.close();
        stage.delivered.push(message);
      },
    });
    stage.port.append([row('a'), row('b')]);
    stage.port.append([row('b'), row('c')]);
    stage.port.append([row('a')]);
    stage.advance(0);
    expect(stage.delivered).toEqual([
      { type: 'rows-durable', ref: 1 },
      { type: 'rows-durable', ref: 2, repeatedRows: 1 },
      { type: 'rows-durable', ref: 3, repeatedRows: 1 },
    ]);
    expect(seen).toEqual([4, 4, 4]);
    stage.port.dispose();
  });

  it('writes what is pending when it ends, telling nobody', () => {
    const directory = temporaryDirectory();
    const first = openJournal(directory);
    const boot = first.allocateBoot(1);
    first.close();
    const stage = stagePort(() => reopenJournal(directory, boot));
    stage.port.append([row('a')]);
    stage.port.dispose();
    stage.advance(10);
    expect(stage.delivered).toEqual([]);
    const after = openJournal(directory);
    expect(after.read({ type: 'by-type', rowType: 'fill', afterSequence: 0, limit: 5 })).toHaveLength(1);
    after.close();
  });
});
