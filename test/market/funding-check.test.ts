import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  emptyFundingCheck,
  fundingVerdict,
  notePredicted,
  noteSettled,
  paymentConfirmsRate,
} from '../../src/market/funding-check.ts';
import type { FundingCheck } from '../../src/market/funding-check.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import { pico } from './instruments.ts';
import { propertyRuns } from '../property-runs.ts';

const rate = (kind: 'predicted' | 'settled', hourly: number, settleAtMs: number): FundingRate => ({
  venue: 'lighter',
  symbol: 'ETH',
  kind,
  raw: '',
  unit: { scale: 'fraction', perMs: HOUR_MS },
  hourly: pico(hourly),
  intervalMs: HOUR_MS,
  settleAtMs,
  venueAtMs: 0,
});
/** Plays settlements, each predicted one minute before. */
function play(settlements: readonly { readonly predicted: number; readonly settled: number }[]): FundingCheck {
  let check = emptyFundingCheck;
  for (const [index, { predicted, settled }] of settlements.entries()) {
    const settleAtMs = (index + 1) * HOUR_MS;
    check = notePredicted(check, rate('predicted', predicted, settleAtMs), settleAtMs - 60_000);
    check = noteSettled(check, rate('settled', settled, settleAtMs));
  }
  return check;
}
const thrice = (predicted: number, settled: number): FundingCheck =>
  play([1, 2, 3].map(() => ({ predicted, settled })));

it('is unproven until enough settlements were predicted', () => {
  expect(fundingVerdict(play([1, 2].map(() => ({ predicted: 1e7, settled: 1e7 }))), 3)).toEqual({ state: 'UNPROVEN' });
});

test.each([
  ['OK', thrice(12_000_000, 12_000_000), { state: 'OK' }],
  ['OK at half and double', play([0.5, 1, 2].map((f) => ({ predicted: 1e7, settled: 1e7 * f }))), { state: 'OK' }],
  ['EX-1 per 8 h called per hour', thrice(96_000_000, 12_000_000), { state: 'UNIT_SUSPECT', factor: 1 / 8 }],
  ['percent called fraction', thrice(1_200_000, 12_000), { state: 'UNPROVEN' }],
  ['percent called fraction, large', thrice(120_000_000, 1_200_000), { state: 'UNIT_SUSPECT', factor: 1 / 100 }],
  ['negated factor', thrice(-500_000, 12_000_000), { state: 'UNIT_SUSPECT', factor: -24 }],
  ['sign', thrice(-12_000_000, 12_000_000), { state: 'SIGN_SUSPECT' }],
  ['no known factor', thrice(4_000_000, 12_000_000), { state: 'UNSTABLE' }],
  ['predicted zero', thrice(0, 12_000_000), { state: 'UNSTABLE' }],
] as const)('judges %s', (_what, check, verdict) => {
  expect(fundingVerdict(check, 3)).toEqual(verdict);
});

describe('what a feed states of the last settlement, against the history', () => {
  const witnessed = (history: number, feed: number, check: FundingCheck = emptyFundingCheck): FundingCheck =>
    noteSettled(check, { ...rate('settled', history, HOUR_MS), feedHourly: pico(feed) });
  /** A feed that agrees with itself, three times. */
  const ownWord = (): FundingCheck => {
    let check = emptyFundingCheck;
    for (const hour of [2, 3, 4]) {
      check = notePredicted(check, rate('predicted', 96_000_000, hour * HOUR_MS), hour * HOUR_MS - 60_000);
      check = noteSettled(check, { ...rate('settled', 96_000_000, hour * HOUR_MS), ofFeed: true });
    }
    return check;
  };

  it.each([
    ['is proof from the start', witnessed(12_000_000, 12_000_000), { state: 'OK' }],
    ['betrays the unit', witnessed(12_000_000, 96_000_000), { state: 'UNIT_SUSPECT', factor: 1 / 8 }],
    ['betrays the sign', witnessed(12_000_000, -12_000_000), { state: 'SIGN_SUSPECT' }],
    ['says nothing where next to nothing was paid', witnessed(90_000, 90_000), { state: 'UNPROVEN' }],
    [
      'outweighs a feed that agrees with itself',
      witnessed(12_000_000, 96_000_000, ownWord()),
      { state: 'UNIT_SUSPECT', factor: 1 / 8 },
    ],
    [
      'does not excuse predictions',
      witnessed(12_000_000, 12_000_000, thrice(96_000_000, 12_000_000)),
      { state: 'UNIT_SUSPECT', factor: 1 / 8 },
    ],
  ] as const)('%s', (_what, check, verdict) => {
    expect(fundingVerdict(check, 3)).toEqual(verdict);
  });

  it('counts once', () => {
    expect(witnessed(12_000_000, 12_000_000, witnessed(12_000_000, 12_000_000)).stated).toHaveLength(1);
  });
});

it('T6: detects a factor-8 mislabel within 3 settlements', () => {
  const one = fc.record({
    settled: fc.integer({ min: 100_000, max: 10_000_000 }),
    noise: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    negative: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one, { minLength: 3, maxLength: 3 }), (settlements) => {
      const check = play(
        settlements.map(({ settled, noise, negative }) => {
          const signed = negative ? -settled : settled;
          return { predicted: signed * 8 * noise, settled: signed };
        }),
      );
      expect(fundingVerdict(check, 3)).toEqual({ state: 'UNIT_SUSPECT', factor: 1 / 8 });
    }),
    propertyRuns(),
  );
});

describe('evidence', () => {
  it('ignores predictions of the last second before a settlement', () => {
    const early = notePredicted(emptyFundingCheck, rate('predicted', 1e7, HOUR_MS), HOUR_MS - 1_000);
    const late = notePredicted(early, rate('predicted', 5e7, HOUR_MS), HOUR_MS - 999);
    expect(noteSettled(late, rate('settled', 1e7, HOUR_MS)).ratios).toEqual([1]);
  });

  it('counts a settlement once, however often it is told, and never goes back', () => {
    const check = play([{ predicted: 1e7, settled: 1e7 }]);
    expect(noteSettled(check, rate('settled', 9e7, HOUR_MS))).toBe(check);
    expect(noteSettled(check, rate('settled', 9e7, HOUR_MS - 1))).toBe(check);
  });

  it('stays bounded', () => {
    let check = play(Array.from({ length: 50 }, () => ({ predicted: 1e7, settled: 1e7 })));
    for (let hour = 60; hour < 90; hour += 1) check = notePredicted(check, rate('predicted', 1, hour * HOUR_MS), 0);
    expect(check.ratios.length).toBe(9);
    expect(check.predictions.length).toBe(4);
  });
});

it('confirms a rate by the payment it made, within 5 %', () => {
  const settled = rate('settled', 12_000_000, HOUR_MS);
  expect(paymentConfirmsRate(-0.12, 10_000, settled)).toBe(true);
  expect(paymentConfirmsRate(0.12, -10_000, settled)).toBe(true);
  expect(paymentConfirmsRate(0.12, 10_000, settled)).toBe(false);
  expect(paymentConfirmsRate(-0.96, 10_000, settled)).toBe(false);
});
