import { describe, expect, it, test } from 'vitest';
import type { VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { asList, parseJson } from '../../../src/venues/extended/json.ts';
import { runExtendedSignTask, signingKey } from '../../../src/venues/extended/sign.ts';
import { settlementOf } from '../../../src/venues/extended/simulated-wire.ts';
import { asFields } from '../../../src/venues/json.ts';
import { API_KEY, eventsOf, market, PRIVATE_KEY, VenueStage } from './venue-stage.ts';
import { plainTape } from '../../simulation/plain-tape.ts';

const HEADERS = { 'user-agent': 'test', 'x-api-key': API_KEY };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly code: unknown;
  readonly data: unknown;
}

function request(
  stage: VenueStage,
  method: string,
  path: string,
  body = '',
  headers: Record<string, string> = HEADERS,
): Answer {
  const outputs = stage.input({
    type: 'http-request',
    requestId: 9_000,
    remote: '10.0.0.1',
    method,
    path: `/api/v1${path}`,
    headers,
    body,
  });
  const answer = outputs.find(
    (output): output is Extract<VenueOutput, { type: 'http-answer' }> => output.type === 'http-answer',
  );
  if (answer === undefined) throw new Error('an answer was expected');
  if (answer.headers['content-type'] !== 'application/json')
    return { status: answer.status, text: answer.body, code: undefined, data: undefined };
  const fields = asFields(parseJson(answer.body, 'answer'), 'answer');
  const error = fields['error'];
  return {
    status: answer.status,
    text: answer.body,
    code: error === undefined ? undefined : asFields(error, 'error')['code'],
    data: fields['data'],
  };
}

const key = signingKey(PRIVATE_KEY, 10_002, 'SN_MAIN');

/** A signed order as JSON; `change` replaces fields before signing, `tamper` after. */
function signedBody(
  stage: VenueStage,
  change: Record<string, unknown> = {},
  tamper: Record<string, unknown> = {},
): string {
  const order = {
    id: '5001',
    market: 'BTC-USD',
    type: 'LIMIT',
    side: 'BUY',
    qty: '0.01000',
    price: '90100.0',
    timeInForce: 'IOC',
    expiryEpochMillis: stage.at().calendarMs + 60_000,
    fee: '0.0005',
    nonce: '7',
    reduceOnly: false,
    postOnly: false,
    ...change,
  };
  const { r, s } = runExtendedSignTask(
    {
      key,
      terms: {
        side: order.side === 'BUY' ? 'buy' : 'sell',
        quantity: order.qty,
        price: order.price,
        feeRate: order.fee,
        expiryEpochMillis: order.expiryEpochMillis,
        nonce: 7,
        vault: 10_002,
        market: settlementOf(market('BTC-USD')),
      },
    },
    new Uint8Array(),
  );
  const settlement = { signature: { r, s }, starkKey: key.publicKey, collateralPosition: '10002' };
  return JSON.stringify({ ...order, settlement, ...tamper });
}

