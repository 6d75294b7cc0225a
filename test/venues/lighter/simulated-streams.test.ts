import { describe, expect, it, test } from 'vitest';
import { plainTape } from '../../simulation/plain-tape.ts';
import { readJson, wireJson } from '../../../src/venues/lighter/simulated-json.ts';
import { ACCOUNT_INDEX, API_KEY_INDEX, market, OTHER_INDEX, REMOTE, SimulatedStage } from './simulated-stage.ts';
import type { Json } from './simulated-stage.ts';

const ORDERS = `account_all_orders/${ACCOUNT_INDEX}`;
const moving = plainTape({ priceAt: (calendarMs) => 90_000 + (Math.floor(calendarMs / 250) % 40) });

function bookOf(frame: Json): Json & { readonly asks: readonly Json[]; readonly bids: readonly Json[] } {
  return frame['order_book'] as Json & { readonly asks: readonly Json[]; readonly bids: readonly Json[] };
}

/** Replays snapshot and updates; fails on a gap. */
function replay(frames: readonly Json[]): { readonly asks: Map<number, number>; readonly bids: Map<number, number> } {
  const sides = { asks: new Map<number, number>(), bids: new Map<number, number>() };
  let nonce: unknown;
  for (const frame of frames) {
    const book = bookOf(frame);
    if (nonce !== undefined) expect(book['begin_nonce']).toBe(nonce);
    nonce = book['nonce'];
    for (const side of ['asks', 'bids'] as const) {
      for (const { price, size } of book[side]) {
        const [ticks, lots] = [Math.round(Number(price) * 10), Math.round(Number(size) * 1e5)];
        if (lots === 0) sides[side].delete(ticks);
        else sides[side].set(ticks, lots);
      }
    }
  }
  return sides;
}

describe('connections', () => {
  it('greet, answer pings, ping by themselves, and refuse other paths', () => {
    const stage = new SimulatedStage();
    expect(stage.open(1)).toMatchObject([
      { type: 'socket-accept', socketId: 1 },
      {
        type: 'socket-text',
        text: expect.stringMatching(/"session_id":"[0-9a-f-]{36}","type":"connected"/) as unknown,
      },
    ]);
    stage.say({ type: 'ping' });
    expect(stage.frames('pong')).toHaveLength(1);
    stage.pass(60_000);
    expect(stage.frames('ping')).toHaveLength(1);
    expect(stage.open(2, '/streams')).toMatchObject([{ type: 'socket-refuse', status: 404 }]);
  });

  it('are closed after two minutes of silence; any frame of the client breaks it', () => {
    const stage = new SimulatedStage();
    for (const socketId of [1, 2, 3, 4]) stage.open(socketId);
    stage.pass(60_000);
    stage.input({ type: 'socket-ping', socketId: 1 });
    stage.input({ type: 'socket-pong', socketId: 2 });
    stage.say({ type: 'pong' }, 3);
    stage.pass(59_999);
    expect(stage.closed.size).toBe(0);
    stage.pass(1);
    expect([...stage.closed.keys()]).toEqual([4]);
    stage.pass(60_000);
    expect(new Set(stage.closed.keys())).toEqual(new Set([1, 2, 3, 4]));
  });

  it('say in codes what they did not understand', () => {
    const stage = new SimulatedStage();
    stage.open();
    stage.say('{');
    stage.say({ type: 'hello' });
    stage.say({ type: 'jsonapi/sendtx' });
    stage.say({ type: 'jsonapi/sendtxbatch', data: { tx_types: '[14]', tx_infos: '[]' } });
    stage.say({ type: 'jsonapi/sendtx', data: { tx_type: 14, tx_info: 'text' } });
    for (const channel of ['order_book/9', 'order_book/all', 'height', 'candle/0/1m', 'account_all_orders/9', ''])
      stage.subscribe(channel);
    stage.say({ type: 'unsubscribe', channel: 'ticker/0' });
    stage.pass(20);
    expect(stage.errors()).toEqual([
      30000, 30001, 30007, 21513, 21501, 30005, 30005, 30005, 30005, 30005, 30005, 30002,
    ]);
  });

  it('trade nothing when they asked for reading only', () => {
    const stage = new SimulatedStage();
    stage.open(1, '/stream?readonly=true');
    stage.sendTx(stage.sign());
    expect(stage.errors()).toEqual([30006]);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });

  it('forget their subscriptions when they end', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['order_book/0']);
    stage.input({ type: 'socket-closed', socketId: 1 });
    const before = stage.frames().length;
    stage.pass(1_000);
    stage.say({ type: 'ping' });
    expect(stage.frames()).toHaveLength(before);
  });
});

