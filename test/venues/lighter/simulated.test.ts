import { describe, expect, it, test } from 'vitest';
import { START_MS } from '../../simulation/plain-tape.ts';
import { ACCOUNT_INDEX, market, OTHER_INDEX, PUBLIC_KEY, SimulatedStage } from './simulated-stage.ts';
import type { Json, TransactionChange } from './simulated-stage.ts';

const PRIVATE_CHANNELS = [
  `account_all_orders/${ACCOUNT_INDEX}`,
  `account_all_trades/${ACCOUNT_INDEX}`,
  `account_all_positions/${ACCOUNT_INDEX}`,
  `account_all_assets/${ACCOUNT_INDEX}`,
];
const HOUR_MS = 3_600_000;

/** Rows of a map from market id to lists, of all frames given. */
function rows(frames: readonly Json[], field: string, marketId = '0'): readonly Json[] {
  return frames.flatMap((frame) => (frame[field] as Record<string, Json[]>)[marketId] ?? []);
}

const reduceOnly = (change: Record<string, number> = {}): TransactionChange => ({
  fields: { ReduceOnly: 1, IsAsk: 1, Price: 880_000, ClientOrderIndex: 2_001, ...change },
});
const resting = (stage: SimulatedStage, change: Record<string, number> = {}): TransactionChange => ({
  fields: {
    ClientOrderIndex: 3_001,
    Price: 890_000,
    TimeInForce: 1,
    OrderExpiry: Math.floor(stage.at().calendarMs) + HOUR_MS,
    ...change,
  },
});

describe('one whole cycle', () => {
  it('fills a signed order sent over the socket, pays funding on it, and keeps every channel and query in agreement', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.listen([...PRIVATE_CHANNELS, 'order_book/0', 'market_stats/0', `user_stats/${ACCOUNT_INDEX}`]);
    expect(stage.errors()).toEqual([]);
    expect(stage.frames('subscribed/account_all_positions')).toMatchObject([{ positions: {} }]);
    expect(stage.frames('subscribed/account_all_trades')).toMatchObject([{ trades: [], daily_volume: '0.0' }]);

    const signed = stage.sign();
    stage.sendTx(signed);
    expect(stage.frames('jsonapi/sendtx')).toMatchObject([{ code: 200, id: 'a', tx_hash: signed.hash }]);
    // Queued, not executed: nothing is known of it yet.
    expect(stage.frames('update/account_all_orders')).toEqual([]);
    expect(stage.own('accountActiveOrders').body['orders']).toEqual([]);
    expect(stage.get(`tx?by=hash&value=${signed.hash}`).body).toMatchObject({ status: 1, nonce: 0, type: 14 });

    stage.pass(400);
    expect(stage.get(`tx?by=hash&value=${signed.hash}`).body).toMatchObject({ status: 2 });
    const orders = rows(stage.frames('update/account_all_orders'), 'orders');
    expect(orders.at(-1)).toMatchObject({
      client_order_id: '1001',
      status: 'filled',
      filled_base_amount: '0.01000',
      remaining_base_amount: '0.00000',
      base_size: 1_000,
      is_ask: false,
    });
    const trades = rows(stage.frames('update/account_all_trades'), 'trades');
    expect(trades.length).toBeGreaterThan(0);
    const truth = stage.venue.oracle().accounts.get('main');
    const paid = trades.reduce((sum, trade) => {
      const usdMicro = Math.round(Number(trade['usd_amount']) * 1e6);
      return sum + Math.ceil((usdMicro * Number(trade['taker_fee'])) / 1e6);
    }, 0);
    expect(truth?.fills.reduce((sum, fill) => sum - fill.feeMicro, 0n)).toBe(BigInt(paid));
    expect(truth?.fills.map(({ fillId }) => fillId)).toEqual(trades.map((trade) => trade['trade_id_str']).toReversed());
    expect(stage.frames('update/account_all_positions').at(-1)).toMatchObject({
      positions: { 0: { sign: 1, position: '0.01000', initial_margin_fraction: '20.00' } },
    });
    const wallet = (): string => {
      const micro = stage.venue.oracle().accounts.get('main')?.walletMicro ?? 0n;
      return (Number(micro) / 1e6).toFixed(6);
    };
    const collateral = (): unknown =>
      (stage.frames('update/account_all_assets').at(-1)?.['assets'] as Record<string, Json> | undefined)?.['3']?.[
        'margin_balance'
      ];
    expect(collateral()).toBe(wallet());
    const beforeFunding = wallet();

    stage.pass(HOUR_MS / 60);
    expect(wallet()).not.toBe(beforeFunding);
    expect(collateral()).toBe(wallet());
    const payment = stage.venue.oracle().accounts.get('main')?.fundingPayments[0];
    // 0.01 x 90,000 x 0.000012, paid by the long.
    expect(payment).toMatchObject({ amountMicro: -10_800n, paymentId: '0:1', settledAtMs: START_MS + HOUR_MS });
    expect(stage.own('positionFunding').body['position_fundings']).toEqual([
      {
        timestamp: (START_MS + HOUR_MS) / 1000,
        market_id: 0,
        funding_id: 1,
        change: '-0.010800',
        rate: '0.000012',
        position_size: '0.01000',
        position_side: 'long',
        discount: '0',
      },
    ]);
    expect(stage.frames('update/market_stats').at(-1)).toMatchObject({
      market_stats: { funding_rate: '0.0012', funding_timestamp: START_MS + HOUR_MS },
    });
    expect(stage.get(`account?by=index&value=${ACCOUNT_INDEX}`).body).toMatchObject({
      accounts: [
        {
          index: ACCOUNT_INDEX,
          collateral: wallet(),
          positions: [{ symbol: 'BTC', position: '0.01000', total_funding_paid_out: '0.010800' }],
        },
      ],
    });

    stage.sendTx(stage.sign({ nonce: 0 }));
    stage.sendTx({ ...stage.sign({ nonce: 1 }), info: stage.sign({ nonce: 1 }).info.replace('905000', '905001') });
    expect(stage.frames('jsonapi/sendtx').slice(1)).toMatchObject([{ code: 21104 }, { code: 21120 }]);
    stage.venue.inject('rate-limit', { durationMs: 100 });
    expect(stage.get('orderBooks')).toMatchObject({ status: 429, body: { code: 23000 } });
    expect(stage.venue.oracle().rateLimitRefusals).toBe(1);
  });
});

