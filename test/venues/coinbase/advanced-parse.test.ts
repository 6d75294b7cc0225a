import { describe, expect, it, test } from 'vitest';
import { asList } from '../../../src/venues/fields.ts';
import { asFields } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import {
  isSessionOpen,
  parseBalance,
  parseFees,
  parseFill,
  parseOrder,
  parsePosition,
  parseProduct,
  productEvents,
} from '../../../src/venues/coinbase/advanced-parse.ts';
import { isoTimeField } from '../../../src/venues/coinbase/json.ts';
import { uuidOf } from '../../../src/venues/coinbase/wire.ts';
import { future, hasFixtures, payload, product } from './fixtures.ts';

const RECORDED_MS = Date.UTC(2026, 3, 7, 0, 28, 59);
const find = (symbol: string): ReturnType<typeof future> | undefined =>
  symbol === 'BIP-20DEC30-CDE' ? future() : undefined;
const atOf = (isStream: boolean): { venueAtMs: number; isStream: boolean } => ({ venueAtMs: RECORDED_MS, isStream });

describe('products', () => {
  it('counts in contracts: a lot is one, a price is per unit of the underlying', () => {
    expect(future()).toMatchObject({
      symbol: 'BIP-20DEC30-CDE',
      base: 'BTC',
      quote: 'USD',
      multiplier: 1,
      // The contract is a hundredth of a bitcoin.
      quantityDecimals: 2,
      lotUnits: 1,
      minQuantityLots: 1,
      maxQuantityLots: 5_000,
      // quote_increment is not the tick.
      priceDecimals: 0,
      tickUnits: 5,
      // Held over night, on the worse side.
      maintenanceMarginRate: 306_375_000_000,
      maxLeverage: 3,
      fundingIntervalMs: 3_600_000,
      status: 'active',
    });
  });

  it('reads larger contracts and other intervals', () => {
    expect(future({}, { contract_size: '1000', contract_root_unit: 'DOGE' })).toMatchObject({
      base: 'DOGE',
      quantityDecimals: 0,
      lotUnits: 1_000,
    });
    expect(future({}, { funding_interval: '28800s' }).fundingIntervalMs).toBe(28_800_000);
  });

  it('tells a perpetual from a dated future by its funding alone', () => {
    expect(parseProduct(product({}, { funding_rate: '' }))).toBeUndefined();
    expect(parseProduct(product({ product_type: 'SPOT' }))).toBeUndefined();
  });

  test.each([
    ['its session is closed', { fcm_trading_session_details: { session_state: 'FCM_TRADING_SESSION_STATE_CLOSED' } }],
    ['maintenance began', { fcm_trading_session_details: { session_state: 'FCM_TRADING_SESSION_STATE_PRE_OPEN' } }],
    ['no state is named and it is not open', { fcm_trading_session_details: { is_session_open: false } }],
    ['it is disabled', { is_disabled: true }],
    ['trading is', { trading_disabled: true }],
    ['it only cancels', { cancel_only: true }],
  ])('does not trade while %s', (_what, change) => {
    expect(future(change).status).toBe('inactive');
  });

  it('trades without sessions at any time', () => {
    expect(isSessionOpen({ fcm_trading_session_details: null })).toBe(true);
    expect(isSessionOpen({ fcm_trading_session_details: { session_state: 'UNDEFINED', is_session_open: true } })).toBe(
      true,
    );
  });

  test.each([
    ['no tick', { price_increment: '0' }, {}],
    ['half a contract', { base_min_size: '0.5' }, {}],
    ['a contract of nothing', {}, { contract_size: '' }],
    ['an interval that is none', {}, { funding_interval: 'hourly' }],
    ['a margin above all', {}, { overnight_margin_rate: { long_margin_rate: '2', short_margin_rate: '2' } }],
  ])('names what is wrong with %s', (_what, change, details) => {
    expect(() => parseProduct(product(change, details))).toThrow(MalformedPayload);
  });

  it('tells the rate of the hour that ended, and takes it as the estimate of the one that runs', () => {
    const rates = productEvents(product(), future(), RECORDED_MS).filter((event) => event.type === 'funding-rate');
    expect(rates).toMatchObject([
      { rate: { kind: 'settled', hourly: 13_000_000, settleAtMs: Date.UTC(2026, 3, 7) } },
      { rate: { kind: 'predicted', hourly: 13_000_000, settleAtMs: Date.UTC(2026, 3, 7, 1) } },
    ]);
  });

  it('takes a rate whose time is still to come as predicted for it', () => {
    const coming = product({}, { funding_time: '2026-04-07T01:00:00Z' });
    const rates = productEvents(coming, future(), RECORDED_MS).filter((event) => event.type === 'funding-rate');
    expect(rates).toMatchObject([{ rate: { kind: 'predicted', settleAtMs: Date.UTC(2026, 3, 7, 1) } }]);
  });

  it('declares its unit: a fraction of its own interval', () => {
    const eighth = { funding_interval: '28800s', funding_rate: '0.0001' };
    expect(productEvents(product({}, eighth), future({}, eighth), RECORDED_MS)).toMatchObject([
      { type: 'mark' },
      { rate: { hourly: 12_500_000, intervalMs: 28_800_000 } },
      { rate: { hourly: 12_500_000 } },
    ]);
  });
});

describe('times', () => {
  test.each([
    ['2026-04-07T00:28:58.544778Z', 544],
    ['2024-10-04T07:13:08.600625889Z', 600],
    ['2026-04-07 14:30:10.000000000+00:00', 0],
    ['2026-04-07T14:30:10Z', 0],
  ])('%s is cut below the ms', (text, ms) => {
    expect(isoTimeField({ t: text }, 't', 'x') % 1_000).toBe(ms);
  });
  test.each(['', '0001-01-01T00:00:00Z', '2026-13-01T00:00:00Z', 'now', '2026-04-07T00:00:00+02:00'])(
    '%s is none',
    (text) => {
      expect(() => isoTimeField({ t: text }, 't', 'x')).toThrow(MalformedPayload);
    },
  );
});

