import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/runtime/random.ts';
import { signedRequestOf } from '../../../src/venues/hyperliquid/simulated-intake.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import {
  accountOperation,
  fillsOperation,
  findOrderOperation,
  fundingHistoryOperation,
  instrumentsOperation,
  openOrdersOperation,
  paymentsOperation,
} from '../../../src/venues/hyperliquid/rest.ts';
import { HyperliquidStream } from '../../../src/venues/hyperliquid/stream.ts';
import { MalformedPayload, VenueError } from '../../../src/venues/venue.ts';
import type { Operation } from '../../../src/venues/venue.ts';
import { answer, fixtureText, hasFixtures, knownMarkets } from './fixtures.ts';

const AT = { calendarMs: 1_790_000_000_000, monotonicMs: 1_000 };
const USER = '0x14791697260e4c9a71f18484c9f997b308e59325';
const ROUNDS = 400;

/** Changes a few characters, repeats or drops a stretch, or swaps a value for another kind. */
function damaged(text: string, random: ReturnType<typeof randomStream>): string {
  const draw = (below: number): number => Math.floor(random.nextFraction() * below);
  const at = draw(text.length);
  const end = Math.min(text.length, at + 1 + draw(30));
  const values = ['null', '-1', '1e999', '""', '[]', '{}', '"NaN"', '99999999999999999999', 'true', '"0x"'];
  switch (draw(4)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(at);
    case 2:
      return text.slice(0, at) + String.fromCharCode(32 + draw(95)) + text.slice(at + 1);
    default: {
      const places = [...text.matchAll(/"[^"]*"|-?\d+(?:\.\d+)?|null/g)];
      const place = places[draw(places.length)];
      if (place === undefined) return text;
      return (
        text.slice(0, place.index) + (values[draw(values.length)] ?? '') + text.slice(place.index + place[0].length)
      );
    }
  }
}

describe.skipIf(!hasFixtures)('mutated recordings (needs ../shared/venues/fixtures)', () => {
  const access = { restUrl: 'http://venue', user: USER, markets: knownMarkets() };
  const answers: readonly (readonly [string, () => Operation])[] = [
    ['info-meta/sdk-meta-get_candles_snapshot', () => instrumentsOperation({ ...access, markets: knownMarkets() })],
    ['info-clearinghouse-state/sdk-clearinghouseState-get_user_state', () => accountOperation(access)],
    ['info-frontend-open-orders/sdk-frontendOpenOrders-get_frontend_open_orders', () => openOrdersOperation(access)],
    ['info-user-fills/nautilus-http_user_fills_dust_conversion', () => fillsOperation(access, 0)],
    ['info-user-funding/sdk-userFunding-user_funding_history_with_end_time-part1', () => paymentsOperation(access, 0)],
    ['info-funding-history/nautilus-http_funding_history', () => fundingHistoryOperation(access, 'BTC', 0, AT)],
    ['info-order-status/constructed-open', () => findOrderOperation(access, '10')],
  ];

  it.each(answers)('answers like %s are read or refused by name', (name, operation) => {
    const random = randomStream(7, name);
    const body = JSON.stringify(answer(name));
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      try {
        operation().parse({ type: 'http-answered', ref: 1, status: 200, headers: {}, body: damaged(body, random) }, AT);
      } catch (error) {
        expect(error instanceof MalformedPayload || error instanceof VenueError, String(error)).toBe(true);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  it.each([
    ['market', 'ws-l2book/probe-btc-default'],
    ['market', 'ws-active-asset-ctx/tardis-activeAssetCtx-7'],
    ['account', 'ws-order-updates/constructed-open'],
    ['account', 'ws-user-fills/constructed-snapshot'],
    ['account', 'ws-user-fundings/constructed-snapshot'],
    ['account', 'ws-user-events/nautilus-ws_user_fill_liquidation'],
  ])('frames on the %s socket like %s never throw', (socket, name) => {
    const random = randomStream(8, name);
    const stream = new HyperliquidStream({ streamUrl: 'ws://venue/ws', user: USER, markets: knownMarkets() });
    for (const plan of stream.plan(['BTC', 'MOODENG'])) stream.opened(plan.key, AT);
    const text = fixtureText(name);
    const kinds = new Set<string>();
    for (let round = 0; round < ROUNDS; round++)
      for (const { type } of stream.frame(socket, damaged(text, random), AT).events) kinds.add(type);
    expect(kinds).toContain('malformed-frame');
  });
});

it('the venue’s own intake reads or refuses damaged requests, and never throws', () => {
  const random = randomStream(9, 'intake');
  const order = { a: 0, b: true, p: '90250', s: '0.01', r: false, t: { limit: { tif: 'Ioc' } } };
  const text = JSON.stringify({
    action: { type: 'order', orders: [order], grouping: 'na' },
    nonce: 1,
    signature: { r: '0x1', s: '0x2', v: 27 },
    vaultAddress: null,
    expiresAfter: null,
  });
  let refused = 0;
  for (let round = 0; round < 2_000; round++) {
    try {
      const request = asFields(parseLosslessJson(damaged(text, random), 'request'), 'request');
      if (signedRequestOf(request) === undefined) refused += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedPayload);
    }
  }
  expect(refused).toBeGreaterThan(0);
});
