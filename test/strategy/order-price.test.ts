import { expect, it } from 'vitest';
import { priceCapTicks } from '../../src/strategy/order-price.ts';
import { instrument, pico } from '../market/instruments.ts';

const policy = { bufferBps: 3, maxDeviationBps: 50 };
/** Tick 0.05: 100 quote is 2,000 ticks. */
const markNano = 100_000_000_000n;

it('goes a little past the level that must be reached, to a tick on the safe side', () => {
  // 100.03 for a buy and 99.97 for a sell, between two ticks.
  expect(priceCapTicks('buy', 2_000, markNano, instrument(), policy)).toBe(2_000);
  expect(priceCapTicks('sell', 2_000, markNano, instrument(), policy)).toBe(2_000);
  const fine = instrument({ tickUnits: 1 });
  expect(priceCapTicks('buy', 10_000, markNano, fine, policy)).toBe(10_003);
  expect(priceCapTicks('sell', 10_000, markNano, fine, policy)).toBe(9_997);
});

it('stays near mark however far the book has gone', () => {
  const fine = instrument({ tickUnits: 1 });
  expect(priceCapTicks('buy', 20_000, markNano, fine, policy)).toBe(10_050);
  expect(priceCapTicks('sell', 5_000, markNano, fine, policy)).toBe(9_950);
});

it('respects a venue band that is tighter than our own', () => {
  const banded = instrument({ tickUnits: 1, priceBand: pico(1_000_000_000) });
  expect(priceCapTicks('buy', 10_100, markNano, banded, policy)).toBe(10_010);
  expect(priceCapTicks('sell', 9_900, markNano, banded, policy)).toBe(9_990);
});
