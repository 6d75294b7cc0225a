import { describe, expect, it, test } from 'vitest';
import { HyperliquidStream } from '../../../src/venues/hyperliquid/stream.ts';
import type { VenueEvent } from '../../../src/venues/venue.ts';
import { fixtureText, hasFixtures, knownMarkets } from './fixtures.ts';
import { ADDRESS, VenueStage } from './venue-stage.ts';

const AT = { calendarMs: 1_790_000_000_000, monotonicMs: 1_000 };

function opened(symbols: readonly string[] = ['BTC', 'kPEPE']): HyperliquidStream {
  const stream = new HyperliquidStream({ streamUrl: 'ws://venue/ws', user: ADDRESS, markets: knownMarkets() });
  for (const plan of stream.plan(symbols)) stream.opened(plan.key, AT);
  return stream;
}

function level(px: string, sz = '1'): unknown {
  return { px, sz, n: 1 };
}
function book(time: number, bids: readonly unknown[], asks: readonly unknown[]): string {
  return JSON.stringify({ channel: 'l2Book', data: { coin: 'BTC', time, levels: [bids, asks] } });
}
function bbo(time: number, bid: unknown, ask: unknown): string {
  return JSON.stringify({ channel: 'bbo', data: { coin: 'BTC', time, bbo: [bid, ask] } });
}

describe('subscriptions', () => {
  it('name only coins of the venue’s own list: an unknown one would close the socket without a word', () => {
    const stream = new HyperliquidStream({ streamUrl: 'ws://venue/ws', user: ADDRESS, markets: knownMarkets() });
    stream.plan(['BTC', 'btc', 'NOPE']);
    const { send } = stream.opened('market', AT);
    expect(send.map(({ text }) => (JSON.parse(text) as { subscription: unknown }).subscription)).toEqual([
      { type: 'l2Book', coin: 'BTC', fast: true },
      { type: 'bbo', coin: 'BTC' },
      { type: 'activeAssetCtx', coin: 'BTC' },
    ]);
  });

  it('are made once each, for new symbols when they come, and again by a new connection', () => {
    const stream = opened(['BTC']);
    stream.plan(['BTC', 'ETH']);
    const added = stream.tick({ ...AT, monotonicMs: 1_100 }).send;
    expect(added.map(({ text }) => text.includes('"ETH"'))).toEqual([true, true, true]);
    expect(stream.tick({ ...AT, monotonicMs: 1_200 }).send).toEqual([]);
    stream.closed('market', AT);
    expect(stream.opened('market', AT).send).toHaveLength(6);
  });

  it('are kept alive by pings, because the server closes what it has not talked to', () => {
    const stream = opened([]);
    expect(stream.tick({ ...AT, monotonicMs: 7_000 }).send.map(({ text }) => text)).toEqual([
      '{"method":"ping"}',
      '{"method":"ping"}',
    ]);
    expect(stream.frame('market', '{"channel":"pong"}', AT)).toEqual({ events: [], send: [] });
  });
});

