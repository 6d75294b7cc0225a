/** The formulas of execution against decimal arithmetic, written a second time from their definitions and not from the code. */
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { completeOrUnwind, topUpOrTrim } from '../../src/execution/complete-or-unwind.ts';
import type { RemainderTrade } from '../../src/execution/complete-or-unwind.ts';
import { observeExposure, resumedExposureClock, stoppedExposureClock } from '../../src/execution/exposure-clock.ts';
import { FLAT, applyTrade } from '../../src/execution/position-arithmetic.ts';

const Exact = Decimal.clone({ precision: 80 });

/** Doubles carry 15 digits; what is left of a difference of large numbers is judged by what it was made from. */
function expectNear(actual: number | undefined, exact: Decimal, scale: Decimal.Value): void {
  const off = exact.minus(actual ?? Number.NaN).abs();
  const allowed = Exact.max(exact.abs(), scale, 1).times(1e-9);
  expect(off.lte(allowed), `${actual} is ${off.toString()} from ${exact.toString()}`).toBe(true);
}

const price = fc.integer({ min: 1_000, max: 90_000_000 }).map((cents) => cents / 100);
const quantity = fc.integer({ min: 1, max: 100_000 }).map((milli) => milli / 1_000);
const fee = fc.integer({ min: 0, max: 1_000 }).map((value) => value / 1e6);
const quote = fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100);
const side = fc.constantFrom('buy' as const, 'sell' as const);

/** How much worse a price is than what it is compared with, per unit. */
const worse = (of: 'buy' | 'sell', reference: number, at: number): Decimal =>
  of === 'buy' ? new Exact(at).minus(reference) : new Exact(reference).minus(at);

it('complete or unwind: the value of either way, and the larger one is chosen within the cap', () => {
  const trade = fc.record({ side, reference: price, price, feeRate: fee });
  fc.assert(
    fc.property(quote, quantity, quantity, trade, trade, (expected, planned, filled, complete, unwind) => {
      const verdict = completeOrUnwind({
        expectedValueQuote: expected,
        plannedQuantity: planned,
        filledQuantity: filled,
        completion: { ...complete, plannedPrice: complete.reference },
        unwinding: { ...unwind, filledPrice: unwind.reference },
        maxBps: 50_000,
        overdue: false,
      });
      const f = new Exact(filled);
      const extra = f.times(worse(complete.side, complete.reference, complete.price));
      const completed = new Exact(expected)
        .times(f)
        .div(planned)
        .minus(extra.times(new Exact(1).plus(complete.feeRate)));
      const undone = f
        .times(worse(unwind.side, unwind.reference, unwind.price))
        .plus(f.times(unwind.price).times(unwind.feeRate))
        .neg();
      const scale = f.times(Exact.max(complete.reference, complete.price, unwind.reference, unwind.price));
      expectNear(verdict.completeQuote, completed, Exact.max(scale, f.div(planned).times(expected).abs()));
      expectNear(verdict.unwindQuote, undone, scale);
      const bps = worse(complete.side, complete.reference, complete.price).div(complete.reference).times(1e4);
      if (bps.gt(50_001)) expect(verdict.action).toBe('unwind');
      else if (bps.lt(49_999) && completed.minus(undone).abs().gt(scale.times(1e-6)))
        expect(verdict.action).toBe(completed.gt(undone) ? 'complete' : 'unwind');
    }),
  );
});

it('a remainder: what topping up and hedging brings, what giving back costs', () => {
  const trade: fc.Arbitrary<RemainderTrade & { readonly price: number }> = fc.record({
    ...{ side, quantity, reference: price, price, feeRate: fee },
  });
  fc.assert(
    fc.property(quote, trade, trade, trade, (expectedValueQuote, addition, hedge, trim) => {
      const verdict = topUpOrTrim({ expectedValueQuote, addition, hedge, trim });
      const slipped = (of: typeof trim): Decimal => worse(of.side, of.reference, of.price).times(of.quantity);
      const withFee = (of: typeof trim): Decimal => slipped(of).times(new Exact(1).plus(of.feeRate));
      const topUp = new Exact(expectedValueQuote).minus(withFee(addition)).minus(withFee(hedge));
      const given = slipped(trim).plus(new Exact(trim.quantity).times(trim.price).times(trim.feeRate)).neg();
      const scale = Exact.max(
        ...[addition, hedge, trim].map((of) => new Exact(of.quantity).times(Math.max(of.price, of.reference))),
      );
      expectNear(verdict.topUpQuote, topUp, scale);
      expectNear(verdict.trimQuote, given, scale);
      if (topUp.minus(given).abs().gt(scale.times(1e-6)))
        expect(verdict.action).toBe(topUp.gt(given) ? 'top-up' : 'trim');
    }),
  );
});