describe('what may be queued', () => {
  test.each<[string, number, TransactionChange]>([
    [
      'an unknown transaction type',
      21505,
      { type: 17, fields: { MarketIndex: 0, Index: 1, BaseAmount: 1, Price: 1, TriggerPrice: 0 } },
    ],
    ['an account that does not exist', 21100, { accountIndex: 1 }],
    ['a key that is not registered', 21109, { apiKeyIndex: 5 }],
    [
      'a signature of another key',
      21120,
      { secret: '4980df1a5a76cba9fef4d80446e951108e16a5b21f497976475c950bd2588c5a58771d5b06498d28' },
    ],
    ['a signature for the other network', 21120, { chainId: 300 }],
    ['an ExpiredAt that has passed', 21501, { expiredAt: START_MS }],
    ['a nonce already behind', 21104, { nonce: 6 }],
    ['a nonce too far ahead', 21104, { nonce: 8 }],
    ['a smaller nonce with SkipNonce', 21104, { nonce: 6, attributes: { 4: 1 } }],
    ['an integrator without approval', 21149, { attributes: { 1: 99 } }],
    ['an unknown attribute', 21501, { attributes: { 9: 1 } }],
    ['an unknown market', 21602, { fields: { MarketIndex: 7 } }],
    ['a client index beyond 2^48 - 1', 21727, { fields: { ClientOrderIndex: 2 ** 48 } }],
    ['no size', 21701, { fields: { BaseAmount: 0 } }],
    ['no price', 21702, { fields: { Price: 0 } }],
    ['a price beyond 32 bits', 21702, { fields: { Price: 2 ** 32 } }],
    ['a side that is none', 21703, { fields: { IsAsk: 2 } }],
    ['a reduce-only flag that is none', 21740, { fields: { ReduceOnly: 2 } }],
    ['an order type that is not simulated', 21710, { fields: { Type: 4 } }],
    ['a stop without a trigger', 21729, { fields: { Type: 2, OrderExpiry: START_MS + HOUR_MS } }],
    ['a stop without an expiry', 21711, { fields: { Type: 2, TriggerPrice: 500_000 } }],
    ['a resting market order', 21705, { fields: { Type: 1, TimeInForce: 1 } }],
    ['a time in force that is none', 21705, { fields: { TimeInForce: 3 } }],
    ['an immediate order with an expiry', 21711, { fields: { OrderExpiry: START_MS + HOUR_MS } }],
    ['a resting order without one', 21711, { fields: { TimeInForce: 1 } }],
    ['a resting order of two minutes', 21711, { fields: { TimeInForce: 1, OrderExpiry: START_MS + 120_000 } }],
    ['a resting order of 31 days', 21711, { fields: { TimeInForce: 2, OrderExpiry: START_MS + 31 * 24 * HOUR_MS } }],
    ['a trigger price', 21729, { fields: { TriggerPrice: 1 } }],
    ['a size below the minimum', 21706, { fields: { BaseAmount: 19 } }],
    ['a price far from mark', 21734, { fields: { Price: 950_000 } }],
    ['more than the balance can carry', 21739, { fields: { BaseAmount: 100_000_000 } }],
    ['a cancel of nothing', 21600, { type: 15, fields: { MarketIndex: 0, Index: 77 } }],
    ['a cancel in no market', 21602, { type: 15, fields: { MarketIndex: 9, Index: 77 } }],
    ['a cancel-all four minutes ahead', 21714, { type: 16, fields: { TimeInForce: 1, Time: START_MS + 240_000 } }],
    ['a cancel-all 16 days ahead', 21714, { type: 16, fields: { TimeInForce: 1, Time: START_MS + 16 * 24 * HOUR_MS } }],
    ['a cancel-all of no kind', 21713, { type: 16, fields: { TimeInForce: 3, Time: 0 } }],
    ['an immediate cancel-all with a time', 21714, { type: 16, fields: { TimeInForce: 0, Time: 5 } }],
    ['a cancel-all in no market', 21602, { type: 16, fields: { TimeInForce: 0, Time: 0 }, attributes: { 5: 9 } }],
    ['too much leverage', 21113, { type: 20, fields: { MarketIndex: 0, InitialMarginFraction: 499, MarginMode: 0 } }],
    ['isolated margin', 21613, { type: 20, fields: { MarketIndex: 0, InitialMarginFraction: 1_000, MarginMode: 1 } }],
    [
      'leverage in no market',
      21602,
      { type: 20, fields: { MarketIndex: 9, InitialMarginFraction: 1_000, MarginMode: 0 } },
    ],
  ])('does not take %s: %i, and its nonce stays', (_what, code, change) => {
    const stage = new SimulatedStage();
    for (let index = 1; index <= 7; index += 1) stage.submit({ fields: { ClientOrderIndex: index, BaseAmount: 20 } });
    expect(stage.nonce).toBe(7);
    expect(stage.submit(change)).toBe(code);
    expect(stage.get(`nextNonce?account_index=${ACCOUNT_INDEX}&api_key_index=4`).body['nonce']).toBe(7);
    expect(stage.submit({ fields: { ClientOrderIndex: 8 } })).toBe(200);
  });

  it('never sees -1 as an expiry: it is for client libraries', () => {
    const stage = new SimulatedStage();
    const signed = stage.sign();
    const answer = stage.post({ ...signed, info: signed.info.replace('"OrderExpiry":0', '"OrderExpiry":-1') });
    expect(answer?.body['code']).toBe(21711);
  });

  it('takes a client index once for all markets', () => {
    const stage = new SimulatedStage();
    expect(stage.submit()).toBe(200);
    expect(stage.submit()).toBe(21728);
    expect(stage.submit({ fields: { MarketIndex: 1, Price: 181_000 } })).toBe(21728);
    expect(stage.submit({ fields: { ClientOrderIndex: 1_002 } })).toBe(200);
  });

  it('takes any number of orders without a client index', () => {
    const stage = new SimulatedStage();
    stage.listen(PRIVATE_CHANNELS);
    expect([
      stage.submit({ fields: { ClientOrderIndex: 0 } }),
      stage.submit({ fields: { ClientOrderIndex: 0 } }),
    ]).toEqual([200, 200]);
    stage.pass(400);
    expect(rows(stage.frames('update/account_all_orders'), 'orders').at(-1)).toMatchObject({
      client_order_index: 0,
      status: 'filled',
    });
    expect(rows(stage.frames('update/account_all_trades'), 'trades').at(-1)).toMatchObject({
      type: 'trade',
      bid_client_id: 0,
    });
  });

  it('lets SkipNonce leave holes, and then goes on from there', () => {
    const stage = new SimulatedStage();
    expect(stage.submit({ nonce: 1_786_459_718_284, attributes: { 4: 1 } })).toBe(200);
    expect(stage.submit({ nonce: 1, fields: { ClientOrderIndex: 2 } })).toBe(21104);
    expect(stage.submit({ nonce: 2 ** 47, attributes: { 4: 1 }, fields: { ClientOrderIndex: 2 } })).toBe(21104);
    expect(stage.submit({ nonce: 1_786_459_718_285, fields: { ClientOrderIndex: 2 } })).toBe(200);
  });

  it('keeps nonces per key', () => {
    const stage = new SimulatedStage();
    stage.submit();
    expect(stage.get(`nextNonce?account_index=${OTHER_INDEX}&api_key_index=4`).body).toEqual({ code: 200, nonce: 0 });
    expect(stage.get(`nextNonce?account_index=${ACCOUNT_INDEX}&api_key_index=5`).body['code']).toBe(21109);
  });

  it('verifies against the chain it was given', () => {
    const stage = new SimulatedStage({ chainId: 300 });
    expect(stage.submit()).toBe(21120);
    expect(stage.submit({ chainId: 300 })).toBe(200);
  });

  it('closes positions, but opens none, in a market that only reduces', () => {
    const stage = new SimulatedStage({
      markets: [market('BTC', { status: 'reduce-only' }), market('SOL', { status: 'inactive' })],
    });
    expect(stage.submit()).toBe(21605);
    expect(stage.submit(reduceOnly())).toBe(200);
    expect(stage.submit({ fields: { MarketIndex: 1 } })).toBe(21605);
  });

  it('holds a standard account to 30 open orders in a market', () => {
    const stage = new SimulatedStage({ tier: 'standard' });
    for (let index = 0; index < 30; index += 1) {
      expect(stage.submit(resting(stage, { ClientOrderIndex: 100 + index, BaseAmount: 20 }))).toBe(200);
      if (index % 10 === 9) stage.pass(20_000);
    }
    stage.pass(60_000);
    expect(stage.submit(resting(stage, { ClientOrderIndex: 200 }))).toBe(21718);
    expect(stage.submit({ fields: { ClientOrderIndex: 201 } })).toBe(200);
  });
});