describe('leverage', () => {
  const about = { type: 'activeAssetData', user: ADDRESS, coin: 'BTC' };
  const confirmed = (method: string): string =>
    JSON.stringify({ channel: 'subscriptionResponse', data: { method, subscription: about } });
  const data = (value: number, user: string = ADDRESS): string =>
    JSON.stringify({
      channel: 'activeAssetData',
      data: { ...about, user, leverage: { type: 'cross', value }, maxTradeSzs: ['1', '1'] },
    });
  const asked = (stream: HyperliquidStream, atMs: number): readonly string[] =>
    stream
      .tick({ ...AT, monotonicMs: atMs })
      .send.filter(({ text }) => text.includes('activeAssetData'))
      .map(({ socketKey, text }) => `${socketKey} ${text}`);

  it('is asked for on the account socket, believed once the question is confirmed, and given up when it is known', () => {
    const stream = opened(['BTC']);
    expect(stream.askLeverage(['BTC', 'NOPE'])).toEqual(['BTC']);
    expect(asked(stream, 1_100)).toEqual([`account {"method":"subscribe","subscription":${JSON.stringify(about)}}`]);
    // Of an earlier question.
    expect(stream.frame('account', data(5), AT).events).toEqual([]);
    stream.frame('account', confirmed('subscribe'), AT);
    expect(stream.frame('account', data(7), AT).events).toEqual([{ type: 'leverage', symbol: 'BTC', leverage: 7 }]);
    // One that is not given up yet would bring no new picture.
    expect(stream.askLeverage(['BTC'])).toEqual([]);
    expect(stream.frame('account', data(8), AT).events).toEqual([]);
    expect(asked(stream, 1_200)).toEqual([`account {"method":"unsubscribe","subscription":${JSON.stringify(about)}}`]);
    expect(stream.askLeverage(['BTC'])).toEqual(['BTC']);
    expect(asked(stream, 1_300)).toHaveLength(1);
  });

  it('is asked for anew by the next connection, and not at all while there is none', () => {
    const stream = opened(['BTC']);
    stream.askLeverage(['BTC']);
    expect(asked(stream, 1_100)).toHaveLength(1);
    stream.closed('account', AT);
    expect(stream.askLeverage(['kPEPE'])).toBeUndefined();
    expect(stream.opened('account', AT).send.filter(({ text }) => text.includes('activeAssetData'))).toHaveLength(1);
  });

  it('of somebody else, or without a number, is a damaged frame', () => {
    const stream = opened(['BTC']);
    stream.askLeverage(['BTC']);
    asked(stream, 1_100);
    stream.frame('account', confirmed('subscribe'), AT);
    for (const text of [data(7, `0x${'1'.repeat(40)}`), data(7).replace('"value":7', '"value":"7x"')])
      expect(stream.frame('account', text, AT).events).toMatchObject([{ type: 'malformed-frame' }]);
  });
});

describe('books', () => {
  it('are whole frames; the best prices of later blocks correct their touch', () => {
    const stream = opened();
    stream.frame('market', book(10, [level('100'), level('99')], [level('101'), level('102')]), AT);
    expect(stream.frame('market', bbo(20, level('99', '2'), level('100', '3')), AT).events).toEqual([
      { type: 'book-changed', symbol: 'BTC' },
    ]);
    expect(stream.book('BTC')).toMatchObject({
      bids: [[990, 200_000]],
      asks: [
        [1_000, 300_000],
        [1_010, 100_000],
        [1_020, 100_000],
      ],
      venueAtMs: 20,
    });
    stream.frame('market', bbo(30, level('98.5'), null), AT);
    expect(stream.book('BTC')).toMatchObject({ bids: [[985, 100_000]], asks: [] });
  });

  it('ignore what is older than what they show, and best prices without a book', () => {
    const stream = opened();
    expect(stream.frame('market', bbo(5, level('99'), level('100')), AT).events).toEqual([]);
    stream.frame('market', book(10, [level('100')], [level('101')]), AT);
    expect(stream.frame('market', book(9, [level('90')], [level('91')]), AT).events).toEqual([]);
    expect(stream.book('BTC')?.bids).toEqual([[1_000, 100_000]]);
  });

  it('that are crossed are not trusted until the next whole one', () => {
    const stream = opened();
    stream.frame('market', book(10, [level('100')], [level('101')]), AT);
    expect(stream.frame('market', book(11, [level('102')], [level('101')]), AT).events).toEqual([
      { type: 'book-invalid', symbol: 'BTC', reason: 'crossed' },
    ]);
    expect(stream.book('BTC')).toBeUndefined();
    stream.frame('market', book(12, [level('100')], [level('101')]), AT);
    expect(stream.book('BTC')).toBeDefined();
  });

  it('end with their connection', () => {
    const stream = opened();
    stream.frame('market', book(10, [level('100')], [level('101')]), AT);
    expect(stream.closed('market', AT)).toEqual([{ type: 'book-invalid', symbol: 'BTC', reason: 'closed' }]);
  });
});

