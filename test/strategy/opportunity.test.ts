import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedRate } from '../../src/market/funding-forecast.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { evaluateOpportunity } from '../../src/strategy/opportunity.ts';
import type { Candidate, CandidateLeg } from '../../src/strategy/opportunity.ts';

const hourly = (rate: number, nextSettleInH = 0.2): CandidateLeg['funding'] => ({
  nextSettleInMs: nextSettleInH * HOUR_MS,
  intervalMs: HOUR_MS,
  nextRate: rate,
  medianRate: rate,
  halfLifeHours: 8,
});
const ex3: Candidate = {
  quantity: 3.3,
  long: {
    entryPrice: 3_000.95,
    exitPrice: 3_000.55,
    markPrice: 3_000.8,
    hourlyRate: -0.00001,
    takerFee: 0.00025,
    funding: hourly(-0.00001),
    marginQuote: (3.3 * 3_000.8) / 5,
  },
  short: {
    entryPrice: 3_001.15,
    exitPrice: 3_001.55,
    markPrice: 3_001.3,
    hourlyRate: 0.000035,
    takerFee: 0,
    funding: hourly(0.000035),
    marginQuote: (3.3 * 3_001.3) / 5,
  },
};
const terms = { horizonHours: 48, haircut: 0, breakEvenLimitHours: 48 };

describe('EX-3 opportunity', () => {
  const metrics = evaluateOpportunity(ex3, terms);

  it('costs what both books and fees say', () => {
    expect(metrics.entryEdgeQuote).toBeCloseTo(0.66, 9);
    expect(metrics.exitCostQuote).toBeCloseTo(3.3, 9);
    expect(metrics.feesInQuote).toBeCloseTo(2.47578375, 9);
    expect(metrics.feesOutQuote).toBeCloseTo(2.47545375, 9);
    expect(metrics.roundTripCostQuote).toBeCloseTo(7.5912375, 9);
  });

  it('earns what both rates say', () => {
    expect(metrics.hourlyCarryQuote).toBeCloseTo(0.44567655, 9);
    expect(metrics.notionalQuote).toBeCloseTo(9_903.465, 9);
    expect(metrics.netAprPct).toBeCloseTo(39.4218, 4);
    expect(metrics.expectedFundingQuote).toBeCloseTo(21.3924744, 9);
    expect(metrics.expectedValueQuote).toBeCloseTo(13.8012369, 9);
  });

  it('breaks even with the 18th payment, 17.2 h from now', () => {
    expect(metrics.accrualBreakEvenHours).toBeCloseTo(17.0331, 4);
    expect(metrics.breakEven?.payments).toBe(18);
    expect(metrics.breakEven?.hours).toBeCloseTo(17.2, 9);
  });

  it('returns 0.232263 % of its capital, 42.388 % a year', () => {
    expect(metrics.capitalQuote).toBeCloseTo(5_942.079, 6);
    expect(metrics.returnOnCapital * 100).toBeCloseTo(0.232263, 6);
    expect(metrics.annualReturnPct).toBeCloseTo(42.388, 3);
    expect(metrics.score).toBeCloseTo(metrics.returnOnCapital / 48, 12);
  });
});

it('takes the haircut off each leg separately', () => {
  const costly: Candidate = { ...ex3, long: { ...ex3.long, funding: hourly(0.00001), hourlyRate: 0.00001 } };
  const long = 48 * 3.3 * 3_000.8 * 0.00001;
  const short = 48 * 3.3 * 3_001.3 * 0.000035;
  const expected = short * 0.75 - long * 1.25;
  expect(evaluateOpportunity(costly, { ...terms, haircut: 0.25 }).expectedFundingQuote).toBeCloseTo(expected, 9);
});

it('has no break-even when funding never pays the cost within the limit', () => {
  expect(evaluateOpportunity(ex3, { ...terms, breakEvenLimitHours: 17 }).breakEven).toBeUndefined();
  const reversed: Candidate = { ...ex3, short: { ...ex3.short, funding: hourly(-0.0001), hourlyRate: -0.0001 } };
  const metrics = evaluateOpportunity(reversed, terms);
  expect(metrics.breakEven).toBeUndefined();
  expect(metrics.accrualBreakEvenHours).toBe(Infinity);
});

