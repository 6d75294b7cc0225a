import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ExtendedMarkets } from '../../../src/venues/extended/markets.ts';
import { parseMarket } from '../../../src/venues/extended/parse.ts';
import { ExtendedStream } from '../../../src/venues/extended/stream.ts';
import type { FrameResult, Instant } from '../../../src/venues/venue.ts';

const NOW_MS = 1_790_586_600_000;
const BOOK = 'book:BTC-USD';
const NOTHING: FrameResult = { events: [], send: [] };

function at(monotonicMs = 0): Instant {
  return { calendarMs: NOW_MS + monotonicMs, monotonicMs };
}

function openStream(): ExtendedStream {
  const markets = new ExtendedMarkets();
  const market = parseMarket({
    name: 'BTC-USD',
    assetName: 'BTC',
    collateralAssetName: 'USD',
    tradingConfig: {
      minOrderSize: '0.0001',
      minOrderSizeChange: '0.00001',
      minPriceChange: '1',
      maxLimitOrderValue: '15000000',
      maxPositionValue: '60000000',
      maxLeverage: '50.00',
    },
    l2Config: { collateralId: '0x1', collateralResolution: 1000000, syntheticId: '0x42', syntheticResolution: 1000000 },
  });
  if (market === undefined) throw new Error('a perpetual is a market');
  markets.replace([market]);
  const stream = new ExtendedStream({ streamUrl: 'wss://venue', apiKey: 'key', markets, calendarScale: 1 });
  for (const { key } of stream.plan(['BTC-USD'])) stream.opened(key, at());
  return stream;
}

type Level = readonly [price: string, size: string, absolute?: string];
function bookFrame(
  type: 'SNAPSHOT' | 'DELTA',
  seq: number,
  bids: readonly Level[],
  asks: readonly Level[],
  tsMs = NOW_MS,
): string {
  const side = (levels: readonly Level[]): unknown =>
    levels.map(([p, q, c]) => ({ q, p, ...(c === undefined ? {} : { c }) }));
  return JSON.stringify({ type, data: { t: type, m: 'BTC-USD', b: side(bids), a: side(asks), d: 'f' }, ts: tsMs, seq });
}
const snapshot = bookFrame('SNAPSHOT', 1, [['63720', '14.79329']], [['63721', '5.1']]);

describe('sockets', () => {
  it('plans the account, all marks, all applied rates and one book per symbol, with User-Agent on each and the key on one', () => {
    const plan = openStream().plan(['BTC-USD', 'ETH-USD']);
    expect(plan.map(({ key, url }) => [key, url])).toEqual([
      ['account', 'wss://venue/account'],
      ['marks', 'wss://venue/prices/mark'],
      ['funding', 'wss://venue/funding'],
      ['book:BTC-USD', 'wss://venue/orderbooks/BTC-USD'],
      ['book:ETH-USD', 'wss://venue/orderbooks/ETH-USD'],
    ]);
    expect(plan.every(({ headers }) => headers['user-agent'] !== undefined)).toBe(true);
    expect(plan.filter(({ headers }) => headers['x-api-key'] !== undefined).map(({ key }) => key)).toEqual(['account']);
  });
});

