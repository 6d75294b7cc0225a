import { describe, expect, it, test } from 'vitest';
import type { HttpAnswered } from '../../../src/ports/ports.ts';
import { lighterAdapter } from '../../../src/venues/lighter/adapter.ts';
import { weightOf } from '../../../src/venues/lighter/limits.ts';
import { MalformedPayload, VenueError } from '../../../src/venues/venue.ts';
import type { Operation, VenueAdapter, VenueEvent, VenueSettings } from '../../../src/venues/venue.ts';
import { fixture, hasFixtures, listing } from './fixtures.ts';

const AT = { calendarMs: 1_777_941_390_000, monotonicMs: 5_000 };
const PRIVATE_KEY = '0b8e0f63c24d8baacd9d29ad4e9a4b73c4a8d2bb8b16dc4fa9d7c2e1d3a8b1f0e8d3a4c5b6e7f001';

function settings(change: Partial<VenueSettings> = {}): VenueSettings {
  return {
    account: 'main',
    restUrl: 'https://lighter.test/',
    streamUrl: 'wss://lighter.test/stream',
    options: { accountIndex: 1234, apiKeyIndex: 5 },
    secrets: { privateKey: PRIVATE_KEY },
    calendarScale: 1,
    ...change,
  };
}

function answer(body: unknown, status = 200): HttpAnswered {
  return {
    type: 'http-answered',
    ref: 1,
    status,
    headers: {},
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function open(): VenueAdapter {
  const adapter = lighterAdapter(settings());
  adapter.instruments().parse(answer({ code: 200, order_book_details: [listing('ETH', 0), listing('BTC', 1)] }), AT);
  return adapter;
}

/** Answers an operation and its further pages from a list; returns all events and the addresses asked. */
function follow(
  operation: Operation,
  bodies: readonly unknown[],
): { readonly events: VenueEvent[]; readonly urls: string[] } {
  const events: VenueEvent[] = [];
  const urls: string[] = [];
  let next: Operation | undefined = operation;
  for (const body of bodies) {
    if (next === undefined) break;
    urls.push(next.request.url);
    const result = next.parse(answer(body), AT);
    events.push(...result.events);
    next = result.next;
  }
  expect(next).toBeUndefined();
  return { events, urls };
}

const order = (clientOrderId: number, createdAt: number, change: object = {}): unknown => ({
  order_id: String(281_476_929_510_110 + clientOrderId),
  client_order_id: String(clientOrderId),
  market_index: 1,
  initial_base_amount: '0.00500',
  filled_base_amount: '0.00000',
  is_ask: false,
  status: 'canceled',
  created_at: createdAt,
  updated_at: createdAt,
  transaction_time: createdAt * 1_000_000,
  ...change,
});

const trade = (id: number, atMs: number): unknown => ({
  trade_id_str: String(id),
  market_id: 1,
  size: '0.00100',
  price: '75000.0',
  usd_amount: '75.000000',
  ask_id_str: '1',
  bid_id_str: '2',
  ask_client_id_str: '0',
  bid_client_id_str: '7',
  ask_account_id: 9,
  bid_account_id: 1234,
  is_maker_ask: true,
  timestamp: atMs,
});

describe('settings', () => {
  test.each([
    [{ options: { accountIndex: 1234 } }, /apiKeyIndex must be an integer from 4 to 254, was "absent"/],
    [{ options: { accountIndex: 1234, apiKeyIndex: 3 } }, /apiKeyIndex must be an integer from 4 to 254/],
    [{ options: { accountIndex: 1234, apiKeyIndex: 5, tier: 'gold' } }, /tier must be standard, premium or plus/],
    [{ secrets: {} }, /private key must be 40 bytes of hex/],
  ])('refuses %j', (change, message) => {
    expect(() => lighterAdapter(settings(change))).toThrow(message);
  });
});

describe('reads', () => {
  it('reads the time in the middle of the stated second', () => {
    const { events } = follow(open().serverTime(), [{ status: 200, network_id: 1, timestamp: 1_717_777_777 }]);
    expect(events).toEqual([{ type: 'server-time', serverMs: 1_717_777_777_500 }]);
  });

  it('names a broken listing and keeps the others', () => {
    const { events } = follow(lighterAdapter(settings()).instruments(), [
      { code: 200, order_book_details: [listing('ETH', 0), listing('BAD', 7, { price_decimals: 'two' })] },
    ]);
    expect(events.map((event) => event.type)).toEqual(['instruments', 'malformed-frame']);
  });

  it('sends a token with private reads only', () => {
    const adapter = open();
    expect(adapter.feeTier(AT).request.headers['authorization']).toMatch(/^1777968390:1234:5:[0-9a-f]{160}$/);
    expect(adapter.nextNonce?.(AT).request.headers['authorization']).toBeUndefined();
  });

  it('reads the next nonce', () => {
    const operation = open().nextNonce?.(AT);
    expect(operation?.request.url).toBe('https://lighter.test/api/v1/nextNonce?account_index=1234&api_key_index=5');
    expect(operation?.parse(answer({ code: 200, nonce: 722 }), AT).events).toEqual([{ type: 'nonce', next: 722n }]);
  });

  it('reads positions, collateral and open orders as one snapshot', () => {
    const [account, orders] = open().accountSnapshot(AT);
    const positions = [
      { market_id: 1, sign: -1, position: '0.00500' },
      { market_id: 0, sign: 1, position: '0.0000' },
      { market_id: 77, sign: 1, position: '1' },
    ];
    const body = { code: 200, accounts: [{ positions, collateral: '40.5', available_balance: '30.25' }] };
    expect(account?.parse(answer(body), AT).events).toEqual([
      {
        type: 'positions-snapshot',
        positions: [
          { symbol: 'BTC', signedLots: -500 },
          { symbol: 'ETH', signedLots: 0 },
        ],
      },
      { type: 'balance', walletMicro: 40_500_000n, availableMicro: 30_250_000n },
      { type: 'venue-error', code: 'UNKNOWN_MARKET', reason: 'a position names market 77' },
    ]);
    expect(orders?.parse(answer({ code: 200, orders: null }), AT).events).toEqual([
      { type: 'open-orders', orders: [] },
    ]);
  });

  it('reads fills page by page back to the asked time, oldest first within a page', () => {
    const since = AT.calendarMs - 60_000;
    const { events, urls } = follow(open().fillsSince(since, AT), [
      { code: 200, trades: [trade(5, since + 50), trade(4, since + 40)], next_cursor: 'c1' },
      { code: 200, trades: [trade(3, since), trade(2, since - 1)], next_cursor: 'c2' },
    ]);
    expect(events.map((event) => (event.type === 'fill' ? event.fill.fillId : event.type))).toEqual(['4', '5', '3']);
    expect(urls[1]).toContain('&cursor=c1');
  });

  it('takes 404 for the empty history of a fresh account', () => {
    const missing = answer({ code: 29_404, message: 'not found' }, 404);
    expect(open().fillsSince(0, AT).parse(missing, AT)).toEqual({ events: [] });
    expect(open().fundingPaymentsSince(0, AT).parse(missing, AT)).toEqual({ events: [] });
    expect(() => open().feeTier(AT).parse(missing, AT)).toThrow(VenueError);
  });

  it('reads settled funding oldest first, and goes on when an answer was cut off', () => {
    const hour = 3_600;
    const end = Math.floor(AT.calendarMs / 3_600_000) * hour;
    const rows = (from: number, count: number): unknown[] =>
      Array.from({ length: count }, (_, index) => ({
        timestamp: from + index * hour,
        value: '1',
        rate: '0.0012',
        direction: 'long',
      }));
    const since = (end - 150 * hour) * 1000;
    const { events, urls } = follow(open().fundingHistory('BTC', since, AT), [
      { code: 200, fundings: rows(end - 99 * hour, 100) },
      { code: 200, fundings: rows(end - 150 * hour, 51) },
    ]);
    expect(events).toHaveLength(151);
    expect(urls[1]).toContain(`end_timestamp=${(end - 99 * hour) * 1000 - 1}`);
  });
});

describe('finding an order', () => {
  const recent = AT.calendarMs / 1000 - 60;

  it('finds it among the open ones', () => {
    const [active] = open().findOrder('BTC', '7', AT);
    const events = active?.parse(
      answer({ code: 200, orders: [order(6, recent), order(7, recent, { status: 'open' })] }),
      AT,
    ).events;
    expect(events?.map((event) => event.type)).toEqual(['order-update', 'order-lookup']);
    expect(events?.[1]).toEqual({ type: 'order-lookup', clientOrderId: '7', found: true });
  });

  it('looks through the open ones and all pages of ended ones', () => {
    const [search] = open().findOrder('BTC', '7', AT);
    if (search === undefined) throw new Error('a question is asked');
    const filled = order(7, recent, { status: 'filled', filled_base_amount: '0.00500' });
    const { events, urls } = follow(search, [
      { code: 200, orders: [] },
      { code: 200, orders: [order(9, recent)], next_cursor: 'c1' },
      { code: 200, orders: [order(8, recent), filled], next_cursor: 'c2' },
    ]);
    expect(events).toMatchObject([
      { type: 'order-update', order: { status: 'filled', filledLots: 500 } },
      { type: 'order-lookup', found: true },
    ]);
    expect(urls.map((url) => url.replace(/^.*v1\/([a-zA-Z]+).*$/, '$1'))).toEqual([
      'accountActiveOrders',
      'accountInactiveOrders',
      'accountInactiveOrders',
    ]);
  });

  test.each([
    ['no page follows', recent, ''],
    ['ended orders are older than a week', recent - 8 * 86_400, 'c1'],
  ])('says not found once %s, and not before', (_, createdAt, cursor) => {
    const [search] = open().findOrder('BTC', '7', AT);
    if (search === undefined) throw new Error('a question is asked');
    const bodies = [
      { code: 200, orders: [] },
      { code: 200, orders: [order(9, createdAt)], next_cursor: cursor },
    ];
    expect(follow(search, bodies).events).toEqual([{ type: 'order-lookup', clientOrderId: '7', found: false }]);
  });
});

describe('refusals', () => {
  test.each([
    [400, { code: 21_104, message: 'invalid nonce' }, '21104', 'nonce'],
    [400, { code: 21_728, message: 'client order index already exists' }, '21728', 'duplicate'],
    [429, { code: 23_000, message: 'Too Many Requests!' }, '23000', 'rate-limit'],
    [200, { code: 21_739, message: 'not enough margin' }, '21739', 'state'],
    [400, { code: 21_702, message: 'invalid price' }, '21702', 'permanent'],
    [400, { code: 29_501, message: 'timeout' }, '29501', 'unknown-outcome'],
    [502, '<html>bad gateway</html>', 'HTTP_502', 'unknown-outcome'],
    [400, { code: 99_999, message: 'new' }, '99999', 'unknown-outcome'],
  ])('reads HTTP %i with %j', (status, body, code, refusal) => {
    const parse = (): unknown => open().feeTier(AT).parse(answer(body, status), AT);
    expect(parse).toThrow(VenueError);
    try {
      parse();
    } catch (error) {
      expect(error).toMatchObject({ code, class: refusal });
    }
  });

  test.each([
    '',
    'no json',
    '[]',
    '{"code":"200"}',
    '{"code":200,"accounts":[]}',
    '{"code":200,"accounts":[{"positions":7}]}',
  ])('calls %j malformed, whatever it says', (body) => {
    expect(() => open().accountSnapshot(AT)[0]?.parse(answer(body), AT)).toThrow(MalformedPayload);
  });
});

describe('submissions', () => {
  const request = {
    clientOrderId: '281474976710655',
    symbol: 'BTC',
    side: 'sell',
    lots: 500,
    limitTicks: 749_000,
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: true,
    validUntilMs: AT.calendarMs + 5_000.5,
  };
  type Place = Parameters<VenueAdapter['placeOrder']>[0];
  const place = (change: object = {}): unknown =>
    open().placeOrder({ ...request, ...change } as unknown as Place, 9n, AT).sign?.input;

  it('makes an immediate limit order of a taker', () => {
    expect(place()).toEqual({
      privateKey: PRIVATE_KEY,
      chainId: 304,
      transaction: {
        type: 14,
        accountIndex: 1234,
        apiKeyIndex: 5,
        nonce: 9,
        expiredAt: AT.calendarMs + 5_000,
        fields: {
          MarketIndex: 1,
          ClientOrderIndex: 281_474_976_710_655,
          BaseAmount: 500,
          Price: 749_000,
          IsAsk: 1,
          Type: 0,
          TimeInForce: 0,
          ReduceOnly: 1,
          TriggerPrice: 0,
          OrderExpiry: 0,
        },
      },
    });
  });

  it('lets resting orders expire within the month the venue allows', () => {
    const day = 86_400_000;
    expect(place({ timeInForce: 'gtc' })).toMatchObject({
      transaction: { fields: { TimeInForce: 1, OrderExpiry: AT.calendarMs + 28 * day } },
    });
    expect(place({ timeInForce: 'gtc', postOnly: true })).toMatchObject({
      transaction: { fields: { TimeInForce: 2 } },
    });
  });

  it('refuses an id the venue cannot hold and a missing nonce', () => {
    expect(() => place({ clientOrderId: '281474976710656' })).toThrow(/client order id must be decimal text/);
    expect(() => place({ clientOrderId: '007' })).toThrow(/client order id must be decimal text/);
    expect(() => open().cancelOrder({ symbol: 'BTC', clientOrderId: '7' }, undefined, AT)).toThrow(
      /nonce must be known/,
    );
    expect(() => open().cancelOrder({ symbol: 'DOGE', clientOrderId: '7' }, 1n, AT)).toThrow(
      /must be a market read from the venue/,
    );
  });

  it('asks for leverage as a margin fraction, never for more than wanted', () => {
    expect(open().setLeverage?.('BTC', 3, 1n, AT).sign?.input).toMatchObject({
      transaction: { type: 20, fields: { MarketIndex: 1, InitialMarginFraction: 3334, MarginMode: 0 } },
    });
  });

  it('sends the signed transaction on the account socket under its hash', () => {
    const plan = open().cancelOrder({ symbol: 'BTC', clientOrderId: '7' }, 9n, AT);
    const signature = { txType: 15, txInfo: '{"AccountIndex":1234}', txHash: '0123456789abcdef0123' };
    expect(plan.submit(signature, AT)).toEqual({
      via: 'socket',
      submissionId: '0123456789abcdef',
      frame: {
        socketKey: 'account',
        kind: 'order',
        text: '{"type":"jsonapi/sendtx","data":{"id":"0123456789abcdef","tx_type":15,"tx_info":{"AccountIndex":1234}}}',
      },
    });
  });
});

describe('weights', () => {
  test.each([
    ['nextNonce', 6, 1],
    ['account', 300, 1],
    ['accountInactiveOrders', 100, 1],
    // 24,000 / 600 a minute are fewer than 60: the lower number holds for standard accounts too.
    ['trades', 600, 1.5],
  ])('of %s are %d premium and %d standard', (endpoint, premium, standard) => {
    expect(weightOf(endpoint, 'premium')).toBe(premium);
    expect(weightOf(endpoint, 'standard')).toBe(standard);
  });
});

describe.skipIf(!hasFixtures)('recorded answers (skipped when ../shared is absent)', () => {
  it('reads the recorded account, orders, limits and status', () => {
    const adapter = open();
    const [account, orders] = adapter.accountSnapshot(AT);
    expect(account?.parse(answer(fixture('rest.account.1')), AT).events.map((event) => event.type)).toEqual([
      'positions-snapshot',
      'balance',
    ]);
    expect(orders?.parse(answer(fixture('rest.accountActiveOrders.1')), AT).events).toMatchObject([
      { type: 'open-orders', orders: [{ clientOrderId: '42' }] },
    ]);
    expect(adapter.feeTier(AT).parse(answer(fixture('rest.accountLimits.1')), AT).events).toMatchObject([
      { type: 'fee-tier' },
    ]);
    expect(adapter.serverTime().parse(answer(fixture('rest.status.1')), AT).events).toMatchObject([
      { type: 'server-time' },
    ]);
    expect(adapter.instruments().parse(answer(fixture('rest.orderBookDetails.1')), AT).events).toMatchObject([
      { type: 'instruments', instruments: [{ symbol: 'ETH' }] },
    ]);
  });

  test.each(['rest.error.1', 'rest.error.2', 'rest.error.3'])('throws what %s says', (name) => {
    expect(() =>
      open()
        .feeTier(AT)
        .parse(answer(fixture(name), 400), AT),
    ).toThrow(VenueError);
  });
});
