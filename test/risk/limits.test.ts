import { expect, it, test } from 'vitest';
import { entryHeadroom } from '../../src/risk/limits.ts';
import type { Exposure, ExposureLimits } from '../../src/risk/limits.ts';

const limits: ExposureLimits = {
  maxPairNotionalQuote: 5_000,
  maxSymbolNotionalQuote: 10_000,
  maxVenueNotionalQuote: 25_000,
  maxTotalNotionalQuote: 60_000,
  maxUnhedgedNotionalQuote: 6_000,
};
const entry = { base: 'ETH', longVenue: 'lighter', shortVenue: 'extended' };
const exposure = (changes: Partial<Exposure> = {}): Exposure => ({
  base: 'BTC',
  longVenue: 'lighter',
  shortVenue: 'extended',
  legNotionalQuote: 1_000,
  unhedgedNotionalQuote: 0,
  ...changes,
});

test.each([
  ['EXPOSURE_PAIR', 5_000, [], entry],
  ['EXPOSURE_SYMBOL', 2_000, [exposure({ base: 'ETH', legNotionalQuote: 3_000 })], entry],
  ['EXPOSURE_VENUE', 1_500, [exposure({ shortVenue: 'bybit', legNotionalQuote: 23_500 })], entry],
  ['EXPOSURE_TOTAL', 500, [exposure({ longVenue: 'bybit', shortVenue: 'coinbase', legNotionalQuote: 29_500 })], entry],
  ['EXPOSURE_UNHEDGED', 1_000, [exposure({ unhedgedNotionalQuote: 5_000 })], entry],
] as const)('%s leaves %i for one leg', (code, legNotionalQuote, exposures, wanted) => {
  expect(entryHeadroom(limits, exposures, wanted)).toMatchObject({ code, legNotionalQuote });
});

it('halves the venue limit for a pair with both legs on one venue', () => {
  const tight = { ...limits, maxVenueNotionalQuote: 4_000 };
  expect(entryHeadroom(tight, [], { ...entry, shortVenue: 'lighter' })).toMatchObject({
    code: 'EXPOSURE_VENUE',
    legNotionalQuote: 2_000,
  });
});

it('is never negative when a limit is exceeded already', () => {
  const headroom = entryHeadroom(limits, [exposure({ legNotionalQuote: 90_000 })], entry);
  expect(headroom.legNotionalQuote).toBe(0);
  expect(headroom.detail).toContain('180000.00 used of 60000.00');
});