describe('damaged frames', () => {
  test.each([
    '',
    '[]',
    'null',
    '{"channel":7}',
    '{"channel":"l2Book"}',
    '{"channel":"l2Book","data":{"coin":"BTC","time":10,"levels":[[{"px":"1e5","sz":"1"}],[]]}}',
    '{"channel":"l2Book","data":{"coin":"BTC","time":10,"levels":[[{"px":"100.05","sz":"1"}],[]]}}',
    '{"channel":"l2Book","data":{"coin":"BTC","time":10,"levels":[[{"px":"100","sz":"1"},{"px":"101","sz":"1"}],[]]}}',
    '{"channel":"l2Book","data":{"coin":"BTC","time":10}}',
    '{"channel":"bbo","data":{"coin":"BTC","time":11,"bbo":{}}}',
    '{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"markPx":"NaN"}}}',
  ])('are told as such and change nothing: %s', (text) => {
    const stream = opened();
    stream.frame('market', book(10, [level('100')], [level('101')]), AT);
    const { events, reconnect } = stream.frame('market', text, AT);
    expect(events).toMatchObject([{ type: 'malformed-frame', channel: 'market' }]);
    expect(reconnect).toBeUndefined();
    expect(stream.book('BTC')?.bids).toEqual([[1_000, 100_000]]);
  });

  it('of the account lead to a comparison, at most every half minute', () => {
    const stage = new VenueStage();
    stage.start();
    expect(stage.facts('private-stream-ready')).toHaveLength(1);
    stage.stream.frame('account', '{"channel":"userFills","data":{}}', stage.at());
    stage.pass(29_000);
    expect(stage.facts('private-stream-ready')).toHaveLength(1);
    stage.pass(2_000);
    expect(stage.facts('private-stream-ready')).toHaveLength(2);
    stage.pass(60_000);
    expect(stage.facts('private-stream-ready')).toHaveLength(2);
  });

  it('of another user are not ours to book', () => {
    const stream = opened();
    const text = JSON.stringify({ channel: 'userFills', data: { user: `0x${'99'.repeat(20)}`, fills: [] } });
    expect(stream.frame('account', text, AT).events).toMatchObject([{ type: 'malformed-frame' }]);
  });
});

describe.skipIf(!hasFixtures)('recorded frames (needs ../shared/venues/fixtures)', () => {
  const eventsOf = (socket: string, name: string): readonly VenueEvent[] =>
    opened().frame(socket, fixtureText(name), AT).events;

  it('of books and contexts are read', () => {
    expect(eventsOf('market', 'ws-l2book/probe-btc-default')).toEqual([{ type: 'book-changed', symbol: 'BTC' }]);
    expect(eventsOf('market', 'ws-l2book/probe-kpepe')).toEqual([{ type: 'book-changed', symbol: 'kPEPE' }]);
  });

  test.each([
    'ws-l2book/probe-hip3-sp500',
    'ws-l2book/tardis-l2Book-5',
    'ws-bbo/tardis-bbo-9',
    'ws-active-asset-ctx/tardis-activeSpotAssetCtx-8',
    'ws-control/probe-pong',
    'ws-trades/tardis-trades-1',
    'ws-all-mids/nautilus-ws_allmids',
  ])('of what was not asked for are left alone: %s', (name) => {
    expect(eventsOf('market', name)).toEqual([]);
  });

  test.each([
    ['ws-order-updates/constructed-open', { status: 'open', filledLots: 0, clientOrderId: '10' }],
    ['ws-order-updates/constructed-canceled', { status: 'cancelled', reason: 'canceled' }],
    ['ws-order-updates/constructed-bad-alo-px-rejected', { status: 'rejected', reason: 'badAloPxRejected' }],
  ])('%s is read', (name, expected) => {
    expect(eventsOf('account', name)).toMatchObject([{ type: 'order-update', order: expected }]);
  });

  it('of spot orders and of pictures of the past are nothing new', () => {
    expect(eventsOf('account', 'ws-order-updates/jkorf-Order')).toEqual([]);
    expect(eventsOf('account', 'ws-user-events/nautilus-ws_user_fill_liquidation')).toEqual([]);
  });

  it('of errors are told', () => {
    expect(eventsOf('market', 'ws-control/probe-error-already-subscribed')).toMatchObject([
      { type: 'venue-error', code: 'STREAM_ERROR' },
    ]);
  });
});