describe('books', () => {
  it('takes the absolute size of a change, not the difference, and deletes at zero', () => {
    const stream = openStream();
    expect(stream.frame(BOOK, snapshot, at()).events).toEqual([{ type: 'book-changed', symbol: 'BTC-USD' }]);
    stream.frame(
      BOOK,
      bookFrame(
        'DELTA',
        2,
        [
          ['63717', '-0.00005', '0.85928'],
          ['63720', '-14.79329', '0'],
        ],
        [],
      ),
      at(5),
    );
    expect(stream.book('BTC-USD')).toEqual({
      venue: 'extended',
      symbol: 'BTC-USD',
      bids: [[63_717, 85_928]],
      asks: [[63_721, 510_000]],
      venueAtMs: NOW_MS,
      receivedAtMonotonicMs: 5,
    });
  });

  it('adds up the differences of a server that sends no absolute sizes', () => {
    const stream = openStream();
    stream.frame(BOOK, snapshot, at());
    stream.frame(
      BOOK,
      bookFrame(
        'DELTA',
        2,
        [
          ['63720', '-4.00000'],
          ['63719', '1'],
        ],
        [['63721', '-5.1']],
      ),
      at(),
    );
    expect(stream.book('BTC-USD')).toMatchObject({
      bids: [
        [63_720, 1_079_329],
        [63_719, 100_000],
      ],
      asks: [],
    });
  });

  it('replaces the book at each further snapshot and goes on counting', () => {
    const stream = openStream();
    stream.frame(BOOK, snapshot, at());
    stream.frame(BOOK, bookFrame('SNAPSHOT', 2, [['100', '1']], [['101', '1']]), at());
    expect(stream.book('BTC-USD')).toMatchObject({ bids: [[100, 100_000]], asks: [[101, 100_000]] });
    expect(stream.frame(BOOK, bookFrame('DELTA', 3, [], []), at()).events).toHaveLength(1);
  });

  it('does not trust a first snapshot of a minute ago until the replay has caught up', () => {
    const stream = openStream();
    expect(stream.frame(BOOK, bookFrame('SNAPSHOT', 1, [['100', '1']], [['101', '1']], NOW_MS - 59_000), at())).toEqual(
      NOTHING,
    );
    expect(stream.frame(BOOK, bookFrame('DELTA', 2, [['100', '1', '2']], [], NOW_MS - 30_000), at())).toEqual(NOTHING);
    expect(stream.book('BTC-USD')).toBeUndefined();
    expect(stream.frame(BOOK, bookFrame('DELTA', 3, [['100', '1', '3']], [], NOW_MS - 80), at()).events).toHaveLength(
      1,
    );
    expect(stream.book('BTC-USD')?.bids).toEqual([[100, 300_000]]);
  });

  it('trusts a live book also when our clock is far ahead of the venue’s', () => {
    const stream = openStream();
    const behind = NOW_MS - 3_600_000;
    stream.frame(BOOK, bookFrame('SNAPSHOT', 1, [['100', '1']], [['101', '1']], behind), at());
    stream.frame(BOOK, bookFrame('DELTA', 2, [], [], behind + 100), at(100));
    expect(stream.book('BTC-USD')).toBeUndefined();
    stream.frame(BOOK, bookFrame('DELTA', 3, [], [], behind + 3_100), at(3_100));
    expect(stream.book('BTC-USD')).toBeDefined();
  });

  test.each([
    ['a missing frame', bookFrame('DELTA', 3, [], []), 'gap'],
    ['a crossed book', bookFrame('DELTA', 2, [['63721', '1', '1']], []), 'crossed'],
    ['a price between ticks', bookFrame('DELTA', 2, [['63717.5', '1', '1']], []), 'gap'],
    ['bytes that are no JSON', '{"type":"DEL', 'gap'],
    ['a frame of another market', bookFrame('DELTA', 2, [], []).replace('BTC-USD', 'ETH-USD'), 'gap'],
  ])(
    'drops the book and asks for a new connection after %s, and ignores the rest of the old one',
    (_what, text, reason) => {
      const stream = openStream();
      stream.frame(BOOK, snapshot, at());
      const result = stream.frame(BOOK, text, at());
      expect(result.events).toContainEqual({ type: 'book-invalid', symbol: 'BTC-USD', reason });
      expect(result.reconnect).toBeDefined();
      expect(stream.book('BTC-USD')).toBeUndefined();
      expect(stream.frame(BOOK, bookFrame('SNAPSHOT', 4, [['100', '1']], [['101', '1']]), at())).toEqual(NOTHING);
      stream.closed(BOOK, at());
      stream.opened(BOOK, at());
      expect(stream.frame(BOOK, snapshot, at()).events).toHaveLength(1);
    },
  );

  it('cannot begin with a change', () => {
    const result = openStream().frame(BOOK, bookFrame('DELTA', 1, [], []), at());
    expect(result.events).toEqual([{ type: 'book-invalid', symbol: 'BTC-USD', reason: 'no-snapshot' }]);
    expect(result.reconnect).toBeDefined();
  });

  it('ignores a frame that comes twice', () => {
    const stream = openStream();
    stream.frame(BOOK, snapshot, at());
    const change = bookFrame('DELTA', 2, [['63719', '1']], []);
    stream.frame(BOOK, change, at());
    expect(stream.frame(BOOK, change, at())).toEqual(NOTHING);
    expect(stream.book('BTC-USD')?.bids).toContainEqual([63_719, 100_000]);
  });

  it('says so when the socket of a book closes', () => {
    const stream = openStream();
    stream.frame(BOOK, snapshot, at());
    expect(stream.closed(BOOK, at())).toEqual([{ type: 'book-invalid', symbol: 'BTC-USD', reason: 'closed' }]);
    expect(stream.book('BTC-USD')).toBeUndefined();
  });
});

describe('prices and rates', () => {
  it('takes the outer time of a mark price and all its digits, rounded to 1e-9', () => {
    const frame = '{"type":"MP","data":{"m":"BTC-USD","p":"63807.605956624996","ts":0},"ts":1785778593418,"seq":9}';
    expect(openStream().frame('marks', frame, at()).events).toEqual([
      {
        type: 'mark',
        symbol: 'BTC-USD',
        markTicksScaled: { markNano: 63_807_605_956_625n },
        venueAtMs: 1_785_778_593_418,
      },
    ]);
  });

  it('passes over markets that are not watched and survives gaps and damage without reconnecting', () => {
    const stream = openStream();
    const mark = (seq: number, symbol: string): string =>
      `{"type":"MP","data":{"m":"${symbol}","p":"1","ts":0},"ts":1785778593418,"seq":${seq}}`;
    expect(stream.frame('marks', mark(1, 'ETH-USD'), at())).toEqual(NOTHING);
    expect(stream.frame('marks', mark(7, 'BTC-USD'), at()).events).toHaveLength(1);
    const damaged = stream.frame(
      'marks',
      '{"type":"MP","data":{"m":"BTC-USD","p":"1e5"},"ts":1785778593418,"seq":8}',
      at(),
    );
    expect(damaged.events).toMatchObject([{ type: 'malformed-frame', channel: 'marks' }]);
    expect(damaged.reconnect).toBeUndefined();
  });

  it('reads applied rates', () => {
    const frame = '{"ts":1701563440000,"data":{"m":"BTC-USD","T":1701563440000,"f":"0.001"},"seq":2}';
    expect(openStream().frame('funding', frame, at()).events).toMatchObject([
      { type: 'funding-rate', rate: { kind: 'settled', hourly: 1_000_000_000, settleAtMs: 1_701_563_440_000 } },
    ]);
  });
});