describe('subscriptions', () => {
  it('are answered once each, again after an unsubscribe, and the account summary as often as asked', () => {
    const stage = new SimulatedStage();
    stage.listen(['ticker/0', 'ticker/0', `account_all/${ACCOUNT_INDEX}`, `account_all/${ACCOUNT_INDEX}`]);
    expect(stage.frames('subscribed/ticker')).toHaveLength(1);
    expect(stage.frames('subscribed/account_all')).toHaveLength(2);
    expect(stage.errors()).toEqual([30003]);
    stage.say({ type: 'unsubscribe', channel: 'ticker/0' });
    stage.subscribe('ticker/0');
    stage.pass(20);
    expect(stage.frames('unsubscribed')).toEqual([{ type: 'unsubscribed', channel: 'ticker:0' }]);
    expect(stage.frames('subscribed/ticker')).toHaveLength(2);
  });

  it('may be 50 in flight, which is one more refused at the 51st and none at the 50th', () => {
    const stage = new SimulatedStage();
    stage.open();
    for (let index = 0; index < 50; index += 1) stage.subscribe('nothing');
    expect(stage.errors()).toEqual([]);
    stage.subscribe('nothing');
    expect(stage.errors()).toEqual([30010]);
    stage.pass(20);
    stage.subscribe('ticker/0');
    stage.pass(20);
    expect(stage.frames('subscribed/ticker')).toHaveLength(1);
    expect(stage.venue.oracle().rateLimitRefusals).toBe(1);
  });

  it('count to 200 client messages a minute and IP, on the clock that never jumps; transactions do not count', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.open(1);
    stage.open(2);
    for (let index = 0; index < 200; index += 1) stage.say({ type: 'pong' }, 1 + (index % 2));
    stage.sendTx(stage.sign());
    expect(stage.frames('jsonapi/sendtx')).toMatchObject([{ code: 200 }]);
    stage.say({ type: 'ping' }, 2);
    expect(stage.errors(2)).toEqual([30009]);
    stage.pass(59_999);
    stage.say({ type: 'ping' });
    expect(stage.errors()).toEqual([30009]);
    stage.pass(1);
    stage.say({ type: 'ping' });
    expect(stage.frames('pong')).toHaveLength(1);
  });

  it('may be 500 on one connection', () => {
    const symbols = Array.from({ length: 254 }, (_, index) => market(`M${index}`));
    const stage = new SimulatedStage({ markets: symbols });
    stage.open();
    const channels = ['order_book', 'trade'].flatMap((name) => symbols.map((_, marketId) => `${name}/${marketId}`));
    channels.slice(0, 501).forEach((channel, index) => {
      stage.subscribe(channel);
      if (index % 50 === 49) stage.jump(15_000);
    });
    stage.jump(20);
    expect(stage.errors()).toEqual([23001]);
    expect(stage.frames('subscribed/order_book').length + stage.frames('subscribed/trade').length).toBe(500);
  });

  it('need a connection, of which an IP has at most 255', () => {
    const stage = new SimulatedStage();
    for (let socketId = 1; socketId <= 255; socketId += 1) expect(stage.open(socketId)[0]?.type).toBe('socket-accept');
    expect(stage.open(256)).toMatchObject([
      { type: 'socket-refuse', status: 429, body: expect.stringContaining('23003') as unknown },
    ]);
  });
});