describe('the simulated sockets', () => {
  it('close without a word on an unknown coin', () => {
    const stage = new VenueStage();
    stage.start();
    stage.input({
      type: 'socket-text',
      socketId: 2,
      text: '{"method":"subscribe","subscription":{"type":"bbo","coin":"btc"}}',
    });
    expect(stage.cut).toEqual(['market']);
  });

  it('refuse what is subscribed already, and say what they made of it', () => {
    const stage = new VenueStage();
    stage.start();
    stage.input({
      type: 'socket-text',
      socketId: 2,
      text: '{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","fast":true}}',
    });
    expect(stage.facts('venue-error').at(-1)?.reason).toBe(
      'Already subscribed: {"type":"l2Book","coin":"BTC","nSigFigs":null,"mantissa":null,"fast":true}',
    );
  });

  it('close what they have not talked to for a minute', () => {
    const stage = new VenueStage();
    const outputs = stage.input({
      type: 'socket-requested',
      socketId: 9,
      remote: '127.0.0.1',
      path: '/ws',
      headers: {},
    });
    expect(outputs).toEqual([{ type: 'socket-accept', socketId: 9 }]);
    stage.passQuietly(59_999);
    expect(stage.input({ type: 'tick' })).toEqual([]);
    stage.passQuietly(1);
    expect(stage.input({ type: 'tick' })).toMatchObject([{ type: 'socket-close', socketId: 9 }]);
  });

  it('take ten connections of one address and no more', () => {
    const stage = new VenueStage();
    const kinds = Array.from({ length: 11 }, (_, index) =>
      stage
        .input({ type: 'socket-requested', socketId: index + 1, remote: '127.0.0.1', path: '/ws', headers: {} })
        .map(({ type }) => type),
    );
    expect(kinds).toEqual([...Array.from({ length: 10 }, () => ['socket-accept']), ['socket-refuse']]);
  });

  it('answer posted questions and actions by their id', () => {
    const stage = new VenueStage();
    stage.input({ type: 'socket-requested', socketId: 9, remote: '127.0.0.1', path: '/ws', headers: {} });
    const text = JSON.stringify({
      method: 'post',
      id: 7,
      request: { type: 'info', payload: { type: 'l2Book', coin: 'NOPE' } },
    });
    expect(stage.input({ type: 'socket-text', socketId: 9, text })).toContainEqual({
      type: 'socket-text',
      socketId: 9,
      text: JSON.stringify({
        channel: 'post',
        data: { id: 7, response: { type: 'info', payload: { type: 'l2Book', data: null } } },
      }),
    });
    const nonsense = JSON.stringify({
      method: 'post',
      id: 8,
      request: { type: 'action', payload: { action: { type: 'order' } } },
    });
    expect(JSON.stringify(stage.input({ type: 'socket-text', socketId: 9, text: nonsense }))).toContain(
      'Failed to deserialize',
    );
  });

  it('tell books on their cadence: five levels twice a second, twenty every five seconds', () => {
    const stage = new VenueStage();
    const frames = new Map<number, { at: number; levels: number }[]>([
      [8, []],
      [9, []],
    ]);
    const carry = (outputs: ReturnType<VenueStage['input']>): void => {
      for (const output of outputs) {
        if (output.type !== 'socket-text' || !output.text.includes('"channel":"l2Book"')) continue;
        const { data } = JSON.parse(output.text) as { data: { levels: [unknown[], unknown[]] } };
        frames.get(output.socketId)?.push({ at: stage.at().monotonicMs, levels: data.levels[0].length });
      }
    };
    for (const socketId of [8, 9]) {
      carry(stage.input({ type: 'socket-requested', socketId, remote: '127.0.0.1', path: '/ws', headers: {} }));
      const subscription = { type: 'l2Book', coin: 'BTC', ...(socketId === 8 ? { fast: true } : {}) };
      carry(
        stage.input({ type: 'socket-text', socketId, text: JSON.stringify({ method: 'subscribe', subscription }) }),
      );
    }
    for (let step = 0; step < 2_000; step++) {
      stage.passQuietly(10);
      carry(stage.input({ type: 'tick' }));
    }
    const gaps = (socketId: number): readonly number[] =>
      (frames.get(socketId) ?? [])
        .slice(2)
        .map(({ at }, index) => at - ((frames.get(socketId) ?? [])[index + 1]?.at ?? 0));
    expect(gaps(8).length).toBeGreaterThan(30);
    expect(gaps(8).every((gap) => gap === 500)).toBe(true);
    expect(frames.get(8)?.every(({ levels }) => levels === 5)).toBe(true);
    expect(gaps(9).length).toBeGreaterThanOrEqual(2);
    expect(gaps(9).every((gap) => gap === 5_000)).toBe(true);
    expect(frames.get(9)?.every(({ levels }) => levels === 20)).toBe(true);
  });
});
