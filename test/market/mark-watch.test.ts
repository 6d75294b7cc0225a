import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { expectedMove, observeMark, recentPremium } from '../../src/market/mark-watch.ts';
import type { MarkWatch } from '../../src/market/mark-watch.ts';
import { blendedHourly, premiumHourly } from '../../src/market/premium-rate.ts';
import { randomStream } from '../../src/runtime/random.ts';
import { outlookOf } from '../../src/strategy/entry-assessment.ts';
import { NOW_MS, predicted } from '../strategy/candidates.ts';

/** A mark every second; a price in quote, and what the contract is above its index. */
function watched(prices: readonly number[], premium = 0, everyMs = 1_000, scale = 1): MarkWatch | undefined {
  return prices.reduce<MarkWatch | undefined>(
    (watch, price, index) =>
      observeMark(
        watch,
        {
          markNano: BigInt(Math.round(price * 1e9)),
          indexNano: BigInt(Math.round((price / (1 + premium)) * 1e9)),
          receivedAtMonotonicMs: index * everyMs,
        },
        scale,
      ),
    undefined,
  );
}

describe('the move to expect of a price', () => {
  it('is sigma times the root of the time, for a price that moves by chance', () => {
    const random = randomStream(5, 'marks');
    const prices = [60_000];
    // One step of 1 bp up or down each second.
    for (let second = 0; second < 1_200; second += 1)
      prices.push((prices.at(-1) ?? 0) * (random.nextFraction() < 0.5 ? 1.0001 : 0.9999));
    const watch = watched(prices);
    expect(expectedMove(watch, 1_000)).toBeCloseTo(0.0001, 6);
    expect(expectedMove(watch, 4_000)).toBeCloseTo(0.0002, 6);
  });

  it('is nothing before a second mark, and for a price that stands', () => {
    expect(expectedMove(undefined, 300)).toBe(0);
    expect(expectedMove(watched([60_000]), 300)).toBe(0);
    expect(expectedMove(watched([60_000, 60_000, 60_000]), 300)).toBe(0);
  });

  it('does not take a pause of the feed for a move', () => {
    const before = watched([60_000, 60_006, 60_000]);
    const after = observeMark(before, { markNano: 90_000_000_000_000n, receivedAtMonotonicMs: 500_000 }, 1);
    expect(expectedMove(after, 1_000)).toBe(expectedMove(before, 1_000));
  });
});

describe('the premium of a contract over its index', () => {
  const minutes = (count: number): readonly number[] => Array.from({ length: count * 60 + 1 }, () => 60_000);

  it('counts once it was watched for five minutes of the market’s time', () => {
    expect(recentPremium(watched(minutes(4), 0.001), 240_000, 1)).toBeUndefined();
    expect(recentPremium(watched(minutes(6), 0.001), 360_000, 1)).toBeCloseTo(0.001, 9);
    expect(recentPremium(watched(minutes(1), 0.001, 1_000, 360), 60_000, 360)).toBeCloseTo(0.001, 9);
  });

  it('is an average: a moment hardly moves it', () => {
    const calm = watched(minutes(10), 0);
    const spike = observeMark(
      calm,
      { markNano: 60_600_000_000_000n, indexNano: 60_000_000_000_000n, receivedAtMonotonicMs: 601_000 },
      1,
    );
    expect(recentPremium(spike, 601_000, 1)).toBeLessThan(0.01 / 500);
  });

  it('is not known of a feed that fell silent, or without an index', () => {
    expect(recentPremium(watched(minutes(6), 0.001), 360_000 + 60_001, 1)).toBeUndefined();
    const bare = [0, 400_000].reduce<MarkWatch | undefined>(
      (watch, atMs) => observeMark(watch, { markNano: 1_000_000_000n, receivedAtMonotonicMs: atMs }, 1),
      undefined,
    );
    expect(recentPremium(bare, 400_000, 1)).toBeUndefined();
  });
});

describe('the rate that a premium gives', () => {
  const eighth = { perMs: 8 * HOUR_MS, interest8hPico: 1e8, clampPico: 5e8, hourlyCapPico: 5e9 };

  it.each([
    [0, 12_500_000],
    // Within the clamp the interest stands, beyond it the premium less the clamp.
    [0.0005, 12_500_000],
    [0.0006, 12_500_000],
    [0.001, 62_500_000],
    [-0.001, -62_500_000],
    [0.1, 5_000_000_000],
  ])('of %d is %d pico per hour', (premium, hourly) => {
    expect(premiumHourly(eighth, premium, HOUR_MS)).toBeCloseTo(hourly, 3);
  });

  it('is of one interval where the venue’s formula is', () => {
    const perInterval = { interest8hPico: 1e8, clampPico: 5e8, hourlyCapPico: 1e10 };
    expect(premiumHourly(perInterval, 0, 8 * HOUR_MS)).toBeCloseTo(12_500_000, 3);
    expect(premiumHourly(perInterval, 0, 4 * HOUR_MS)).toBeCloseTo(12_500_000, 3);
    expect(premiumHourly(perInterval, 0.001, 4 * HOUR_MS)).toBeCloseTo((0.001 - 0.0005) * 1e12 * 0.25, 3);
  });

  it('stands for the part of the period that is still to come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5_000, max: 5_000 }),
        fc.integer({ min: -40_000_000, max: 40_000_000 }),
        fc.integer({ min: 1, max: HOUR_MS }),
        (premiumPpm, hourly, restMs) => {
          const rate = predicted(hourly, { settleAtMs: NOW_MS + restMs });
          const premium = premiumPpm / 1e6;
          const rest = new Decimal(restMs).div(HOUR_MS);
          const inner = Decimal.min(Decimal.max(new Decimal(0.0001).minus(premium), -0.0005), 0.0005);
          const instant = new Decimal(premium).plus(inner).div(8).times(1e12);
          const capped = Decimal.min(Decimal.max(instant, -5e9), 5e9);
          const exact = rest.times(capped).plus(new Decimal(1).minus(rest).times(hourly));
          expect(blendedHourly(rate, eighth, premium, NOW_MS)).toBeCloseTo(exact.toNumber(), 3);
          const outlook = outlookOf(rate, 0, NOW_MS, 8, { formula: eighth, premium });
          expect(outlook.nextRate).toBeCloseTo(exact.div(1e12).toNumber(), 14);
        },
      ),
    );
  });

  it('changes nothing where the formula or the premium is not known', () => {
    const rate = predicted(50_000_000);
    expect(blendedHourly(rate, undefined, 0.001, NOW_MS)).toBe(50_000_000);
    expect(blendedHourly(rate, eighth, undefined, NOW_MS)).toBe(50_000_000);
    const plain = outlookOf(rate, 0, NOW_MS, 8);
    expect(outlookOf(rate, 0, NOW_MS, 8, { formula: eighth, premium: undefined })).toEqual(plain);
  });
});