describe('batches', () => {
  const pair = (stage: SimulatedStage, second: TransactionChange = {}): ReturnType<SimulatedStage['sign']>[] => [
    stage.sign({ nonce: stage.nonce }),
    stage.sign({ nonce: stage.nonce + 1, fields: { ClientOrderIndex: 1_002 }, ...second }),
  ];

  it('answers one hash for each, in order', () => {
    const stage = new SimulatedStage();
    const signed = pair(stage);
    expect(stage.postBatch(signed)?.body).toMatchObject({ code: 200, tx_hash: signed.map(({ hash }) => hash) });
    stage.pass(400);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toHaveLength(2);
  });

  it('takes each for itself: one that the engine refuses fails alone and uses its nonce up', () => {
    const stage = new SimulatedStage();
    const signed = pair(stage, { fields: { ClientOrderIndex: 1_001 } });
    expect(stage.postBatch(signed)?.body['code']).toBe(200);
    expect(stage.get(`tx?by=hash&value=${signed[1]?.hash}`).body).toMatchObject({
      status: 0,
      event_info: expect.stringContaining('21728') as unknown,
    });
    expect(stage.get(`nextNonce?account_index=${ACCOUNT_INDEX}&api_key_index=4`).body['nonce']).toBe(2);
  });

  it('refuses whole batches that break a rule', () => {
    const stage = new SimulatedStage();
    const signed = pair(stage);
    const code = (answer: { body: Json } | undefined): unknown => answer?.body['code'];
    expect(code(stage.postBatch(signed, [14]))).toBe(21513);
    expect(code(stage.postBatch(signed.toReversed()))).toBe(21104);
    expect(code(stage.postBatch([stage.sign(), stage.sign({ nonce: 0 })]))).toBe(21105);
    const foreign = stage.sign({
      accountIndex: OTHER_INDEX,
      secret: '4980df1a5a76cba9fef4d80446e951108e16a5b21f497976475c950bd2588c5a58771d5b06498d28',
    });
    expect(code(stage.postBatch([stage.sign(), foreign]))).toBe(21121);
    expect(code(stage.postBatch(Array.from({ length: 51 }, () => stage.sign())))).toBe(21514);
    expect(code(stage.postBatch([]))).toBe(21501);
    expect(code(stage.request('POST', '/api/v1/sendTxBatch', 'tx_types=x'))).toBe(21501);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });

  it('takes at most 15 in one socket message', () => {
    const stage = new SimulatedStage();
    stage.open();
    const send = (signed: ReturnType<SimulatedStage['sign']>[]): void =>
      stage.say({
        type: 'jsonapi/sendtxbatch',
        data: {
          id: 'b',
          tx_types: JSON.stringify(signed.map(({ type }) => type)),
          tx_infos: JSON.stringify(signed.map(({ info }) => info)),
        },
      });
    send(Array.from({ length: 16 }, () => stage.sign()));
    send(pair(stage));
    expect(stage.frames('jsonapi/sendtxbatch')).toMatchObject([{ code: 21514 }, { code: 200, id: 'b' }]);
  });
});

