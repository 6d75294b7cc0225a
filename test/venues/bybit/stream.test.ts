import { describe, expect, it, test } from 'vitest';
import { BybitStream } from '../../../src/venues/bybit/stream.ts';
import { sessionSignature } from '../../../src/venues/bybit/sign.ts';
import type { FrameResult, Instant, OutboundFrame } from '../../../src/venues/venue.ts';
import { fixture, fixturesOf, hasFixtures, knownMarkets } from './fixtures.ts';

const KEY = { apiKey: 'key', secret: 'secret' };
const AT: Instant = { calendarMs: 1_790_000_000_000, monotonicMs: 1_000 };
const after = (ms: number): Instant => ({ calendarMs: AT.calendarMs + ms, monotonicMs: AT.monotonicMs + ms });

function newStream(): BybitStream {
  const markets = knownMarkets();
  const stream = new BybitStream({ streamUrl: 'ws://venue', key: KEY, markets, calendarScale: 1 });
  stream.plan(markets.watched);
  return stream;
}
function sent(
  frames: readonly OutboundFrame[],
): readonly { readonly op: string; readonly args?: readonly unknown[] }[] {
  return frames.map(({ text }) => {
    const { op, args } = JSON.parse(text) as { op: string; args?: readonly unknown[] };
    return { op, ...(args === undefined ? {} : { args }) };
  });
}
/** A public connection with everything confirmed. */
function following(): BybitStream {
  const stream = newStream();
  for (const { text } of stream.opened('public', AT).send) {
    const { req_id } = JSON.parse(text) as { req_id: string };
    stream.frame('public', JSON.stringify({ success: true, ret_msg: '', req_id, op: 'subscribe' }), AT);
  }
  return stream;
}

interface BookChange {
  readonly type?: 'snapshot' | 'delta';
  readonly u: number | string;
  readonly b?: readonly (readonly [string, string])[];
  readonly a?: readonly (readonly [string, string])[];
}
function book(stream: BybitStream, { type = 'delta', u, b = [], a = [] }: BookChange, at = AT): FrameResult {
  // Written by hand: a number of any length must arrive as it is.
  const data = `{"s":"BTCUSDT","b":${JSON.stringify(b)},"a":${JSON.stringify(a)},"u":${u},"seq":66544703342}`;
  return stream.frame('public', `{"topic":"orderbook.50.BTCUSDT","type":"${type}","ts":9,"data":${data},"cts":8}`, at);
}
const SNAPSHOT = {
  type: 'snapshot',
  u: 10,
  b: [
    ['100.0', '1.000'],
    ['99.0', '2.000'],
  ],
  a: [['101.0', '3.000']],
} as const;

