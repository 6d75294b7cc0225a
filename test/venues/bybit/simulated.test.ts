import { describe, expect, it, test } from 'vitest';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { asList } from '../../../src/venues/fields.ts';
import { signedRequest } from '../../../src/venues/bybit/signed-request.ts';
import { KEYS, VenueStage, FUNDING_MS } from './venue-stage.ts';
import type { VenueStageOptions } from './venue-stage.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: unknown;
  readonly result: Fields;
  readonly extra: Fields;
}

/** A signed request made by hand; `tamper` changes what is sent after it was signed. */
function request(
  stage: VenueStage,
  method: 'GET' | 'POST',
  path: string,
  payload: string,
  change: {
    readonly aheadMs?: number;
    readonly recvWindow?: number;
    readonly tamper?: (payload: string) => string;
    readonly apiKey?: string;
  } = {},
): Answer {
  const timestamp = Math.floor(stage.at().calendarMs + (change.aheadMs ?? 0));
  const key = { ...KEYS.main, ...(change.apiKey === undefined ? {} : { apiKey: change.apiKey }) };
  const made = signedRequest(
    'http://venue',
    key,
    { method, path, payload, timeoutMs: 1 },
    { timestamp, recvWindow: change.recvWindow ?? 5_000 },
  );
  const { tamper = (text: string) => text } = change;
  const sent = method === 'GET' ? { ...made, url: tamper(made.url) } : { ...made, body: tamper(payload) };
  const answer = stage.send(sent);
  if (answer === undefined) throw new Error('an answer was expected');
  const { status, headers, body } = answer;
  if (status !== 200) return { status, headers, code: undefined, result: {}, extra: {} };
  const fields = asFields(parseLosslessJson(body, 'answer'), 'answer');
  return {
    status,
    headers,
    code: fields['retCode'],
    result: asFields(fields['result'], 'result'),
    extra: asFields(fields['retExtInfo'], 'extra'),
  };
}
const listOf = (fields: Fields): readonly Fields[] => asList(fields['list'], 'list').map((row) => asFields(row, 'row'));
const WALLET = ['GET', '/v5/account/wallet-balance', 'accountType=UNIFIED'] as const;
const order = (linkId: string, more: object = {}): object => ({
  symbol: 'BTCUSDT',
  side: 'Buy',
  orderType: 'Limit',
  qty: '0.010',
  price: '50100.0',
  timeInForce: 'IOC',
  orderLinkId: linkId,
  ...more,
});
const create = (linkId: string, more: object = {}): string =>
  JSON.stringify({ category: 'linear', ...order(linkId, more) });

describe('the door', () => {
  test.each([
    ['on time', 0, 5_000, 0],
    ['at the window’s edge', -5_000, 5_000, 0],
    ['older than its window', -5_001, 5_000, 10002],
    ['a second ahead', 1_000, 5_000, 10002],
    ['just less than a second ahead', 999, 5_000, 0],
    ['old with a wide window', -50_000, 60_000, 0],
  ])('judges a request %s', (_what, aheadMs, recvWindow, code) => {
    expect(request(new VenueStage(), ...WALLET, { aheadMs, recvWindow }).code).toBe(code);
  });

  it('knows its keys and refuses other bytes than were signed', () => {
    const stage = new VenueStage();
    expect(request(stage, ...WALLET, { apiKey: 'NOBODY' }).code).toBe(10003);
    expect(request(stage, ...WALLET, { tamper: (url) => `${url}&coin=USDT` }).code).toBe(10004);
    const spaced = (body: string): string => body.replace('":"', '": "');
    expect(request(stage, 'POST', '/v5/order/create', create('1'), { tamper: spaced }).code).toBe(10004);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });

  it('refuses wrong places, ways and categories', () => {
    const stage = new VenueStage();
    expect(request(stage, 'GET', '/v5/nowhere', '').status).toBe(404);
    expect(request(stage, 'GET', '/v5/market/tickers', 'category=spot').code).toBe(10001);
    expect(request(stage, 'POST', '/v5/order/create', '{"category":"spot"}').code).toBe(10001);
    expect(request(stage, 'POST', '/v5/order/create', 'nonsense').code).toBe(10001);
    expect(request(stage, 'GET', '/v5/position/list', 'category=linear').code).toBe(10001);
  });

  it('judges request times in compressed calendars as in real ones', () => {
    const stage = new VenueStage({ scale: 360 });
    expect(request(stage, ...WALLET, { aheadMs: 999 * 360 }).code).toBe(0);
    expect(request(stage, ...WALLET, { aheadMs: 1_001 * 360 }).code).toBe(10002);
  });
});

