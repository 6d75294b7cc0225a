import { describe, expect, it, test } from 'vitest';
import {
  parseAssets,
  parseCollateral,
  parseFeeTier,
  parseFundingPayment,
  parseLevels,
  parseMarket,
  parseMarketStats,
  parseOrder,
  parsePosition,
  parseSettledRate,
  parseTrade,
} from '../../../src/venues/lighter/parse.ts';
import { PREMIUM_FORMULA } from '../../../src/venues/lighter/wire.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import { parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { BTC, ETH, fixture, hasFixtures, listing } from './fixtures.ts';

const NOW_MS = 1_777_941_390_000;

function fields(text: string): Fields {
  return parseLosslessJson(text, 'test') as Fields;
}

const trade = {
  trade_id: 19_209_006_902,
  trade_id_str: '19209006902',
  type: 'trade',
  market_id: 0,
  size: '0.1336',
  price: '2352.73',
  usd_amount: '314.324728',
  ask_id_str: '281476929510102',
  bid_id_str: '39687971468375991',
  ask_client_id_str: '0',
  bid_client_id_str: '7001011966',
  ask_account_id: 91_249,
  bid_account_id: 1234,
  is_maker_ask: true,
  timestamp: 1_777_941_384_181,
  taker_fee: 196,
  maker_fee: 28,
};

const order = {
  order_id: '39687971468375991',
  client_order_id: '42',
  market_index: 0,
  initial_base_amount: '0.0050',
  price: '2352.74',
  is_ask: true,
  filled_base_amount: '0.0020',
  side: '',
  status: 'open',
  created_at: 1_791_528_502,
  updated_at: 1_791_528_502,
  transaction_time: 1_791_528_503_344_183,
};

describe('markets', () => {
  it('reads the volume of a day where it is told, and refuses one that is no amount', () => {
    const volume = (value: unknown): number | undefined =>
      parseMarket(listing('ETH', 0, { daily_quote_token_volume: value }))?.instrument.volume24hQuote;
    expect([volume(1_234.5), volume(0), volume(undefined)]).toEqual([1_234.5, 0, undefined]);
    for (const bad of [-1, Number.NaN, Infinity, '12'])
      expect(() => volume(bad)).toThrow(/market ETH.daily_quote_token_volume must be a number of at least 0/);
  });

  it('reads exact steps, minimums and margin from a listing', () => {
    expect(BTC).toEqual({
      marketId: 1,
      instrument: {
        venue: 'lighter',
        symbol: 'BTC',
        base: 'BTC',
        quote: 'USDC',
        multiplier: 1,
        priceDecimals: 1,
        tickUnits: 1,
        quantityDecimals: 5,
        lotUnits: 1,
        minQuantityLots: 20,
        minNotionalMicro: 10_000_000n,
        maxNotionalMicro: 281_474_976_710_655n,
        maxLeverage: 50,
        maintenanceMarginRate: 12_000_000_000,
        makerFee: 0,
        takerFee: 0,
        fundingIntervalMs: 3_600_000,
        fundingPrice: 'mark',
        premiumFormula: PREMIUM_FORMULA,
        status: 'active',
      },
    });
  });

  it('knows multiples of an underlying by name', () => {
    expect(parseMarket(listing('1000PEPE', 4))?.instrument).toMatchObject({ base: 'PEPE', multiplier: 1000 });
  });

  it('skips hidden and spot markets, and tells reduce-only from inactive ones', () => {
    expect(parseMarket(listing('ETH', 0, { market_config: { hidden: true } }))).toBeUndefined();
    expect(parseMarket(listing('ETH', 2048, { market_type: 'spot' }))).toBeUndefined();
    expect(parseMarket(listing('ETH', 0, { market_config: { force_reduce_only: true } }))?.instrument.status).toBe(
      'reduce-only',
    );
    expect(parseMarket(listing('ETH', 0, { status: 'inactive' }))?.instrument.status).toBe('inactive');
  });
});