describe('public channels', () => {
  it('chain book frames by nonce in 50 ms bursts, and end where the exchange is', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.pass(777);
    stage.listen(['order_book/0']);
    stage.pass(10_000);
    const snapshot = stage.frames('subscribed/order_book');
    const updates = stage.frames('update/order_book');
    expect(snapshot).toHaveLength(1);
    expect(bookOf(snapshot[0] ?? {})['begin_nonce']).toBe(0);
    expect(updates.length).toBeGreaterThan(35);
    expect(updates.length).toBeLessThanOrEqual(200);
    stage.pass(60);
    const seen = replay([...snapshot, ...stage.frames('update/order_book')]);
    const { asks, bids } = stage.exchange.book('BTC');
    expect(seen.asks).toEqual(new Map(asks));
    expect(seen.bids).toEqual(new Map(bids));
    const offsets = updates.map((frame) => Number(frame['offset']));
    expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
    expect(offsets.some((offset, index) => index > 0 && offset !== (offsets[index - 1] ?? 0) + 1)).toBe(true);
    expect(bookOf(updates[0] ?? {}).asks.concat(bookOf(updates[0] ?? {}).bids)[0]).toMatchObject({
      price: expect.stringMatching(/^\d+\.\d$/) as unknown,
      size: expect.stringMatching(/^\d+\.\d{5}$/) as unknown,
    });
  });

  it('use one nonce for all markets', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['order_book/0', 'order_book/1']);
    stage.pass(1_000);
    const nonces = stage.frames('update/order_book').map((frame) => Number(bookOf(frame)['nonce']));
    expect(nonces).toEqual(nonces.toSorted((left, right) => left - right));
    const own = stage.frames('update/order_book').filter((frame) => frame['channel'] === 'order_book:0');
    expect(own.some((frame) => Number(bookOf(frame)['nonce']) - Number(bookOf(frame)['begin_nonce']) > 1)).toBe(true);
  });

  it('give the best prices on every change', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['ticker/0']);
    stage.pass(1_000);
    const { asks } = stage.exchange.book('BTC');
    expect(stage.frames('update/ticker').at(-1)).toMatchObject({
      ticker: { s: 'BTC', a: { price: ((asks[0]?.[0] ?? 0) / 10).toFixed(1) } },
    });
  });

  it('send statistics at least once a second, whatever the calendar does, of one market or of all', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.listen(['market_stats/0', 'market_stats/all']);
    stage.pass(5_050);
    const frames = stage.frames('update/market_stats');
    expect(frames.filter((frame) => frame['channel'] === 'market_stats:0').length).toBeGreaterThanOrEqual(5);
    expect(frames.filter((frame) => frame['channel'] === 'market_stats:all').at(-1)).toMatchObject({
      market_stats: { 0: { symbol: 'BTC', mark_price: '90000.0' }, 1: { symbol: 'SOL', mark_price: '180.000' } },
    });
    expect(stage.frames('subscribed/market_stats')).toMatchObject([
      { market_stats: { symbol: 'BTC', market_id: 0, current_funding_rate: '0.0012', base_interest_rate: '0.0100' } },
      { market_stats: { 0: {}, 1: {} } },
    ]);
  });

  it('list recent trades, newest first, then new ones', () => {
    const stage = new SimulatedStage();
    stage.pass(5_000);
    stage.listen(['trade/0']);
    stage.pass(5_000);
    const [first] = stage.frames('subscribed/trade');
    const ids = ((first?.['trades'] ?? []) as Json[]).map((trade) => Number(trade['trade_id']));
    expect(ids).toEqual(ids.toSorted((left, right) => right - left));
    const news = stage.frames('update/trade').flatMap((frame) => frame['trades'] as Json[]);
    expect(Number(news[0]?.['trade_id'])).toBeGreaterThan(ids[0] ?? 0);
    for (const trade of news)
      expect(trade).toMatchObject({
        usd_amount: expect.stringMatching(/^\d+\.\d{6}$/) as unknown,
        taker_fee: 280,
        maker_fee: 28,
      });
  });

  it('leave fees of zero out', () => {
    const stage = new SimulatedStage({ tier: 'standard' });
    const free = new SimulatedStage({
      markets: stage.exchange.markets().map((instrument) => ({
        ...instrument,
        makerFee: 0 as typeof instrument.makerFee,
        takerFee: 0 as typeof instrument.takerFee,
      })),
    });
    free.listen(['trade/0']);
    free.pass(5_000);
    const trades = free.frames('update/trade').flatMap((frame) => frame['trades'] as Json[]);
    expect(trades.length).toBeGreaterThan(0);
    for (const trade of trades) expect(Object.keys(trade)).not.toContain('taker_fee');
  });
});