describe('the limits', () => {
  it('let through what is documented in any second, say what is left and when more comes', () => {
    const stage = new VenueStage().start();
    const answers = Array.from({ length: 11 }, (_, index) =>
      request(stage, 'POST', '/v5/order/create', create(`a${index}`)),
    );
    expect(answers.map(({ code }) => code)).toEqual([...Array.from({ length: 10 }, () => 0), 10006]);
    expect(answers.map(({ headers }) => headers['x-bapi-limit-status'])).toEqual([
      '9',
      '8',
      '7',
      '6',
      '5',
      '4',
      '3',
      '2',
      '1',
      '0',
      '0',
    ]);
    expect(Number(answers[10]?.headers['x-bapi-limit-reset-timestamp'])).toBe(Math.ceil(stage.at().calendarMs + 1_000));
    expect(stage.venue.oracle().rateLimitRefusals).toBe(1);
    stage.pass(999);
    expect(request(stage, 'POST', '/v5/order/create', create('b')).code).toBe(10006);
    stage.pass(1);
    expect(request(stage, 'POST', '/v5/order/create', create('c')).code).toBe(0);
  });

  it('are the account’s own, and one endpoint’s are not another’s', () => {
    const stage = new VenueStage().start().start('mirror');
    for (let index = 0; index < 10; index++) request(stage, 'POST', '/v5/order/create', create(`a${index}`));
    expect(
      request(
        stage,
        'POST',
        '/v5/order/cancel',
        JSON.stringify({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'a0' }),
      ).code,
    ).not.toBe(10006);
    expect(stage.place({}, 'mirror')).toMatchObject([{ type: 'submission-accepted' }]);
  });

  it('tell our side how long to wait', () => {
    const stage = new VenueStage().start();
    for (let index = 0; index < 10; index++) request(stage, 'POST', '/v5/order/create', create(`a${index}`));
    stage.pass(400);
    expect(() => stage.place()).toThrow(
      expect.objectContaining({ code: '10006', class: 'rate-limit', retryAfterMs: 650 }),
    );
  });

  it('count a batch by its orders: the first succeed, the rest fail each by itself', () => {
    const stage = new VenueStage().start();
    const items = Array.from({ length: 12 }, (_, index) => order(`b${index}`));
    const answer = request(
      stage,
      'POST',
      '/v5/order/create-batch',
      JSON.stringify({ category: 'linear', request: items }),
    );
    expect(answer.code).toBe(0);
    expect(listOf(answer.extra).map((row) => row['code'])).toEqual([
      ...Array.from({ length: 10 }, () => 0),
      10006,
      10006,
    ]);
    expect(listOf(answer.result)).toHaveLength(12);
    // Single orders have a bucket of their own.
    expect(request(stage, 'POST', '/v5/order/create', create('c')).code).toBe(0);
  });

  it('ban an address that asks too often, for ten minutes, whoever asks', () => {
    const stage = new VenueStage();
    const codes = Array.from({ length: 601 }, () => request(stage, 'GET', '/v5/market/time', '').status);
    expect(codes.filter((status) => status === 200)).toHaveLength(600);
    expect(codes.at(-1)).toBe(403);
    stage.pass(599_000);
    expect(request(stage, ...WALLET).status).toBe(403);
    expect(() => stage.ask(stage.adapters.main.serverTime())).toThrow(
      expect.objectContaining({ code: 'HTTP_403', class: 'rate-limit', retryAfterMs: 600_000 }),
    );
    stage.pass(1_001);
    expect(request(stage, ...WALLET).code).toBe(0);
  });
});