describe('fills', () => {
  it('names our side, role and fee, rounded up against us', () => {
    // 314.324728 x 196 / 1e6 = 0.061607646...: 61,608 micro-units.
    expect(parseTrade(trade, ETH, 1234)).toEqual([
      {
        fillId: '19209006902',
        symbol: 'ETH',
        clientOrderId: '7001011966',
        venueOrderId: '39687971468375991',
        side: 'buy',
        priceTicks: 235_273,
        lots: 1336,
        feeMicro: -61_608n,
        liquidity: 'taker',
        venueAtMs: 1_777_941_384_181,
      },
    ]);
  });

  it('makes two fills of a trade with ourselves and none of a trade of others', () => {
    const own = parseTrade({ ...trade, ask_account_id: 1234 }, ETH, 1234);
    expect(own.map(({ fillId, side, liquidity, clientOrderId }) => [fillId, side, liquidity, clientOrderId])).toEqual([
      ['19209006902:ask', 'sell', 'maker', ''],
      ['19209006902:bid', 'buy', 'taker', '7001011966'],
    ]);
    expect(parseTrade(trade, ETH, 9)).toEqual([]);
  });

  it('takes a fee the venue left out as none', () => {
    const { taker_fee, ...free } = trade;
    expect(taker_fee).toBe(196);
    expect(parseTrade(free, ETH, 1234)[0]?.feeMicro).toBe(0n);
  });

  it('refuses a size between two lots', () => {
    expect(() => parseTrade({ ...trade, size: '0.13365' }, ETH, 1234)).toThrow(/quantity must be a multiple of 0.0001/);
  });
});

describe('orders', () => {
  it('reads sides, ids beyond 2^53 and the finest time', () => {
    expect(parseOrder(order, ETH, NOW_MS)).toEqual({
      symbol: 'ETH',
      clientOrderId: '42',
      venueOrderId: '39687971468375991',
      status: 'open',
      side: 'sell',
      lots: 50,
      filledLots: 20,
      venueAtMs: 1_791_528_503_344,
      sequence: 1_791_528_503_344_183,
    });
  });

  test.each([
    ['in-progress', 'open', undefined],
    ['pending', 'open', undefined],
    ['filled', 'filled', undefined],
    ['canceled', 'cancelled', undefined],
    ['canceled-post-only', 'cancelled', 'canceled-post-only'],
    ['canceled-margin-not-allowed', 'cancelled', 'canceled-margin-not-allowed'],
    ['canceled-expired', 'expired', 'canceled-expired'],
  ])('reads the status %s', (state, status, reason) => {
    const report = parseOrder({ ...order, status: state }, ETH, NOW_MS);
    expect([report.status, report.reason]).toEqual([status, reason]);
  });

  it('refuses a status it does not know', () => {
    expect(() => parseOrder({ ...order, status: 'vanished' }, ETH, NOW_MS)).toThrow(MalformedPayload);
  });

  it('treats client order index 0 as not ours', () => {
    expect(parseOrder({ ...order, client_order_id: '0' }, ETH, NOW_MS).clientOrderId).toBe('');
  });
});

describe('positions and balances', () => {
  it('signs a position and reads percent margin as leverage', () => {
    const row = {
      market_id: 1,
      sign: -1,
      position: '0.00500',
      avg_entry_price: '90000.0',
      liquidation_price: '99000.1',
      initial_margin_fraction: '20.00',
    };
    expect(parsePosition(row, BTC)).toEqual({
      symbol: 'BTC',
      signedLots: -500,
      entryPrice: '90000.0',
      liquidationPrice: '99000.1',
      leverage: 5,
    });
  });

  it('reads a flat row as flat whatever its sign says', () => {
    const row = { market_id: 1, sign: -1, position: '0.00000', avg_entry_price: '0.0', liquidation_price: '0' };
    expect(parsePosition(row, BTC)).toEqual({ symbol: 'BTC', signedLots: 0 });
    expect(Object.is(parsePosition(row, BTC).signedLots, 0)).toBe(true);
  });

  it('rounds balances with more digits than a micro-unit down', () => {
    const assets = { '3': { asset_id: 3, symbol: 'USDC', margin_balance: '39.995369556' } };
    expect(parseAssets(assets)).toEqual({ type: 'balance', walletMicro: 39_995_369n });
    expect(parseAssets({ '1': { asset_id: 1, symbol: 'ETH', margin_balance: '1' } })).toBeUndefined();
  });

  it('reads collateral as the wallet: profit of open positions is not in it', () => {
    const stats = { collateral: '39.995369', available_balance: '39.168314', portfolio_value: '39.995169' };
    expect(parseCollateral(stats, 'user_stats')).toEqual({
      type: 'balance',
      walletMicro: 39_995_369n,
      availableMicro: 39_168_314n,
    });
  });

  it('reads fee ticks as millionths of notional', () => {
    expect(parseFeeTier({ current_maker_fee_tick: 28, current_taker_fee_tick: 280 })).toEqual({
      type: 'fee-tier',
      makerFee: 28_000_000,
      takerFee: 280_000_000,
    });
  });
});

