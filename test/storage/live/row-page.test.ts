import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../../src/simulation/simulated-disk.ts';
import { encodeRow } from '../../../src/storage/hash-chain.ts';
import { openJournal } from '../../../src/storage/live/journal-database.ts';
import { pageOfRows, rowsOfPage } from '../../../src/storage/row-page.ts';
import type { ForwardQuery, JournalRow } from '../../../src/storage/rows.ts';
import { row } from '../rows.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const QUERIES: readonly ForwardQuery[] = [
  { type: 'all', afterSequence: 0, limit: 50 },
  { type: 'by-correlation', correlation: 'BTC', afterSequence: 1, limit: 50 },
  { type: 'by-actor', actor: 'guard', afterSequence: 0, limit: 3 },
  { type: 'by-type', rowType: 'funding', afterSequence: 2, limit: 50 },
];

const timeMs = fc.oneof(
  fc.integer({ min: 0, max: 2_000_000_000_000 }),
  // What a compressed calendar gives: all digits count.
  fc.double({ min: 0, max: 2e12, noNaN: true }).map((value) => value + 0),
  fc.constantFrom(1_767_225_600_000.1, 0.1 + 0.2, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, -1.5),
);

const rows = fc
  .array(
    fc.record({
      type: fc.constantFrom('fill', 'funding', 'config'),
      atMs: timeMs,
      actor: fc.oneof(fc.constant('guard'), fc.string({ unit: 'binary' })),
      correlation: fc.oneof(fc.constantFrom('BTC', ''), fc.string({ unit: 'binary' })),
      venueAtMs: fc.option(timeMs, { nil: undefined }),
      causation: fc.option(fc.string({ unit: 'binary', minLength: 1 }), { nil: undefined }),
      payload: fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.string({ unit: 'binary' }), fc.bigInt()), {
        maxKeys: 4,
      }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((found): readonly JournalRow[] =>
    found.map(({ venueAtMs, causation, payload, ...rest }, index) =>
      row(`r${index}:\u2028"\\`, {
        ...rest,
        payload: { ...payload },
        ...(venueAtMs === undefined ? {} : { venueAtMs }),
        ...(causation === undefined ? {} : { causation }),
      }),
    ),
  );

describe('a page of rows', () => {
  it('says the same as the rows one by one, whatever is in them, on the disk and on the simulated one', () => {
    fc.assert(
      fc.property(rows, (written) => {
        const journal = openJournal(temporaryDirectory());
        journal.allocateBoot(1);
        const disk = new SimulatedDisk().open();
        for (const one of [journal, disk]) one.append(written.map(encodeRow));
        for (const one of [journal, disk]) {
          for (const query of QUERIES) {
            const found = one.read(query);
            expect(rowsOfPage(one.readPage(query).page)).toEqual(found);
            expect(rowsOfPage(pageOfRows(found))).toEqual(found);
          }
        }
        journal.close();
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['fewer rows than may be told', 4, true],
    ['all rows, as many as may be told', 3, true],
    ['not all rows', 2, false],
  ])('says whether more follow: %s', (_, limit, complete) => {
    const journal = openJournal(temporaryDirectory());
    journal.allocateBoot(1);
    const disk = new SimulatedDisk().open();
    for (const one of [journal, disk]) {
      // Rows of somebody else behind them are none of the answer.
      one.append(['a', 'b', 'c'].map((id) => encodeRow(row(id, { correlation: 'ETH' }))));
      one.append([encodeRow(row('d', { correlation: 'SOL' }))]);
      const answer = one.readPage({ type: 'by-correlation', correlation: 'ETH', afterSequence: 0, limit });
      expect(answer.complete).toBe(complete);
      expect(rowsOfPage(answer.page).map(({ id }) => id)).toEqual(['a', 'b', 'c'].slice(0, limit));
    }
    journal.close();
  });

  it('keeps to the bound of a query', () => {
    const journal = openJournal(temporaryDirectory());
    for (const limit of [0, 10_001])
      expect(() => journal.readPage({ type: 'all', afterSequence: 0, limit })).toThrow('row limit of a query');
    journal.close();
  });

  it('of no rows is empty', () => {
    expect(rowsOfPage(pageOfRows([]))).toEqual([]);
  });

  it('takes only rows that are stored', () => {
    expect(() => pageOfRows([row('a')])).toThrow('row a must be stored, it has no sequence');
  });

  it('is refused when it is none', () => {
    expect(() => rowsOfPage('nothing')).toThrow(SyntaxError);
    const page = pageOfRows([row('a', { sequence: 1, payload: { what: 1 } })]);
    expect(() => rowsOfPage(page.replace('{"what":1}', '7'))).toThrow('a payload must be an object, was 7');
    // Two values where one row has its payload: all behind it would be another row's.
    expect(() => rowsOfPage(page.replace('{"what":1}', '{},{}'))).toThrow('must have 1 values in each column');
    expect(() => rowsOfPage('{"sequence":[1]}')).toThrow('must have 1 values in each column');
    expect(() => rowsOfPage('[]')).toThrow(SyntaxError);
  });
});
