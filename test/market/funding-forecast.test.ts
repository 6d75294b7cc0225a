import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comingSettlement,
  conservativeFunding,
  expectedFunding,
  expectedRate,
  expectedRateSum,
  paymentsWithin,
  persistence,
} from '../../src/market/funding-forecast.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { propertyRuns } from '../property-runs.ts';

const flat = (nextRate: number, nextSettleInH: number, intervalH: number): FundingOutlook => ({
  nextSettleInMs: nextSettleInH * HOUR_MS,
  intervalMs: intervalH * HOUR_MS,
  nextRate,
  medianRate: nextRate,
  halfLifeHours: 8,
});

it('T5: counts payments as a brute-force enumeration does', () => {
  const ms = fc.integer({ min: 0, max: 200_000 });
  fc.assert(
    fc.property(ms, ms, fc.integer({ min: 50, max: 50_000 }), (horizonMs, nextMs, intervalMs) => {
      let count = 0;
      for (let atMs = nextMs; atMs <= horizonMs; atMs += intervalMs) count += 1;
      expect(paymentsWithin(horizonMs, nextMs, intervalMs)).toBe(count);
    }),
    propertyRuns(),
  );
});

describe('EX-4 mixed intervals', () => {
  const long = flat(-0.0004, 5, 8);
  const short = flat(0.00001, 0.5, 1);
  const pair = (hours: number): number =>
    expectedFunding(long, 1, hours * HOUR_MS) + expectedFunding(short, -1, hours * HOUR_MS);

  it('expects 0.00004 within 4 h: no payment of the 8 h leg', () => {
    expect(pair(4)).toBeCloseTo(0.00004, 12);
  });
  it('expects 0.00046 within 6 h: one of the 8 h leg', () => {
    expect(pair(6)).toBeCloseTo(0.00046, 12);
  });
});

describe('EX-5 forecast', () => {
  const outlook: FundingOutlook = { ...flat(0.000045, 0.2, 1), medianRate: 0.00001 };

  it('returns to the median with the half-life', () => {
    expect(persistence(HOUR_MS, 8)).toBeCloseTo(0.9170040432, 10);
    expect(expectedRateSum(outlook, 48)).toBeCloseTo(0.000895118, 9);
    expect(expectedRateSum({ ...outlook, halfLifeHours: Infinity }, 48)).toBeCloseTo(0.00216, 12);
  });

  it('sums what it expects of each settlement', () => {
    let sum = 0;
    for (let k = 1; k <= 48; k += 1) sum += expectedRate(outlook, k);
    expect(expectedRateSum(outlook, 48)).toBeCloseTo(sum, 12);
  });
});

it('takes the haircut off income and adds it to cost', () => {
  const outlook = flat(0.0001, 0, 1);
  expect(conservativeFunding(outlook, -1_000, 0, 0.25)).toBeCloseTo(0.075, 12);
  expect(conservativeFunding(outlook, 1_000, 0, 0.25)).toBeCloseTo(-0.125, 12);
});

it('rolls an old settlement time forward by whole intervals', () => {
  expect(comingSettlement(1_000, 100, 500)).toBe(1_000);
  expect(comingSettlement(1_000, 100, 1_000)).toBe(1_100);
  expect(comingSettlement(1_000, 100, 1_250)).toBe(1_300);
});