describe('funding', () => {
  const stats = {
    symbol: 'BTC',
    market_id: 1,
    index_price: '64400.1',
    mark_price: '64356.3',
    current_funding_rate: '-0.0028',
    funding_rate: '-0.0005',
    funding_timestamp: 1_780_545_600_001,
  };

  it('declares percent per hour, the coming hour and the settled one', () => {
    const [mark, predicted, settled] = parseMarketStats(stats, BTC, 1_780_546_209_291);
    expect(mark).toEqual({
      type: 'mark',
      symbol: 'BTC',
      markTicksScaled: { markNano: 64_356_300_000_000n, indexNano: 64_400_100_000_000n },
      venueAtMs: 1_780_546_209_291,
    });
    expect(predicted).toMatchObject({
      type: 'funding-rate',
      rate: {
        kind: 'predicted',
        raw: '-0.0028',
        unit: { scale: 'percent', perMs: 3_600_000 },
        hourly: -28_000_000,
        settleAtMs: 1_780_549_200_000,
      },
    });
    expect(settled).toMatchObject({
      type: 'funding-rate',
      rate: {
        kind: 'settled',
        raw: '-0.0005',
        hourly: -5_000_000,
        settleAtMs: 1_780_545_600_000,
        ofFeed: true,
      },
    });
  });

  it('names a rate that cannot be a market and keeps the rest of the frame', () => {
    const events = parseMarketStats({ ...stats, current_funding_rate: '28' }, BTC, 1_780_546_209_291);
    expect(events.map((event) => event.type)).toEqual(['mark', 'bad-value', 'funding-rate']);
  });

  it('signs settled rates by who paid', () => {
    const long = parseSettledRate(
      { timestamp: 1_778_702_400, value: '0.02707872', rate: '0.0012', direction: 'long' },
      'ETH',
    );
    const short = parseSettledRate(
      { timestamp: 1_778_706_000, value: '0.00452778', rate: '0.0002', direction: 'short' },
      'ETH',
    );
    expect(long.event).toMatchObject({ rate: { kind: 'settled', hourly: 12_000_000, settleAtMs: 1_778_702_400_000 } });
    expect(short.event).toMatchObject({ rate: { raw: '-0.0002', hourly: -2_000_000 } });
  });

  it('reads a payment as our cash flow at its hour', () => {
    const row = {
      timestamp: 1_778_702_401,
      market_id: 0,
      funding_id: 2001,
      change: '-0.027079',
      rate: '0.000012',
      position_size: '1.0000',
      position_side: 'long',
      discount: '0',
    };
    expect(parseFundingPayment(row, ETH)).toEqual({
      paymentId: '0:2001',
      symbol: 'ETH',
      amountMicro: -27_079n,
      rate: 12_000_000,
      signedLots: 10_000,
      settledAtMs: 1_778_702_400_000,
    });
    expect(parseFundingPayment({ ...row, position_side: 'short' }, ETH).signedLots).toBe(-10_000);
  });
});

describe('levels', () => {
  it('reads prices in ticks and sizes in lots, zero sizes included', () => {
    const levels = [
      { price: '75300.5', size: '0.00000' },
      { price: '75300.70', size: '1' },
    ];
    expect(parseLevels(levels, BTC.instrument)).toEqual([
      [753_005, 0],
      [753_007, 100_000],
    ]);
    expect(parseLevels(null, BTC.instrument)).toEqual([]);
  });

  test.each([
    { price: '0.0', size: '1.00000' },
    { price: '-75300.5', size: '1.00000' },
    { price: '75300.55', size: '1.00000' },
    { price: '7e4', size: '1.00000' },
    { price: '75300.5', size: '-1.00000' },
    { price: '75300.5', size: '1.000001' },
    { price: '99999999999999999.5', size: '1.00000' },
  ])('refuses price $price with size $size', (level) => {
    expect(() => parseLevels([level], BTC.instrument)).toThrow(/must be/);
  });
});