describe('the gateway', () => {
  it('fails everything without a User-Agent, and private paths without a known key', () => {
    const stage = new VenueStage();
    expect(request(stage, 'GET', '/info/markets', '', {}).status).toBe(403);
    expect(request(stage, 'GET', '/user/balance', '', { 'user-agent': 'test' }).status).toBe(401);
    expect(request(stage, 'GET', '/nowhere').status).toBe(404);
    expect(request(stage, 'GET', '/info/markets/NONE-USD/stats')).toMatchObject({ status: 404, code: 1001 });
  });

  it('answers OK with a bare id beyond 2^53 before anything is matched', () => {
    const stage = new VenueStage();
    const answer = request(stage, 'POST', '/user/order', signedBody(stage));
    expect(answer.text).toMatch(/^\{"status":"OK","data":\{"id":\d{19},"externalId":"5001"\}\}$/);
    expect(stage.venue.oracle().accounts.get('main')?.fills).toEqual([]);
  });

  test.each([
    ['an unknown market', 1001, {}, { market: 'NONE-USD' }],
    ['an unsupported type', 1132, {}, { type: 'TWAP' }],
    ['a market order that rests', 1139, {}, { type: 'MARKET', timeInForce: 'GTT' }],
    ['no price', 1130, {}, { price: undefined }],
    ['a size below the minimum', 1120, { qty: '0.00009' }, {}],
    ['a size finer than a lot', 1123, { qty: '0.010001' }, {}],
    ['a price between ticks', 1124, { price: '90100.1' }, {}],
    ['a price finer than its decimals', 1125, { price: '90100.05' }, {}],
    ['a value above the cap', 1122, { qty: '1000' }, {}],
    ['a fee below the account’s rate', 1128, { fee: '0.0002' }, {}],
    ['an expiry that has passed', 1135, { expiryEpochMillis: 1_600_000_000_000 }, {}],
    ['an expiry too far ahead', 1135, { expiryEpochMillis: 1_990_000_000_000 }, {}],
    ['a nonce out of range', 1133, {}, { nonce: '0' }],
    ['a price outside the band', 1141, { price: '95000.0' }, {}],
    ['a foreign vault', 1102, {}, { settlement: { starkKey: key.publicKey, collateralPosition: '1', signature: {} } }],
    ['a foreign key', 1100, {}, { settlement: { starkKey: '0x1', collateralPosition: '10002', signature: {} } }],
    ['no signature', 1101, {}, { settlement: { starkKey: key.publicKey, collateralPosition: '10002' } }],
    ['a size changed after signing', 1101, {}, { qty: '0.01001' }],
    ['a reduce-only order without a position', 1137, {}, { reduceOnly: true }],
    ['more than the balance can carry', 1140, { qty: '10' }, {}],
  ])('refuses %s with code %i', (_what, code, change, tamper) => {
    const stage = new VenueStage();
    expect(request(stage, 'POST', '/user/order', signedBody(stage, change, tamper))).toMatchObject({
      status: 400,
      code,
    });
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });

  it('refuses reduce-only orders on the same side or larger than the position', () => {
    const stage = new VenueStage();
    request(stage, 'POST', '/user/order', signedBody(stage));
    stage.pass(100);
    const reduce = (change: object): unknown =>
      request(stage, 'POST', '/user/order', signedBody(stage, { id: '5002', reduceOnly: true, ...change })).code;
    expect(reduce({})).toBe(1138);
    expect(reduce({ side: 'SELL', price: '89000.0', qty: '0.01001' })).toBe(1136);
    expect(reduce({ side: 'SELL', price: '89000.0' })).toBeUndefined();
  });

  it('refuses nonsense bodies', () => {
    const stage = new VenueStage();
    for (const body of ['', '[]', 'null', '{}', '{"market":"BTC-USD"}']) {
      expect(request(stage, 'POST', '/user/order', body).status).toBe(400);
    }
  });

  it('answers the documented queries of an account', () => {
    const stage = new VenueStage();
    request(stage, 'POST', '/user/order', signedBody(stage));
    stage.pass(100);
    const orders = asList(request(stage, 'GET', '/user/orders/history').data, 'orders');
    expect(orders).toMatchObject([{ externalId: '5001', status: 'FILLED', filledQty: '0.01000', timeInForce: 'IOC' }]);
    const id = String(asFields(orders[0], 'order')['id']);
    expect(request(stage, 'GET', `/user/orders/${id}`).data).toMatchObject({ externalId: '5001' });
    expect(request(stage, 'GET', '/user/positions').data).toMatchObject([
      { market: 'BTC-USD', side: 'LONG', size: '0.01000' },
    ]);
    expect(request(stage, 'GET', '/user/positions?side=SHORT').data).toEqual([]);
    expect(request(stage, 'GET', '/user/account/info').data).toMatchObject({ l2Vault: 10_002, l2Key: key.publicKey });
    expect(request(stage, 'GET', '/user/leverage?market=BTC-USD').data).toEqual([{ market: 'BTC-USD', leverage: '5' }]);
    expect(request(stage, 'GET', '/info/markets/BTC-USD/orderbook').data).toMatchObject({ market: 'BTC-USD' });
    expect(asList(request(stage, 'GET', '/info/markets/BTC-USD/trades').data, 'trades').length).toBeGreaterThan(0);
  });

  it('cancels everything on request', () => {
    const stage = new VenueStage();
    for (const id of ['1', '2', '3'])
      request(
        stage,
        'POST',
        '/user/order',
        signedBody(stage, { id, timeInForce: 'GTT', postOnly: true, price: '89000.0' }),
      );
    stage.pass(100);
    expect(request(stage, 'POST', '/user/order/massCancel', '{}').code).toBe(1133);
    expect(request(stage, 'POST', '/user/order/massCancel', '{"cancelAll":true}').status).toBe(200);
    stage.pass(100);
    expect(request(stage, 'GET', '/user/orders').data).toEqual([]);
  });
});