describe('the account summary', () => {
  it('counts, and carries only what changed', () => {
    const stage = new SimulatedStage();
    stage.listen([`account_all/${ACCOUNT_INDEX}`, `user_stats/${ACCOUNT_INDEX}`]);
    stage.submit();
    stage.pass(400);
    const last = stage.frames('update/account_all').at(-1);
    expect(last).toMatchObject({
      account: ACCOUNT_INDEX,
      positions: { 0: { position: '0.01000' } },
      assets: { 3: { symbol: 'USDC' } },
    });
    expect(Number(last?.['total_trades_count'])).toBeGreaterThan(0);
    expect(Number(last?.['daily_volume'])).toBeGreaterThan(800);
    expect(stage.frames('update/user_stats').at(-1)).toMatchObject({
      stats: { margin_usage: '1.80', leverage: '0.09', cross_stats: { margin_usage: '1.80' } },
    });
  });

  it('stays silent about other accounts', () => {
    const stage = new SimulatedStage();
    stage.listen([`account_all/${OTHER_INDEX}`]);
    stage.submit();
    stage.pass(400);
    expect(stage.frames('update/account_all')).toEqual([]);
  });
});

describe('rate limits', () => {
  it('give a standard account 60 requests a rolling minute, transactions included', () => {
    const stage = new SimulatedStage({ tier: 'standard', scale: 60 });
    for (let index = 0; index < 30; index += 1) expect(stage.own('accountActiveOrders').status).toBe(200);
    stage.pass(30_000);
    for (let index = 0; index < 30; index += 1)
      expect(stage.submit({ fields: { ClientOrderIndex: index + 1, BaseAmount: 20 } })).toBe(200);
    expect(stage.own('accountActiveOrders')).toMatchObject({
      status: 429,
      body: { code: 23000, message: 'Too Many Requests!' },
    });
    expect(stage.submit({ fields: { ClientOrderIndex: 100 } })).toBe(23000);
    // An anonymous read counts for the IP alone.
    expect(stage.get('orderBooks').status).toBe(200);
    stage.pass(29_999);
    expect(stage.own('accountActiveOrders').status).toBe(429);
    stage.pass(1);
    expect(stage.own('accountActiveOrders').status).toBe(200);
    expect(stage.venue.oracle().rateLimitRefusals).toBe(3);
  });

  it('give a premium account 24,000 of weight: 80 ordinary reads, or 40 of trades', () => {
    const stage = new SimulatedStage();
    for (let index = 0; index < 80; index += 1) expect(stage.own('accountActiveOrders').status).toBe(200);
    expect(stage.own('accountActiveOrders').status).toBe(429);
    for (let index = 0; index < 40; index += 1) expect(stage.get('recentTrades?market_id=0&limit=1').status).toBe(200);
    expect(stage.get('recentTrades?market_id=0&limit=1').status).toBe(429);
    expect(stage.get(`nextNonce?account_index=${ACCOUNT_INDEX}&api_key_index=${API_KEY_INDEX}`).status).toBe(429);
  });

  it('count anonymous reads per IP', () => {
    const stage = new SimulatedStage({ tier: 'standard' });
    for (let index = 0; index < 60; index += 1) stage.get('orderBooks');
    expect(stage.get('orderBooks').status).toBe(429);
    const elsewhere = stage.input({
      type: 'http-request',
      requestId: 1,
      remote: '10.0.0.2',
      method: 'GET',
      path: '/api/v1/orderBooks',
      headers: {},
      body: '',
    });
    expect(REMOTE).not.toBe('10.0.0.2');
    expect(elsewhere).toMatchObject([{ status: 200 }]);
  });

  it('share one bucket of transactions between REST and socket', () => {
    const stage = new SimulatedStage({ tier: 'standard' });
    stage.open();
    for (let index = 0; index < 59; index += 1) {
      stage.sendTx(stage.sign({ fields: { ClientOrderIndex: index + 1, BaseAmount: 20 } }));
      stage.nonce += 1;
    }
    expect(stage.submit({ fields: { ClientOrderIndex: 100 } })).toBe(200);
    stage.sendTx(stage.sign({ fields: { ClientOrderIndex: 101 } }));
    expect(stage.frames('jsonapi/sendtx').at(-1)).toMatchObject({ type: 'jsonapi/sendtx', code: 23000 });
    expect(stage.submit({ fields: { ClientOrderIndex: 102 } })).toBe(23000);
  });

  it('allow 40 changes of leverage a minute', () => {
    const stage = new SimulatedStage();
    const change = (): unknown =>
      stage.submit({ type: 20, fields: { MarketIndex: 0, InitialMarginFraction: 1_000, MarginMode: 0 } });
    for (let index = 0; index < 40; index += 1) expect(change()).toBe(200);
    expect(change()).toBe(23000);
    stage.pass(60_000);
    expect(change()).toBe(200);
  });
});

