import { describe, expect, it, test } from 'vitest';
import { asList } from '../../../src/venues/fields.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import {
  parseFees,
  parseInstrument,
  parseOrder,
  parsePayment,
  parsePosition,
  parseSettledRate,
  parseSummary,
  parseTrade,
  tickerEvents,
} from '../../../src/venues/coinbase/parse.ts';
import { allowedTicks } from '../../../src/venues/coinbase/markets.ts';
import { idOfLabel, idOfUuid, labelOf, uuidOf } from '../../../src/venues/coinbase/wire.ts';
import { findAny, fixture, hasFixtures, instrument, knownMarkets, listing, market, payload } from './fixtures.ts';

const { find } = knownMarkets();
const resultOf = (name: string): Fields => asFields(payload(name)['result'], name);
const dataOf = (name: string): unknown => asFields(payload(name)['params'], name)['data'];

describe('instruments', () => {
  it('reads a perpetual in whole steps', () => {
    expect(market('BTC', { tick_size: 0.5, contract_size: 0.0001, min_trade_amount: 0.0005 })).toMatchObject({
      instrument: {
        venue: 'coinbase',
        symbol: 'BTC_USDC-PERPETUAL',
        base: 'BTC',
        quote: 'USDC',
        priceDecimals: 1,
        tickUnits: 5,
        quantityDecimals: 4,
        lotUnits: 1,
        minQuantityLots: 5,
        maxLeverage: 50,
        takerFee: 500_000_000,
        makerFee: 0,
        fundingIntervalMs: 3_600_000,
        fundingPrice: 'index',
        status: 'active',
      },
      priceSteps: [],
    });
  });

  it('reads steps written with an exponent', () => {
    expect(parseInstrument(parseLosslessJson(JSON.stringify(listing('PEPE', { tick_size: 1e-8 })), 'i'))).toMatchObject(
      {
        instrument: { priceDecimals: 8, tickUnits: 1 },
      },
    );
  });

  it('keeps coarser steps of high prices', () => {
    const { priceSteps } = market('BTC', {
      tick_size: 0.5,
      tick_size_steps: [
        { above_price: 100_000, tick_size: 5 },
        { above_price: 50_000, tick_size: 1 },
      ],
    });
    expect(priceSteps).toEqual([
      { fromTicks: 100_000, ticks: 2 },
      { fromTicks: 200_000, ticks: 10 },
    ]);
    expect([99_999, 100_001, 200_011].map((ticks) => allowedTicks(ticks, priceSteps, 'down'))).toEqual([
      99_999, 100_000, 200_010,
    ]);
    expect([99_999, 100_001, 200_011].map((ticks) => allowedTicks(ticks, priceSteps, 'up'))).toEqual([
      99_999, 100_002, 200_020,
    ]);
  });

  test.each([
    ['an option', { kind: 'option' }],
    ['a dated future', { settlement_period: 'month' }],
    ['an inverse perpetual', { settlement_currency: 'BTC', quote_currency: 'USD' }],
  ])('leaves out %s', (_what, change) => {
    expect(parseInstrument(listing('BTC', change))).toBeUndefined();
  });

  test.each([
    ['no step', { tick_size: 0 }],
    ['a step that is text', { contract_size: 'much' }],
    ['an impossible leverage', { max_leverage: 0 }],
    ['a coarser step that is no multiple', { tick_size_steps: [{ above_price: 10, tick_size: 0.7 }] }],
  ])('names what is wrong with %s', (_what, change) => {
    expect(() => parseInstrument(listing('BTC', change))).toThrow(MalformedPayload);
  });

  it('does not trade what is halted or gone', () => {
    expect(instrument('BTC', { state: 'halted' }).status).toBe('inactive');
    expect(instrument('BTC', { is_active: false }).status).toBe('inactive');
  });
});

describe('market data', () => {
  const ticker = {
    timestamp: 1_790_000_000_123,
    mark_price: 84_148.25,
    index_price: 84_198,
    funding_8h: 1.6e-7,
    current_funding: 0,
  };

  it('reads mark, index and the rate of eight hours as one of an hour', () => {
    expect(tickerEvents(ticker, instrument('BTC'))).toEqual([
      {
        type: 'mark',
        symbol: 'BTC_USDC-PERPETUAL',
        markTicksScaled: { markNano: 84_148_250_000_000n, indexNano: 84_198_000_000_000n },
        venueAtMs: 1_790_000_000_123,
      },
      {
        type: 'funding-rate',
        rate: {
          venue: 'coinbase',
          symbol: 'BTC_USDC-PERPETUAL',
          kind: 'predicted',
          raw: '0.00000016',
          unit: { scale: 'fraction', perMs: 28_800_000 },
          hourly: 20_000,
          intervalMs: 3_600_000,
          settleAtMs: 1_790_002_800_000,
          venueAtMs: 1_790_000_000_123,
        },
      },
    ]);
  });

  it('reads a history row as the rate of its hour', () => {
    const row = {
      timestamp: 1_790_002_800_000,
      index_price: 1,
      prev_index_price: 1,
      interest_1h: -2e-8,
      interest_8h: 0,
    };
    expect(parseSettledRate(row, instrument('BTC'))).toMatchObject({
      rate: { kind: 'settled', hourly: -20_000, settleAtMs: 1_790_002_800_000 },
    });
  });

  it('does not believe a rate beyond reason', () => {
    expect(tickerEvents({ ...ticker, funding_8h: 0.2 }, instrument('BTC'))[1]).toMatchObject({
      type: 'bad-value',
      code: 'RATE_OUT_OF_RANGE',
    });
  });
});

