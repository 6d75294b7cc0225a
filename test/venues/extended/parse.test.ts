import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { asList, parseJson } from '../../../src/venues/extended/json.ts';
import {
  parseAppliedRate,
  parseBalance,
  parseFees,
  parseFill,
  parseFundingPayment,
  parseMarket,
  parseMarketStats,
  parseOrder,
  parsePosition,
} from '../../../src/venues/extended/parse.ts';
import type { ExtendedMarket } from '../../../src/venues/extended/parse.ts';
import { asFields } from '../../../src/venues/json.ts';

const fixturesUrl = new URL('../../../../shared/venues/fixtures/extended/', import.meta.url);
const hasFixtures = existsSync(fixturesUrl);

function dataOf(name: string): unknown {
  const text = readFileSync(new URL(`${name}.json`, fixturesUrl), 'utf8');
  return asFields(parseJson(text, name), name)['data'];
}
function itemsOf(name: string, field?: string): readonly unknown[] {
  const data = dataOf(name);
  return asList(field === undefined ? data : asFields(data, name)[field], name);
}

const listing = {
  name: 'BTC-USD',
  assetName: 'BTC',
  assetPrecision: 5,
  collateralAssetName: 'USD',
  active: true,
  status: 'ACTIVE',
  type: 'PERPETUAL',
  isRfq: false,
  tradingConfig: {
    minOrderSize: '0.0001',
    minOrderSizeChange: '0.00001',
    minPriceChange: '0.050',
    maxLimitOrderValue: '15000000',
    maxPositionValue: '60000000',
    maxLeverage: '50.00',
    limitPriceCap: '0.05',
    limitPriceFloor: '0.05',
    riskFactorConfig: [{ upperBound: '4000000', riskFactor: '0.02' }],
  },
  l2Config: { collateralId: '0x1', collateralResolution: 1000000, syntheticId: '0x42', syntheticResolution: 1000000 },
};

describe('margin', () => {
  it('rises with the value of a position, as the market’s table says', () => {
    const riskFactorConfig = [
      { upperBound: '400000', riskFactor: '0.02' },
      { upperBound: '800000', riskFactor: '0.04' },
      { upperBound: '1200000', riskFactor: '0.06' },
    ];
    expect(marketOf({}, { riskFactorConfig }).instrument.marginTiers).toEqual([
      { fromMicro: 0n, maxLeverage: 50, maintenanceMarginRate: 20_000_000_000 },
      { fromMicro: 400_000_000_000n, maxLeverage: 25, maintenanceMarginRate: 40_000_000_000 },
      { fromMicro: 800_000_000_000n, maxLeverage: 16, maintenanceMarginRate: 60_000_000_000 },
    ]);
  });

  it.each([
    ['no table', undefined],
    [
      'factors that fall',
      [
        { upperBound: '9', riskFactor: '0.04' },
        { upperBound: '99', riskFactor: '0.02' },
      ],
    ],
    [
      'a bound that is none',
      [
        { upperBound: '', riskFactor: '0.04' },
        { upperBound: '99', riskFactor: '0.05' },
      ],
    ],
  ])('is that of the smallest position with %s', (_, riskFactorConfig) => {
    expect(marketOf({}, { riskFactorConfig }).instrument.marginTiers).toBeUndefined();
  });
});

function marketOf(change: object = {}, config: object = {}): ExtendedMarket {
  const market = parseMarket({ ...listing, ...change, tradingConfig: { ...listing.tradingConfig, ...config } });
  if (market === undefined) throw new Error('a perpetual is a market');
  return market;
}

/** Any symbol, in the finest steps the samples use. */
const find = (symbol: string): ExtendedMarket => marketOf({ name: symbol }, { minPriceChange: '0.00001' });

