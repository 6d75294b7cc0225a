import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalUnderlying, commonStep, markGap, mismatch, stepQuantity } from '../../src/market/instrument-match.ts';
import { instrument, lots } from './instruments.ts';

describe('EX-12 common step', () => {
  it('is 0.01 for lots of 0.005 and 0.002', () => {
    const step = commonStep(
      instrument({ quantityDecimals: 3, lotUnits: 5 }),
      instrument({ quantityDecimals: 3, lotUnits: 2 }),
    );
    expect(stepQuantity(step)).toBe(0.01);
    expect(step).toMatchObject({ longLots: 2, shortLots: 5, numerator: 1n, denominator: 100n });
  });

  it('is 100,000 PEPE for 1000PEPE in lots of 100 contracts beside PEPE in lots of 1', () => {
    const thousands = instrument({ base: 'PEPE', multiplier: 1_000, quantityDecimals: 0, lotUnits: 100 });
    const single = instrument({ base: 'PEPE', quantityDecimals: 0, lotUnits: 1 });
    expect(commonStep(thousands, single)).toMatchObject({ longLots: 1, shortLots: 100_000, numerator: 100_000n });
  });
});

it('gives both legs exactly the same quantity for any lots and multipliers', () => {
  const any = fc.record({
    multiplier: fc.constantFrom(1, 1_000, 0.01, 0.001, 10),
    quantityDecimals: fc.integer({ min: 0, max: 6 }),
    lotUnits: fc.constantFrom(1, 2, 3, 5, 10, 25, 100),
  });
  const quantity = (of: { multiplier: number; quantityDecimals: number; lotUnits: number }, count: number): string =>
    new Decimal(of.lotUnits).times(of.multiplier).times(count).div(new Decimal(10).pow(of.quantityDecimals)).toString();
  fc.assert(
    fc.property(any, any, (one, other) => {
      const step = commonStep(instrument(one), instrument(other));
      expect(step.longLots).toBeGreaterThanOrEqual(1);
      expect(quantity(one, step.longLots)).toBe(quantity(other, step.shortLots));
      // Nothing smaller works: the counts share no factor.
      const shared = (a: number, b: number): number => (b === 0 ? a : shared(b, a % b));
      expect(shared(step.longLots, step.shortLots)).toBe(1);
    }),
  );
});

it('refuses a multiplier that is no positive decimal', () => {
  expect(() => commonStep(instrument({ multiplier: 0 }), instrument({ minQuantityLots: lots(1) }))).toThrow(
    'multiplier of lighter ETH must be a positive decimal, was 0',
  );
});

describe('mismatch', () => {
  const pepe = instrument({ base: 'PEPE' });
  const thousand = instrument({ base: 'PEPE', multiplier: 1_000, venue: 'extended' });

  it('compares marks per unit of the underlying', () => {
    expect(markGap(pepe, 10_000n, thousand, 10_100_000n)).toBeCloseTo(0.01, 12);
    expect(mismatch(pepe, 10_000n, thousand, 10_100_000n, 0.02)).toBeUndefined();
  });

  it('names a redenomination or ticker collision by its gap', () => {
    expect(mismatch(pepe, 10_000n, thousand, 10_300_000n, 0.02)).toBe('marks 3.00 % apart > 2.00 %');
    expect(mismatch(pepe, 1n, instrument(), 1n, 0.02)).toBe('base PEPE is not ETH');
  });
});

it('maps names that are known to mean something else and no others', () => {
  expect(canonicalUnderlying('1000PEPE')).toEqual({ base: 'PEPE', multiplier: 1_000 });
  expect(canonicalUnderlying('XBT')).toEqual({ base: 'BTC', multiplier: 1 });
  expect(canonicalUnderlying('1INCH')).toEqual({ base: '1INCH', multiplier: 1 });
  expect(canonicalUnderlying('constructor')).toEqual({ base: 'constructor', multiplier: 1 });
});