describe('sockets', () => {
  it('let nobody in with a wrong key, and say so', () => {
    const stage = new VenueStage({ secret: 'wrong' });
    stage.ask(stage.adapters.main.instruments());
    stage.connect();
    stage.pass(100);
    expect(stage.facts('private-stream-ready')).toEqual([]);
    expect(stage.facts('venue-error')).toEqual([{ type: 'venue-error', code: 'AUTH', reason: 'Params Error' }]);
    expect(stage.cut).toEqual(['main account']);
  });

  it('answer pings in both their shapes and end what falls silent', () => {
    const stage = new VenueStage();
    const texts: string[] = [];
    const say = (socketId: number, text: string): void => {
      for (const output of stage.input({ type: 'socket-text', socketId, text }))
        if (output.type === 'socket-text') texts.push(output.text);
    };
    for (const [socketId, path] of [
      [101, '/v5/public/linear'],
      [102, '/v5/private'],
    ] as const)
      stage.input({ type: 'socket-requested', socketId, remote: '10.0.0.2', path, headers: {} });
    say(101, '{"req_id":"p1","op":"ping"}');
    say(102, '{"req_id":"p2","op":"ping"}');
    say(102, '{"req_id":"s1","op":"subscribe","args":["order"]}');
    say(101, '{"req_id":"s2","op":"subscribe","args":["tickers.BTCUSDT","orderbook.500.BTCUSDT"]}');
    say(101, 'nonsense');
    const answers = texts.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(answers).toMatchObject([
      { success: true, ret_msg: 'pong', req_id: 'p1', op: 'ping' },
      { req_id: 'p2', op: 'pong', args: [String(stage.at().calendarMs)] },
      { success: false, ret_msg: 'Request not authorized', op: 'subscribe' },
      { success: false, ret_msg: 'error:handler not found,topic:orderbook.500.BTCUSDT', req_id: 's2' },
      { success: false },
    ]);
    stage.pass(599_000);
    const closed = stage.input({ type: 'tick' }).filter(({ type }) => type === 'socket-close');
    expect(closed).toEqual([]);
    stage.pass(1_001);
    expect(texts).toHaveLength(5);
    say(101, '{"op":"ping"}');
    expect(texts).toHaveLength(5);
  });

  it('carry books that our side follows without a hole, equal to the venue’s own best fifty', () => {
    const stage = new VenueStage().start();
    for (let step = 0; step < 40; step++) {
      stage.pass(250);
      stage.pass(25);
      const { bids, asks } = stage.exchange.book('BTCUSDT');
      expect(stage.streams.main.book('BTCUSDT')).toMatchObject({ bids: bids.slice(0, 20), asks: asks.slice(0, 20) });
    }
    expect(stage.facts('book-invalid')).toEqual([]);
    expect(stage.facts('book-changed').length).toBeGreaterThan(20);
  });

  test.each([
    ['book-gap', ['gap']],
    ['book-crossed', ['crossed']],
    ['book-duplicate', []],
    ['book-restart', []],
  ])('after %s our side tells %j and has the true book again', (fault, reasons) => {
    const stage = new VenueStage().start();
    stage.venue.inject(fault);
    stage.pass(1_000);
    expect(stage.facts('book-invalid').map(({ reason }) => reason)).toEqual(reasons);
    stage.pass(25);
    const { bids, asks } = stage.exchange.book('BTCUSDT');
    expect(stage.streams.main.book('BTCUSDT')).toMatchObject({ bids: bids.slice(0, 20), asks: asks.slice(0, 20) });
    expect(stage.cut).toEqual([]);
  });

  it('repeat the best prices after three quiet seconds, with the same number', () => {
    const stage = new VenueStage();
    const frames: Fields[] = [];
    const take = (outputs: ReturnType<VenueStage['input']>): void => {
      for (const output of outputs)
        if (output.type === 'socket-text' && output.text.includes('orderbook.1.'))
          frames.push(asFields(parseLosslessJson(output.text, 'frame'), 'frame'));
    };
    stage.input({
      type: 'socket-requested',
      socketId: 101,
      remote: '10.0.0.2',
      path: '/v5/public/linear',
      headers: {},
    });
    take(
      stage.input({ type: 'socket-text', socketId: 101, text: '{"op":"subscribe","args":["orderbook.1.BTCUSDT"]}' }),
    );
    expect(frames.filter((frame) => frame['type'] === 'snapshot')).toHaveLength(1);
    for (let step = 0; step < 20; step++) {
      stage.pass(249);
      take(stage.input({ type: 'tick' }));
    }
    expect(frames.every((frame) => frame['type'] === 'snapshot' || frame['op'] === 'subscribe')).toBe(true);
  });

  it('carry tickers that name only what changed', () => {
    let price = 50_000;
    const stage = new VenueStage({ tape: plainTape({ priceAt: () => price, intervalMs: FUNDING_MS }) }).start();
    expect(stage.facts('mark').at(-1)?.markTicksScaled.markNano).toBe(50_000_000_000_000n);
    price = 50_010;
    stage.pass(2_000);
    expect(stage.facts('mark').at(-1)?.markTicksScaled.markNano).toBe(50_010_000_000_000n);
    expect(stage.facts('funding-rate').at(-1)?.rate).toMatchObject({
      kind: 'predicted',
      intervalMs: FUNDING_MS,
      settleAtMs: expect.any(Number) as number,
    });
  });
});