describe('markets', () => {
  it('reads the volume of a day where it is told, and refuses one that is no amount', () => {
    const volume = (dailyVolume: string): number | undefined =>
      marketOf({ marketStats: { dailyVolume } }).instrument.volume24hQuote;
    expect([volume('1234.5'), volume('0')]).toEqual([1_234.5, 0]);
    expect(marketOf({ marketStats: undefined }).instrument.volume24hQuote).toBeUndefined();
    for (const bad of ['-1', 'NaN', '1e9', ''])
      expect(() => volume(bad)).toThrow(/dailyVolume must be a plain decimal/);
  });

  it('reads steps, limits and settlement ids', () => {
    expect(marketOf()).toMatchObject({
      tradable: true,
      instrument: {
        symbol: 'BTC-USD',
        base: 'BTC',
        multiplier: 1,
        priceDecimals: 2,
        tickUnits: 5,
        quantityDecimals: 5,
        lotUnits: 1,
        minQuantityLots: 10,
        maxNotionalMicro: 15_000_000_000_000n,
        maxLeverage: 50,
        maintenanceMarginRate: 20_000_000_000,
        priceBand: 50_000_000_000,
        status: 'active',
      },
      settlement: {
        collateralId: '0x1',
        collateralResolution: '1000000',
        syntheticId: '0x42',
        syntheticResolution: '1000000',
      },
    });
  });

  test.each([
    ['1', 0, 1],
    ['10', 0, 10],
    ['0.1', 1, 1],
    ['0.2500', 2, 25],
  ])('reads the tick %s as %i decimals and %i units', (text, priceDecimals, tickUnits) => {
    expect(marketOf({}, { minPriceChange: text }).instrument).toMatchObject({ priceDecimals, tickUnits });
  });

  it('reads a bundle of a cheap coin as its underlying with a multiplier', () => {
    expect(marketOf({ name: '1000PEPE-USD', assetName: '1000PEPE' }).instrument).toMatchObject({
      base: 'PEPE',
      multiplier: 1000,
    });
  });

  it('leaves spot markets out and marks request-for-quote markets as not tradable', () => {
    expect(parseMarket({ ...listing, type: 'SPOT' })).toBeUndefined();
    expect(marketOf({ isRfq: true }).tradable).toBe(false);
  });

  test.each([
    ['ACTIVE', true, 'active'],
    ['ACTIVE', false, 'inactive'],
    ['REDUCE_ONLY', true, 'reduce-only'],
    ['PRELISTED', true, 'inactive'],
    ['DELISTED', true, 'inactive'],
    ['DISABLED', true, 'inactive'],
  ])('reads status %s, active %s as %s', (status, active, expected) => {
    expect(marketOf({ status, active }).instrument.status).toBe(expected);
  });
});

describe('amounts', () => {
  const fill = {
    id: '1',
    market: 'BTC-USD',
    orderId: '2',
    side: 'BUY',
    price: '5',
    qty: '1',
    isTaker: true,
    createdTime: 1_790_000_000_000,
  };

  it('reads a padded fee exactly as a negative cash flow, and a rebate as a positive one', () => {
    expect(parseFill({ ...fill, fee: '0.0291240000000000' }, find, () => undefined)?.feeMicro).toBe(-29_124n);
    expect(parseFill({ ...fill, fee: '-0.0000010000000000' }, find, () => undefined)?.feeMicro).toBe(1n);
    const forced = ['TRADE', 'LIQUIDATION', 'DELEVERAGE'].map(
      (tradeType) => parseFill({ ...fill, fee: '0', tradeType }, find, () => undefined)?.forced,
    );
    expect(forced).toEqual([undefined, 'liquidation', 'adl']);
  });

  it('takes the client order id from the stream, from REST, or from what is known of the order', () => {
    const id = (more: object): string | undefined =>
      parseFill({ ...fill, fee: '0', ...more }, find, (order) => `known-${order}`)?.clientOrderId;
    expect(id({ externalOrderId: '7' })).toBe('7');
    expect(id({ externalId: '8' })).toBe('8');
    expect(id({})).toBe('known-2');
  });

  it('refuses prices and sizes between the steps instead of rounding them', () => {
    expect(() => parseFill({ ...fill, fee: '0', price: '5.000001' }, find, () => undefined)).toThrow(/price must be/);
    expect(() => parseFill({ ...fill, fee: '0', qty: '0.000001' }, find, () => undefined)).toThrow(/quantity must be/);
  });

  it('reads the sign of a position from its side', () => {
    const position = { market: 'BTC-USD', size: '0.3', leverage: '5.0' };
    expect(parsePosition({ ...position, side: 'SHORT' }, find)?.signedLots).toBe(-30_000);
    expect(parsePosition({ ...position, side: 'LONG' }, find)?.signedLots).toBe(30_000);
    expect(parsePosition({ ...position, side: 'SHORT', size: '0' }, find)?.signedLots).toBe(0);
    expect(() => parsePosition({ ...position, side: 'BOTH' }, find)).toThrow(
      'position.side must be LONG or SHORT, was "BOTH"',
    );
  });
});

it('orders reports of one order by time, then progress, with an end always last', () => {
  const order = { id: '1', market: 'BTC-USD', side: 'BUY', qty: '1', price: '1', updatedTime: 1_790_000_000_000 };
  const sequence = (status: string, filledQty: string, later = 0): number =>
    parseOrder({ ...order, status, filledQty, updatedTime: order.updatedTime + later }, find)?.sequence ?? 0;
  const sequences = [
    sequence('NEW', '0'),
    sequence('PARTIALLY_FILLED', '0.5'),
    sequence('PARTIALLY_FILLED', '0.9'),
    sequence('CANCELLED', '0.9'),
    sequence('CANCELLED', '0.9', 1),
  ];
  expect(sequences).toEqual([...new Set(sequences)].toSorted((left, right) => left - right));
  expect(sequences.every(Number.isSafeInteger)).toBe(true);
});

