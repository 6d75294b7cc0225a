import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceOf } from '../../src/money/amounts.ts';
import { halfSpreadBps, midTicks, slippageBps, usableLots, walkBook } from '../../src/strategy/book-walk.ts';
import type { BookLevel } from '../../src/market/book.ts';
import { book } from '../market/instruments.ts';
import { propertyRuns } from '../property-runs.ts';

describe('EX-2 book walk', () => {
  // Tick 0.5, lot 0.1.
  const steps = { priceDecimals: 1, tickUnits: 5, quantityDecimals: 1, lotUnits: 1 };
  const view = book(
    [[119_998, 10]],
    [
      [120_000, 4],
      [120_003, 3],
      [120_008, 10],
    ],
  );

  it('buys 1.0 at an average of 60001.65, at worst 60004.0', () => {
    const walk = walkBook(view.asks, 10);
    if (!walk.filled) throw new Error('the book holds 1.7');
    expect(priceOf(walk.vwapTicks, steps)).toBeCloseTo(60_001.65, 9);
    expect(priceOf(walk.worstTicks, steps)).toBe(60_004);
    const mid = midTicks(view) ?? 0;
    expect(priceOf(mid, steps)).toBe(59_999.5);
    expect(slippageBps('buy', walk.vwapTicks, mid)).toBeCloseTo(0.358336, 6);
  });

  it('cannot buy 1.8', () => {
    expect(walkBook(view.asks, 18)).toEqual({ filled: false, availableLots: 17 });
  });
});

const levels: fc.Arbitrary<readonly BookLevel[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000 })), { minLength: 1, maxLength: 20 })
  .map((gaps) => {
    let priceTicks = 1_000;
    return gaps.map(([gap, size]): BookLevel => [(priceTicks += gap), size]);
  });

it('T4: the average worsens with quantity and lies between best and worst level', () => {
  fc.assert(
    fc.property(levels, (asks) => {
      const total = asks.reduce((sum, [, size]) => sum + size, 0);
      let last = 0;
      for (let part = 1; part <= 5; part += 1) {
        const lots = Math.max(1, Math.floor((total * part) / 5));
        const walk = walkBook(asks, lots);
        if (!walk.filled) throw new Error('no more than the book holds was asked');
        expect(walk.vwapTicks).toBeGreaterThanOrEqual(last);
        expect(walk.vwapTicks).toBeGreaterThanOrEqual(asks[0]?.[0] ?? 0);
        expect(walk.vwapTicks).toBeLessThanOrEqual(walk.worstTicks);
        last = walk.vwapTicks;
      }
      expect(walkBook(asks, total + 1)).toEqual({ filled: false, availableLots: total });
    }),
    propertyRuns(),
  );
});

it('counts only levels near mid as usable', () => {
  const view = book(
    [
      [99_990, 5],
      [99_000, 100],
    ],
    [
      [100_010, 7],
      [100_200, 3],
      [100_300, 50],
    ],
  );
  expect(usableLots(view, 'buy', 25)).toBe(10);
  expect(usableLots(view, 'sell', 25)).toBe(5);
  expect(usableLots(book([], [[1, 1]]), 'buy', 25)).toBe(0);
});

it('has no spread on a one-sided book and a negative one on a crossed book', () => {
  expect(halfSpreadBps(book([[1, 1]], []))).toBeUndefined();
  expect(halfSpreadBps(book([[101, 1]], [[99, 1]]))).toBe(-100);
  expect(halfSpreadBps(book([[9_999, 1]], [[10_001, 1]]))).toBe(1);
});
