import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { AuthTokens } from '../../../src/venues/lighter/auth.ts';
import { LighterStream } from '../../../src/venues/lighter/stream.ts';
import type { FrameResult, Instant } from '../../../src/venues/venue.ts';
import { fixture, hasFixtures, knownMarkets } from './fixtures.ts';

const START_MS = 1_776_692_222_000;
const ACCOUNT = 1234;
const PRIVATE_KEY = '0b8e0f63c24d8baacd9d29ad4e9a4b73c4a8d2bb8b16dc4fa9d7c2e1d3a8b1f0e8d3a4c5b6e7f001';

let stream: LighterStream;

function at(ms: number): Instant {
  return { calendarMs: START_MS + ms, monotonicMs: 1_000 + ms };
}

function openStream(symbols: readonly string[] = ['BTC', 'ETH']): void {
  const tokens = new AuthTokens({ privateKey: PRIVATE_KEY, accountIndex: ACCOUNT, apiKeyIndex: 5, calendarScale: 1 });
  stream = new LighterStream({
    streamUrl: 'wss://lighter.test/stream',
    accountIndex: ACCOUNT,
    tokens,
    markets: knownMarkets(),
  });
  stream.plan(symbols);
}

function frame(socketKey: string, message: unknown, ms = 0): FrameResult {
  return stream.frame(socketKey, typeof message === 'string' ? message : JSON.stringify(message), at(ms));
}

function bookFrame(
  type: 'subscribed' | 'update',
  nonce: number,
  beginNonce: number,
  asks: readonly [string, string][],
  bids: readonly [string, string][],
): unknown {
  const levels = (side: readonly [string, string][]): unknown => side.map(([price, size]) => ({ price, size }));
  return {
    type: `${type}/order_book`,
    channel: 'order_book:1',
    offset: nonce,
    timestamp: START_MS + 7,
    order_book: { code: 0, asks: levels(asks), bids: levels(bids), offset: nonce, nonce, begin_nonce: beginNonce },
  };
}

const snapshot = bookFrame('subscribed', 100, 0, [['75300.5', '0.08303']], [['75300.4', '0.00117']]);
const renewal = ['{"type":"unsubscribe","channel":"order_book/1"}', '{"type":"subscribe","channel":"order_book/1"}'];

function texts(result: FrameResult): string[] {
  return result.send.map((sent) => sent.text);
}

beforeEach(() => {
  openStream();
});