describe('integers beyond 2^53', () => {
  it('keep every digit as text', () => {
    expect(
      parseLosslessJson(
        '{"a":39687971468375991,"b":[9100000000000001],"c":1776692222420103,"d":"x:39687971468375991"}',
        'test',
      ),
    ).toEqual({
      a: '39687971468375991',
      b: ['9100000000000001'],
      c: 1_776_692_222_420_103,
      d: 'x:39687971468375991',
    });
  });

  it('are found inside escaped text only as text', () => {
    const text = JSON.stringify({ note: 'say "a":39687971468375991', id: 1 });
    expect(parseLosslessJson(text, 'test')).toEqual({ note: 'say "a":39687971468375991', id: 1 });
  });
});

describe.skipIf(!hasFixtures)('recorded payloads (skipped when ../shared is absent)', () => {
  it('reads the recorded market listing', () => {
    const [row] = fields(fixture('rest.orderBookDetails.1'))['order_book_details'] as unknown[];
    expect(parseMarket(row)?.instrument).toMatchObject({
      symbol: 'ETH',
      priceDecimals: 2,
      quantityDecimals: 4,
      minQuantityLots: 50,
      maxLeverage: 50,
    });
  });

  it('reads recorded orders of both kinds', () => {
    const [active] = fields(fixture('rest.accountActiveOrders.1'))['orders'] as unknown[];
    expect(parseOrder(active, ETH, NOW_MS)).toMatchObject({
      clientOrderId: '42',
      status: 'open',
      lots: 50,
      venueAtMs: 1_777_941_383_576,
    });
    const [ended] = fields(fixture('rest.accountInactiveOrders.1'))['orders'] as unknown[];
    expect(parseOrder(ended, ETH, NOW_MS)).toMatchObject({
      clientOrderId: '79084886055',
      status: 'filled',
      filledLots: 680_066,
    });
  });

  test.each(['rest.trades.1', 'rest.recentTrades.1'])('reads the trades of %s', (name) => {
    const rows = fields(fixture(name))['trades'] as Fields[];
    for (const row of rows) expect(parseTrade(row, ETH, Number(row['bid_account_id']))).toHaveLength(1);
  });

  test.each(['ws.market_stats.1', 'ws.market_stats.2', 'ws.market_stats.3'])('reads the statistics of %s', (name) => {
    const frame = fields(fixture(name));
    const stats = frame['market_stats'] as Fields;
    const rows = stats['symbol'] === undefined ? Object.values(stats) : [stats];
    for (const row of rows) {
      const events = parseMarketStats(row, BTC, Number(frame['timestamp']));
      expect(events.map((event) => event.type)).toEqual(['mark', 'funding-rate', 'funding-rate']);
    }
  });

  it('reads recorded funding rows and payments', () => {
    const rows = fields(fixture('rest.fundings.1'))['fundings'] as unknown[];
    expect(rows.map((row) => parseSettledRate(row, 'ETH').event.type)).toEqual(['funding-rate', 'funding-rate']);
    const [payment] = fields(fixture('rest.positionFunding.1'))['position_fundings'] as unknown[];
    expect(parseFundingPayment(payment, ETH)).toMatchObject({
      paymentId: '0:2001',
      amountMicro: 1000n,
      rate: 100_000_000,
    });
  });

  it('reads recorded balances and limits', () => {
    expect(parseAssets(fields(fixture('ws.account_all_assets.2'))['assets'])).toEqual({
      type: 'balance',
      walletMicro: 39_995_369n,
    });
    expect(parseCollateral(fields(fixture('ws.user_stats.2'))['stats'], 'user_stats')).toMatchObject({
      walletMicro: 39_995_369n,
    });
    expect(parseFeeTier(fields(fixture('rest.accountLimits.1')))).toMatchObject({ makerFee: 0, takerFee: 0 });
  });
});
