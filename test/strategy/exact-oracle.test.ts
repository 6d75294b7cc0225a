/** The entry's formulas against decimal arithmetic, written a second time from their definitions and not from the code. */
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BookLevel } from '../../src/market/book.ts';
import { conservativeFunding, expectedFunding, expectedRateSum } from '../../src/market/funding-forecast.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { HOUR_MS, hourlyFromText, perSettlement } from '../../src/market/funding-rate.ts';
import { fundingMicro } from '../../src/money/amounts.ts';
import { slippageBps, walkBook } from '../../src/strategy/book-walk.ts';
import { liquidationDistance, liquidationPrice, maxLeverageFor } from '../../src/strategy/liquidation.ts';
import { evaluateOpportunity, worstLoss } from '../../src/strategy/opportunity.ts';
import type { CandidateLeg } from '../../src/strategy/opportunity.ts';
import { priceCapTicks } from '../../src/strategy/order-price.ts';
import { instrument, pico } from '../market/instruments.ts';

const Exact = Decimal.clone({ precision: 80 });

/** Doubles carry 15 digits; what is left of a difference of large numbers is judged by what it was made from. */
function expectNear(actual: number, exact: Decimal, scale: Decimal.Value = 1): void {
  const allowed = Exact.max(exact.abs(), scale).times(1e-9);
  const off = exact.minus(actual).abs();
  expect(off.lte(allowed), `${actual} is ${off.toString()} from ${exact.toString()}`).toBe(true);
}

const price = fc.integer({ min: 1_000, max: 900_000_000 }).map((cents) => cents / 100);
const rate = fc.integer({ min: -5_000_000, max: 5_000_000 }).map((value) => value / 1e9);
const fee = fc.integer({ min: 0, max: 1_000 }).map((value) => value / 1e6);
const share = fc.integer({ min: 1, max: 500 }).map((value) => value / 1_000);
const outlook: fc.Arbitrary<FundingOutlook> = fc.record({
  nextSettleInMs: fc.integer({ min: 0, max: 8 * HOUR_MS }),
  intervalMs: fc.constantFrom(HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS),
  nextRate: rate,
  medianRate: rate,
  halfLifeHours: fc.constantFrom(1, 8, 24, 1_000),
});
const leg: fc.Arbitrary<CandidateLeg> = fc.record({
  entryPrice: price,
  exitPrice: price,
  markPrice: price,
  hourlyRate: rate,
  takerFee: fee,
  funding: outlook,
  marginQuote: price,
});

/** Every settlement by itself: mu + (r1 - mu) phi^(k-1), for all k whose time is within the horizon. */
function exactFunding(funding: FundingOutlook, signedNotional: Decimal, horizonMs: number): Decimal {
  let sum = new Exact(0);
  const phi = new Exact(0.5).pow(new Exact(funding.intervalMs).div(HOUR_MS).div(funding.halfLifeHours));
  let deviation = new Exact(funding.nextRate).minus(funding.medianRate);
  for (let atMs = funding.nextSettleInMs; atMs <= horizonMs; atMs += funding.intervalMs) {
    sum = sum.plus(deviation.plus(funding.medianRate));
    deviation = deviation.times(phi);
  }
  return sum.times(signedNotional).neg();
}

it('walk: average and slippage are those of taking level after level', () => {
  const levels: fc.Arbitrary<readonly BookLevel[]> = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000_000 })),
    { minLength: 1, maxLength: 20, selector: ([ticks]) => ticks },
  );
  fc.assert(
    fc.property(levels, fc.integer({ min: 1, max: 20_000_000 }), (unsorted, lots) => {
      const asks = unsorted.toSorted(([one], [other]) => one - other);
      let missing = new Exact(lots);
      let cost = new Exact(0);
      for (const [ticks, size] of asks) {
        const taken = Exact.min(missing, size);
        cost = cost.plus(taken.times(ticks));
        missing = missing.minus(taken);
      }
      const walk = walkBook(asks, lots);
      expect(walk.filled).toBe(missing.isZero());
      if (!walk.filled) return;
      expect(walk.costTickLots.toString()).toBe(cost.toFixed());
      expectNear(walk.vwapTicks, cost.div(lots));
      const mid = 500_000.5;
      expectNear(slippageBps('buy', walk.vwapTicks, mid), cost.div(lots).minus(mid).div(mid).times(1e4), 1e4);
    }),
  );
});

