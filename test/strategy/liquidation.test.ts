import { describe, expect, it } from 'vitest';
import {
  closestLiquidationDistance,
  initialMargin,
  legLeverage,
  liquidationDistance,
  liquidationPrice,
  maxLeverageFor,
  symbolLeverage,
} from '../../src/strategy/liquidation.ts';

describe('EX-6 liquidation', () => {
  const long = liquidationPrice('long', 60_000, 5, 0.012);
  const short = liquidationPrice('short', 60_000, 5, 0.012);

  it('finds both liquidation prices and distances at 5x', () => {
    expect(long).toBeCloseTo(48_582.995951, 6);
    expect(short).toBeCloseTo(71_146.245059, 6);
    expect(liquidationDistance(60_000, long)).toBeCloseTo(0.190283, 6);
    expect(liquidationDistance(60_000, short)).toBeCloseTo(0.185771, 6);
  });

  it('finds the leverage that keeps 15 % and 25 % away', () => {
    expect(maxLeverageFor('long', 0.15, 0.012)).toBeCloseTo(6.2422, 4);
    expect(maxLeverageFor('short', 0.15, 0.012)).toBeCloseTo(6.105, 4);
    expect(maxLeverageFor('long', 0.25, 0.012)).toBeCloseTo(3.861, 4);
    expect(maxLeverageFor('short', 0.25, 0.012)).toBeCloseTo(3.7736, 4);
  });

  it('asks for whole leverage: 6 and 3', () => {
    const limits = { wanted: 10, cap: 10, venueMax: 20, maintenance: 0.012 };
    expect(legLeverage({ side: 'short', distance: 0.15, ...limits })).toBe(6);
    expect(legLeverage({ side: 'long', distance: 0.25, ...limits })).toBe(3);
    expect(legLeverage({ side: 'long', distance: 0.25, ...limits, venueMax: 2 })).toBe(2);
    expect(legLeverage({ side: 'long', distance: 0.99, ...limits, maintenance: 0.5 })).toBe(1);
    expect(legLeverage({ side: 'short', distance: 0.95, ...limits, maintenance: 0.5 })).toBe(0);
  });
});

it('believes whichever of reported and computed liquidation price is closer', () => {
  expect(closestLiquidationDistance('long', 100, 80, 90)).toBeCloseTo(0.1, 12);
  expect(closestLiquidationDistance('long', 100, 80, undefined)).toBeCloseTo(0.2, 12);
  expect(closestLiquidationDistance('short', 100, 130, 120)).toBeCloseTo(0.2, 12);
  expect(closestLiquidationDistance('long', 100, 80, 101)).toBe(0);
  expect(closestLiquidationDistance('short', 100, 99, undefined)).toBe(0);
});

it('asks at least the margin that the venue asks', () => {
  expect(initialMargin(1_000, 5, 10)).toBe(200);
  expect(initialMargin(1_000, 20, 10)).toBe(100);
});

it('asks a venue for the leverage that is safe on either side, rounded down', () => {
  const limits = { wanted: 10, cap: 10, venueMax: 50, distance: 0.25, maintenance: 0.1 };
  // Long 3.08, short 2.67.
  expect(symbolLeverage(limits)).toBe(2);
  expect(symbolLeverage({ ...limits, maintenance: 0.012 })).toBe(3);
  expect(symbolLeverage({ ...limits, maintenance: 0.012, venueMax: 2 })).toBe(2);
  expect(symbolLeverage({ ...limits, distance: 0.99 })).toBe(0);
});