describe('faults', () => {
  it('drop all sockets', () => {
    const stage = new SimulatedStage();
    stage.open(1);
    stage.open(2);
    stage.venue.inject('drop-sockets');
    stage.input({ type: 'tick' });
    expect([...stage.closed.keys()]).toEqual([1, 2]);
  });

  it('break the chain of one market’s book', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['order_book/0', 'order_book/1']);
    stage.pass(1_000);
    stage.venue.inject('skip-book-frame', { marketId: 1 });
    stage.pass(2_000);
    const gaps = (channel: string): number => {
      const books = stage
        .frames()
        .filter((frame) => frame['channel'] === channel)
        .map(bookOf);
      return books.filter((book, index) => index > 0 && book['begin_nonce'] !== books[index - 1]?.['nonce']).length;
    };
    expect([gaps('order_book:0'), gaps('order_book:1')]).toEqual([0, 1]);
  });

  it('cut off one frame and double another', () => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['order_book/0', 'market_stats/0']);
    stage.venue.inject('malformed-frame', { channel: 'market_stats' });
    stage.venue.inject('duplicate-frame');
    stage.pass(2_500);
    const texts = stage.sent.get(1) ?? [];
    expect(texts.filter((text) => readJson(text) === undefined)).toHaveLength(1);
    const books = texts.filter((text) => text.includes('update/order_book'));
    expect(books.length - new Set(books).size).toBe(1);
  });

  it('refuse the next transaction only, with its nonce unused', () => {
    const stage = new SimulatedStage();
    stage.venue.inject('refuse-next', { code: 21506 });
    expect([stage.submit(), stage.submit()]).toEqual([21506, 200]);
    stage.venue.inject('refuse-next', { code: 23000 });
    expect(stage.post(stage.sign({ fields: { ClientOrderIndex: 2 } }))?.status).toBe(429);
  });

  it('lose an answer, over REST and socket, but execute', () => {
    const stage = new SimulatedStage();
    stage.listen([ORDERS]);
    stage.venue.inject('lose-next-answer');
    expect(stage.post(stage.sign())).toBeUndefined();
    stage.venue.inject('lose-next-answer');
    stage.sendTx(stage.sign({ nonce: 1, fields: { ClientOrderIndex: 2 } }));
    expect(stage.frames('jsonapi/sendtx')).toEqual([]);
    stage.pass(400);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toMatchObject([
      { status: 'filled' },
      { status: 'filled' },
    ]);
    expect(stage.get(`nextNonce?account_index=${ACCOUNT_INDEX}&api_key_index=4`).body['nonce']).toBe(2);
  });

  it('refuse everything for a while', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.open();
    stage.venue.inject('rate-limit', { durationMs: 1_000 });
    expect(stage.get('orderBooks').status).toBe(429);
    stage.sendTx(stage.sign());
    expect(stage.frames('jsonapi/sendtx')).toMatchObject([{ code: 23000 }]);
    stage.pass(1_000);
    expect(stage.get('orderBooks').status).toBe(200);
    expect(stage.submit()).toBe(200);
  });

  it('hold answers back', () => {
    const stage = new SimulatedStage();
    stage.open();
    stage.venue.inject('delay-answers', { delayMs: 500, requests: 2 });
    expect(stage.request('GET', '/')).toBeUndefined();
    stage.sendTx(stage.sign());
    stage.pass(499);
    expect(stage.frames('jsonapi/sendtx')).toEqual([]);
    stage.pass(1);
    expect(stage.frames('jsonapi/sendtx')).toMatchObject([{ code: 200 }]);
    expect(stage.request('GET', '/')?.status).toBe(200);
  });

  test.each(['canceled-margin-not-allowed', 'canceled-invalid-balance'])(
    'end the next order as %s, later and only on its channel',
    (status) => {
      const stage = new SimulatedStage();
      stage.listen([ORDERS]);
      stage.venue.inject('reject-next-order', status === 'canceled-margin-not-allowed' ? {} : { status });
      expect(stage.submit()).toBe(200);
      expect(stage.submit()).toBe(21728);
      expect(stage.own('accountInactiveOrders').body['orders']).toEqual([]);
      stage.pass(100);
      const orders = (
        stage.frames('update/account_all_orders').at(-1)?.['orders'] as Record<string, Json[]> | undefined
      )?.['0'];
      expect(orders).toMatchObject([
        { client_order_index: 1_001, status, filled_base_amount: '0.00000', remaining_base_amount: '0.00000' },
      ]);
      expect(stage.own('accountInactiveOrders').body['orders']).toMatchObject([{ status }]);
    },
  );

  it('drop an order silently', () => {
    const stage = new SimulatedStage();
    stage.listen([ORDERS]);
    stage.venue.inject('silent-drop-next-order');
    expect(stage.submit()).toBe(200);
    stage.pass(5_000);
    expect(stage.frames('update/account_all_orders')).toEqual([]);
    expect(stage.own('accountInactiveOrders').body['orders']).toEqual([]);
    expect(stage.submit({ fields: { ClientOrderIndex: 2 } })).toBe(200);
    stage.pass(400);
    expect(stage.frames('update/account_all_orders').length).toBeGreaterThan(0);
  });

  it('are only those with a name', () => {
    expect(() => new SimulatedStage().venue.inject('meteor')).toThrow(/no fault named "meteor"/);
  });
});

describe('JSON', () => {
  it('keeps every digit in both directions, and what looks like one inside text', () => {
    expect(wireJson({ id: 39687971468375991n, left: undefined, list: [1, null, 'x"'] })).toBe(
      '{"id":39687971468375991,"list":[1,null,"x\\""]}',
    );
    expect(readJson('{"Index":39687971468375991,"text":": 39687971468375991","n":-1.5e3}')).toEqual({
      Index: '39687971468375991',
      text: ': 39687971468375991',
      n: -1_500,
    });
    expect(readJson('{')).toBeUndefined();
  });
});

it('makes the same frames in every run', () => {
  const run = (): unknown => {
    const stage = new SimulatedStage({ tape: moving });
    stage.listen(['order_book/0', 'trade/0', 'market_stats/all', ORDERS]);
    stage.submit();
    stage.pass(3_000);
    return stage.sent.get(1);
  };
  expect(run()).toEqual(run());
});