describe('streams', () => {
  const movingTape = plainTape({ priceAt: (calendarMs) => 90_000 + (Math.floor(calendarMs / 250) % 40) });

  it('keeps a subscriber’s book equal to the exchange’s, also for one who joins half a minute after the snapshot', () => {
    const stage = new VenueStage({ tape: movingTape });
    stage.ask(stage.adapter.instruments());
    stage.pass(31_234);
    stage.connect();
    stage.pass(95_000);
    // Compared once the exchange's book stood still for longer than a burst takes to arrive.
    let book = stage.exchange.book('BTC-USD');
    for (let still = false; !still;) {
      stage.pass(120);
      const now = stage.exchange.book('BTC-USD');
      still = JSON.stringify(now) === JSON.stringify(book);
      book = now;
    }
    const { bids, asks } = book;
    const seen = stage.stream.book('BTC-USD');
    expect(seen?.bids).toEqual(bids.slice(0, 20));
    expect(seen?.asks).toEqual(asks.slice(0, 20));
    expect(stage.cut).toEqual([]);
    expect(stage.facts('malformed-frame')).toEqual([]);
    expect(stage.facts('mark').length).toBeGreaterThan(90);
  });

  it('starts with the minutely snapshot and replays what happened since, numbered from 1', () => {
    const stage = new VenueStage({ tape: movingTape });
    stage.ask(stage.adapter.instruments());
    stage.pass(30_000);
    const plan = stage.stream.plan(['BTC-USD']).find(({ key: socketKey }) => socketKey === 'book:BTC-USD');
    if (plan === undefined) throw new Error('a book socket is planned');
    const frames = stage
      .open(plan)
      .flatMap((output) => (output.type === 'socket-text' ? [asFields(parseJson(output.text, 'frame'), 'frame')] : []));
    expect(frames[0]).toMatchObject({ type: 'SNAPSHOT', seq: 1 });
    expect(frames.length).toBeGreaterThan(50);
    expect(frames.map((frame) => frame['seq'])).toEqual(frames.map((_frame, index) => index + 1));
    expect(Number(frames.at(-1)?.['ts']) - Number(frames[0]?.['ts'])).toBeGreaterThan(25_000);
  });

  it('gives a book that is trusted at once also when calendar time runs 360 times faster', () => {
    const stage = new VenueStage({ scale: 360, tape: movingTape });
    stage.ask(stage.adapter.instruments());
    stage.pass(45_000);
    stage.connect();
    stage.pass(150);
    expect(stage.stream.book('BTC-USD')?.bids.length).toBeGreaterThan(0);
    expect(stage.facts('private-stream-ready')).toHaveLength(1);
  });

  it('pings every 15 s and closes a connection that does not answer within 10 s', () => {
    const stage = new VenueStage();
    const open = stage.venue.handle(
      {
        type: 'socket-requested',
        socketId: 77,
        remote: '10.0.0.1',
        path: '/stream.extended.exchange/v1/funding',
        headers: { 'user-agent': 'test' },
      },
      stage.at(),
    );
    expect(open).toContainEqual({ type: 'socket-accept', socketId: 77 });
    const after = (ms: number): readonly VenueOutput[] =>
      stage.venue.handle(
        { type: 'tick' },
        { calendarMs: stage.at().calendarMs + ms, monotonicMs: stage.at().monotonicMs + ms },
      );
    expect(after(14_999)).not.toContainEqual({ type: 'socket-ping', socketId: 77 });
    expect(after(15_000)).toContainEqual({ type: 'socket-ping', socketId: 77 });
    expect(after(25_000)).toContainEqual({ type: 'socket-close', socketId: 77, code: 1011, reason: 'no pong' });
  });

  test.each([
    ['/nowhere', HEADERS, 404],
    ['/orderbooks/NONE-USD', HEADERS, 404],
    ['/account', { 'user-agent': 'test' }, 401],
    ['/account', { 'x-api-key': API_KEY }, 403],
  ])('refuses the handshake of %s with %j as %i', (path, headers, status) => {
    const stage = new VenueStage();
    const outputs = stage.venue.handle(
      {
        type: 'socket-requested',
        socketId: 1,
        remote: '10.0.0.1',
        path: `/stream.extended.exchange/v1${path}`,
        headers,
      },
      stage.at(),
    );
    expect(outputs).toMatchObject([{ type: 'socket-refuse', status }]);
  });
});