it('is paid at once when entering gains more than leaving costs', () => {
  const gift: Candidate = { ...ex3, short: { ...ex3.short, entryPrice: 3_010 } };
  expect(evaluateOpportunity(gift, terms)).toMatchObject({
    breakEven: { payments: 0, hours: 0 },
    accrualBreakEvenHours: 0,
  });
});

describe('the break-even of any two legs', () => {
  const HOURS = [1, 2, 4, 8] as const;
  const leg = fc.record({
    intervalHours: fc.constantFrom(...HOURS),
    nextInMinutes: fc.integer({ min: 0, max: 60 }),
    nextRate: fc.double({ min: -0.001, max: 0.001, noNaN: true }),
    medianRate: fc.double({ min: -0.0001, max: 0.0001, noNaN: true }),
    halfLifeHours: fc.constantFrom(1, 8, Infinity),
  });

  /** Every payment looked at, one after the other, however many there are. */
  function counted({ quantity, long, short }: Candidate, costQuote: number, limitHours: number): number | undefined {
    const sides = [
      { funding: long.funding, perRate: -quantity * long.markPrice },
      { funding: short.funding, perRate: quantity * short.markPrice },
    ];
    const times = new Map<number, number>();
    for (const { funding, perRate } of sides) {
      for (let k = 1; ; k++) {
        const atMs = funding.nextSettleInMs + (k - 1) * funding.intervalMs;
        if (atMs > limitHours * HOUR_MS) break;
        times.set(atMs, (times.get(atMs) ?? 0) + perRate * expectedRate(funding, k));
      }
    }
    let received = 0;
    for (const [atMs, quote] of [...times].sort(([one], [two]) => one - two)) {
      received += quote;
      // Two sums in different orders: what ends within their rounding of the cost proves nothing.
      if (Math.abs(received - costQuote) < 1e-9) return Number.NaN;
      if (received > costQuote) return atMs / HOUR_MS;
    }
    return undefined;
  }

  it('is the one that counting every payment finds, near or most of a year away', () => {
    fc.assert(
      fc.property(leg, leg, fc.constantFrom(24, 1_000, 6_000), (one, other, limitHours) => {
        const fundingOf = (side: typeof one): FundingOutlook => ({
          nextSettleInMs: side.nextInMinutes * 60_000,
          intervalMs: side.intervalHours * HOUR_MS,
          nextRate: side.nextRate,
          medianRate: side.medianRate,
          halfLifeHours: side.halfLifeHours,
        });
        const candidate: Candidate = {
          ...ex3,
          long: { ...ex3.long, funding: fundingOf(one) },
          short: { ...ex3.short, funding: fundingOf(other) },
        };
        const { breakEven, roundTripCostQuote } = evaluateOpportunity(candidate, {
          ...terms,
          breakEvenLimitHours: limitHours,
        });
        const expected = counted(candidate, roundTripCostQuote, limitHours);
        if (!Number.isNaN(expected)) expect(breakEven?.hours).toBe(expected);
      }),
    );
  });

  it('counts settlements of one instant as one payment, also far away', () => {
    const slow = { nextSettleInMs: 0, intervalMs: 8 * HOUR_MS, medianRate: 0, nextRate: 0, halfLifeHours: 8 };
    const small = { ...slow, intervalMs: HOUR_MS, medianRate: 1e-9, nextRate: 1e-9 };
    const candidate: Candidate = {
      ...ex3,
      long: { ...ex3.long, funding: slow },
      short: { ...ex3.short, funding: small },
    };
    const { breakEven } = evaluateOpportunity(candidate, { ...terms, breakEvenLimitHours: 10_000_000 });
    // Hourly from now on: the payment at hour n is the (n + 1)th, and every eighth of them is one of both legs.
    expect(breakEven?.hours).toBeGreaterThan(100_000);
    expect(breakEven?.payments).toBe((breakEven?.hours ?? 0) + 1);
  });
});

describe('legs that are not executed together', () => {
  it('cost what the market may move between them', () => {
    const together = evaluateOpportunity(ex3, terms);
    const apart = evaluateOpportunity({ ...ex3, adverseMoveQuote: 0.75 }, terms);
    expect(apart.roundTripCostQuote - together.roundTripCostQuote).toBeCloseTo(0.75, 12);
    expect(together.expectedValueQuote - apart.expectedValueQuote).toBeCloseTo(0.75, 12);
    expect(together.adverseMoveQuote).toBe(0);
  });
});
