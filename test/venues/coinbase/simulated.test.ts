import { describe, expect, it, test } from 'vitest';
import { platformKey, platformToken } from '../../../src/venues/coinbase/sign.ts';
import type { TokenTerms } from '../../../src/venues/coinbase/sign.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { BTC, KEYS, VenueStage } from './venue-stage.ts';

function post(stage: VenueStage, body: string, headers: Readonly<Record<string, string>> = {}): Fields {
  const answer = stage.send({ method: 'POST', url: 'http://venue/api/v2', headers, body, timeoutMs: 1 });
  return asFields(parseLosslessJson(answer?.body ?? '', 'answer'), 'answer');
}
const call = (method: string, params: object = {}): string => JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
const codeOf = (answer: Fields): unknown =>
  answer['error'] === undefined ? 0 : asFields(answer['error'], 'e')['code'];

/** Signs in by hand, with any claims. */
function signIn(
  stage: VenueStage,
  change: Partial<TokenTerms> = {},
  key: { keyName: string; privateKey: string } = KEYS.main,
): Fields {
  const nowS = Math.floor(stage.at().calendarMs / 1_000);
  const terms = {
    nonce: `${'0'.repeat(30)}${stage.calls.length % 100}`.slice(-32),
    notBeforeS: nowS,
    expiresS: nowS + 120,
    ...change,
  };
  const token = platformToken(platformKey(key.keyName, key.privateKey), terms);
  return post(stage, call('public/auth', { grant_type: 'coinbase_cdp', token }));
}
const START_S = (stage: VenueStage): number => Math.floor(stage.at().calendarMs / 1_000);

describe('the door', () => {
  test.each([
    ['a good token', () => ({}), 0],
    ['a token that is over', (s: number) => ({ notBeforeS: s - 120, expiresS: s }), 13004],
    ['the last second of a token', (s: number) => ({ notBeforeS: s - 119, expiresS: s + 1 }), 0],
    ['a token of a clock that is ahead', (s: number) => ({ notBeforeS: s + 6, expiresS: s + 100 }), 13004],
    ['a token that lives too long', (s: number) => ({ notBeforeS: s, expiresS: s + 121 }), 13004],
    ['a token for a request', () => ({ uri: 'POST venue/api/v2' }), 13004],
    ['a nonce of nothing', () => ({ nonce: '' }), 13004],
  ])('judges %s', (_what, change, code) => {
    const stage = new VenueStage();
    expect(codeOf(signIn(stage, change(START_S(stage))))).toBe(code);
  });

  it('takes a token once, and a key it does not know never', () => {
    const stage = new VenueStage();
    const nonce = 'a'.repeat(32);
    expect([signIn(stage, { nonce }), signIn(stage, { nonce })].map(codeOf)).toEqual([0, 13004]);
    expect(codeOf(signIn(stage, {}, { ...KEYS.main, keyName: 'stranger' }))).toBe(13004);
    expect(codeOf(signIn(stage, {}, { ...KEYS.main, privateKey: KEYS.mirror.privateKey }))).toBe(13004);
  });

  it('lets an access token in for a quarter of an hour', () => {
    const stage = new VenueStage();
    const token = asFields(signIn(stage)['result'], 'result')['access_token'];
    const ask = (): unknown =>
      codeOf(
        post(stage, call('private/get_account_summary', { currency: 'USDC' }), {
          authorization: `Bearer ${String(token)}`,
        }),
      );
    expect(ask()).toBe(0);
    stage.pass(899_000);
    expect(ask()).toBe(0);
    stage.pass(1_000);
    expect(ask()).toBe(13009);
    expect(codeOf(post(stage, call('private/get_positions')))).toBe(13009);
  });

  it('answers what it does not understand in the words of the protocol', () => {
    const stage = new VenueStage();
    expect(codeOf(post(stage, 'nonsense'))).toBe(-32700);
    expect(codeOf(post(stage, '{"id":1}'))).toBe(-32600);
    expect(codeOf(post(stage, '[]'))).toBe(-32600);
    expect(codeOf(post(stage, call('public/nothing')))).toBe(-32601);
    expect(codeOf(post(stage, call('public/ticker', { instrument_name: 'X' })))).toBe(-32602);
    expect(stage.send({ method: 'GET', url: 'http://venue/elsewhere', headers: {}, timeoutMs: 1 })?.status).toBe(404);
  });
});

describe('credits', () => {
  it('are as many calls at once as documented, and come back as fast', () => {
    const stage = new VenueStage();
    const ask = (): unknown => codeOf(post(stage, call('public/get_time')));
    const codes = Array.from({ length: 101 }, ask);
    expect(codes.filter((code) => code === 0)).toHaveLength(100);
    expect(codes.at(-1)).toBe(10028);
    stage.pass(49);
    expect(ask()).toBe(10028);
    stage.pass(1);
    expect([ask(), ask()]).toEqual([0, 10028]);
    expect(stage.venue.oracle().rateLimitRefusals).toBe(3);
  });

  it.each([
    ['standard', 20],
    ['premium', 30],
  ] as const)('of orders are those of the tier %s; used up, they end the session', (tier, burst) => {
    const stage = new VenueStage({ tier }).start();
    const { main } = stage.adapters;
    for (let index = 1; index <= burst + 1; index++) {
      const order = stage.order({ clientOrderId: String(index), timeInForce: 'gtc', limitTicks: 99_000 });
      const made = main.placeOrder(order, undefined, stage.at()).submit(undefined, stage.at());
      if (made.via === 'socket') stage.deliver('main', made.frame);
    }
    expect(stage.facts('submission-refused')).toMatchObject([{ code: '10028', class: 'rate-limit' }]);
    expect(stage.cut).toEqual(['main account']);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toHaveLength(burst);
  });
});

