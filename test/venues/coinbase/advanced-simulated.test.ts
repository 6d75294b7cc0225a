import { describe, expect, it, test } from 'vitest';
import { buildVenue } from '../../../src/simulation/build-venue.ts';
import { demoAccount } from '../../../src/simulation/demo-accounts.ts';
import type { VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { platformKey, platformToken } from '../../../src/venues/coinbase/sign.ts';
import type { TokenTerms } from '../../../src/venues/coinbase/sign.ts';
import { parseSpotFrame } from '../../../src/venues/coinbase/spot-parse.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import type { Instant } from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const HOST = 'api.test';
const API = '/api/v3/brokerage';
const SYMBOL = 'BIP-20DEC30-CDE';
const SPEC = {
  venue: 'coinbase',
  accountType: 'us',
  bases: ['BTC'],
  accounts: [{ name: 'main', balance: 1_000_000 }],
  limits: 'standard',
  seed: 3,
  calendarScale: 1,
  takerDelayMs: 10,
  makerDelayMs: 10,
  cancelDelayMs: 10,
  bookIntervalMs: 250,
} as const;

interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Fields;
}

/** A client that speaks the protocol by hand. */
class Client {
  readonly built = buildVenue(SPEC, plainTape({ priceAt: () => 50_000 }));
  readonly heard = new Map<number, Fields[]>();
  readonly closed: number[] = [];
  readonly #secrets = demoAccount('coinbase', 'main', 'us').secrets;
  #nowMs = 1_000;
  #tokens = 0;
  #requests = 0;

  constructor() {
    this.pass(10);
  }
  get at(): Instant {
    return { monotonicMs: this.#nowMs, calendarMs: START_MS + this.#nowMs };
  }
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#nowMs < untilMs) {
      this.#nowMs = Math.min(untilMs, Math.max(this.#nowMs + 1, this.built.venue.nextWakeMs()));
      this.#carry(this.built.venue.handle({ type: 'tick' }, this.at));
    }
  }

  token(change: Partial<TokenTerms> = {}): string {
    this.#tokens += 1;
    const nowS = Math.floor(this.at.calendarMs / 1_000);
    const nonce = this.#tokens.toString(16).padStart(32, '0');
    const key = platformKey(this.#secrets['keyName'] ?? '', this.#secrets['privateKey'] ?? '');
    return platformToken(key, { nonce, notBeforeS: nowS, expiresS: nowS + 120, ...change });
  }

  ask(path: string, options: { readonly body?: unknown; readonly token?: string | undefined } = {}): Said {
    this.#requests += 1;
    const method = options.body === undefined ? 'GET' : 'POST';
    const uri = `${method} ${HOST}${API}${path.split('?')[0]}`;
    const token = 'token' in options ? options.token : this.token({ uri });
    const headers = { host: HOST, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const body = options.body === undefined ? '' : JSON.stringify(options.body);
    const request = { type: 'http-request', requestId: this.#requests, remote: 'r', method, headers, body } as const;
    const outputs = this.built.venue.handle({ ...request, path: API + path }, this.at);
    this.#carry(outputs);
    const answer = outputs.find((output) => output.type === 'http-answer');
    if (answer?.type !== 'http-answer') throw new Error(`${path} must be answered`);
    const isJson = answer.body.startsWith('{');
    const fields = isJson ? asFields(parseLosslessJson(answer.body, path), path) : {};
    return { status: answer.status, headers: answer.headers, fields };
  }

  open(socketId: number, path: string): this {
    this.heard.set(socketId, []);
    this.#carry(
      this.built.venue.handle({ type: 'socket-requested', socketId, remote: 'r', path, headers: {} }, this.at),
    );
    return this;
  }
  say(socketId: number, message: unknown): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this.#carry(this.built.venue.handle({ type: 'socket-text', socketId, text }, this.at));
  }
  frames(socketId: number, channel: string): readonly Fields[] {
    return (this.heard.get(socketId) ?? []).filter((frame) => (frame['channel'] ?? frame['type']) === channel);
  }

  #carry(outputs: readonly VenueOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'socket-text')
        this.heard.get(output.socketId)?.push(asFields(parseLosslessJson(output.text, 'frame'), 'frame'));
      if (output.type === 'socket-close' || output.type === 'socket-refuse') this.closed.push(output.socketId);
    }
  }
}
const limitOrder = (change: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  client_order_id: 'my-order',
  product_id: SYMBOL,
  side: 'BUY',
  order_configuration: { limit_limit_gtc: { base_size: '2', limit_price: '49500', post_only: true } },
  ...change,
});
const success = (said: Said): Fields => asFields(said.fields['success_response'], 'success');
const failure = (said: Said): Fields => asFields(said.fields['error_response'], 'failure');

