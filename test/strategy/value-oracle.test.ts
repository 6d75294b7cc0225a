/** What a pair is worth, by every view and rule, against decimal arithmetic written from the definitions and not from the code. */
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BookLevel } from '../../src/market/book.ts';
import { paymentConfirmsRate } from '../../src/market/funding-check.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { measureQuoteRates, quoteGap } from '../../src/market/quote-rates.ts';
import { notionalMicro } from '../../src/money/amounts.ts';
import { holdValueQuote } from '../../src/strategy/hold-value.ts';
import { executableValue, exitCost, markValue, unifiedValue } from '../../src/strategy/pair-value.ts';
import { pnlViews } from '../../src/strategy/pnl-views.ts';
import type { ViewedLeg } from '../../src/strategy/pnl-views.ts';
import { rotationGain } from '../../src/strategy/rotation.ts';
import { leastSteps, stepNotionalMicro } from '../../src/strategy/sizing.ts';
import type { SizingLeg } from '../../src/strategy/sizing.ts';
import { book, instrument, lots, micro, pico } from '../market/instruments.ts';

const Exact = Decimal.clone({ precision: 80 });

function expectNear(actual: number | undefined, exact: Decimal, scale: Decimal.Value): void {
  const off = exact.minus(actual ?? Number.NaN).abs();
  const allowed = Exact.max(exact.abs(), scale, 1).times(1e-9);
  expect(off.lte(allowed), `${actual} is ${off.toString()} from ${exact.toString()}`).toBe(true);
}

const price = fc.integer({ min: 1_000, max: 90_000_000 }).map((cents) => cents / 100);
const fee = fc.integer({ min: 0, max: 1_000 }).map((value) => value / 1e6);
const signed = fc.integer({ min: -100_000, max: 100_000 }).map((milli) => milli / 1_000);

it('three views and the cost of leaving, as floats', () => {
  const leg = fc.record({
    ...{ signedQuantity: signed, averagePrice: price, markPrice: price, closePrice: price, midPrice: price },
    feeRate: fee,
  });
  fc.assert(
    fc.property(leg, leg, price, signed, (one, other, reference, booked) => {
      const legs = [one, other];
      const scale = Exact.sum(
        ...legs.map((of) =>
          new Exact(of.signedQuantity).abs().times(Math.max(of.averagePrice, of.closePrice, of.markPrice, reference)),
        ),
      );
      const sum = (value: (of: typeof one) => Decimal): Decimal => Exact.sum(...legs.map(value));
      const q = (of: typeof one): Decimal => new Exact(of.signedQuantity);
      const paid = (of: typeof one): Decimal => q(of).abs().times(of.closePrice).times(of.feeRate);
      expectNear(markValue(one), q(one).times(new Exact(one.markPrice).minus(one.averagePrice)), scale);
      expectNear(
        unifiedValue(legs, reference),
        sum((of) => q(of).times(new Exact(reference).minus(of.averagePrice))),
        scale,
      );
      expectNear(
        executableValue(legs, booked),
        sum((of) => q(of).times(new Exact(of.closePrice).minus(of.averagePrice)).minus(paid(of))).plus(booked),
        scale,
      );
      expectNear(
        exitCost(legs),
        sum((of) => q(of).times(new Exact(of.midPrice).minus(of.closePrice)).plus(paid(of))),
        scale.plus(sum((of) => q(of).abs().times(of.midPrice))),
      );
    }),
  );
});