describe('books', () => {
  it('are replaced by snapshots and changed by what follows', () => {
    const stream = following();
    expect(book(stream, SNAPSHOT).events).toEqual([{ type: 'book-changed', symbol: 'BTCUSDT' }]);
    book(
      stream,
      {
        u: 11,
        b: [
          ['100.0', '0'],
          ['99.5', '4.000'],
        ],
        a: [['101.0', '3.500']],
      },
      after(20),
    );
    expect(stream.book('BTCUSDT')).toEqual({
      venue: 'bybit',
      symbol: 'BTCUSDT',
      bids: [
        [995, 4_000],
        [990, 2_000],
      ],
      asks: [[1_010, 3_500]],
      venueAtMs: 8,
      receivedAtMonotonicMs: AT.monotonicMs + 20,
    });
  });

  it('with a hole are given up at once, asked for anew, and nothing is applied before the next snapshot', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    const gap = book(stream, { u: 12, b: [['100.5', '1.000']] });
    expect(gap.events).toEqual([{ type: 'book-invalid', symbol: 'BTCUSDT', reason: 'gap' }]);
    expect(sent(gap.send)).toEqual([
      { op: 'unsubscribe', args: ['orderbook.50.BTCUSDT'] },
      { op: 'subscribe', args: ['orderbook.50.BTCUSDT'] },
    ]);
    expect(stream.book('BTCUSDT')).toBeUndefined();
    expect(book(stream, { u: 13 })).toEqual({ events: [], send: [] });
    book(stream, { ...SNAPSHOT, u: 40 });
    expect(stream.book('BTCUSDT')?.bids[0]).toEqual([1_000, 1_000]);
  });

  it('that cross are given up', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    expect(book(stream, { u: 11, b: [['101.0', '1.000']] }).events).toEqual([
      { type: 'book-invalid', symbol: 'BTCUSDT', reason: 'crossed' },
    ]);
    expect(stream.book('BTCUSDT')).toBeUndefined();
  });

  it('told twice change nothing the second time', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    const change = { u: 11, b: [['100.0', '0.500']] } as const;
    expect(book(stream, change).events).toHaveLength(1);
    expect(book(stream, change)).toEqual({ events: [], send: [] });
    expect(book(stream, { u: 12 }).events).toHaveLength(1);
  });

  it('numbered 1 are snapshots: the service has started again', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    book(stream, { type: 'delta', u: 1, b: [['90.0', '1.000']], a: [['91.0', '1.000']] });
    expect(stream.book('BTCUSDT')).toMatchObject({ bids: [[900, 1_000]], asks: [[910, 1_000]] });
    expect(book(stream, { u: 2, a: [['91.0', '2.000']] }).events).toHaveLength(1);
  });

  it('are followed past what a double can count', () => {
    const stream = following();
    book(stream, { ...SNAPSHOT, u: '9007199254740993' });
    expect(book(stream, { u: '9007199254740994' }).events).toEqual([{ type: 'book-changed', symbol: 'BTCUSDT' }]);
    expect(book(stream, { u: '9007199254740996' }).events).toMatchObject([{ type: 'book-invalid' }]);
  });

  it('without a snapshot are asked for again after a while', () => {
    const stream = following();
    expect(sent(stream.tick(after(4_000)).send)).toEqual([]);
    book(stream, SNAPSHOT, after(4_000));
    expect(sent(stream.tick(after(5_000)).send)).toEqual([
      { op: 'unsubscribe', args: ['orderbook.50.ETHUSDT'] },
      { op: 'subscribe', args: ['orderbook.50.ETHUSDT'] },
    ]);
  });

  it('end with their connection, and the next one starts afresh', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    expect(stream.closed('public', AT)).toEqual([{ type: 'book-invalid', symbol: 'BTCUSDT', reason: 'closed' }]);
    expect(stream.book('BTCUSDT')).toBeUndefined();
    const opened = stream.opened('public', AT);
    expect(sent(opened.send)).toEqual([
      { op: 'subscribe', args: ['orderbook.50.BTCUSDT', 'tickers.BTCUSDT'] },
      { op: 'subscribe', args: ['orderbook.50.ETHUSDT', 'tickers.ETHUSDT'] },
    ]);
    expect(book(stream, { u: 11 })).toEqual({ events: [], send: [] });
  });
});

describe('subscriptions', () => {
  it('refused are reported and asked for again', () => {
    const stream = newStream();
    const [first] = stream.opened('public', AT).send;
    const { req_id } = JSON.parse(first?.text ?? '') as { req_id: string };
    const refusal = {
      success: false,
      ret_msg: 'error:handler not found,topic:orderbook.50.BTCUSDT',
      req_id,
      op: 'subscribe',
    };
    expect(stream.frame('public', JSON.stringify(refusal), after(100)).events).toEqual([
      { type: 'venue-error', code: 'SUBSCRIBE', reason: refusal.ret_msg },
    ]);
    expect(sent(stream.tick(after(5_100)).send)).toContainEqual({ op: 'subscribe', args: ['tickers.BTCUSDT'] });
  });

  it('follow the symbols that are wanted', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    stream.plan(['ETHUSDT']);
    expect(sent(stream.tick(after(10)).send)).toEqual([
      { op: 'unsubscribe', args: ['orderbook.50.BTCUSDT', 'tickers.BTCUSDT'] },
    ]);
    expect(stream.book('BTCUSDT')).toBeUndefined();
    expect(book(stream, { u: 11 })).toEqual({ events: [], send: [] });
    stream.plan(['BTCUSDT', 'ETHUSDT']);
    expect(sent(stream.tick(after(20)).send)).toEqual([
      { op: 'subscribe', args: ['orderbook.50.BTCUSDT', 'tickers.BTCUSDT'] },
    ]);
  });

  it('are kept alive by pings on both sockets', () => {
    const stream = following();
    stream.opened('account', AT);
    const pings = stream.tick(after(10_000)).send.filter(({ text }) => text.includes('"ping"'));
    expect(pings.map(({ socketKey }) => socketKey)).toEqual(['public', 'account']);
    expect(stream.tick(after(10_500)).send.filter(({ text }) => text.includes('"ping"'))).toEqual([]);
  });
});