describe('books', () => {
  beforeEach(() => {
    stream.opened('market', at(0));
  });

  it('subscribes to the book and statistics of every symbol', () => {
    openStream();
    expect(texts(stream.opened('market', at(0)))).toEqual([
      '{"type":"subscribe","channel":"order_book/1"}',
      '{"type":"subscribe","channel":"market_stats/1"}',
      '{"type":"subscribe","channel":"order_book/0"}',
      '{"type":"subscribe","channel":"market_stats/0"}',
    ]);
  });

  it('follows a snapshot and chained changes', () => {
    expect(frame('market', snapshot).events).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    const change = bookFrame(
      'update',
      150,
      100,
      [
        ['75300.5', '0.00000'],
        ['75300.7', '0.28364'],
      ],
      [['75300.6', '0.04881']],
    );
    expect(frame('market', change, 3).events).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    expect(stream.book('BTC')).toEqual({
      venue: 'lighter',
      symbol: 'BTC',
      bids: [
        [753_006, 4881],
        [753_004, 117],
      ],
      asks: [[753_007, 28_364]],
      venueAtMs: START_MS + 7,
      receivedAtMonotonicMs: 1_003,
    });
  });

  it('drops a book with a gap at once and asks for a new snapshot', () => {
    frame('market', snapshot);
    const gapped = frame('market', bookFrame('update', 150, 101, [], []), 5_000);
    expect(gapped.events).toEqual([{ type: 'book-invalid', symbol: 'BTC', reason: 'gap' }]);
    expect(texts(gapped)).toEqual(renewal);
    expect(stream.book('BTC')).toBeUndefined();
    // Changes still on their way from before are nobody's.
    expect(frame('market', bookFrame('update', 200, 150, [], []), 5_001)).toEqual({ events: [], send: [] });
    expect(frame('market', snapshot, 5_002).events).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    expect(stream.book('BTC')).toBeDefined();
  });

  it('drops a crossed book', () => {
    frame('market', snapshot);
    const crossed = frame('market', bookFrame('update', 150, 100, [], [['75300.5', '1.00000']]), 5_000);
    expect(crossed.events).toEqual([{ type: 'book-invalid', symbol: 'BTC', reason: 'crossed' }]);
    expect(texts(crossed)).toEqual(renewal);
  });

  it('asks again when a change comes before any snapshot', () => {
    const early = frame('market', bookFrame('update', 150, 100, [], []));
    expect(early.events).toEqual([{ type: 'book-invalid', symbol: 'BTC', reason: 'no-snapshot' }]);
    expect(texts(early)).toEqual(renewal);
  });

  it('asks for a book that keeps breaking once a second at most', () => {
    frame('market', snapshot);
    expect(texts(frame('market', bookFrame('update', 150, 1, [], []), 10))).toEqual(renewal);
    frame('market', snapshot, 20);
    expect(texts(frame('market', bookFrame('update', 150, 1, [], []), 30))).toEqual([]);
    expect(stream.book('BTC')).toBeUndefined();
    expect(texts(stream.tick(at(900)))).toEqual([]);
    expect(texts(stream.tick(at(1_010)))).toEqual(renewal);
  });

  it('takes a damaged book frame for a lost one', () => {
    frame('market', snapshot);
    const damaged = frame('market', bookFrame('update', 150, 100, [['75300.55', '1.00000']], []), 5_000);
    expect(damaged.events.map((event) => event.type)).toEqual(['malformed-frame', 'book-invalid']);
    expect(texts(damaged)).toEqual(renewal);
  });

  it('accepts the empty book of an empty market', () => {
    frame('market', bookFrame('subscribed', 0, 0, [], []));
    expect(stream.book('BTC')).toMatchObject({ bids: [], asks: [] });
  });

  it('forgets books when the socket closes and starts afresh when it opens', () => {
    frame('market', snapshot);
    expect(stream.closed('market', at(1))).toEqual([{ type: 'book-invalid', symbol: 'BTC', reason: 'closed' }]);
    expect(stream.book('BTC')).toBeUndefined();
    stream.opened('market', at(2));
    expect(frame('market', bookFrame('update', 150, 100, [], []), 3).events).toEqual([
      { type: 'book-invalid', symbol: 'BTC', reason: 'no-snapshot' },
    ]);
  });
});

