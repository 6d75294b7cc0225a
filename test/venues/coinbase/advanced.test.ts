import { describe, expect, it, test } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { coinbaseAdapter } from '../../../src/venues/coinbase/adapter.ts';
import { isSignedBy, platformKey, publicKeyOf } from '../../../src/venues/coinbase/sign.ts';
import { uuidOf } from '../../../src/venues/coinbase/wire.ts';
import type {
  FrameResult,
  Instant,
  Operation,
  OrderRequest,
  SubmissionPlan,
  VenueAdapter,
  VenueEvent,
  VenueStream,
} from '../../../src/venues/venue.ts';
import { product } from './fixtures.ts';
import { KEYS } from './venue-stage.ts';

const SYMBOL = 'BIP-20DEC30-CDE';
const AT: Instant = { calendarMs: 1_790_000_000_000, monotonicMs: 1_000 };
const after = (ms: number): Instant => ({ calendarMs: AT.calendarMs + ms, monotonicMs: AT.monotonicMs + ms });

function answer(
  operation: Operation,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): readonly VenueEvent[] {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { events, next } = operation.parse({ type: 'http-answered', ref: 1, status, headers, body: text }, AT);
  expect(next).toBeUndefined();
  return events;
}
function open(): VenueAdapter {
  const adapter = coinbaseAdapter({
    account: 'main',
    restUrl: 'https://drb.coinbase.com',
    streamUrl: 'wss://drb.coinbase.com',
    options: { accountType: 'us' },
    secrets: KEYS.main,
    calendarScale: 1,
  });
  answer(adapter.instruments(), { products: [product(), product({ product_type: 'SPOT' })] });
  return adapter;
}
const ORDER: OrderRequest = {
  clientOrderId: '1001',
  symbol: SYMBOL,
  side: 'sell',
  lots: 3 as QuantityLots,
  limitTicks: 13_786 as PriceTicks,
  timeInForce: 'ioc',
  postOnly: false,
  reduceOnly: false,
  validUntilMs: AT.calendarMs + 8_000,
};
function operationOf(plan: SubmissionPlan, at = AT): Operation {
  const made = plan.submit(undefined, at);
  if (made.via !== 'http') throw new Error('Advanced Trade takes orders over HTTP');
  return made.operation;
}
const place = (adapter: VenueAdapter, change: Partial<OrderRequest> = {}): Operation =>
  operationOf(adapter.placeOrder({ ...ORDER, ...change }, undefined, AT));