it('opportunity: cost, carry, funding, value and score', () => {
  fc.assert(
    fc.property(leg, leg, fc.integer({ min: 1, max: 100_000 }), share, (long, short, milli, haircut) => {
      const quantity = milli / 1_000;
      const horizonHours = 48;
      const metrics = evaluateOpportunity(
        { quantity, long, short },
        { horizonHours, haircut, breakEvenLimitHours: horizonHours },
      );
      const q = new Exact(quantity);
      const fees = (at: 'entryPrice' | 'exitPrice'): Decimal =>
        q.times(new Exact(long[at]).times(long.takerFee).plus(new Exact(short[at]).times(short.takerFee)));
      const edge = q.times(new Exact(short.entryPrice).minus(long.entryPrice));
      const leaving = q.times(new Exact(short.exitPrice).minus(long.exitPrice));
      const cost = fees('entryPrice').plus(fees('exitPrice')).plus(leaving).minus(edge);
      const paid = [long, short].map((side, index) => {
        const notional = q.times(side.markPrice).times(index === 0 ? 1 : -1);
        const expected = exactFunding(side.funding, notional, horizonHours * HOUR_MS);
        return expected.minus(expected.abs().times(haircut));
      });
      const funding = Exact.sum(...paid);
      const size = q.times(Exact.max(long.entryPrice, short.entryPrice, long.exitPrice, short.exitPrice));
      const flow = Exact.max(...paid.map((part) => part.abs()), size);
      const carry = q.times(
        new Exact(short.markPrice).times(short.hourlyRate).minus(new Exact(long.markPrice).times(long.hourlyRate)),
      );
      const capital = new Exact(long.marginQuote).plus(short.marginQuote).times(1.5);
      expectNear(metrics.roundTripCostQuote, cost, size);
      expectNear(metrics.hourlyCarryQuote, carry, q.times(Exact.max(long.markPrice, short.markPrice)));
      expectNear(metrics.expectedFundingQuote, funding, flow);
      expectNear(metrics.expectedValueQuote, funding.minus(cost), flow);
      expectNear(metrics.capitalQuote, capital);
      expectNear(metrics.score, funding.minus(cost).div(capital).div(horizonHours), flow.div(capital));
    }),
  );
});

it('worst case: four fills at the ends of what orders may pay, with fees', () => {
  fc.assert(
    fc.property(
      leg,
      leg,
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 0, max: 500 }),
      (long, short, q, bps) => {
        const off = new Exact(bps).div(1e4);
        const fills = [
          { at: new Exact(long.entryPrice), sign: -1, fee: long.takerFee },
          { at: new Exact(long.markPrice).times(new Exact(1).minus(off)), sign: 1, fee: long.takerFee },
          { at: new Exact(short.entryPrice), sign: 1, fee: short.takerFee },
          { at: new Exact(short.markPrice).times(new Exact(1).plus(off)), sign: -1, fee: short.takerFee },
        ];
        const brought = Exact.sum(...fills.map(({ at, sign, fee: taken }) => at.times(sign).minus(at.times(taken))));
        const size = Exact.max(...fills.map(({ at }) => at)).times(q);
        const loss = worstLoss(
          q,
          { ...long, limitPrice: long.entryPrice },
          { ...short, limitPrice: short.entryPrice },
          bps,
        );
        expectNear(loss, brought.times(q).neg(), size);
      },
    ),
  );
});

it('forecast: the closed sum is the sum of its payments, and only those within the horizon count', () => {
  fc.assert(
    fc.property(
      outlook,
      price,
      fc.integer({ min: 0, max: 72 * HOUR_MS }),
      share,
      (funding, notional, horizonMs, cut) => {
        const exact = exactFunding(funding, new Exact(notional), horizonMs);
        expectNear(expectedFunding(funding, notional, horizonMs), exact, notional);
        expectNear(
          conservativeFunding(funding, notional, horizonMs, cut),
          exact.minus(exact.abs().times(cut)),
          notional,
        );
      },
    ),
  );
});

it('EX-5: 48 hours of a rate that falls back to its median', () => {
  const flat = { nextSettleInMs: 0, intervalMs: HOUR_MS, nextRate: 0.000_045, medianRate: 0.000_01, halfLifeHours: 8 };
  expect(expectedRateSum(flat, 48)).toBeCloseTo(0.000_895_118, 9);
  expectNear(expectedRateSum(flat, 48), exactFunding(flat, new Exact(-1), 47 * HOUR_MS), 1e-6);
});

