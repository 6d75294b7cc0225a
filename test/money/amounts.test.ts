import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  feeMicro,
  fundingMicro,
  microFromText,
  microText,
  notionalMicro,
  notionalMicroAtNano,
  orderPriceTicks,
  priceNano,
  priceText,
  priceTicksFromText,
  quantityLotsFromText,
  quantityText,
  safeInteger,
  shareUp,
} from '../../src/money/amounts.ts';
import type { Steps } from '../../src/money/amounts.ts';
import type { PicoRate } from '../../src/money/units.ts';

const Exact = Decimal.clone({ precision: 120 });
/** Tick 0.05, lot 0.001. */
const steps: Steps = { priceDecimals: 2, tickUnits: 5, quantityDecimals: 3, lotUnits: 1 };
const rate = (pico: number): PicoRate => pico as PicoRate;

const anySteps: fc.Arbitrary<Steps> = fc.record({
  priceDecimals: fc.integer({ min: 0, max: 10 }),
  tickUnits: fc.constantFrom(1, 2, 5, 10, 25, 50),
  quantityDecimals: fc.integer({ min: 0, max: 8 }),
  lotUnits: fc.constantFrom(1, 2, 5, 100),
});
const ticks = fc.integer({ min: 1, max: 10_000_000 });
const lots = fc.integer({ min: -10_000_000, max: 10_000_000 });

function exactNotional(of: Steps, priceTicks: number, signedLots: number): Decimal {
  const price = new Exact(priceTicks).times(of.tickUnits).div(new Exact(10).pow(of.priceDecimals));
  return price.times(signedLots).times(of.lotUnits).div(new Exact(10).pow(of.quantityDecimals));
}
function micro(quote: Decimal, rounding: Decimal.Rounding): bigint {
  return BigInt(quote.times(1_000_000).toDecimalPlaces(0, rounding).toFixed(0));
}

describe('price and quantity text', () => {
  test.each([
    ['100', 2_000],
    ['100.05', 2_001],
    ['100.0500', 2_001],
  ])('reads price %s as %i ticks', (text, expected) => {
    expect(priceTicksFromText(text, steps)).toBe(expected);
  });

  test.each(['0', '-1', '100.01', '100.001', '1e5', '', 'Infinity'])(
    'refuses price %j, naming rule and value',
    (text) => {
      expect(() => priceTicksFromText(text, steps)).toThrow(
        `price must be a positive multiple of 0.05, was ${JSON.stringify(text)}`,
      );
    },
  );

  it('refuses a quantity between two lots and accepts zero', () => {
    expect(quantityLotsFromText('0', steps)).toBe(0);
    expect(() => quantityLotsFromText('0.0005', steps)).toThrow(
      'quantity must be a multiple of 0.001, zero or more, was "0.0005"',
    );
    expect(() => quantityLotsFromText('-1', steps)).toThrow('zero or more');
  });

  it('refuses counts beyond the safe integers', () => {
    expect(() => quantityLotsFromText('9007199254740993', steps)).toThrow('quantity must be');
    expect(() => safeInteger('lots', 2n ** 53n)).toThrow('lots must be within the safe integers, was 9007199254740992');
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(anySteps, ticks, fc.integer({ min: 0, max: 10_000_000 }), (of, priceTicks, quantity) => {
        expect(priceTicksFromText(priceText(priceTicks, of), of)).toBe(priceTicks);
        expect(quantityLotsFromText(quantityText(quantity, of), of)).toBe(quantity);
      }),
    );
  });
});

describe('money', () => {
  it('reads and writes micro-units exactly', () => {
    expect(microFromText('-4.992116')).toBe(-4_992_116n);
    expect(microText(-4_992_116n)).toBe('-4.992116');
    expect(() => microFromText('0.0000001')).toThrow('amount must be a decimal with at most 6 fraction digits');
  });

  it('agrees with decimal.js on notionals, fees and funding for any instrument', () => {
    fc.assert(
      fc.property(
        anySteps,
        ticks,
        lots,
        fc.integer({ min: -500_000_000, max: 1_000_000_000 }),
        (of, price, signed, pico) => {
          const exact = exactNotional(of, price, signed);
          expect(notionalMicro(of, price, signed)).toBe(micro(exact, Decimal.ROUND_HALF_EVEN));

          const fraction = new Exact(pico).div(1e12);
          const unsigned = Math.abs(signed);
          expect(feeMicro(of, price, unsigned, rate(pico))).toBe(
            -micro(exact.abs().times(fraction), Decimal.ROUND_CEIL),
          );

          const nano = BigInt(price) * 1_001n;
          const funding = new Exact(nano.toString()).div(1e9).times(signed).times(of.lotUnits).times(fraction);
          expect(fundingMicro(of, signed, nano, rate(pico))).toBe(
            micro(funding.neg().div(new Exact(10).pow(of.quantityDecimals)), Decimal.ROUND_HALF_EVEN),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('rounds fees against us and margins up', () => {
    // 0.05 x 0.001 = 0.00005 quote at 1 % is half a micro-unit.
    expect(feeMicro(steps, 1, 1, rate(10_000_000_000))).toBe(-1n);
    expect(feeMicro(steps, 1, 1, rate(-10_000_000_000))).toBe(0n);
    expect(shareUp(1n, 1)).toBe(1n);
  });

  it('pays the long of a positive rate out and the short in', () => {
    const markNano = 3_000_000_000_000n;
    expect(fundingMicro(steps, 1_000, markNano, rate(12_000_000))).toBe(-36_000n);
    expect(fundingMicro(steps, -1_000, markNano, rate(12_000_000))).toBe(36_000n);
  });
});

describe('orderPriceTicks', () => {
  it('rounds a buy down and a sell up to a tick', () => {
    const nano = 100_070_000_000n;
    expect(orderPriceTicks('buy', nano, steps)).toBe(2_001);
    expect(orderPriceTicks('sell', nano, steps)).toBe(2_002);
    expect(orderPriceTicks('buy', 100_050_000_000n, steps)).toBe(2_001);
    expect(orderPriceTicks('sell', 100_050_000_000n, steps)).toBe(2_001);
  });

  it('never passes the cap on either side, even for ticks finer than nano', () => {
    fc.assert(
      fc.property(anySteps, fc.bigInt({ min: 1n, max: 10n ** 14n }), (of, nano) => {
        const buy = orderPriceTicks('buy', nano, of);
        const sell = orderPriceTicks('sell', nano, of);
        const scale = 10n ** BigInt(of.priceDecimals);
        const tick = BigInt(of.tickUnits) * 10n ** 9n;
        expect(BigInt(buy) * tick <= nano * scale).toBe(true);
        expect(BigInt(sell) * tick >= nano * scale).toBe(true);
        expect(sell - buy).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('agrees with priceNano and notionalMicroAtNano on tick prices', () => {
    expect(priceNano(2_001, steps)).toBe(100_050_000_000n);
    expect(notionalMicroAtNano(steps, priceNano(2_001, steps), -7)).toBe(notionalMicro(steps, 2_001, -7));
    expect(priceNano(3, { ...steps, priceDecimals: 10, tickUnits: 5 })).toBe(2n);
  });
});