describe('sockets', () => {
  it('refuse who cannot sign in, and say so', () => {
    const stage = new VenueStage({ privateKey: Buffer.alloc(32, 9).toString('base64') });
    stage.ask(stage.adapters.main.instruments());
    stage.connect();
    expect(stage.facts('private-stream-ready')).toEqual([]);
    expect(stage.facts('venue-error')).toMatchObject([{ code: 'AUTH' }]);
    expect(stage.cut).toEqual(['main account']);
  });

  it('end after half a minute without a word, and stay for who answers and speaks', () => {
    const stage = new VenueStage({ bookIntervalMs: 10_000 }).start();
    stage.pass(10 * 60_000);
    expect(stage.cut).toEqual([]);
    expect(stage.calls.filter((method) => method === 'public/test').length).toBeGreaterThan(50);
    const silent = new VenueStage();
    const at = (): void =>
      void silent.input({ type: 'socket-requested', socketId: 99, remote: 'r', path: '/ws/api/v2', headers: {} });
    at();
    const closes: unknown[] = [];
    for (let ms = 0; ms < 31_000; ms += 1_000) {
      silent.pass(1_000);
      closes.push(...silent.input({ type: 'socket-ping', socketId: 99 }).filter(({ type }) => type === 'socket-close'));
    }
    // The close came with a tick; whoever speaks after it is not heard.
    expect(silent.input({ type: 'socket-text', socketId: 99, text: call('public/test') })).toEqual([]);
  });

  it('are signed in again before their fifty minutes are over', () => {
    const stage = new VenueStage({ bookIntervalMs: 10_000 }).start();
    stage.pass(41 * 60_000);
    expect(stage.calls.filter((method) => method === 'public/auth')).toHaveLength(2);
    stage.pass(20 * 60_000);
    expect(stage.cut).toEqual([]);
    expect(stage.place()).toContainEqual(expect.objectContaining({ type: 'submission-accepted' }));
  });

  it('leave out a channel without a word, which is noticed and mended', () => {
    const stage = new VenueStage();
    stage.venue.inject('leave-out-channel', { prefix: 'user.trades' });
    stage.start();
    expect(stage.facts('private-stream-ready')).toEqual([]);
    expect(stage.cut).toEqual(['main account']);
    const market = new VenueStage();
    market.venue.inject('leave-out-channel', { prefix: 'ticker.' });
    market.start();
    expect(market.facts('mark')).toEqual([]);
    market.pass(6_000);
    expect(market.facts('mark').length).toBeGreaterThan(0);
  });

  it('cancel what rests when the connection is lost, unless told not to', () => {
    for (const [cancelOnDisconnect, left] of [
      [true, 0],
      [false, 1],
    ] as const) {
      const stage = new VenueStage({ options: { cancelOnDisconnect } }).start();
      stage.place({ timeInForce: 'gtc', limitTicks: 99_000, postOnly: true });
      stage.venue.inject('drop-sockets', { kind: 'account' });
      stage.pass(1_000);
      expect(
        stage.venue
          .oracle()
          .accounts.get('main')
          ?.orders.filter(({ status }) => status === 'open'),
      ).toHaveLength(left);
    }
  });

  it('take a label twice without a word', () => {
    const stage = new VenueStage().start();
    stage.place();
    stage.place();
    const orders = stage.venue.oracle().accounts.get('main')?.orders ?? [];
    expect(orders).toHaveLength(2);
    const [operation] = stage.adapters.main.findOrder(BTC, '1001', stage.at());
    expect(operation === undefined ? [] : stage.ask(operation)).toMatchObject([
      { type: 'order-update', order: { clientOrderId: '1001' } },
      { type: 'order-update', order: { clientOrderId: '1001' } },
      { type: 'order-lookup', found: true },
    ]);
  });
});

describe('books', () => {
  it.each([
    ['book-gap', 'gap'],
    ['book-crossed', 'crossed'],
  ])('after a %s are not trusted before they are whole again', (fault, reason) => {
    const stage = new VenueStage().start();
    stage.venue.inject(fault);
    stage.pass(3_000);
    expect(stage.facts('book-invalid')).toEqual([{ type: 'book-invalid', symbol: BTC, reason }]);
    expect(stage.streams.main.book(BTC)?.bids.length).toBeGreaterThan(0);
    expect(stage.calls.filter((method) => method === 'public/unsubscribe')).toHaveLength(1);
  });

  it('do not mind a change that comes twice', () => {
    const stage = new VenueStage().start();
    stage.venue.inject('book-duplicate');
    stage.pass(2_000);
    expect(stage.facts('book-invalid')).toEqual([]);
  });

  it('are the exchange’s own, level by level', () => {
    const stage = new VenueStage().start();
    stage.pass(5_000);
    const book = stage.streams.main.book(BTC);
    const truth = stage.exchange.book(BTC);
    expect(book?.bids).toEqual(truth.bids.slice(0, 20));
    expect(book?.asks).toEqual(truth.asks.slice(0, 20));
  });
});

it('has no fault it does not know', () => {
  expect(() => new VenueStage().venue.inject('earthquake')).toThrow('coinbase has no fault named "earthquake"');
});
