/** The formulas of leaving and shrinking against decimal arithmetic, and the layers of the exit that came with them. */
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { measureQuoteRates, quoteGap } from '../../src/market/quote-rates.ts';
import {
  accountMargin,
  equityShareFor,
  liquidationDistance,
  liquidationPrice,
  liquidationPriceAt,
  shareToKeep,
  transferNeeded,
} from '../../src/strategy/liquidation.ts';
import { movedBy, noPriceMove, observePrice } from '../../src/strategy/price-move.ts';

const D = Decimal.clone({ precision: 60 });
const side = fc.constantFrom('long', 'short');
const fraction = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

describe('liquidation by the margin a leg has', () => {
  it('is the price of the leverage it was opened with, until it earned or paid something', () => {
    fc.assert(
      fc.property(side, fraction(1, 1e5), fraction(1.1, 10), fraction(0.001, 0.05), (leg, price, leverage, m) => {
        const margin = (3 * price) / leverage;
        expect(liquidationPriceAt(leg, 3, price, margin, m) / liquidationPrice(leg, price, leverage, m)).toBeCloseTo(
          1,
          9,
        );
      }),
    );
  });

  it('is where equity equals maintenance, for any margin', () => {
    fc.assert(
      fc.property(
        side,
        fraction(0.001, 100),
        fraction(1, 1e5),
        fraction(0.05, 0.9),
        fraction(0.001, 0.05),
        (leg, q, p, g, m) => {
          const margin = new D(q).mul(p).mul(g);
          const at = new D(liquidationPriceAt(leg, q, p, Number(margin), m));
          const pnl = at
            .minus(p)
            .mul(q)
            .mul(leg === 'long' ? 1 : -1);
          const rest = margin.plus(pnl).minus(at.mul(q).mul(m));
          expect(Number(rest.div(margin))).toBeCloseTo(0, 9);
        },
      ),
    );
  });

  it('uses what the account has free beside what the leg binds', () => {
    // Long 2 at 100, mark 90, leverage 5: binds 36, 14 free, so equity at mark 50, at entry 70.
    expect(accountMargin('long', 2, 100, 90, 5, 14)).toBeCloseTo(70, 12);
    expect(accountMargin('short', 2, 100, 90, 5, 14)).toBeCloseTo(30, 12);
  });
});

describe('how much of a leg to keep', () => {
  it('brings its liquidation exactly to the wanted distance: equity stays, notional goes', () => {
    fc.assert(
      fc.property(side, fraction(0.03, 0.149), fraction(0.001, 0.02), (leg, distance, m) => {
        const [mark, quantity, wanted] = [1_000, 7, 0.25];
        const kept = quantity * shareToKeep(leg, distance, wanted, m);
        const equity = new D(quantity).mul(mark).mul(equityShareFor(leg, distance, m));
        // At mark the margin is the equity.
        const after = liquidationPriceAt(leg, kept, mark, Number(equity), m);
        expect(liquidationDistance(mark, after)).toBeCloseTo(wanted, 9);
      }),
    );
  });

  test.each([
    ['short', 0.12, 0.503_547],
    ['long', 0.12, 0.504_093],
    ['long', 0.3, 1],
  ] as const)('%s at %s', (leg, distance, keep) => {
    expect(shareToKeep(leg, distance, 0.25, 0.012)).toBeCloseTo(keep, 4);
  });

  it('asks for the transfer that gives a leg the margin of its leverage again', () => {
    const m = new D('0.012');
    const equity = new D(2_000).mul(new D('1.18').mul(m.plus(1)).minus(1));
    const expected = new D(2_000).mul(m.plus(new D(1).div(3))).minus(equity);
    expect(transferNeeded('short', 2_000, 0.18, 3, 0.012)).toBeCloseTo(Number(expected), 9);
    expect(transferNeeded('short', 2_000, 0.9, 3, 0.012)).toBe(0);
  });
});

describe('what quote currencies are worth', () => {
  const at = (base: string, quote: string, price: number) => ({ base, quote, price });

  it('is the median over all underlyings, so that one broken market decides nothing', () => {
    const prices = ['BTC', 'ETH', 'SOL'].flatMap((base, index) => [
      at(base, 'USDC', 1_000 * (index + 1)),
      at(base, 'USDT', 1_000 * (index + 1) * (base === 'SOL' ? 1.5 : 1.02)),
    ]);
    const rates = measureQuoteRates(prices, {});
    expect(rates).toEqual([{ first: 'USDC', second: 'USDT', rate: 1.02, samples: 3 }]);
    expect(quoteGap(rates, 'USDT', 'USDC')).toBeCloseTo(0.02, 12);
    expect(quoteGap(rates, 'USDC', 'USDC')).toBe(0);
    expect(quoteGap(rates, 'USDC', 'USD')).toBeUndefined();
  });

  it('is configured where no underlying is priced in both, and only there', () => {
    const prices = [at('BTC', 'USDC', 100), at('ETH', 'USDT', 50)];
    expect(measureQuoteRates(prices, {})).toEqual([]);
    expect(measureQuoteRates(prices, { USDC: 1, USDT: 0.98 })).toMatchObject([{ rate: 1 / 0.98, samples: 0 }]);
    expect(measureQuoteRates([...prices, at('ETH', 'USDC', 50)], { USDC: 1, USDT: 0.98 })).toMatchObject([
      { rate: 1, samples: 1 },
    ]);
  });

  it('takes no notice of prices that are none', () => {
    expect(
      measureQuoteRates([at('BTC', 'USDC', Number.NaN), at('BTC', 'USDT', 100), at('BTC', 'USDC', 0)], {}),
    ).toEqual([]);
  });
});

it('a window of prices holds the extremes of at least its last half and at most all of it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fraction(1, 2)), { minLength: 1 }), (steps) => {
      let atMs = 0;
      let move = noPriceMove;
      const seen: { readonly atMs: number; readonly price: number }[] = [];
      for (const [afterMs, price] of steps) {
        atMs += afterMs;
        seen.push({ atMs, price });
        move = observePrice(move, price, atMs, 1_000);
      }
      const spread = (withinMs: number): number => {
        const prices = seen.filter((one) => one.atMs > atMs - withinMs).map((one) => one.price);
        return Math.max(...prices) / Math.min(...prices) - 1;
      };
      expect(movedBy(move)).toBeGreaterThanOrEqual(spread(500) - 1e-12);
      expect(movedBy(move)).toBeLessThanOrEqual(spread(1_000) + 1e-12);
    }),
  );
});