describe('the account', () => {
  const channels = [
    'account_all_orders',
    'account_all_trades',
    'account_all_positions',
    'account_all_assets',
    'user_stats',
  ];
  const first: Readonly<Record<string, unknown>> = {
    account_all_orders: { orders: {} },
    account_all_trades: { trades: [] },
    account_all_positions: { positions: { '1': { market_id: 1, symbol: 'BTC', sign: -1, position: '0.00500' } } },
    account_all_assets: { assets: { '3': { asset_id: 3, symbol: 'USDC', margin_balance: '40.000000' } } },
    user_stats: { stats: { collateral: '40.000000', available_balance: '40.000000' } },
  };
  const firstFrame = (name: string): unknown => ({
    type: `subscribed/${name}`,
    channel: `${name}:${ACCOUNT}`,
    ...(first[name] as object),
  });

  it('subscribes with a token and is ready after every first frame', () => {
    const asked = texts(stream.opened('account', at(0))).map((text) => JSON.parse(text) as Record<string, string>);
    expect(asked.map(({ channel }) => channel)).toEqual(channels.map((name) => `${name}/${ACCOUNT}`));
    expect(asked.every(({ auth }) => /^\d+:1234:5:[0-9a-f]{160}$/.test(auth ?? ''))).toBe(true);
    const events = channels.flatMap((name) => frame('account', firstFrame(name)).events);
    expect(events.map((event) => event.type)).toEqual([
      'open-orders',
      'positions-snapshot',
      'balance',
      'balance',
      'private-stream-ready',
    ]);
  });

  it('reads the first positions as all, later ones as changes', () => {
    stream.opened('account', at(0));
    expect(frame('account', firstFrame('account_all_positions')).events).toEqual([
      { type: 'positions-snapshot', positions: [{ symbol: 'BTC', signedLots: -500 }] },
    ]);
    const update = {
      type: 'update/account_all_positions',
      channel: `account_all_positions:${ACCOUNT}`,
      positions: { '0': { market_id: 0, sign: 1, position: '0.0000' } },
    };
    expect(frame('account', update).events).toEqual([{ type: 'position', position: { symbol: 'ETH', signedLots: 0 } }]);
    expect(frame('account', { ...update, positions: {} }).events).toEqual([]);
  });

  it('ignores frames of another account', () => {
    stream.opened('account', at(0));
    expect(
      frame('account', { type: 'update/account_all_positions', channel: 'account_all_positions:99', positions: null }),
    ).toEqual({ events: [], send: [] });
  });

  it('subscribes anew with the next token before the old one ends, and is ready again only then', () => {
    stream.opened('account', at(0));
    for (const name of channels) frame('account', firstFrame(name));
    const hour = 3_600_000;
    expect(texts(stream.tick(at(6 * hour))).filter((text) => !text.includes('ping'))).toEqual([]);
    const renewed = texts(stream.tick(at(7.2 * hour))).filter((text) => !text.includes('ping'));
    expect(renewed).toHaveLength(2 * channels.length);
    expect(renewed[0]).toBe(`{"type":"unsubscribe","channel":"account_all_orders/${ACCOUNT}"}`);
    const events = channels.flatMap((name) => frame('account', firstFrame(name), 7.2 * hour).events);
    expect(events.filter((event) => event.type === 'private-stream-ready')).toHaveLength(1);
  });

  it('asks for a comparison after a damaged frame, not more than twice a minute', () => {
    stream.opened('account', at(0));
    for (const name of channels) frame('account', firstFrame(name));
    const damaged = {
      type: 'update/account_all_orders',
      channel: `account_all_orders:${ACCOUNT}`,
      orders: { '1': [{ market_index: 1 }] },
    };
    expect(frame('account', damaged, 100).events.map((event) => event.type)).toEqual(['malformed-frame']);
    expect(stream.tick(at(10_000)).events).toEqual([]);
    expect(stream.tick(at(30_000)).events).toEqual([{ type: 'private-stream-ready' }]);
    expect(stream.tick(at(70_000)).events).toEqual([]);
  });

  it('subscribes anew when a first frame was damaged', () => {
    stream.opened('account', at(0));
    for (const name of channels.slice(1)) frame('account', firstFrame(name));
    const damaged = { type: 'subscribed/account_all_orders', channel: `account_all_orders:${ACCOUNT}`, orders: 7 };
    expect(frame('account', damaged).events.map((event) => event.type)).toEqual(['malformed-frame']);
    expect(texts(stream.tick(at(30_000)))).toContain(
      `{"type":"unsubscribe","channel":"account_all_orders/${ACCOUNT}"}`,
    );
  });

  test.each([
    [
      { type: 'jsonapi/sendtx', code: 200, id: 'abc', tx_hash: 'abcdef' },
      { type: 'submission-accepted', submissionId: 'abc' },
    ],
    [
      { type: 'jsonapi/sendtx', code: 21_727, message: 'invalid client order index', tx_hash: '0123456789abcdef0123' },
      {
        type: 'submission-refused',
        submissionId: '0123456789abcdef',
        code: '21727',
        reason: 'invalid client order index',
        class: 'permanent',
      },
    ],
    [
      { error: { code: 21_104, message: 'invalid nonce' } },
      { type: 'submission-refused', code: '21104', reason: 'invalid nonce', class: 'nonce' },
    ],
    [
      { type: 'error', code: 30_009, message: 'too many messages' },
      { type: 'venue-error', code: '30009', reason: 'too many messages' },
    ],
  ])('reads the answer %j', (answer, event) => {
    stream.opened('account', at(0));
    expect(frame('account', answer).events).toEqual([event]);
  });

  it('takes "already subscribed" as no news', () => {
    stream.opened('account', at(0));
    expect(frame('account', { error: { code: 30_003, message: 'Already Subscribed to : ticker:3' } }).events).toEqual(
      [],
    );
  });
});