describe('faults', () => {
  it('rejects late with a reason, only on the account stream', () => {
    const stage = new VenueStage();
    stage.start();
    stage.venue.inject('reject-next-order', { reason: 'NOT_ENOUGH_FUNDS' });
    expect(eventsOf(stage.place(), 'submission-accepted')).toHaveLength(1);
    stage.pass(200);
    expect(stage.facts('order-update')).toMatchObject([
      { order: { clientOrderId: '1001', status: 'rejected', reason: 'NOT_ENOUGH_FUNDS' } },
    ]);
    const found = stage.adapter.findOrder('BTC-USD', '1001', stage.at()).flatMap((operation) => stage.ask(operation));
    expect(found).toMatchObject([{ order: { status: 'rejected' } }, { found: true }]);
  });

  it('drops an order silently: accepted, never heard of, not to be found', () => {
    const stage = new VenueStage();
    stage.start();
    stage.venue.inject('silent-drop-next-order');
    expect(eventsOf(stage.place(), 'submission-accepted')).toHaveLength(1);
    stage.pass(6_000);
    expect(stage.facts('order-update')).toEqual([]);
    const found = stage.adapter.findOrder('BTC-USD', '1001', stage.at()).flatMap((operation) => stage.ask(operation));
    expect(found).toEqual([{ type: 'order-lookup', clientOrderId: '1001', found: false }]);
  });

  it('loses an answer but executes the order', () => {
    const stage = new VenueStage();
    stage.start();
    stage.venue.inject('lose-next-answer');
    const operation = stage.operationOf(stage.adapter.placeOrder(stage.order(), undefined, stage.at()));
    expect(stage.tryAsk(operation)).toBeUndefined();
    stage.pass(200);
    expect(stage.facts('fill').length).toBeGreaterThan(0);
  });

  it('holds answers back', () => {
    const stage = new VenueStage();
    stage.venue.inject('delay-answers', { delayMs: 500, requests: 1 });
    expect(stage.tryAsk(stage.adapter.serverTime())).toBeUndefined();
    const due = stage.venue.handle(
      { type: 'tick' },
      { calendarMs: stage.at().calendarMs + 500, monotonicMs: stage.at().monotonicMs + 500 },
    );
    expect(due).toMatchObject([{ type: 'http-answer', status: 200 }]);
    expect(stage.tryAsk(stage.adapter.serverTime())).toBeDefined();
  });

  it('refuses everything for a while', () => {
    const stage = new VenueStage();
    stage.venue.inject('rate-limit', { durationMs: 1_000 });
    expect(() => stage.ask(stage.adapter.serverTime())).toThrow(/429/);
    stage.pass(1_000);
    expect(stage.ask(stage.adapter.serverTime())).toHaveLength(1);
  });

  it('breaks sequences, doubles frames, invents types and drops sockets, and the adapter copes', () => {
    const stage = new VenueStage({
      tape: plainTape({ priceAt: (calendarMs) => 90_000 + (Math.floor(calendarMs / 250) % 40) }),
    });
    stage.start();
    stage.venue.inject('duplicate-frame', { kind: 'orderbooks' });
    stage.venue.inject('unknown-frame', { kind: 'account' });
    stage.place();
    stage.pass(1_000);
    expect(stage.cut).toEqual([]);
    expect(stage.facts('fill').length).toBeGreaterThan(0);
    stage.venue.inject('seq-gap', { kind: 'orderbooks' });
    stage.pass(1_000);
    expect(stage.cut).toEqual(['book:BTC-USD']);
    expect(stage.facts('book-invalid').map(({ reason }) => reason)).toEqual(['gap']);
    stage.venue.inject('drop-sockets');
    stage.pass(100);
    expect(new Set(stage.cut)).toEqual(new Set(['book:BTC-USD', 'account', 'marks', 'funding']));
  });

  it('knows no other fault', () => {
    expect(() => new VenueStage().venue.inject('meteor')).toThrow(/no fault named "meteor"/);
  });
});
