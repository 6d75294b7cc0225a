import { describe, expect, it } from 'vitest';
import { BadRequest } from '../../src/control/control-actions.ts';
import { journalQuery, pairAtRow, readRow } from '../../src/control/journal-view.ts';
import type { ReadRows } from '../../src/control/journal-view.ts';
import { foldBook } from '../../src/execution/execution-book.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { join } from 'node:path';
import type { JournalRow } from '../../src/storage/rows.ts';
import { stageControl } from './engine.ts';

const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'rows are wanted' } as const;

/** The rows of an engine that opened pairs, from a run in virtual time. */
function playedRows(): readonly JournalRow[] {
  const config = loadConfig(join(import.meta.dirname, '..', 'engine', 'fixtures', 'kill.yaml'));
  const calendar = marketCalendar(config, 0);
  const tape = buildTape(tapeSpec(config, calendar.startAtMs));
  const world = simulateWorld(config, { seed: 1, tape, startAtMs: calendar.startAtMs });
  world.system.runUntil(3_000);
  world.system.tell('guard', TRADE);
  world.system.runUntil(8_000);
  return world.disk.rowsAfter(0);
}

function readerOf(rows: readonly JournalRow[], pageRows = 7): ReadRows {
  return (query) => {
    if (query.type !== 'by-correlation') throw new Error('rows of one symbol are asked for');
    const wanted = rows.filter(
      ({ correlation, sequence = 0 }) => correlation === query.correlation && sequence > query.afterSequence,
    );
    return Promise.resolve({ rows: wanted.slice(0, pageRows), complete: wanted.length <= pageRows });
  };
}

const ROWS = playedRows();

describe('a symbol as it was at a row', () => {
  const rows = ROWS;
  const own = rows.filter(({ correlation }) => correlation === 'BTC');

  it('is what the fold of the rows up to there is, at every row and however the rows are paged', async () => {
    expect(own.some(({ type }) => type === 'fill')).toBe(true);
    for (const [at, row] of own.entries()) {
      const shown = await pairAtRow(readerOf(rows), 'BTC', row.sequence ?? 0);
      const { record, ledger } = foldBook(own.slice(0, at + 1));
      expect(shown?.pair?.phase).toBe(record?.phase);
      expect(shown?.pair?.pairId).toBe(record?.pairId);
      expect(new Map(shown?.positions.map(({ leg, signedLots }) => [leg, signedLots]))).toEqual(
        new Map(
          [...ledger.books].filter(([, book]) => book.signedLots !== 0).map(([leg, book]) => [leg, book.signedLots]),
        ),
      );
      expect([shown?.previous, shown?.next]).toEqual([own[at - 1]?.sequence, own[at + 1]?.sequence]);
      expect([shown?.rowsFolded, shown?.atMs]).toEqual([at + 1, row.atMs]);
    }
  });

  it('is the state of the row before when the row is another symbol’s', async () => {
    const between = rows.find(
      ({ correlation, sequence = 0 }) => correlation !== 'BTC' && sequence > (own[0]?.sequence ?? 0),
    );
    const shown = await pairAtRow(readerOf(rows), 'BTC', between?.sequence ?? 0);
    expect(shown?.rowsFolded).toBe(own.filter(({ sequence = 0 }) => sequence < (between?.sequence ?? 0)).length);
  });

  it('is nothing before its first row, and nothing for an unknown symbol', async () => {
    expect(await pairAtRow(readerOf(rows), 'BTC', (own[0]?.sequence ?? 1) - 1)).toBeUndefined();
    expect(await pairAtRow(readerOf(rows), 'NONE', 1_000)).toBeUndefined();
  });
});

describe('what is asked of the journal', () => {
  const ask = (query: Readonly<Record<string, string>>) => journalQuery((name) => query[name]);

  it('is the newest rows, fewer by symbol, type and place', () => {
    expect(ask({})).toEqual({ type: 'latest', limit: 100 });
    expect(ask({ correlation: 'BTC', type: 'fill', before: '12', limit: '5' })).toEqual({
      type: 'latest',
      correlation: 'BTC',
      rowType: 'fill',
      beforeSequence: 12,
      limit: 5,
    });
  });

  it.each([
    [{ limit: '0' }, 'limit must be a whole number from 1 to 200, was "0"'],
    [{ limit: '201' }, 'limit must be a whole number from 1 to 200, was "201"'],
    [{ before: 'x' }, 'before must be a whole number'],
    [{ type: "fill' OR 1" }, 'type must be a type of row'],
  ])('is refused when it is %j', (query, complaint) => {
    expect(() => ask(query)).toThrow(BadRequest);
    expect(() => ask(query)).toThrow(complaint);
  });

  it('must name a row', () => {
    expect(() => readRow('row', undefined)).toThrow('row must be the number of a row');
  });
});

describe('the routes', () => {
  it('answer pages, a moment, and 404 where there was nothing', async () => {
    const rows = ROWS;
    const asked: unknown[] = [];
    const control = await stageControl({
      readRows: (query) => {
        asked.push(query);
        return query.type === 'latest'
          ? Promise.resolve({ rows: rows.slice(-2), complete: false })
          : readerOf(rows)(query);
      },
    });
    const page = await control.ask('/debug/journal?correlation=BTC&limit=2');
    expect([page.status, await page.json()]).toMatchObject([200, { complete: false, rows: [{}, {}] }]);
    expect(asked).toEqual([{ type: 'latest', correlation: 'BTC', limit: 2 }]);
    const moment = await control.ask(`/debug/journal/at/BTC?row=${rows.length}`);
    expect([moment.status, await moment.json()]).toMatchObject([200, { base: 'BTC' }]);
    expect((await control.ask('/debug/journal/at/NONE?row=5')).status).toBe(404);
    expect((await control.ask('/debug/journal/at/BTC')).status).toBe(400);
  });
});