it('three views in micro-units: each amount rounded once, half-even, fees against us', () => {
  const levels: fc.Arbitrary<readonly BookLevel[]> = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000 })),
    { minLength: 1, maxLength: 8, selector: ([ticks]) => ticks },
  );
  const drawn = fc.record({
    lots: fc.integer({ min: 1, max: 2_000 }),
    entryTicks: fc.integer({ min: 1, max: 1_000_000 }),
    markNano: fc.bigInt({ min: 1n, max: 10n ** 15n }),
    indexNano: fc.option(fc.bigInt({ min: 1n, max: 10n ** 15n }), { nil: undefined }),
    takerFee: fc.integer({ min: 0, max: 1_000_000_000 }),
    multiplier: fc.constantFrom(1, 10, 1_000),
    levels,
  });
  fc.assert(
    fc.property(drawn, drawn, fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), (one, other, booked) => {
      const viewed = (of: typeof one, sign: 1 | -1): ViewedLeg => {
        const steps = instrument({ multiplier: of.multiplier });
        const sorted = of.levels.toSorted(([a], [b]) => a - b);
        return {
          ...{ steps, signedLots: of.lots * sign, markNano: of.markNano, indexNano: of.indexNano },
          costMicro: notionalMicro(steps, of.entryTicks, of.lots * sign),
          book: sign > 0 ? book(sorted.toReversed(), []) : book([], sorted),
          takerFee: pico(of.takerFee),
        };
      };
      const [long, short] = [viewed(one, 1), viewed(other, -1)];
      const { steps } = long;
      const lot = new Exact(steps.lotUnits).div(new Exact(10).pow(steps.quantityDecimals));
      const tick = new Exact(steps.tickUnits).div(new Exact(10).pow(steps.priceDecimals));
      const toMicro = (quote: Decimal, mode: Decimal.Rounding): bigint =>
        BigInt(quote.times(1e6).toDecimalPlaces(0, mode).toFixed());
      const even = Decimal.ROUND_HALF_EVEN;
      const hasIndex = one.indexNano !== undefined && other.indexNano !== undefined;
      const per = (of: typeof one): Decimal =>
        new Exact(((hasIndex ? of.indexNano : undefined) ?? of.markNano).toString()).div(1e9).div(of.multiplier);
      const reference = per(one).plus(per(other)).div(2);
      const views = pnlViews(long, short, booked);
      let [mark, unified, executable]: [bigint, bigint, bigint | undefined] = [0n, 0n, booked];
      for (const [of, leg] of [
        [one, long],
        [other, short],
      ] as const) {
        const q = lot.times(leg.signedLots);
        mark += toMicro(q.times(of.markNano.toString()).div(1e9), even) - leg.costMicro;
        unified += toMicro(q.times(of.multiplier).times(reference), even) - leg.costMicro;
        let missing = of.lots;
        let walked = new Exact(0);
        const side = leg.signedLots > 0 ? (leg.book?.bids ?? []) : (leg.book?.asks ?? []);
        for (const [ticks, size] of side) {
          const taken = Math.min(missing, size);
          walked = walked.plus(tick.times(ticks).times(lot).times(taken));
          missing -= taken;
        }
        const charged = toMicro(walked.times(of.takerFee).div(1e12), Decimal.ROUND_UP);
        const closing = toMicro(walked, even) * BigInt(Math.sign(leg.signedLots));
        executable =
          missing > 0 || executable === undefined ? undefined : executable + closing - leg.costMicro - charged;
      }
      expect(views.markMicro).toBe(mark);
      expect(views.unifiedMicro).toBe(unified);
      expect(views.executableMicro).toBe(executable);
    }),
  );
});

it('hold value: every payment until the horizon, each leg bent against us; a rotation gains what is left of the other', () => {
  const rate = fc.integer({ min: -5_000_000, max: 5_000_000 }).map((value) => value / 1e9);
  const outlook: fc.Arbitrary<FundingOutlook> = fc.record({
    nextSettleInMs: fc.integer({ min: 0, max: 8 * HOUR_MS }),
    intervalMs: fc.constantFrom(HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS),
    nextRate: rate,
    medianRate: rate,
    halfLifeHours: fc.constantFrom(1, 8, 24),
  });
  const leg = fc.record({ notionalQuote: price, funding: outlook });
  const haircuts = fc.integer({ min: 0, max: 500 }).map((value) => value / 1_000);
  fc.assert(
    fc.property(
      leg,
      leg,
      haircuts,
      fc.integer({ min: 1, max: 72 }),
      price,
      price,
      (long, short, haircut, hours, ev, exit) => {
        let scale = new Exact(1);
        const value = ({ notionalQuote, funding }: typeof long, sign: 1 | -1): Decimal => {
          const phi = new Exact(0.5).pow(new Exact(funding.intervalMs).div(HOUR_MS).div(funding.halfLifeHours));
          let deviation = new Exact(funding.nextRate).minus(funding.medianRate);
          let sum = new Exact(0);
          for (let atMs = funding.nextSettleInMs; atMs <= hours * HOUR_MS; atMs += funding.intervalMs) {
            sum = sum.plus(deviation.plus(funding.medianRate));
            deviation = deviation.times(phi);
          }
          const flow = sum.times(notionalQuote).times(-sign);
          scale = Exact.max(scale, flow.abs(), new Exact(notionalQuote).times(0.005).times(hours));
          return flow.minus(flow.abs().times(haircut));
        };
        const exact = value(long, 1).plus(value(short, -1));
        const holdQuote = holdValueQuote({ long, short }, hours, haircut);
        expectNear(holdQuote, exact, scale);
        const held = {
          base: 'ETH',
          pairId: 'ETH-1',
          openedAtMs: 0,
          holdQuote: holdQuote ?? Number.NaN,
          exitCostQuote: exit,
        };
        const gain = rotationGain(held, { name: 'BTC', expectedValueQuote: ev });
        expectNear(gain, new Exact(ev).minus(exact).minus(exit), Exact.max(scale, ev, exit));
      },
    ),
  );
});