describe('outcomes on the account channels', () => {
  it('says why an order ended', () => {
    const stage = new SimulatedStage();
    stage.listen(PRIVATE_CHANNELS);
    stage.submit({ fields: { ClientOrderIndex: 1, Price: 880_000 } });
    stage.submit({ fields: { ClientOrderIndex: 2, Price: 880_000, Type: 1 } });
    stage.submit(resting(stage, { ClientOrderIndex: 3, TimeInForce: 2, Price: 905_000 }));
    stage.submit(resting(stage, { ClientOrderIndex: 4 }));
    stage.pass(400);
    stage.submit({ type: 15, fields: { MarketIndex: 0, Index: 4 } });
    stage.pass(400);
    const statuses = rows(stage.frames('update/account_all_orders'), 'orders').map((order) => [
      order['client_order_index'],
      order['status'],
    ]);
    expect(statuses).toEqual([
      [3, 'canceled-post-only'],
      [1, 'canceled-not-enough-liquidity'],
      [2, 'canceled-too-much-slippage'],
      [4, 'open'],
      [4, 'canceled'],
    ]);
    const times = rows(stage.frames('update/account_all_orders'), 'orders').map((order) =>
      Number(order['transaction_time']),
    );
    expect(new Set(times).size).toBe(times.length);
    expect(stage.own('accountInactiveOrders').body['orders']).toHaveLength(4);
  });

  it('says nothing at all of a reduce-only order with nothing to reduce', () => {
    const stage = new SimulatedStage();
    stage.listen(PRIVATE_CHANNELS);
    const signed = stage.sign(reduceOnly());
    expect(stage.post(signed)?.body['code']).toBe(200);
    stage.pass(1_000);
    expect(stage.frames('update/account_all_orders')).toEqual([]);
    expect(stage.own('accountInactiveOrders').body['orders']).toEqual([]);
    expect(stage.own('accountActiveOrders').body['orders']).toEqual([]);
    expect(stage.get(`tx?by=hash&value=${signed.hash}`).body).toMatchObject({
      status: 0,
      event_info: expect.stringContaining('21732') as unknown,
    });
  });

  it('trims a reduce-only order to the position and says so', () => {
    const stage = new SimulatedStage();
    stage.listen(PRIVATE_CHANNELS);
    stage.submit();
    stage.pass(400);
    stage.submit(reduceOnly({ BaseAmount: 1_500 }));
    stage.pass(400);
    expect(rows(stage.frames('update/account_all_orders'), 'orders').at(-1)).toMatchObject({
      status: 'canceled-reduce-only',
      filled_base_amount: '0.01000',
    });
    // Flat rows stay, and still say sign 1.
    expect(stage.frames('update/account_all_positions').at(-1)).toMatchObject({
      positions: { 0: { sign: 1, position: '0.00000', avg_entry_price: '0.0' } },
    });
  });

  it('sends complete positions first and only changed ones later', () => {
    const stage = new SimulatedStage();
    stage.submit();
    stage.submit({ fields: { ClientOrderIndex: 2, MarketIndex: 1, Price: 181_000 } });
    stage.pass(400);
    stage.listen(PRIVATE_CHANNELS);
    expect(Object.keys(stage.frames('subscribed/account_all_positions')[0]?.['positions'] as Json)).toEqual(['0', '1']);
    stage.submit({ fields: { ClientOrderIndex: 3, MarketIndex: 1, Price: 181_000 } });
    stage.pass(400);
    for (const frame of stage.frames('update/account_all_positions'))
      expect(Object.keys(frame['positions'] as Json)).toEqual(['1']);
  });

  it('cancels by an index beyond 2^53 without losing a digit', () => {
    const stage = new SimulatedStage();
    for (const id of [1, 2, 3]) stage.submit(resting(stage, { ClientOrderIndex: id }));
    stage.pass(400);
    const text = stage.own('accountActiveOrders').text;
    const indices = [...text.matchAll(/"order_index":(\d+)/g)].map(([, digits]) => BigInt(digits ?? 0));
    expect(indices.every((index) => index > BigInt(Number.MAX_SAFE_INTEGER))).toBe(true);
    expect(text).toContain(`"order_id":"${indices[1]}"`);
    expect(stage.submit({ type: 15, fields: { MarketIndex: 1, Index: indices[1] ?? 0n } })).toBe(21600);
    expect(stage.submit({ type: 15, fields: { MarketIndex: 0, Index: indices[1] ?? 0n } })).toBe(200);
    stage.pass(400);
    expect(stage.own('accountActiveOrders').body['orders']).toMatchObject([
      { client_order_index: 1 },
      { client_order_index: 3 },
    ]);
  });

  it('cancels everything, or everything in one market', () => {
    const stage = new SimulatedStage();
    const open = (): unknown =>
      (stage.own('accountActiveOrders').body['orders'] as Json[]).map((order) => order['client_order_index']);
    stage.submit(resting(stage, { ClientOrderIndex: 1 }));
    stage.submit(resting(stage, { ClientOrderIndex: 2, MarketIndex: 1, Price: 178_000 }));
    stage.submit(resting(stage, { ClientOrderIndex: 3 }));
    stage.pass(400);
    expect(open()).toEqual([1, 2, 3]);
    stage.submit({ type: 16, fields: { TimeInForce: 0, Time: 0 }, attributes: { 5: 0 } });
    stage.pass(400);
    expect(open()).toEqual([2]);
    stage.submit({ type: 16, fields: { TimeInForce: 0, Time: 0 } });
    stage.pass(400);
    expect(open()).toEqual([]);
  });

  it('tells a changed leverage on the positions channel', () => {
    const stage = new SimulatedStage();
    stage.listen(PRIVATE_CHANNELS);
    expect(stage.submit({ type: 20, fields: { MarketIndex: 1, InitialMarginFraction: 1_000, MarginMode: 0 } })).toBe(
      200,
    );
    expect(stage.frames('update/account_all_positions')).toMatchObject([
      { positions: { 1: { initial_margin_fraction: '10.00', position: '0.000' } } },
    ]);
  });

  it('calls what the venue did by itself a liquidation', () => {
    const stage = new SimulatedStage();
    stage.listen(['trade/0']);
    stage.exchange.forceTrade('main', 'BTC', 100, stage.at());
    stage.pass(10);
    expect(stage.frames('update/trade').at(-1)).toMatchObject({
      trades: [],
      liquidation_trades: [{ type: 'liquidation', bid_account_id: ACCOUNT_INDEX }],
    });
    expect(stage.own('trades', '&type=liquidation').body['trades']).toHaveLength(1);
    expect(stage.own('trades', '&type=trade').body['trades']).toHaveLength(0);
  });
});

