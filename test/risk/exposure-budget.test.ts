import { describe, expect, it } from 'vitest';
import { emptyExposureDay, observeExposureDay, spentExposureBudget } from '../../src/risk/exposure-budget.ts';
import type { ExposureDay } from '../../src/risk/exposure-budget.ts';

const DAY_MS = 86_400_000;
type Told = readonly [base: string, pairId: string, exposureQuoteSec: number, atMs: number];

function after(...told: readonly Told[]): ExposureDay {
  return told.reduce(
    (day, [base, pairId, exposureQuoteSec, atMs]) => observeExposureDay(day, { base, pairId, exposureQuoteSec }, atMs),
    emptyExposureDay,
  );
}

describe('the exposure of a day', () => {
  it('adds what every pair gathers, each quote second once', () => {
    const day = after(['ETH', 'e1', 10, 0], ['ETH', 'e1', 10, 1], ['BTC', 'b1', 5, 2], ['ETH', 'e1', 25, 3]);
    expect(day.quoteSec).toBe(30);
  });

  it('goes on with the next pair of a base, which counts from nothing', () => {
    expect(after(['ETH', 'e1', 10, 0], ['ETH', 'e2', 4, 1]).quoteSec).toBe(14);
  });

  it('counts nothing twice when a new life of the actor goes on from its last row', () => {
    expect(after(['ETH', 'e1', 10, 0], ['ETH', 'e1', 8, 1], ['ETH', 'e1', 9, 2]).quoteSec).toBe(11);
  });

  it('begins from nothing at midnight UTC, and only what a pair gathers after it counts', () => {
    const day = after(['ETH', 'e1', 40_000, DAY_MS - 1], ['ETH', 'e1', 40_002, DAY_MS]);
    expect(day).toMatchObject({ day: 1, quoteSec: 2 });
  });

  it('is spent at the limit, and says how far', () => {
    expect(spentExposureBudget(after(['ETH', 'e1', 49_999, 0]), 50_000)).toBeUndefined();
    expect(spentExposureBudget(after(['ETH', 'e1', 50_000, 0]), 50_000)).toBe(
      'EXPOSURE_BUDGET: 50000 of 50000 quote x s unhedged today',
    );
  });
});