it('a payment confirms a settled rate within 5 % or 1e-7 of the notional, and not beyond', () => {
  const hourly = fc.integer({ min: -5_000_000_000, max: 5_000_000_000 });
  fc.assert(
    fc.property(
      hourly,
      price,
      fc.integer({ min: -200, max: 200 }),
      fc.constantFrom(1, 4, 8),
      (raw, notional, off, hours) => {
        const stated = new Exact(raw).times(hours).div(1e12);
        const allowed = Exact.max(stated.abs().times(0.05), 1e-7);
        // As far from the stated rate as a share of what is allowed; at the very edge floats may decide either way.
        const implied = stated.plus(allowed.times(off).div(100));
        const payment = implied.times(notional).neg().toNumber();
        const confirmed = paymentConfirmsRate(payment, notional, { hourly: pico(raw), intervalMs: hours * HOUR_MS });
        if (Math.abs(off) !== 100) expect(confirmed).toBe(Math.abs(off) < 100);
      },
    ),
  );
});

it('what currencies are worth in each other is the median of what the same thing costs in both', () => {
  const drawn = fc.array(fc.tuple(price, fc.integer({ min: 900, max: 1_100 })), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(drawn, (list) => {
      const prices = list.flatMap(([paid, permille], index) => [
        { base: `B${index}`, quote: 'USDC', price: paid },
        { base: `B${index}`, quote: 'USDT', price: (paid * permille) / 1_000 },
      ]);
      const ratios = list.map(([, permille]) => permille).toSorted((one, other) => one - other);
      const middle = new Exact((ratios[ratios.length >> 1] ?? 0) + (ratios[(ratios.length - 1) >> 1] ?? 0)).div(2_000);
      const rates = measureQuoteRates(prices, {});
      expectNear(rates[0]?.rate, middle, 1);
      expectNear(quoteGap(rates, 'USDT', 'USDC'), middle.minus(1).abs(), 1);
    }),
  );
});

it('a step’s worth is that at the higher mark; the fewest steps are worth a least order after a fall by a fifth', () => {
  const leg = fc.record({
    lotsPerStep: fc.integer({ min: 1, max: 50 }),
    markNano: fc.bigInt({ min: 10n ** 9n, max: 10n ** 14n }),
    minLots: fc.integer({ min: 1, max: 500 }),
    minNotional: fc.bigInt({ min: 1n, max: 10n ** 10n }),
  });
  fc.assert(
    fc.property(leg, leg, (one, other) => {
      const sized = (of: typeof one): SizingLeg => ({
        instrument: instrument({ minQuantityLots: lots(of.minLots), minNotionalMicro: micro(of.minNotional) }),
        lotsPerStep: of.lotsPerStep,
        markNano: of.markNano,
        ...{ freeMarginQuote: 0, leverage: 1, usableOpenLots: 0, usableCloseLots: 0 },
      });
      const legs = [sized(one), sized(other)] as const;
      const [{ instrument: steps }] = legs;
      const worth = (of: typeof one): Decimal =>
        new Exact(of.markNano.toString())
          .div(1e9)
          .times(of.lotsPerStep)
          .times(steps.lotUnits)
          .div(new Exact(10).pow(steps.quantityDecimals))
          .times(1e6)
          .toDecimalPlaces(0, Decimal.ROUND_HALF_EVEN);
      const higher = Exact.max(worth(one), worth(other), 1);
      expect(stepNotionalMicro(...legs).toString()).toBe(higher.toFixed());
      const least = (of: typeof one): Decimal =>
        Exact.max(
          new Exact(of.minLots).div(of.lotsPerStep).ceil(),
          new Exact(of.minNotional.toString()).div(worth(of).times(0.8)).ceil(),
        );
      if (worth(one).isZero() || worth(other).isZero()) return;
      expect(leastSteps(...legs)).toBe(Exact.max(1, least(one), least(other)).toNumber());
    }),
  );
});