describe('funding', () => {
  const options: VenueStageOptions = {
    scale: 3_600,
    tape: plainTape({ priceAt: () => 50_000, intervalMs: FUNDING_MS, ratePicoAt: () => 100_000_000 }),
  };

  it('is mark value times rate, told as an execution and as a ledger row of the opposite sign', () => {
    const stage = new VenueStage(options).start();
    stage.place();
    stage.pass(9_000);
    // 0.010 BTC x 50,000 x 0.0001, paid by the long.
    const [payment] = stage.facts('funding-payment');
    expect(payment?.payment).toMatchObject({ amountMicro: -50_000n, rate: 100_000_000, signedLots: 10 });
    const span = `category=linear&limit=50`;
    const executions = listOf(
      request(stage, 'GET', '/v5/execution/list', `${span}&execType=Funding`, { recvWindow: 60_000 }).result,
    );
    expect(executions).toMatchObject([{ execFee: '0.050000', feeRate: '0.0001', side: 'Buy', orderType: 'UNKNOWN' }]);
    const ledger = listOf(
      request(stage, 'GET', '/v5/account/transaction-log', `${span}&type=SETTLEMENT`, { recvWindow: 60_000 }).result,
    );
    expect(ledger).toMatchObject([{ funding: '-0.050000', type: 'SETTLEMENT' }]);
    const oracle = stage.venue.oracle().accounts.get('main');
    expect(oracle?.fundingPayments).toMatchObject([{ paymentId: payment?.payment.paymentId, amountMicro: -50_000n }]);
    expect(stage.facts('balance').at(-1)?.walletMicro).toBe(oracle?.walletMicro);
  });

  it('is found by the question as by the stream, under the same id', () => {
    const stage = new VenueStage(options).start();
    stage.place({ side: 'sell', limitTicks: 499_000 });
    stage.pass(25_000);
    const asked = stage.ask(stage.adapters.main.fundingPaymentsSince(START_MS, stage.at()));
    const told = stage.facts('funding-payment');
    expect(told.length).toBeGreaterThan(2);
    expect(asked.filter(({ type }) => type === 'funding-payment')).toEqual(told);
    expect(told.every(({ payment }) => payment.amountMicro === 50_000n && payment.signedLots === -10)).toBe(true);
  });
});

it('a fault it does not know is refused by name', () => {
  expect(() => new VenueStage().venue.inject('earthquake')).toThrow('bybit has no fault named "earthquake"');
});