function claims(operation: Operation, at?: Instant): Record<string, unknown> {
  const { headers } = at === undefined ? operation.request : (operation.requestAt?.(at) ?? operation.request);
  const token = headers['authorization']?.replace('Bearer ', '') ?? '';
  expect(isSignedBy(publicKeyOf(platformKey('k', KEYS.main.privateKey)), token)).toBe(true);
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

describe('requests', () => {
  it('carry a token for just this method, host and path, without the query', () => {
    const [positions] = open().accountSnapshot(AT);
    expect(positions && claims(positions)['uri']).toBe('GET api.coinbase.com/api/v3/brokerage/cfm/positions');
    const fees = open().feeTier(AT);
    expect(fees.request.url).toBe('https://api.coinbase.com/api/v3/brokerage/transaction_summary?product_type=FUTURE');
    expect(claims(fees)['uri']).toBe('GET api.coinbase.com/api/v3/brokerage/transaction_summary');
  });

  it('that read get a new token when they leave; those that change something end with their validity', () => {
    const fees = open().feeTier(AT);
    expect(Number(claims(fees, after(60_000))['nbf']) - Number(claims(fees)['nbf'])).toBe(60);
    const { nbf, exp } = claims(place(open()));
    expect([nbf, exp]).toEqual([1_789_999_998, 1_790_000_008]);
    expect('requestAt' in place(open())).toBe(false);
  });

  it('for market data carry none', () => {
    const adapter = open();
    for (const operation of [adapter.serverTime(), adapter.instruments(), adapter.fundingHistory(SYMBOL, 0, AT)])
      expect(operation.request.headers['authorization']).toBeUndefined();
  });

  test.each([
    [401, 'transient', undefined],
    [403, 'fatal', undefined],
    [404, 'permanent', undefined],
    [429, 'rate-limit', 7_000],
    [503, 'unknown-outcome', undefined],
  ])('refused with %i are classed', (status, refusal, retryAfterMs) => {
    const { authorization = '' } = open().feeTier(AT).request.headers;
    const said = `no: ${authorization.replace('Bearer ', '')}`;
    let thrown: unknown;
    try {
      answer(open().feeTier(AT), said, status, { 'retry-after': '7' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ class: refusal, retryAfterMs, code: `HTTP_${status}` });
    expect(String(thrown)).not.toContain('eyJ');
  });

  it('say what the key may do, and what no key can know', () => {
    expect(open().keyCaution).toContain('lists no funding payments');
    const rights = (can_transfer: boolean): unknown =>
      answer(open().keyRights?.(AT) ?? open().serverTime(), { can_view: true, can_trade: true, can_transfer });
    expect(rights(true)).toEqual([{ type: 'key-rights', rights: { canTrade: true, canWithdraw: true } }]);
    expect(rights(false)).toEqual([{ type: 'key-rights', rights: { canTrade: true, canWithdraw: false } }]);
  });
});

describe('orders', () => {
  it('that should only reduce are guarded by nothing at the venue, and the adapter says so', () => {
    expect(open().lacksReduceOnly).toBe(true);
    expect(place(open(), { reduceOnly: true }).request.body).toBe(place(open()).request.body);
  });

  it('count contracts, name the price per unit of the underlying, and our id as a UUID', () => {
    expect(JSON.parse(place(open()).request.body ?? '')).toEqual({
      client_order_id: uuidOf('1001'),
      product_id: SYMBOL,
      side: 'SELL',
      order_configuration: { sor_limit_ioc: { base_size: '3', limit_price: '68930' } },
      leverage: '3',
      margin_type: 'CROSS',
    });
    const quote = JSON.parse(place(open(), { timeInForce: 'gtc', postOnly: true }).request.body ?? '') as Record<
      string,
      unknown
    >;
    expect(quote['order_configuration']).toEqual({
      limit_limit_gtc: { base_size: '3', limit_price: '68930', post_only: true },
    });
  });

  it('carry the leverage asked for, as far as the night’s margin allows', () => {
    const adapter = open();
    const leverage = (): unknown => (JSON.parse(place(adapter).request.body ?? '') as { leverage: string }).leverage;
    adapter.assumeLeverage?.(SYMBOL, 2);
    expect(leverage()).toBe('2');
    adapter.assumeLeverage?.(SYMBOL, 20);
    expect(leverage()).toBe('3');
  });

  it('are accepted by the venue’s id, and refused with status 200', () => {
    const success = { success: true, success_response: { order_id: 'v1', product_id: SYMBOL, side: 'SELL' } };
    expect(answer(place(open()), success)).toEqual([{ type: 'submission-accepted', venueOrderId: 'v1' }]);
  });

  test.each([
    ['INSUFFICIENT_FUND', 'state'],
    ['INVALID_LIMIT_PRICE_POST_ONLY', 'state'],
    ['INVALID_PRICE_PRECISION', 'permanent'],
    ['UNSUPPORTED_ORDER_CONFIGURATION', 'permanent'],
    ['INVALID_LEVERAGE_PROVIDED', 'permanent'],
    ['account is not available', 'fatal'],
    ['SOMETHING_NEW', 'unknown-outcome'],
  ])('refused for %s are a matter of kind %s', (reason, refusal) => {
    const error_response = {
      error: reason,
      message: 'no',
      error_details: '',
      new_order_failure_reason: 'UNKNOWN_FAILURE_REASON',
    };
    expect(() => answer(place(open()), { success: false, error_response })).toThrow(
      expect.objectContaining({ code: reason, class: refusal }),
    );
  });

  it('are cancelled by the venue’s id alone, all known ones a hundred at a time', () => {
    const adapter = open();
    const name = { symbol: SYMBOL, clientOrderId: '1001' };
    const bodyOf = (operation: Operation): unknown => JSON.parse(operation.request.body ?? '');
    const one = operationOf(adapter.cancelOrder({ ...name, venueOrderId: 'v1' }, undefined, AT));
    expect(bodyOf(one)).toEqual({ order_ids: ['v1'] });
    const gone = { results: [{ success: false, failure_reason: 'UNKNOWN_CANCEL_ORDER', order_id: 'v1' }] };
    expect(() => answer(one, gone)).toThrow(expect.objectContaining({ code: 'UNKNOWN_CANCEL_ORDER', class: 'state' }));
    const all = Array.from({ length: 150 }, (_none, index) => ({ ...name, venueOrderId: `v${index}` }));
    const requests = adapter
      .cancelAll(all)
      .map((request) => bodyOf(operationOf(request(undefined, AT))) as { order_ids: string[] });
    expect(requests.map(({ order_ids }) => order_ids.length)).toEqual([100, 50]);
  });

  const listed = {
    order_id: 'v1',
    product_id: SYMBOL,
    client_order_id: uuidOf('1001'),
    side: 'SELL',
    status: 'OPEN',
    order_configuration: { limit_limit_gtc: { base_size: '3', limit_price: '68930' } },
    filled_size: '1',
    created_time: '2026-09-21T15:06:40Z',
  };

  it('are found by our id among those of the product, page after page', () => {
    const adapter = open();
    const [first] = adapter.findOrder(SYMBOL, '1001', AT);
    if (first === undefined) throw new Error('there must be a question');
    const body = (orders: readonly unknown[], has_next: boolean, cursor: string): string =>
      JSON.stringify({ orders, has_next, cursor });
    const other = { ...listed, order_id: 'v0', client_order_id: 'somebody' };
    const page = first.parse(
      { type: 'http-answered', ref: 1, status: 200, headers: {}, body: body([other], true, 'c') },
      AT,
    );
    expect(page.events).toEqual([]);
    expect(page.next?.request.url).toContain('cursor=c');
    expect(page.next && answer(page.next, body([listed], true, 'd'))).toMatchObject([
      { type: 'order-update', order: { clientOrderId: '1001', status: 'open', lots: 3, filledLots: 1 } },
      { type: 'order-lookup', clientOrderId: '1001', found: true },
    ]);
    const [again] = adapter.findOrder(SYMBOL, '7', AT);
    expect(again && answer(again, body([listed], false, ''))).toEqual([
      { type: 'order-lookup', clientOrderId: '7', found: false },
    ]);
  });

  it('are known before their fills, which name them by the venue’s id', () => {
    const first = open().fillsSince(AT.calendarMs, AT);
    const orders = JSON.stringify({ orders: [listed], has_next: false, cursor: '' });
    const { next } = first.parse({ type: 'http-answered', ref: 1, status: 200, headers: {}, body: orders }, AT);
    const fill = {
      trade_id: 't1',
      order_id: 'v1',
      trade_time: '2026-09-21T15:06:41Z',
      trade_type: 'FILL',
      price: '68930',
      size: '1',
      commission: '0.2000001',
      product_id: SYMBOL,
      liquidity_indicator: 'TAKER',
      side: 'SELL',
    };
    expect(next && answer(next, { fills: [fill, { ...fill, trade_type: 'CORRECTION' }], cursor: '' })).toMatchObject([
      {
        type: 'fill',
        fill: {
          fillId: 't1',
          clientOrderId: '1001',
          lots: 1,
          priceTicks: 13_786,
          feeMicro: -200_001n,
          liquidity: 'taker',
        },
      },
    ]);
  });
});

describe('sockets', () => {
  function follow(): {
    readonly stream: VenueStream;
    readonly hear: (key: string, frame: object, at?: Instant) => FrameResult;
  } {
    const stream = open().openStream();
    stream.plan([SYMBOL]);
    let sequence = 0;
    const hear = (key: string, frame: object, at = AT): FrameResult => {
      const whole =
        key === 'spot' ? frame : { client_id: '', timestamp: '2026-09-21T15:06:40Z', sequence_num: sequence, ...frame };
      sequence += 1;
      return stream.frame(key, JSON.stringify(whole), at);
    };
    return { stream, hear };
  }
  const level = (side: string, price_level: string, new_quantity: string): object => ({
    side,
    event_time: '2026-09-21T15:06:40Z',
    price_level,
    new_quantity,
  });
  const l2 = (type: string, ...updates: object[]): object => ({
    channel: 'l2_data',
    events: [{ type, product_id: SYMBOL, updates }],
  });
  const SNAPSHOT = l2('snapshot', level('bid', '68925', '4'), level('offer', '68935', '2'));

  it('ask for heartbeats with everything, one channel a frame, and for the account with a token each', () => {
    const { stream } = follow();
    expect(stream.plan([SYMBOL]).map(({ url }) => url)).toEqual([
      'wss://advanced-trade-ws-user.coinbase.com',
      'wss://advanced-trade-ws.coinbase.com',
      'wss://ws-feed.exchange.coinbase.com',
    ]);
    const sent = (key: string): Record<string, unknown>[] =>
      stream.opened(key, AT).send.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    expect(sent('market')).toEqual([
      { type: 'subscribe', channel: 'heartbeats' },
      { type: 'subscribe', channel: 'level2', product_ids: [SYMBOL] },
    ]);
    const account = sent('account');
    expect(account.map(({ channel }) => channel)).toEqual(['heartbeats', 'user', 'futures_balance_summary']);
    expect(new Set(account.map(({ jwt }) => jwt)).size).toBe(3);
    expect(sent('spot')).toEqual([{ type: 'subscribe', product_ids: ['BTC-USD'], channels: ['ticker', 'heartbeat'] }]);
  });

  it('follow books in contracts and tell their middle as mark, with the spot price as index', () => {
    const { stream, hear } = follow();
    for (const key of ['market', 'spot']) stream.opened(key, AT);
    expect(hear('market', l2('update', level('bid', '68920', '1'))).events).toEqual([]);
    expect(hear('market', SNAPSHOT).events).toEqual([{ type: 'book-changed', symbol: SYMBOL }]);
    hear('market', l2('update', level('bid', '68925', '0'), level('bid', '68920', '7')));
    expect(stream.book(SYMBOL)).toMatchObject({ bids: [[13_784, 7]], asks: [[13_787, 2]] });
    const ticker = {
      type: 'ticker',
      sequence: 9,
      product_id: 'BTC-USD',
      price: '68900',
      best_bid: '68900',
      best_ask: '68901',
      time: '2026-09-21T15:06:40Z',
    };
    hear('spot', ticker);
    expect(stream.tick(after(1_000)).events).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 68_927_500_000_000n, indexNano: 68_900_500_000_000n } },
    ]);
    // An old spot price is no index.
    expect(stream.tick(after(20_000)).events).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 68_927_500_000_000n } },
    ]);
    expect(
      JSON.stringify(stream.tick(after(22_000)).events, (_name, value: unknown) =>
        typeof value === 'bigint' ? 'n' : value,
      ),
    ).not.toContain('indexNano');
  });

  it('are opened anew after a hole in their numbers, whatever the frames were about', () => {
    const { stream, hear } = follow();
    stream.opened('market', AT);
    hear('market', SNAPSHOT);
    expect(hear('market', { channel: 'heartbeats', events: [], sequence_num: 5 }).reconnect).toBe(
      'frame 5 came where 1 was due',
    );
    expect(stream.closed('market', AT)).toEqual([{ type: 'book-invalid', symbol: SYMBOL, reason: 'closed' }]);
    expect(stream.book(SYMBOL)).toBeUndefined();
    stream.opened('market', AT);
    // A new connection counts as it likes.
    expect(hear('market', SNAPSHOT).reconnect).toBeUndefined();
  });

  it('give up a book that crosses, and ask for it again', () => {
    const { stream, hear } = follow();
    stream.opened('market', AT);
    hear('market', SNAPSHOT);
    const { events, send } = hear('market', l2('update', level('bid', '68940', '1')));
    expect(events).toEqual([{ type: 'book-invalid', symbol: SYMBOL, reason: 'crossed' }]);
    expect(send.map(({ text }) => (JSON.parse(text) as { type: string }).type)).toEqual(['unsubscribe', 'subscribe']);
    expect(stream.book(SYMBOL)).toBeUndefined();
  });

  const order = (id: number, change: object = {}): object => ({
    order_id: `v${id}`,
    client_order_id: uuidOf(String(id)),
    product_id: SYMBOL,
    order_side: 'BUY',
    status: 'OPEN',
    cumulative_quantity: '0',
    leaves_quantity: '5',
    ...change,
  });

  it('are ready with the last batch of the account’s orders, and tell what comes after', () => {
    const { stream, hear } = follow();
    stream.opened('account', AT);
    const batch = (from: number, count: number): object => ({
      channel: 'user',
      events: [{ type: 'snapshot', orders: Array.from({ length: count }, (_none, index) => order(from + index)) }],
    });
    const isReady = ({ events }: FrameResult): boolean => events.some(({ type }) => type === 'private-stream-ready');
    expect(isReady(hear('account', batch(1, 50)))).toBe(false);
    expect(isReady(hear('account', batch(51, 3)))).toBe(true);
    const ended = order(52, {
      status: 'CANCELLED',
      cumulative_quantity: '2',
      leaves_quantity: '0',
      cancel_reason: 'by user',
    });
    expect(hear('account', { channel: 'user', events: [{ type: 'update', orders: [ended] }] }).events).toMatchObject([
      // What was asked for is remembered from before its end.
      { type: 'order-update', order: { clientOrderId: '52', status: 'cancelled', lots: 5, filledLots: 2 } },
    ]);
  });

  it('say so when they are refused', () => {
    const { stream } = follow();
    stream.opened('account', AT);
    const refused = stream.frame('account', '{"type":"error","message":"authentication failure"}', AT);
    expect(refused).toMatchObject({
      events: [{ type: 'venue-error', code: 'AUTH' }],
      reconnect: 'the venue refused: authentication failure',
    });
  });

  it('end at a frame that cannot be read, but not at a spot price', () => {
    const { stream } = follow();
    for (const key of ['market', 'spot']) stream.opened(key, AT);
    expect(stream.frame('market', '{"channel":', AT).reconnect).toBeDefined();
    expect(stream.frame('spot', '{"type":', AT)).toMatchObject({ events: [{ type: 'malformed-frame' }] });
    expect(stream.frame('spot', '{"type":', AT).reconnect).toBeUndefined();
  });
});