it('average cost: price profit and what is left are those of the average, to a micro-unit for every reduction', () => {
  const steps = { priceDecimals: 2, tickUnits: 5, quantityDecimals: 3, lotUnits: 10 };
  const trades = fc.array(
    fc.tuple(
      fc.integer({ min: -500, max: 500 }).filter((lots) => lots !== 0),
      fc.integer({ min: 1, max: 2_000_000 }),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(trades, (list) => {
      let position = FLAT;
      let realised = 0n;
      let reductions = 0;
      // The definition: quantity, its average price, profit taken when it shrinks; a trade past zero closes and opens.
      let held = new Exact(0);
      let average = new Exact(0);
      let profit = new Exact(0);
      for (const [lots, ticks] of list) {
        const traded = applyTrade(position, lots, ticks, steps);
        position = traded.position;
        realised += traded.realisedMicro;
        const x = new Exact(lots).times('0.01');
        const p = new Exact(ticks).times('0.05');
        if (held.isZero() || held.isPositive() === x.isPositive()) {
          average = average.times(held.abs()).plus(p.times(x.abs())).div(held.plus(x).abs());
          held = held.plus(x);
          continue;
        }
        reductions += 1;
        const closed = Exact.min(held.abs(), x.abs());
        profit = profit.plus(
          p
            .minus(average)
            .times(closed)
            .times(held.isPositive() ? 1 : -1),
        );
        const isFlipped = x.abs().gt(held.abs());
        held = held.plus(x);
        if (isFlipped) average = p;
        if (held.isZero()) average = new Exact(0);
      }
      expect(new Exact(position.signedLots).times('0.01').toString()).toBe(held.toString());
      const cost = held.times(average).times(1e6);
      expect(
        cost
          .minus(position.costMicro.toString())
          .abs()
          .lte(reductions + 1),
      ).toBe(true);
      expect(
        profit
          .times(1e6)
          .minus(realised.toString())
          .abs()
          .lte(reductions + 1),
      ).toBe(true);
      // What was paid in all is what is still held plus what was lost: exact, whatever was rounded on the way.
      const paid = list.reduce((sum, [lots, ticks]) => sum + BigInt(lots) * BigInt(ticks) * 500n, 0n);
      expect(position.costMicro - realised).toBe(paid);
    }),
  );
});

it('exposure: the area under what stands alone, its greatest height, and the time above zero', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 1_000_000 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 100_000 }), (list, deadMs) => {
      let clock = stoppedExposureClock;
      let now = 0;
      let area = new Exact(0);
      let aloneMs = 0;
      let height = 0;
      for (const [pauseMs, cents] of list) {
        area = area.plus(new Exact(height).times(pauseMs).div(1_000));
        if (height > 0) aloneMs += pauseMs;
        now += pauseMs;
        height = cents / 100;
        clock = observeExposure(clock, height, now);
      }
      expectNear(clock.quoteSeconds, area, 1);
      expect(clock.unhedgedMs).toBe(aloneMs);
      expect(clock.maxUnhedgedQuote).toBe(Math.max(...list.map(([, cents]) => cents / 100)));
      // Nobody counted while nobody lived: what stood alone then stood alone through it.
      const { quoteSeconds, maxUnhedgedQuote, unhedgedMs, unhedgedQuote } = clock;
      const resumed = resumedExposureClock(
        { quoteSeconds, maxUnhedgedQuote, unhedgedMs, unhedgedQuote, atMs: 0 },
        deadMs,
        now + deadMs,
      );
      expectNear(resumed.quoteSeconds, area.plus(new Exact(height).times(deadMs).div(1_000)), 1);
    }),
  );
});
