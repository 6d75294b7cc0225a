import { describe, expect, it, test } from 'vitest';
import { asList } from '../../../src/venues/fields.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import { parseSpotFrame } from '../../../src/venues/coinbase/spot-parse.ts';
import { fixture, fixturesOf, hasFixtures, payload } from './fixtures.ts';

const TICKER = {
  type: 'ticker',
  sequence: 50_978_628_538,
  product_id: 'BTC-USD',
  price: '17165.16',
  best_bid: '17165.15',
  best_ask: '17167.76',
  side: 'sell',
  time: '2022-12-01T00:00:00.122581Z',
};

it('reads a ticker, with or without sizes', () => {
  expect(parseSpotFrame(TICKER)).toEqual({
    type: 'ticker',
    ticker: {
      productId: 'BTC-USD',
      sequence: 50_978_628_538,
      lastNano: 17_165_160_000_000n,
      bidNano: 17_165_150_000_000n,
      askNano: 17_167_760_000_000n,
      venueAtMs: Date.UTC(2022, 11, 1, 0, 0, 0, 122),
    },
  });
});

test.each([
  ['a price that is none', { ...TICKER, best_bid: '' }],
  ['a time before time', { ...TICKER, time: '0001-01-01T00:00:00Z' }],
  ['a bid above the ask', { ...TICKER, best_bid: '17168' }],
  [
    'a size as it was once recorded',
    { type: 'l2update', product_id: 'X', time: '', changes: [['buy', '1', '0.-10000']] },
  ],
  ['a kind nobody knows', { type: 'level9' }],
])('names %s', (_what, frame) => {
  expect(() => parseSpotFrame(frame)).toThrow(MalformedPayload);
});

describe.skipIf(!hasFixtures)('recorded frames (need ../shared)', () => {
  test.each(fixturesOf('classic-').filter((name) => !name.startsWith('classic-feed-sequence')))('%s', (name) => {
    expect(() => parseSpotFrame(payload(name))).not.toThrow();
  });

  test.each(fixturesOf('classic-feed-sequence'))('%s, frame by frame', (name) => {
    const rows = asList(parseLosslessJson(fixture(name), name), name);
    const kinds = new Set(rows.map((row) => parseSpotFrame(asFields(row, name)['frame']).type));
    expect(kinds.has('book')).toBe(true);
    expect(rows.length).toBeGreaterThan(10);
  });
});