describe('the account', () => {
  it('counts a session’s profit to the wallet', () => {
    const summary = { balance: 1_000.5, session_rpl: -0.25, session_upl: 3, available_funds: 900.1234567 };
    expect(parseSummary(summary)).toEqual({
      type: 'balance',
      walletMicro: 1_000_250_000n,
      availableMicro: 900_123_456n,
    });
  });

  it('takes the direction of a position, whatever the sign of its size', () => {
    const position = {
      instrument_name: 'BTC_USDC-PERPETUAL',
      direction: 'sell',
      size: -0.012,
      average_price: 84_000.5,
    };
    expect(parsePosition(position, find)).toEqual({
      symbol: 'BTC_USDC-PERPETUAL',
      signedLots: -12,
      entryPrice: '84000.5',
    });
    expect(parsePosition({ ...position, size: 0.012 }, find)?.signedLots).toBe(-12);
    expect(parsePosition({ ...position, direction: 'zero', size: 0, average_price: 0 }, find)).toEqual({
      symbol: 'BTC_USDC-PERPETUAL',
      signedLots: 0,
    });
    expect(parsePosition({ ...position, instrument_name: 'X' }, find)).toBeUndefined();
  });

  it('reads funding of a settlement and of a trade, each with what was held before', () => {
    const row = {
      id: 61_311,
      type: 'settlement',
      instrument_name: 'BTC_USDC-PERPETUAL',
      timestamp: 1_790_000_000_000,
      interest_pl: -0.05,
      side: 'short',
      position: 0.01,
      amount: 0.01,
      price: 50_000,
    };
    expect(parsePayment(row, find)).toEqual({
      paymentId: '61311',
      symbol: 'BTC_USDC-PERPETUAL',
      amountMicro: -50_000n,
      // A short pays when the rate is negative: 0.05 on 500.
      rate: -100_000_000,
      signedLots: -10,
      settledAtMs: 1_790_000_000_000,
    });
    const trade = { ...row, type: 'trade', side: 'close buy', position: -0.002, amount: 0.008 };
    expect(parsePayment(trade, find)?.signedLots).toBe(-10);
    expect(parsePayment({ ...trade, interest_pl: 0 }, find)).toBeUndefined();
    expect(parsePayment({ ...row, interest_pl: null }, find)).toBeUndefined();
    expect(parsePayment({ ...row, instrument_name: null, type: 'transfer' }, find)).toBeUndefined();
  });

  it('knows labels and UUIDs of ours from those of others', () => {
    for (const id of ['1', '1001', String(2 ** 48 - 1)]) {
      expect(idOfLabel(labelOf(id))).toBe(id);
      expect(idOfUuid(uuidOf(id))).toBe(id);
      expect(uuidOf(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    for (const foreign of ['', '12', 'tdm-0', 'tdm-01', 'O-1970']) expect(idOfLabel(foreign)).toBe('');
    expect(idOfUuid('74616e64-656d-4000-8000-000000000000')).toBe('');
    expect(idOfUuid('a1b2c3d4-e5f6-7890-abcd-ef1234567890')).toBe('');
  });
});

describe.skipIf(!hasFixtures)('recorded payloads (need ../shared)', () => {
  it('an inverse perpetual is none of ours', () => {
    expect(parseInstrument(resultOf('gw-instruments/nautilus-deribit-http_get_instrument'))).toBeUndefined();
  });

  it('tickers: mark, index and funding of a perpetual, nothing but a mark of others', () => {
    const perpetual = dataOf('gw-ws-ticker/nautilus-deribit-ws_ticker');
    expect(tickerEvents(perpetual, findAny('BTC-PERPETUAL'))).toMatchObject([
      { markTicksScaled: { markNano: 92_281_780_000_000n, indexNano: 92_263_550_000_000n } },
      { rate: { raw: '0.00001742', hourly: 2_177_500 } },
    ]);
    const old = dataOf('gw-ws-ticker/tardis-deribit-ticker-BTC-PERPETUAL-raw-5');
    expect(tickerEvents(old, findAny('BTC-PERPETUAL'))).toMatchObject([
      { type: 'mark' },
      { rate: { raw: '0.00016281' } },
    ]);
    const spot = resultOf('gw-ticker/ccxt-public-ticker-spot');
    expect(tickerEvents(spot, findAny('BTC_USDC'))).toMatchObject([{ type: 'mark' }]);
    const book = resultOf('gw-order-book/nautilus-deribit-http_get_order_book');
    expect(tickerEvents(book, findAny('BTC-PERPETUAL'))).toMatchObject([
      { markTicksScaled: { markNano: 87_006_210_000_000n } },
      { rate: { raw: '0.00000655' } },
    ]);
    for (const name of ['BTC-5JUN20-9250-C-raw-8', 'BTC-8JUN20-8750-P-raw-7', 'ETH-5JUN20-310-P-raw-9']) {
      const option = dataOf(`gw-ws-ticker/tardis-deribit-ticker-${name}`);
      expect(tickerEvents(option, findAny('option'))).toMatchObject([{ type: 'mark' }]);
    }
  });

  it('settled rates', () => {
    const rows = asList(payload('gw-funding-history/ccxt-get-funding-rate-history')['result'], 'history');
    expect(rows.map((row) => parseSettledRate(row, instrument('BTC')))).toMatchObject([
      { rate: { hourly: 0, settleAtMs: 1_786_269_600_000, unit: { perMs: 3_600_000 } } },
    ]);
  });

  it('orders: placed, cancelled, waiting for their trigger', () => {
    const orderOf = (name: string): Fields => asFields(resultOf(name)['order'] ?? resultOf(name), name);
    const of = (name: string): unknown => parseOrder(orderOf(`gw-order-ack/nautilus-deribit-${name}`), findAny);
    expect(of('ws_order_buy_response')).toMatchObject({
      status: 'open',
      side: 'buy',
      lots: 1,
      filledLots: 0,
      clientOrderId: '',
    });
    expect(of('ws_order_sell_response')).toMatchObject({ status: 'open', side: 'sell' });
    expect(of('ws_order_cancel_response')).toMatchObject({ status: 'cancelled', reason: 'user_request' });
    expect(of('ws_order_stop_market_response')).toMatchObject({ status: 'open', lots: 10 });
  });

  it('our own order and its trade as the account’s channels tell them', () => {
    expect(parseOrder(dataOf('gw-ws-user-orders/constructed-open'), find)).toMatchObject({
      status: 'open',
      clientOrderId: '1',
      venueOrderId: 'USDC-1',
      lots: 10,
    });
    expect(parseOrder(dataOf('gw-ws-user-orders/constructed-filled'), find)).toMatchObject({
      status: 'filled',
      filledLots: 10,
    });
    const [trade] = asList(dataOf('gw-ws-user-trades/constructed-taker'), 'trades');
    expect(parseTrade(trade, find)).toEqual([
      {
        type: 'fill',
        fill: {
          fillId: 'USDC-1',
          symbol: 'BTC_USDC-PERPETUAL',
          clientOrderId: '1',
          venueOrderId: 'USDC-1',
          side: 'buy',
          priceTicks: 168_286,
          lots: 10,
          feeMicro: -420_000n,
          liquidity: 'taker',
          venueAtMs: 1_790_000_000_150,
        },
      },
    ]);
  });

  it('a portfolio and the summaries of an account', () => {
    expect(parseSummary(dataOf('gw-ws-user-portfolio/nautilus-deribit-ws_portfolio'))).toEqual({
      type: 'balance',
      walletMicro: 55_000_550n,
      availableMicro: 53_868_247n,
    });
    const summaries = asList(
      resultOf('gw-account-summaries/nautilus-deribit-http_get_account_summaries')['summaries'],
      'summaries',
    );
    // The balance is booked at settlement, the session's loss is counted at once.
    expect(parseSummary(summaries[0])).toMatchObject({ walletMicro: 302_568_076n });
    expect(parseFees(summaries[0], [{ ...instrument('BTC'), symbol: 'BTC_USD-PERPETUAL' }])).toEqual([
      { type: 'fee-tier', symbol: 'BTC_USD-PERPETUAL', makerFee: -100_000_000, takerFee: 350_000_000 },
    ]);
  });

  it('public trades are not ours', () => {
    const [trade] = asList(dataOf('gw-ws-trades/nautilus-deribit-ws_trades'), 'trades');
    expect(() => parseTrade(trade, findAny)).toThrow(MalformedPayload);
  });

  it('every fixture is JSON', () => {
    expect(() => parseLosslessJson(fixture('gw-test/nautilus-deribit-http_test'), 'x')).not.toThrow();
  });
});
