import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assessEntry } from '../../src/strategy/entry-assessment.ts';
import type { EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { bestLeg, scoreBound } from '../../src/strategy/score-bound.ts';
import { book, instrument, micro, pico } from '../market/instruments.ts';
import { propertyRuns } from '../property-runs.ts';
import { candidate, entryPolicy, legFacts, NOW_MS, MONOTONIC_MS, predicted } from './candidates.ts';

const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 4_000 })), {
  minLength: 1,
  maxLength: 6,
});
const leg = fc.record({
  bestBid: fc.integer({ min: 59_000, max: 61_000 }),
  // Crossed books too: their gate refuses them, and no bound may rely on it.
  spread: fc.integer({ min: -20, max: 60 }),
  bids: levels,
  asks: levels,
  markQuote: fc.integer({ min: 2_950, max: 3_050 }),
  hourly: fc.integer({ min: -120_000_000, max: 120_000_000 }),
  median: fc.option(fc.integer({ min: -120_000_000, max: 120_000_000 }), { nil: undefined }),
  intervalHours: fc.constantFrom(1, 4, 8),
  untilSettleMs: fc.integer({ min: 1_000, max: 3_600_000 }),
  takerFee: fc.integer({ min: 0, max: 1_000_000_000 }),
  makerFee: fc.integer({ min: -200_000_000, max: 500_000_000 }),
  maxLeverage: fc.constantFrom(1, 2, 3, 20),
  multiplier: fc.constantFrom(1, 10),
  tiered: fc.boolean(),
});
type Leg = typeof leg extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function factsOf(venue: string, drawn: Leg): EntryLegFacts {
  const side = (best: number, direction: 1 | -1, drawnLevels: readonly (readonly [number, number])[]) => {
    let ticks = best - direction * (drawnLevels[0]?.[0] ?? 0);
    return drawnLevels.map(([apart, lots]): [number, number] => [(ticks += direction * apart), lots]);
  };
  const tier = { fromMicro: micro(1_000_000_000n), maxLeverage: 1, maintenanceMarginRate: pico(500_000_000_000) };
  return legFacts(venue, drawn.hourly, {
    instrument: instrument({
      ...{ venue, takerFee: pico(drawn.takerFee), makerFee: pico(drawn.makerFee), maxLeverage: drawn.maxLeverage },
      ...{ multiplier: drawn.multiplier, ...(drawn.tiered ? { marginTiers: [tier] } : {}) },
    }),
    book: book(side(drawn.bestBid, -1, drawn.bids), side(drawn.bestBid + drawn.spread, 1, drawn.asks), {
      ...{ venue, receivedAtMonotonicMs: MONOTONIC_MS - 100, venueAtMs: NOW_MS },
    }),
    mark: { markNano: BigInt(drawn.markQuote) * 1_000_000_000n, receivedAtMonotonicMs: MONOTONIC_MS - 100 },
    predicted: {
      rate: predicted(drawn.hourly, {
        ...{ venue, intervalMs: drawn.intervalHours * 3_600_000, settleAtMs: NOW_MS + drawn.untilSettleMs },
      }),
      receivedAtMonotonicMs: MONOTONIC_MS - 100,
    },
    medianHourly: drawn.median,
  });
}

describe('the bound of a score', () => {
  it('is never below the score itself, whatever the books, fees, rates, terms and way of entering', () => {
    let [priced, positive] = [0, 0];
    fc.assert(
      fc.property(
        leg,
        leg,
        fc.constantFrom('auto', 'taker-taker', 'maker-taker', 'sequential'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 50 }),
        fc.constantFrom(100, 2_500, 100_000),
        (one, other, mode, fillProbability, maxAdverseBps, maxNotionalQuote) => {
          const policy: EntryPolicies = {
            ...entryPolicy,
            entry: { ...entryPolicy.entry, mode },
            maker: { ...entryPolicy.maker, fillProbability, maxAdverseBps, minSavingBps: 0 },
            sizing: { ...entryPolicy.sizing, maxNotionalQuote, volumeFraction: 1 },
          };
          const facts = candidate({ long: factsOf('lighter', one), short: factsOf('extended', other) });
          const metrics = assessEntry(facts, policy).assessment?.priced?.metrics;
          const [long, short] = [bestLeg(facts.long, facts, policy), bestLeg(facts.short, facts, policy)];
          if (long === undefined || short === undefined) throw new Error('both legs must be known');
          if (metrics === undefined) return;
          priced += 1;
          if (metrics.score > 0) positive += 1;
          expect(scoreBound(long, short, policy)).toBeGreaterThanOrEqual(metrics.score);
        },
      ),
      propertyRuns(),
    );
    expect(priced).toBeGreaterThan(100);
    expect(positive).toBeGreaterThan(20);
  });

  it('is the score where an order is filled at the touch', () => {
    const { long, short } = candidate();
    const metrics = assessEntry(candidate(), entryPolicy).assessment?.priced?.metrics;
    const [one, other] = [bestLeg(long, candidate(), entryPolicy), bestLeg(short, candidate(), entryPolicy)];
    if (one === undefined || other === undefined || metrics === undefined)
      throw new Error('the candidate must be whole');
    expect(scoreBound(one, other, entryPolicy) / metrics.score).toBeCloseTo(1, 4);
  });

  it('is unknown for a leg that lacks a book side, a mark or a rate', () => {
    const whole = legFacts('lighter', 0);
    const at = { nowMs: NOW_MS, calendarScale: 1 };
    for (const change of [
      { book: undefined },
      { book: book([], [[60_001, 5]]) },
      { mark: undefined },
      { predicted: undefined },
      { instrument: undefined },
    ])
      expect(bestLeg({ ...whole, ...change }, at, entryPolicy)).toBeUndefined();
    expect(bestLeg(whole, at, entryPolicy)).toBeDefined();
  });
});
