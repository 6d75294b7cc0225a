import { expect, it } from 'vitest';
import { QUERIES } from '../../src/storage/queries.ts';
import { measure as measureDatabase } from '../../bench/database.ts';
import { measure as measureQueries } from '../../bench/journal/queries.ts';
import { measure as measureReplay } from '../../bench/journal/replay.ts';

it('a small measurement of the database writes the same trades both ways', async () => {
  const results = await measureDatabase({ runs: 2, batches: 3, plainBatches: 1, trades: 5 }, () => undefined);
  expect(results.map(({ metric }) => metric)).toEqual([
    ...['one transaction p50', 'one transaction p99', 'one transaction max', 'trades'],
  ]);
  for (const { value, baseline } of results) {
    expect(value).toBeGreaterThan(0);
    expect(baseline?.value).toBeGreaterThan(0);
  }
});

it('a small replay finds every pair closed and says what each part took', async () => {
  const results = await measureReplay({ runs: 1, rows: 1_000, needMs: 10_000 }, () => undefined);
  expect(results.map(({ metric }) => metric)).toEqual(['replay', 'open and check', 'read and fold', 'folding alone']);
  const [whole = 0, open = 0, readAndFold = 0, folding = 0] = results.map(({ value }) => value);
  expect(open + readAndFold).toBeCloseTo(whole, 6);
  expect(folding).toBeLessThanOrEqual(readAndFold);
});

it('a small measurement of the queries asks each by its name', () => {
  const results = measureQueries({ runs: 1, asked: 2, payments: 96, trades: 10 }, () => undefined);
  const names = Object.keys(QUERIES).flatMap((name) => [`${name}, median`, `${name}, p99`]);
  expect(results.map(({ metric }) => metric)).toEqual(names);
  for (const { value } of results) expect(value).toBeGreaterThan(0);
});