it('rejects a funding rate above one percent an hour by name instead of using it', () => {
  expect(parseAppliedRate({ m: 'BTC-USD', T: 1_790_000_000_000, f: '0.02' })).toMatchObject({
    type: 'bad-value',
    code: 'RATE_OUT_OF_RANGE',
  });
});

describe.skipIf(!hasFixtures)('shared samples (skipped when ../shared is absent)', () => {
  test.each(['rest.info.markets.1', 'rest.info.markets.2'])('reads every market of %s', (name) => {
    for (const item of itemsOf(name)) {
      const market = parseMarket(item);
      expect(market?.instrument).toMatchObject({
        symbol: 'BTC-USD',
        base: 'BTC',
        quote: 'USD',
        maxLeverage: 50,
        status: 'active',
      });
      const stats = parseMarketStats('BTC-USD', asFields(item, name)['marketStats'], 1);
      expect(stats.map(({ type }) => type)).toEqual(['mark', 'funding-rate']);
    }
  });

  it('reads statistics of a market', () => {
    expect(parseMarketStats('ETH-USD', dataOf('rest.info.markets.stats.1'), 5)).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 3_088_439_710_294n, indexNano: 3_089_556_987_078n } },
      { type: 'funding-rate', rate: { raw: '-0.000059', hourly: -59_000_000, settleAtMs: 1_716_192_000_000 } },
    ]);
  });

  it('reads an applied rate whose time is printed in seconds', () => {
    expect(itemsOf('rest.info.funding.1').map(parseAppliedRate)).toMatchObject([
      { type: 'funding-rate', rate: { settleAtMs: 1_701_563_440_000, hourly: 1e9 } },
    ]);
  });

  it('reads balances', () => {
    expect(parseBalance(dataOf('rest.user.balance.1'))).toMatchObject({
      walletMicro: 13_500_000_000n,
      availableMicro: 1_200_000_000n,
    });
    expect(parseBalance(asFields(dataOf('ws.account-balance.1'), 'balance')['balance'])).toMatchObject({
      walletMicro: 100_000_000n,
      availableMicro: 3_000_000n,
    });
  });

  it('reads positions from REST and stream', () => {
    expect(itemsOf('rest.user.positions.1').map((item) => parsePosition(item, find))).toMatchObject([
      { signedLots: 10_000, leverage: 10, entryPrice: '39000' },
    ]);
    expect(itemsOf('ws.account-position.1', 'positions').map((item) => parsePosition(item, find))).toMatchObject([
      { signedLots: -30_000, leverage: 5 },
    ]);
  });

  test.each([
    ['rest.user.orders.1', undefined, 'open', '1775511783722512384'],
    ['rest.user.orders.by-external-id.1', undefined, 'filled', '1784963886257016832'],
    ['ws.account-order.1', 'orders', 'open', '1791181340771614723'],
  ])('reads the order of %s', (name, field, status, venueOrderId) => {
    expect(itemsOf(name, field).map((item) => parseOrder(item, find))).toMatchObject([
      { status, venueOrderId, side: 'buy' },
    ]);
  });

  test.each([
    ['rest.user.trades.1', undefined, '1784963886257016832', '9223372036854775808', 'ext-1'],
    ['ws.account-trade.1', 'trades', '1784963886257016832', '9223372036854775808', 'ext-1'],
    ['ws.account-trade.2', 'trades', '1811328331296018432', '1811328331287359488', ''],
  ])('reads the fill of %s with every digit of its ids', (name, field, fillId, venueOrderId, clientOrderId) => {
    expect(itemsOf(name, field).map((item) => parseFill(item, find, () => undefined))).toMatchObject([
      { fillId, venueOrderId, clientOrderId, side: 'buy', liquidity: 'taker' },
    ]);
  });

  it('reads fees and funding payments', () => {
    expect(itemsOf('rest.user.fees.1').map(parseFees)).toEqual([
      { type: 'fee-tier', symbol: 'BTC-USD', makerFee: 0, takerFee: 250_000_000 },
    ]);
    expect(itemsOf('rest.user.funding.history.1').map((item) => parseFundingPayment(item, find))).toEqual([
      {
        paymentId: '8341',
        symbol: 'BNB-USD',
        amountMicro: 0n,
        rate: 0,
        signedLots: 111_600,
        settledAtMs: 1_723_147_241_346,
      },
    ]);
  });
});