describe('the door', () => {
  const uri = `GET ${HOST}${API}/cfm/positions`;
  const nowS = (client: Client): number => Math.floor(client.at.calendarMs / 1_000);
  test.each([
    ['a good token', (client: Client) => client.token({ uri }), 200],
    ['no token', () => undefined, 401],
    ['a token for another path', (client: Client) => client.token({ uri: `${uri}/x` }), 401],
    ['a token for another method', (client: Client) => client.token({ uri: uri.replace('GET', 'POST') }), 401],
    ['a token for another host', (client: Client) => client.token({ uri: uri.replace(HOST, 'other') }), 401],
    ['a token for sockets', (client: Client) => client.token(), 401],
    [
      'a token that is over',
      (client: Client) => client.token({ uri, notBeforeS: nowS(client) - 120, expiresS: nowS(client) }),
      401,
    ],
    ['a token that lives too long', (client: Client) => client.token({ uri, expiresS: nowS(client) + 121 }), 401],
    ['a token of a clock that is ahead', (client: Client) => client.token({ uri, notBeforeS: nowS(client) + 6 }), 401],
  ])('judges %s', (_what, make, status) => {
    const client = new Client();
    expect(client.ask('/cfm/positions', { token: make(client) }).status).toBe(status);
  });

  it('takes a token once, and needs none for the market', () => {
    const client = new Client();
    const token = client.token({ uri });
    expect([1, 2].map(() => client.ask('/cfm/positions', { token }).status)).toEqual([200, 401]);
    expect(client.ask(`/market/products/${SYMBOL}`, { token: undefined }).fields).toMatchObject({ product_id: SYMBOL });
  });

  it('lets thirty private questions through in any second, and ten public ones of an address', () => {
    const client = new Client();
    const privates = Array.from({ length: 31 }, () => client.ask('/key_permissions'));
    expect(privates.map(({ status }) => status).lastIndexOf(200)).toBe(29);
    expect(privates[30]).toMatchObject({ status: 429, headers: { 'x-ratelimit-remaining': '0' } });
    expect(privates[30]?.fields).toEqual({ errors: [{ id: 'rate_limit_exceeded', message: 'Too many requests' }] });
    const publics = (): number => client.ask('/time', { token: undefined }).status;
    expect(Array.from({ length: 11 }, publics)).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
    client.pass(999);
    expect(publics()).toBe(429);
    client.pass(1);
    expect(publics()).toBe(200);
    expect(client.built.venue.oracle().rateLimitRefusals).toBe(3);
  });
});

describe('orders', () => {
  it('refused are answered with 200 and a reason, and an id names one order for ever', () => {
    const client = new Client();
    const first = client.ask('/orders', { body: limitOrder() });
    expect(first).toMatchObject({ status: 200, fields: { success: true } });
    const again = client.ask('/orders', { body: limitOrder({ side: 'SELL' }) });
    expect(success(again)['order_id']).toBe(success(first)['order_id']);
    const reasons = [
      { side: 'HOLD' },
      { product_id: 'NONE' },
      { order_configuration: { limit_limit_gtc: { base_size: '1.5', limit_price: '49500' } } },
      { order_configuration: { limit_limit_gtc: { base_size: '1', limit_price: '49501' } } },
      { order_configuration: { limit_limit_gtc: { base_size: '1', limit_price: '51000', post_only: true } } },
      { order_configuration: { limit_limit_fok: { base_size: '1', limit_price: '49500' } } },
      { leverage: '10' },
    ].map((change, index) => {
      const said = client.ask('/orders', { body: limitOrder({ client_order_id: `x${index}`, ...change }) });
      expect(said).toMatchObject({ status: 200, fields: { success: false } });
      return failure(said)['new_order_failure_reason'];
    });
    expect(reasons).toEqual([
      'INVALID_SIDE',
      'INVALID_PRODUCT_ID',
      'INVALID_SIZE_PRECISION',
      'INVALID_PRICE_PRECISION',
      'INVALID_LIMIT_PRICE_POST_ONLY',
      'UNSUPPORTED_ORDER_CONFIGURATION',
      'INVALID_LEVERAGE_PROVIDED',
    ]);
    const large = { order_configuration: { limit_limit_gtc: { base_size: '5001', limit_price: '49500' } } };
    const said = client.ask('/orders', { body: limitOrder({ client_order_id: 'y', ...large }) });
    expect(failure(said)['preview_failure_reason']).toBe('PREVIEW_INVALID_BASE_SIZE_TOO_LARGE');
  });

  it('are open only once the exchange has them, and cancelled each by itself', () => {
    const client = new Client();
    const { order_id: id } = success(client.ask('/orders', { body: limitOrder() }));
    const listed = (status: string): unknown[] =>
      asFields(client.ask(`/orders/historical/batch?order_status=${status}`).fields, 'list')['orders'] as unknown[];
    expect([listed('OPEN').length, listed('PENDING').length]).toEqual([0, 1]);
    client.pass(50);
    expect(listed('OPEN')).toMatchObject([{ order_id: id, client_order_id: 'my-order', status: 'OPEN' }]);
    const results = client.ask('/orders/batch_cancel', { body: { order_ids: [id, 'unknown'] } }).fields['results'];
    expect(results).toMatchObject([{ success: true }, { success: false, failure_reason: 'UNKNOWN_CANCEL_ORDER' }]);
    client.pass(50);
    expect(client.ask(`/orders/historical/${String(id)}`).fields).toMatchObject({ order: { status: 'CANCELLED' } });
    const tooMany = Array.from({ length: 101 }, (_none, index) => String(index));
    expect(client.ask('/orders/batch_cancel', { body: { order_ids: tooMany } }).status).toBe(400);
  });

  it('fill, show as fills and a position, and close with one request', () => {
    const client = new Client();
    client.ask('/orders', { body: limitOrder({ order_configuration: { market_market_ioc: { base_size: '3' } } }) });
    client.pass(50);
    expect(client.ask('/cfm/positions').fields).toMatchObject({
      positions: [{ product_id: SYMBOL, side: 'LONG', number_of_contracts: '3' }],
    });
    expect(client.ask('/orders/historical/fills').fields).toMatchObject({
      fills: [{ side: 'BUY', size: '3', liquidity_indicator: 'TAKER' }],
      cursor: '',
    });
    client.ask('/orders/close_position', { body: { client_order_id: 'c', product_id: SYMBOL } });
    client.pass(50);
    expect(client.ask('/cfm/positions').fields).toEqual({ positions: [] });
  });
});