it('liquidation: equity there is exactly the maintenance margin, and the largest leverage keeps the distance', () => {
  const cases = fc.tuple(
    fc.constantFrom('long' as const, 'short' as const),
    price,
    fc.integer({ min: 1, max: 50 }),
    share.filter((m) => m < 0.2),
    share,
  );
  fc.assert(
    fc.property(cases, ([side, entry, leverage, maintenance, distance]) => {
      const at = liquidationPrice(side, entry, leverage, maintenance);
      // Per unit: what was put up, plus what the price has brought, against m of the value there.
      const moved = new Exact(at).minus(entry).times(side === 'long' ? 1 : -1);
      const equity = new Exact(entry).div(leverage).plus(moved);
      expectNear(equity.toNumber(), new Exact(at).times(maintenance), entry);

      const most = maxLeverageFor(side, distance, maintenance);
      const there = liquidationPrice(side, entry, most, maintenance);
      expectNear(liquidationDistance(entry, there), new Exact(distance));
    }),
  );
});

it('cap prices: the best tick that keeps all limits, and no further tick does', () => {
  const bps = fc.integer({ min: 0, max: 500 }).map((value) => value / 10);
  const cases = fc.tuple(
    fc.constantFrom('buy' as const, 'sell' as const),
    fc.integer({ min: 100, max: 10_000_000 }),
    fc.bigInt({ min: 1_000_000_000n, max: 500_000_000_000_000n }),
    fc.constantFrom(1, 5, 50),
    bps,
    bps,
    fc.option(fc.integer({ min: 0, max: 100_000_000_000 }), { nil: undefined }),
  );
  fc.assert(
    fc.property(cases, ([side, worstTicks, markNano, tickUnits, bufferBps, maxDeviationBps, band]) => {
      const traded = instrument({ tickUnits, ...(band === undefined ? {} : { priceBand: pico(band) }) });
      const ticks = priceCapTicks(side, worstTicks, markNano, traded, { bufferBps, maxDeviationBps });
      const tick = new Exact(tickUnits).div(100);
      const mark = new Exact(markNano.toString()).div(1e9);
      const away = (from: Decimal, fraction: Decimal): Decimal =>
        from.times(new Exact(1).plus(fraction.times(side === 'buy' ? 1 : -1)));
      const limits = [
        away(tick.times(worstTicks), new Exact(bufferBps).div(1e4)),
        away(mark, new Exact(maxDeviationBps).div(1e4)),
        ...(band === undefined ? [] : [away(mark, new Exact(band).div(1e12))]),
      ];
      const keeps = (at: Decimal): boolean => limits.every((limit) => (side === 'buy' ? at.lte(limit) : at.gte(limit)));
      expect(keeps(tick.times(ticks))).toBe(true);
      // Limits are kept to 1e-9 quote: the next tick is beyond them, or not further than that within.
      const next = tick.times(ticks + (side === 'buy' ? 1 : -1));
      const slack = new Exact(1e-9).times(side === 'buy' ? 1 : -1);
      expect(keeps(next.plus(slack))).toBe(false);
    }),
  );
});

it('funding amounts: minus quantity x price x rate per settlement, half-even to the micro-unit', () => {
  const cases = fc.tuple(
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.bigInt({ min: 1n, max: 500_000_000_000_000n }),
    fc.integer({ min: -9_000, max: 9_000 }),
    fc.constantFrom(HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS),
    fc.constantFrom('percent' as const, 'fraction' as const),
  );
  const HalfEven = Decimal.clone({ precision: 80, rounding: Decimal.ROUND_HALF_EVEN });
  fc.assert(
    fc.property(cases, ([signedLots, priceNano, units, perMs, scale]) => {
      const raw = new Exact(units).div(scale === 'percent' ? 1e6 : 1e8).toFixed();
      const hourly = hourlyFromText(raw, { scale, perMs });
      if (typeof hourly !== 'number') throw new Error(hourly.detail);
      const fraction = new HalfEven(raw).div(scale === 'percent' ? 100 : 1);
      const perHour = fraction.times(HOUR_MS).div(perMs).times(1e12).toDecimalPlaces(0);
      expect(hourly).toBe(perHour.toNumber() + 0);
      const intervalMs = 8 * HOUR_MS;
      const settled = perHour.times(intervalMs).div(HOUR_MS).toDecimalPlaces(0);
      expect(perSettlement({ hourly, intervalMs })).toBe(settled.toNumber() + 0);

      const steps = { priceDecimals: 2, tickUnits: 5, quantityDecimals: 3, lotUnits: 1 };
      const exact = new HalfEven(signedLots)
        .div(1e3)
        .times(new HalfEven(priceNano.toString()).div(1e9))
        .times(settled.div(1e12))
        .neg()
        .times(1e6);
      expect(fundingMicro(steps, signedLots, priceNano, pico(settled.toNumber()))).toBe(
        BigInt(exact.toDecimalPlaces(0).toFixed()),
      );
    }),
  );
});