describe('keeping a connection', () => {
  it('answers pings and sends its own', () => {
    stream.opened('market', at(0));
    expect(texts(frame('market', '{"type":"ping"}'))).toEqual(['{"type":"pong"}']);
    expect(texts(stream.tick(at(5_000)))).toEqual([]);
    expect(texts(stream.tick(at(10_000)))).toContain('{"type":"ping"}');
  });

  it('asks again for a subscription that was never answered', () => {
    openStream(['BTC']);
    stream.opened('market', at(0));
    frame('market', snapshot);
    const again = texts(stream.tick(at(10_000)));
    expect(again).toContain('{"type":"subscribe","channel":"market_stats/1"}');
    expect(again).not.toContain('{"type":"subscribe","channel":"order_book/1"}');
  });
});

describe('nonsense', () => {
  it('never throws and never makes a book of it', () => {
    fc.assert(
      fc.property(fc.constantFrom('market', 'account'), fc.oneof(fc.string(), fc.json()), (socketKey, text) => {
        openStream();
        stream.opened(socketKey, at(0));
        frame(socketKey, text);
        expect(stream.book('BTC')).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('survives every recorded shape with any value replaced', () => {
    const values = fc.constantFrom<unknown>(null, -1, 1.5, '', 'NaN', '1e5', [], {}, true, Number.MAX_SAFE_INTEGER);
    const good = JSON.stringify(snapshot);
    const places = [...good.matchAll(/:("[^"]*"|\d+)/g)].map((match) => match.index);
    fc.assert(
      fc.property(fc.constantFrom(...places), values, (place, value) => {
        openStream();
        stream.opened('market', at(0));
        const damaged =
          good.slice(0, place + 1) + good.slice(place + 1).replace(/^("[^"]*"|\d+)/, JSON.stringify(value));
        stream.frame('market', damaged, at(1));
        const book = stream.book('BTC');
        if (book !== undefined) expect(book.asks.every(([ticks, lots]) => ticks > 0 && lots > 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe.skipIf(!hasFixtures)('recorded frames (skipped when ../shared is absent)', () => {
  it('chains the recorded snapshot and its next change', () => {
    stream.opened('market', at(0));
    expect(frame('market', fixture('ws.order_book.4')).events).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    expect(frame('market', fixture('ws.order_book.5')).events).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    expect(stream.book('BTC')?.bids[0]).toEqual([753_006, 4881]);
    expect(stream.book('BTC')?.asks[0]).toEqual([753_007, 28_364]);
  });

  test.each([
    ['ws.account_all_orders.1', ['order-update']],
    ['ws.account_all_positions.1', ['position']],
    ['ws.account_all_positions.3', []],
    ['ws.account_all_trades.1', ['fill']],
    ['ws.account_all_trades.2', ['fill']],
    ['ws.account_all_assets.2', ['balance']],
    ['ws.user_stats.2', ['balance']],
    ['ws.error.1', []],
    ['ws.error.3', ['submission-refused']],
    ['ws.jsonapi_sendtx.1', ['submission-accepted']],
    ['ws.jsonapi_sendtx.2', ['submission-refused']],
    ['ws.connected.1', []],
    ['ws.notification.1', []],
    ['ws.unsubscribed.1', []],
  ])('reads %s', (name, types) => {
    stream.opened('account', at(0));
    expect(frame('account', fixture(name)).events.map((event) => event.type)).toEqual(types);
  });

  test.each(['ws.trade.1', 'ws.ticker.1', 'ws.candle.1', 'ws.height.1', 'ws.spot_market_stats.1'])(
    'lets %s pass',
    (name) => {
      stream.opened('market', at(0));
      expect(frame('market', fixture(name)).events).toEqual([]);
    },
  );

  it('reads statistics of all markets in one frame', () => {
    stream.opened('market', at(0));
    expect(frame('market', fixture('ws.market_stats.2')).events.map((event) => event.type)).toEqual([
      'mark',
      'funding-rate',
      'funding-rate',
      'mark',
      'funding-rate',
      'funding-rate',
    ]);
  });
});