describe('tickers', () => {
  const ticker = (stream: BybitStream, type: string, cs: number, data: object, at = AT): FrameResult =>
    stream.frame(
      'public',
      JSON.stringify({ topic: 'tickers.BTCUSDT', type, cs, ts: 9, data: { symbol: 'BTCUSDT', ...data } }),
      at,
    );
  const whole = {
    markPrice: '100',
    indexPrice: '101',
    fundingRate: '0.0001',
    nextFundingTime: '1790006400000',
    fundingIntervalHour: '8',
  };

  it('keep what a change does not name', () => {
    const stream = following();
    ticker(stream, 'snapshot', 5, whole);
    expect(ticker(stream, 'delta', 6, { markPrice: '102' }).events).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 102_000_000_000n, indexNano: 101_000_000_000n } },
      { type: 'funding-rate', rate: { hourly: 12_500_000, intervalMs: 28_800_000, settleAtMs: 1_790_006_400_000 } },
    ]);
  });

  it('older than what is known are dropped', () => {
    const stream = following();
    ticker(stream, 'snapshot', 5, whole);
    expect(ticker(stream, 'delta', 4, { markPrice: '90' }).events).toEqual([]);
    expect(ticker(stream, 'delta', 5, { fundingRate: '0.0002' }).events).toMatchObject([
      { markTicksScaled: { markNano: 100_000_000_000n } },
      { rate: { raw: '0.0002' } },
    ]);
  });

  it('that cannot be read leave the books alone', () => {
    const stream = following();
    book(stream, SNAPSHOT);
    const result = ticker(stream, 'snapshot', 5, { ...whole, markPrice: 'NaN' });
    expect(result).toMatchObject({ events: [{ type: 'malformed-frame', channel: 'public' }], send: [] });
    expect(result.reconnect).toBeUndefined();
    expect(stream.book('BTCUSDT')).toBeDefined();
  });
});

describe('the account’s socket', () => {
  it('signs in, subscribes, and is ready when that is confirmed', () => {
    const stream = newStream();
    const expiresMs = AT.calendarMs + 10_000;
    expect(sent(stream.opened('account', AT).send)).toEqual([
      { op: 'auth', args: ['key', expiresMs, sessionSignature(KEY, expiresMs)] },
    ]);
    const signedIn = stream.frame('account', '{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}', AT);
    expect(sent(signedIn.send)).toEqual([{ op: 'subscribe', args: ['order', 'execution', 'position', 'wallet'] }]);
    expect(stream.frame('account', '{"success":true,"ret_msg":"","op":"subscribe","conn_id":"c"}', AT).events).toEqual([
      { type: 'private-stream-ready' },
    ]);
  });

  it('is cut when the venue refuses it, and what was refused is named', () => {
    const stream = newStream();
    stream.opened('account', AT);
    const refused = stream.frame('account', '{"success":false,"ret_msg":"Params Error","op":"auth","conn_id":"c"}', AT);
    expect(refused.events).toEqual([{ type: 'venue-error', code: 'AUTH', reason: 'Params Error' }]);
    expect(refused.reconnect).toBe('auth was refused: Params Error');
  });

  test.each([
    '{"topic":"execution","data":[{"symbol":"BTCUSDT"}]}',
    '{"topic":"order","data":7}',
    '{"op"',
    '[]',
    '{"x":1}',
  ])('is cut when %s cannot be read: it may have been a fill', (text) => {
    const stream = newStream();
    stream.opened('account', AT);
    const result = stream.frame('account', text, AT);
    expect(result.events).toMatchObject([{ type: 'malformed-frame', channel: 'account' }]);
    expect(result.reconnect).toBeDefined();
  });

  it('names what is in symbols that are none of ours, and passes over other products', () => {
    const stream = newStream();
    stream.opened('account', AT);
    const row = (category: string): object => ({ category, symbol: 'SOLUSDT', side: 'Buy', size: '1', positionIdx: 0 });
    const text = JSON.stringify({ topic: 'position', data: [row('linear'), row('inverse')] });
    expect(stream.frame('account', text, AT).events).toEqual([
      { type: 'venue-error', code: 'UNKNOWN_SYMBOL', reason: 'positions name the symbol SOLUSDT' },
    ]);
  });
});

describe.skipIf(!hasFixtures)('recorded frames (needs ../shared/venues/fixtures)', () => {
  const publicNames = hasFixtures
    ? ['ws-orderbook', 'ws-tickers', 'ws-trades', 'ws-price-limit'].flatMap(fixturesOf)
    : [];
  const privateNames = hasFixtures
    ? ['ws-order', 'ws-execution', 'ws-wallet', 'ws-execution-fast'].flatMap(fixturesOf)
    : [];
  test.each(publicNames)('%s is read', (name) => {
    const stream = following();
    expect(stream.frame('public', fixture(name), AT).events.map(({ type }) => type)).not.toContain('malformed-frame');
  });
  test.each(privateNames)('%s is read, or its symbol named', (name) => {
    const stream = newStream();
    stream.opened('account', AT);
    for (const event of stream.frame('account', fixture(name), AT).events)
      expect(['order-update', 'fill', 'balance', 'venue-error']).toContain(event.type);
  });
});