describe('the account', () => {
  const balance =
    '{"type":"BALANCE","data":{"balance":{"balance":"100.000000","availableForTrade":"3.000000"}},"ts":1699976104901,"seq":1}';
  const positions = '{"type":"POSITION","data":{"positions":[]},"ts":1699976104901,"seq":2}';
  const orders = '{"type":"ORDER","data":{"orders":[]},"ts":1699976104901,"seq":3}';

  it('is ready once, after the full picture', () => {
    const stream = openStream();
    expect(stream.frame('account', balance, at()).events).toEqual([
      { type: 'balance', walletMicro: 100_000_000n, availableMicro: 3_000_000n },
    ]);
    expect(stream.frame('account', positions, at())).toEqual(NOTHING);
    expect(stream.frame('account', orders, at()).events).toEqual([{ type: 'private-stream-ready' }]);
    expect(stream.tick(at(60_000))).toEqual(NOTHING);
  });

  it('is ready also when an empty account gets no pictures', () => {
    const stream = openStream();
    expect(stream.tick(at(1_000))).toEqual(NOTHING);
    expect(stream.tick(at(3_000)).events).toEqual([{ type: 'private-stream-ready' }]);
    expect(stream.tick(at(4_000))).toEqual(NOTHING);
  });

  it('reconnects after a gap, ignores unknown types and reports errors in the venue’s words', () => {
    const stream = openStream();
    stream.frame('account', balance, at());
    expect(stream.frame('account', '{"type":"UNEXPECTED","data":null,"ts":1704798222748,"seq":2}', at())).toEqual(
      NOTHING,
    );
    expect(
      stream.frame('account', '{"status":"ERROR","error":{"code":1000,"message":"Asset not found."}}', at()).events,
    ).toEqual([{ type: 'venue-error', code: '1000', reason: 'account: Asset not found.' }]);
    expect(
      stream.frame('account', '{"type":"ORDER","data":{"orders":[]},"ts":1704798222748,"seq":4}', at()).reconnect,
    ).toBeDefined();
  });

  it('names a fill in a market it does not know instead of dropping it silently', () => {
    const frame = '{"type":"TRADE","data":{"trades":[{"market":"DOGE-USD"}]},"ts":1704798222748,"seq":1}';
    expect(openStream().frame('account', frame, at()).events).toMatchObject([
      { type: 'venue-error', code: 'UNKNOWN_MARKET' },
    ]);
  });

  it('gives a fill without our id the id of its order', () => {
    const stream = openStream();
    const order =
      '{"id":1811328331287359488,"externalId":"42","market":"BTC-USD","side":"BUY","status":"NEW","qty":"1","price":"1","updatedTime":1720689301691}';
    stream.frame('account', `{"type":"ORDER","data":{"orders":[${order}]},"ts":1720689301691,"seq":1}`, at());
    const fill =
      '{"id":1811328331296018432,"market":"BTC-USD","orderId":1811328331287359488,"side":"BUY","price":"58249","qty":"0.001","fee":"0","isTaker":true,"createdTime":1720689301691}';
    expect(
      stream.frame('account', `{"type":"TRADE","data":{"trades":[${fill}]},"ts":1720689301691,"seq":2}`, at()).events,
    ).toMatchObject([{ type: 'fill', fill: { clientOrderId: '42', fillId: '1811328331296018432' } }]);
  });
});

it('never throws, whatever the bytes', () => {
  const good = [
    snapshot,
    bookFrame('DELTA', 2, [['63717', '-0.00005', '0.85928']], []),
    '{"type":"BALANCE","data":{"balance":{"balance":"1","availableForTrade":"1"}},"ts":1,"seq":1}',
  ];
  const damaged = fc
    .tuple(fc.constantFrom(...good), fc.nat(200), fc.nat(20), fc.string({ maxLength: 8 }))
    .map(([text, from, cut, put]) => text.slice(0, from) + put + text.slice(from + cut));
  const wild = fc.oneof(
    damaged,
    fc.string(),
    fc.json(),
    fc.jsonValue().map((data) => JSON.stringify({ type: 'ORDER', data, ts: 1, seq: 1 })),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(BOOK, 'account', 'marks', 'funding'),
      fc.array(wild, { maxLength: 5 }),
      (key, texts) => {
        const stream = openStream();
        for (const text of texts) stream.frame(key, text, at());
      },
    ),
    { numRuns: 500 },
  );
});