describe('orders', () => {
  const streamed = {
    order_id: 'v1',
    client_order_id: uuidOf('1001'),
    product_id: 'BIP-20DEC30-CDE',
    order_side: 'SELL',
    status: 'OPEN',
    cumulative_quantity: '2',
    leaves_quantity: '3',
    cancel_reason: '',
    reject_reason: '',
  };

  it('adds what is filled and what is left to what was asked for', () => {
    expect(parseOrder(streamed, find, atOf(true))).toMatchObject({
      clientOrderId: '1001',
      side: 'sell',
      status: 'open',
      lots: 5,
      filledLots: 2,
    });
  });

  it('names why an order ended', () => {
    const ended = { ...streamed, status: 'FAILED', reject_reason: 'INSUFFICIENT_FUND', leaves_quantity: '0' };
    expect(parseOrder(ended, find, atOf(true))).toMatchObject({ status: 'rejected', reason: 'INSUFFICIENT_FUND' });
  });

  test.each([['UNKNOWN_ORDER_STATUS'], ['']])('does not guess the status %s', (status) => {
    expect(() => parseOrder({ ...streamed, status }, find, atOf(true))).toThrow(MalformedPayload);
  });

  it('refuses parts of a contract', () => {
    expect(() => parseOrder({ ...streamed, leaves_quantity: '0.5' }, find, atOf(true))).toThrow(MalformedPayload);
  });
});

describe.skipIf(!hasFixtures)('recorded payloads (need ../shared)', () => {
  const listOf = (name: string, list: string): readonly Fields[] =>
    asList(payload(name)[list], list).map((item) => asFields(item, list));

  it('the perpetual-style product, and its dated neighbour', () => {
    const recorded = payload('adv-rest-product-future/nautilus-BIP-20DEC30-CDE');
    const instrument = parseProduct(recorded);
    expect(instrument).toEqual(future());
    expect(instrument && productEvents(recorded, instrument, RECORDED_MS)).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 68_925_000_000_000n, indexNano: 68_899_882_564_000n } },
      { rate: { kind: 'settled', raw: '0.000013' } },
      { rate: { kind: 'predicted', raw: '0.000013' } },
    ]);
    const listed = listOf('adv-rest-products/nautilus-http_products_future', 'products').map(parseProduct);
    expect(listed.map((one) => one?.symbol)).toEqual(['BIP-20DEC30-CDE', undefined]);
  });

  it('spot products are references, not traded', () => {
    expect(parseProduct(payload('adv-rest-product-spot/nautilus-BTC-USD'))).toBeUndefined();
    for (const spot of listOf('adv-rest-products/nautilus-http_products', 'products'))
      expect(parseProduct(spot)).toBeUndefined();
  });

  it('balances, with and without their currency', () => {
    const nested = payload('adv-rest-cfm-balance/nautilus-http_cfm_balance_summary')['balance_summary'];
    expect(parseBalance(nested)).toEqual({
      type: 'balance',
      walletMicro: 10_000_000_000n,
      availableMicro: 7_500_000_000n,
    });
    const [event] = listOf('adv-ws-futures-balance/jkorf-FuturesBalance', 'events');
    expect(parseBalance(event?.['fcm_balance_summary'])).toMatchObject({
      walletMicro: 200_000_000n,
      availableMicro: 800_000_000n,
    });
  });

  it('positions', () => {
    const [long] = listOf('adv-rest-cfm-positions/nautilus-http_cfm_positions', 'positions');
    expect(parsePosition(long, find)).toEqual({
      symbol: 'BIP-20DEC30-CDE',
      signedLots: 2,
      entryPrice: '49000.00',
      liquidationPrice: '40000.00',
    });
    const short = payload('adv-rest-cfm-positions/nautilus-http_cfm_position')['position'];
    expect(parsePosition(short, find)?.signedLots).toBe(-3);
  });

  it('spot orders and fills are foreign to a futures account, by product and by size', () => {
    const orders = listOf('adv-rest-orders/nautilus-http_orders_list', 'orders');
    for (const order of orders) expect(parseOrder(order, find, atOf(false))).toBeUndefined();
    const fills = listOf('adv-rest-fills/nautilus-http_fills', 'fills');
    for (const fill of fills) expect(parseFill(fill, find, () => '')).toBeUndefined();
    // Neither its price nor its size fits a contract.
    expect(() =>
      parseFill(
        fills[0],
        () => future(),
        () => '',
      ),
    ).toThrow('price must be a positive multiple of 5');
  });

  it('an order of the user channel', () => {
    const [event] = listOf('adv-ws-user/nautilus-ws_user', 'events');
    const [order] = asList(event?.['orders'], 'orders');
    expect(parseOrder(order, find, atOf(true))).toBeUndefined();
    const inContracts = { ...asFields(order, 'order'), product_id: 'BIP-20DEC30-CDE', leaves_quantity: '4' };
    expect(parseOrder(inContracts, find, atOf(true))).toMatchObject({ status: 'open', lots: 4, clientOrderId: '' });
  });

  it('the fee tier', () => {
    expect(parseFees(payload('adv-rest-transaction-summary/jkorf-GetFeeInfo'))).toEqual({
      type: 'fee-tier',
      makerFee: 2_000_000_000,
      takerFee: 1_000_000_000,
    });
  });
});