describe('sockets', () => {
  const MARKET = '/advanced-trade-ws';
  const ACCOUNT = '/advanced-trade-ws-user';

  it('number every frame of a connection, whatever its channel', () => {
    const client = new Client().open(1, MARKET);
    client.say(1, { type: 'subscribe', channel: 'heartbeats' });
    client.say(1, { type: 'subscribe', channel: 'level2', product_ids: [SYMBOL] });
    client.pass(3_000);
    const frames = client.heard.get(1) ?? [];
    expect(frames.length).toBeGreaterThan(5);
    expect(frames.map((frame) => Number(frame['sequence_num']))).toEqual(frames.map((_frame, index) => index));
    expect(client.frames(1, 'l2_data')[0]).toMatchObject({ events: [{ type: 'snapshot', product_id: SYMBOL }] });
  });

  it('end without a subscription in five seconds, and without a word in sixty', () => {
    const client = new Client().open(1, MARKET).open(2, MARKET).open(3, MARKET);
    client.say(2, { type: 'subscribe', channel: 'status', product_ids: [SYMBOL] });
    client.say(3, { type: 'subscribe', channel: 'heartbeats' });
    client.pass(4_999);
    expect(client.closed).toEqual([]);
    client.pass(1);
    expect(client.closed).toEqual([1]);
    client.pass(60_000);
    expect(client.closed).toEqual([1, 2]);
  });

  it('tell accounts nothing without a token, and begin with open orders in batches of fifty', () => {
    const client = new Client().open(1, ACCOUNT);
    client.say(1, { type: 'subscribe', channel: 'user' });
    client.say(1, { type: 'subscribe', channel: 'user', jwt: client.token({ uri: 'GET x' }) });
    expect(client.frames(1, 'error')).toEqual([1, 2].map(() => ({ type: 'error', message: 'authentication failure' })));
    for (let index = 0; index < 50; index++) {
      client.ask('/orders', { body: limitOrder({ client_order_id: `o${index}` }) });
      client.pass(50);
    }
    client.say(1, { type: 'subscribe', channel: 'user', jwt: client.token() });
    const sizes = client
      .frames(1, 'user')
      .map((frame) => (asFields((frame['events'] as unknown[])[0], 'event')['orders'] as unknown[]).length);
    expect(sizes).toEqual([50, 0]);
  });

  it('let eight connections of an address in within any second', () => {
    const client = new Client();
    for (let socketId = 1; socketId <= 9; socketId++) client.open(socketId, MARKET);
    expect(client.closed).toEqual([9]);
  });
});

it('the spot feed tells tickers and heartbeats that its reader reads, and nonsense on command', () => {
  const client = new Client().open(7, '/ws-feed').open(8, '/ws-feed');
  client.say(7, { type: 'subscribe', product_ids: ['BTC-USD'], channels: ['ticker', 'heartbeat'] });
  client.pass(3_000);
  expect(client.frames(7, 'subscriptions')).toHaveLength(1);
  const tickers = client.frames(7, 'ticker').map((frame) => parseSpotFrame(frame));
  expect(tickers.length).toBeGreaterThan(2);
  expect(tickers[0]).toMatchObject({ type: 'ticker', ticker: { productId: 'BTC-USD', lastNano: 50_000_000_000_000n } });
  const sequences = client.frames(7, 'ticker').map((frame) => Number(frame['sequence']));
  expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
  expect(client.frames(7, 'heartbeat').length).toBeGreaterThan(1);
  client.say(7, { type: 'subscribe', product_ids: ['BTC-USD'], channels: ['full'] });
  expect(client.frames(7, 'error')).toHaveLength(1);
  client.built.venue.inject('spot-malformed');
  client.pass(1_000);
  expect(() => client.frames(7, 'ticker').map((frame) => parseSpotFrame(frame))).toThrow('best_bid');
  client.pass(1_000);
  expect(client.closed).toEqual([8]);
});

it('a kind of account that the venue does not have is refused by name', () => {
  const tape = plainTape({ priceAt: () => 50_000 });
  expect(() => buildVenue({ ...SPEC, accountType: 'moon' }, tape)).toThrow('was coinbase moon');
});