describe('auth tokens', () => {
  test.each<[string, (stage: SimulatedStage) => string]>([
    ['nonsense', () => 'token'],
    ['one whose time is over', (stage) => stage.token({ deadlineMs: stage.at().calendarMs })],
    [
      'one for more than eight hours',
      (stage) => stage.token({ deadlineMs: stage.at().calendarMs + 8 * HOUR_MS + 1_000 }),
    ],
    ['one of an unknown account', (stage) => stage.token({ accountIndex: 9 })],
    [
      'one of another account',
      (stage) =>
        stage.token({
          accountIndex: OTHER_INDEX,
          secret: '4980df1a5a76cba9fef4d80446e951108e16a5b21f497976475c950bd2588c5a58771d5b06498d28',
        }),
    ],
    ['one of an unknown key', (stage) => stage.token({ apiKeyIndex: 9 })],
    ['one with another deadline than was signed', (stage) => stage.token().replace(/^\d/, '0')],
    [
      'one signed with another key',
      (stage) =>
        stage.token({ secret: '4980df1a5a76cba9fef4d80446e951108e16a5b21f497976475c950bd2588c5a58771d5b06498d28' }),
    ],
  ])('opens nothing private with %s', (_what, tokenOf) => {
    const stage = new SimulatedStage();
    const token = tokenOf(stage);
    expect(stage.get(`accountActiveOrders?account_index=${ACCOUNT_INDEX}`, token)).toMatchObject({
      status: 400,
      body: { code: 20013 },
    });
    stage.open();
    stage.subscribe(`account_all_orders/${ACCOUNT_INDEX}`, token);
    stage.pass(20);
    expect(stage.errors()).toEqual([20013]);
  });

  it('opens private reads by header or by parameter, and no channel without one', () => {
    const stage = new SimulatedStage();
    expect(stage.own('accountActiveOrders').status).toBe(200);
    expect(stage.get(`accountLimits?account_index=${ACCOUNT_INDEX}&auth=${stage.token()}`).body).toMatchObject({
      user_tier: 'premium',
      current_taker_fee_tick: 280,
      current_maker_fee_tick: 28,
    });
    expect(stage.get(`accountActiveOrders?account_index=${ACCOUNT_INDEX}`).body['code']).toBe(20013);
    stage.open();
    for (const channel of PRIVATE_CHANNELS) stage.subscribe(channel);
    stage.subscribe(`user_stats/${ACCOUNT_INDEX}`);
    stage.subscribe(`account_all/${ACCOUNT_INDEX}`);
    stage.pass(20);
    expect(stage.errors()).toEqual([20013, 20013, 20013, 20013]);
    expect(stage.frames('subscribed/user_stats')).toHaveLength(1);
    expect(stage.frames('subscribed/account_all')).toHaveLength(1);
  });

  it('ends a private channel with its token, and takes longer tokens on a faster calendar', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.open();
    stage.subscribe(PRIVATE_CHANNELS[0] ?? '', stage.token({ deadlineMs: stage.at().calendarMs + 100 * HOUR_MS }));
    stage.subscribe(PRIVATE_CHANNELS[1] ?? '', stage.token({ deadlineMs: stage.at().calendarMs + 60_000 }));
    stage.pass(2_000);
    expect(stage.errors()).toEqual([20013]);
    stage.submit();
    stage.pass(400);
    expect(stage.frames('update/account_all_orders').length).toBeGreaterThan(0);
    expect(stage.frames('update/account_all_trades')).toEqual([]);
  });
});

