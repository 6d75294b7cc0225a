import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSettledRate,
  emptyFundingHistory,
  favourableSettlements,
  medianHourly,
} from '../../src/market/funding-history.ts';
import type { FundingHistory, SettledRate } from '../../src/market/funding-history.ts';

const history = (rates: readonly SettledRate[], lookbackMs = 1_000): FundingHistory =>
  rates.reduce((known, rate) => addSettledRate(known, rate, lookbackMs), emptyFundingHistory);
const hourly = (...rates: readonly number[]): FundingHistory =>
  history(rates.map((rate, index) => ({ settleAtMs: (index + 1) * 100, hourly: rate })));

it('has no median before the first settlement', () => {
  expect(medianHourly(emptyFundingHistory)).toBeUndefined();
});

it('keeps the median and the order of whatever arrives in whatever order, each settlement once', () => {
  const rate = fc.record({ settleAtMs: fc.integer({ min: 1, max: 60 }), hourly: fc.integer({ min: -9, max: 9 }) });
  fc.assert(
    fc.property(fc.array(rate, { maxLength: 60 }), (rates) => {
      const known = history(rates, 20);
      const first = new Map<number, number>();
      for (const { settleAtMs, hourly: value } of rates) if (!first.has(settleAtMs)) first.set(settleAtMs, value);
      for (const settled of known.settled)
        expect([...rates].some((one) => one.settleAtMs === settled.settleAtMs)).toBe(true);
      const values = known.settled.map((settled) => settled.hourly).toSorted((one, other) => one - other);
      expect(known.sortedHourly).toEqual(values);
      const newest = Math.max(0, ...first.keys());
      for (const settled of known.settled) expect(settled.settleAtMs).toBeGreaterThan(newest - 20);
      const times = known.settled.map((settled) => settled.settleAtMs);
      expect(times).toEqual([...new Set(times)].toSorted((one, other) => one - other));
      const middle = values.length / 2;
      const expected =
        values.length === 0
          ? undefined
          : ((values[Math.ceil(middle) - 1] ?? 0) + (values[Math.floor(middle)] ?? 0)) / 2;
      expect(medianHourly(known)).toBe(expected);
    }),
    { numRuns: 200 },
  );
});

it('stays bounded whatever the lookback', () => {
  const rates = Array.from({ length: 1_000 }, (_, index) => ({ settleAtMs: index + 1, hourly: index }));
  expect(history(rates, Infinity).settled.length).toBe(744);
});

describe('favourableSettlements', () => {
  it('counts back from the newest settlement and stops at the first that cost', () => {
    expect(favourableSettlements(hourly(0, 0, 0, 0), hourly(5, -1, 5, 5), 3)).toBe(2);
    expect(favourableSettlements(hourly(0, 0, 0, 0), hourly(5, 5, 5, 5), 3)).toBe(3);
    expect(favourableSettlements(hourly(0, 0), hourly(5, 0), 3)).toBe(0);
  });

  it('uses the latest rate of the leg that settles more rarely', () => {
    const rare = history([{ settleAtMs: 100, hourly: 2 }]);
    expect(favourableSettlements(rare, hourly(3, 3, 3, 1), 5)).toBe(0);
    expect(favourableSettlements(rare, hourly(1, 3, 3, 3), 5)).toBe(3);
  });

  it('counts nothing while one leg has no history', () => {
    expect(favourableSettlements(emptyFundingHistory, hourly(5, 5, 5), 3)).toBe(0);
  });
});