describe('REST', () => {
  it('answers its status in calendar seconds, without a code', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.pass(1_000);
    expect(stage.request('GET', '/')?.body).toEqual({ status: 200, network_id: 1, timestamp: START_MS / 1000 + 60 });
  });

  it('knows no other paths, methods or parameters', () => {
    const stage = new SimulatedStage();
    expect(stage.get('candle')).toMatchObject({ status: 404, body: { code: 29404 } });
    expect(stage.request('GET', '/elsewhere')?.status).toBe(404);
    expect(stage.request('POST', '/api/v1/orderBooks')?.status).toBe(404);
    expect(stage.request('DELETE', '/api/v1/sendTx')?.status).toBe(404);
    expect(stage.get('orderBookDetails?market_id=9').body['code']).toBe(21602);
    expect(stage.get('orderBookOrders?market_id=0&limit=251').body['code']).toBe(20001);
    expect(stage.get('account?by=name&value=main').body['code']).toBe(20001);
    expect(stage.get('account?by=index&value=1').body['code']).toBe(21100);
    expect(stage.get('fundings?market_id=0&resolution=1d').body['code']).toBe(22402);
    expect(stage.get('fundings?market_id=0&resolution=1h').body['code']).toBe(20001);
    expect(stage.get('tx?by=hash&value=00').body['code']).toBe(21500);
    expect(stage.get('tx?by=sequence_index&value=0').body['code']).toBe(20001);
  });

  it('lists its markets with their decimals and minimums', () => {
    const stage = new SimulatedStage();
    expect(stage.get('orderBookDetails?market_id=255').body).toMatchObject({
      code: 200,
      order_book_details: [
        {
          symbol: 'BTC',
          market_id: 0,
          price_decimals: 1,
          size_decimals: 5,
          min_base_amount: '0.00020',
          min_quote_amount: '10.000000',
          min_initial_margin_fraction: 500,
          maintenance_margin_fraction: 120,
          status: 'active',
          taker_fee: '0.0280',
        },
        { symbol: 'SOL', market_id: 1 },
      ],
      spot_order_book_details: [],
    });
    expect(stage.get('orderBooks?filter=spot').body['order_books']).toEqual([]);
    expect(stage.get('orderBooks?market_id=1').body['order_books']).toMatchObject([
      { symbol: 'SOL', supported_size_decimals: 3 },
    ]);
  });

  it('shows its book as orders, best first, and its trades, newest first', () => {
    const stage = new SimulatedStage();
    const answer = stage.get('orderBookOrders?market_id=0&limit=2').body;
    const { asks, bids } = stage.exchange.book('BTC');
    const prices = (rowsOfSide: unknown): unknown =>
      (rowsOfSide as Json[]).map((row) => Math.round(Number(row['price']) * 10));
    expect(prices(answer['asks'])).toEqual(asks.slice(0, 2).map(([ticks]) => ticks));
    expect(prices(answer['bids'])).toEqual(bids.slice(0, 2).map(([ticks]) => ticks));
    expect(answer['total_asks']).toBe(asks.length);
    expect(stage.get('recentTrades?market_id=0&limit=10').body['trades']).toBeNull();
    stage.pass(10_000);
    const trades = stage.get('recentTrades?market_id=0&limit=3').body['trades'] as Json[];
    expect(trades).toHaveLength(3);
    expect(Number(trades[0]?.['trade_id'])).toBeGreaterThan(Number(trades[2]?.['trade_id']));
  });

  it('states one funding rate in three units', () => {
    const stage = new SimulatedStage({ scale: 60 });
    stage.pass(HOUR_MS / 60 + 10);
    const rates = stage.get('funding-rates').body['funding_rates'] as Json[];
    expect(rates.filter((row) => row['exchange'] === 'lighter')).toMatchObject([
      { market_id: 0, symbol: 'BTC', rate: 0.000096 },
      { market_id: 1, symbol: 'SOL', rate: 0.000096 },
    ]);
    const from = START_MS - 2 * HOUR_MS;
    const until = START_MS + 2 * HOUR_MS;
    const settled = stage.get(
      `fundings?market_id=0&resolution=1h&start_timestamp=${from}&end_timestamp=${until}&count_back=2`,
    );
    expect(settled.body['fundings']).toEqual([
      { timestamp: START_MS / 1000, value: '1.08000000', rate: '0.0012', direction: 'long' },
      { timestamp: START_MS / 1000 + 3_600, value: '1.08000000', rate: '0.0012', direction: 'long' },
    ]);
    const inSeconds = stage.get(
      `fundings?market_id=0&resolution=1h&start_timestamp=${from / 1000}&end_timestamp=${until / 1000}&count_back=2`,
    );
    expect(inSeconds.body).toEqual(settled.body);
  });

  it('shows registered keys with their nonces', () => {
    const stage = new SimulatedStage();
    stage.submit();
    const key = { account_index: ACCOUNT_INDEX, api_key_index: 4, nonce: 1, public_key: PUBLIC_KEY };
    expect(stage.get(`apikeys?account_index=${ACCOUNT_INDEX}&api_key_index=255`).body['api_keys']).toEqual([key]);
    expect(stage.get('apikeys?account_index=9&api_key_index=255').body['code']).toBe(21100);
  });

  it('pages private lists newest first, and tells a fresh account that nothing was found', () => {
    const stage = new SimulatedStage();
    expect(stage.own('trades')).toMatchObject({ status: 404, body: { code: 29404 } });
    expect(stage.own('positionFunding').status).toBe(404);
    for (const id of [1, 2, 3]) stage.submit({ fields: { ClientOrderIndex: id } });
    stage.pass(400);
    const first = stage.own('accountInactiveOrders', '&limit=2').body;
    expect(first['orders']).toMatchObject([{ client_order_index: 3 }, { client_order_index: 2 }]);
    const second = stage.own('accountInactiveOrders', `&limit=2&cursor=${String(first['next_cursor'])}`).body;
    expect(second).toMatchObject({ orders: [{ client_order_index: 1 }], next_cursor: '' });
    const ids = (query: string): unknown =>
      (stage.own('trades', query).body['trades'] as Json[]).map((trade) => trade['trade_id']);
    expect(ids('&sort_by=trade_id')).toEqual((ids('&sort_dir=asc') as number[]).toReversed());
    expect(ids('&role=maker')).toEqual([]);
    expect(ids('&market_id=1')).toEqual([]);
  });
});

describe('what the wire cannot express', () => {
  it('is refused when the venue is made', () => {
    expect(() => new SimulatedStage({ markets: [market('BTC', { tickUnits: 5 })] })).toThrow(/tick and lot of BTC/);
    const fee = 250_000 as ReturnType<typeof market>['takerFee'];
    expect(() => new SimulatedStage({ markets: [market('BTC', { takerFee: fee })] })).toThrow(/whole number of 1e-6/);
  });
});
