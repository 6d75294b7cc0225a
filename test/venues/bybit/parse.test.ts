import { describe, expect, it, test } from 'vitest';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import { asList } from '../../../src/venues/fields.ts';
import {
  parseExecution,
  parseFees,
  parseInstrument,
  parseOrder,
  parsePosition,
  parseRiskLimits,
  parseSettledRate,
  settledIntervals,
  parseWallet,
  tickerEvents,
  tickerFields,
} from '../../../src/venues/bybit/parse.ts';
import { PREMIUM_FORMULA } from '../../../src/venues/bybit/wire.ts';
import { findAny, fixture, fixturesOf, hasFixtures, instrument, listing } from './fixtures.ts';

function rowsOf(name: string): readonly Fields[] {
  const payload = asFields(parseLosslessJson(fixture(name), name), name);
  const list = payload['data'] ?? asFields(payload['result'] ?? {}, name)['list'] ?? [payload];
  return asList(list, name).map((item) => asFields(item, name));
}
const names = (kind: string): readonly string[] => (hasFixtures ? fixturesOf(kind) : []);

describe('risk limits', () => {
  const row = (
    riskLimitValue: string,
    initialMargin: string,
    maintenanceMargin: string,
    maxLeverage: string,
  ): Fields => ({ symbol: 'BTCUSDT', riskLimitValue, initialMargin, maintenanceMargin, maxLeverage });

  it.each([
    ['fractions', row('2000000', '0.01', '0.005', '100.00'), row('10000000', '0.02', '0.01', '50.00')],
    ['percents', row('2000000', '1', '0.5', '100.00'), row('10000000', '2', '1', '50.00')],
  ])('are the same in %s, in any order, and of this symbol alone', (_, small, large) => {
    const other = { ...small, symbol: 'ETHUSDT' };
    expect(parseRiskLimits([large, other, small], 'BTCUSDT')).toEqual([
      { fromMicro: 0n, maxLeverage: 100, maintenanceMarginRate: 5_000_000_000 },
      { fromMicro: 2_000_000_000_000n, maxLeverage: 50, maintenanceMarginRate: 10_000_000_000 },
    ]);
  });

  it('are none where they contradict themselves', () => {
    expect(parseRiskLimits([row('1', '0.01', '0.02', '100')], 'BTCUSDT')).toBeUndefined();
    expect(parseRiskLimits([], 'BTCUSDT')).toBeUndefined();
    expect(() => parseRiskLimits([row('1', '0.01', '0.005', '0')], 'BTCUSDT')).toThrow('maxLeverage');
  });
});

describe('instruments', () => {
  it('read steps, limits, the funding interval in minutes and the band that always holds', () => {
    expect(instrument('BTCUSDT')).toEqual({
      venue: 'bybit',
      symbol: 'BTCUSDT',
      base: 'BTC',
      quote: 'USDT',
      multiplier: 1,
      priceDecimals: 1,
      tickUnits: 1,
      quantityDecimals: 3,
      lotUnits: 1,
      minQuantityLots: 1,
      maxQuantityLots: 1190000,
      minNotionalMicro: 5_000_000n,
      maxNotionalMicro: 1_000_000_000_000_000n,
      maxLeverage: 100,
      maintenanceMarginRate: 10_000_000_000,
      makerFee: 200_000_000,
      takerFee: 550_000_000,
      fundingIntervalMs: 28_800_000,
      fundingPrice: 'mark',
      premiumFormula: PREMIUM_FORMULA,
      status: 'active',
      priceBand: 10_000_000_000,
    });
  });

  test.each([
    ['1000PEPE', 1_000, 'PEPE'],
    ['SHIB1000', 1_000, 'SHIB'],
    ['BTC', 1, 'BTC'],
    ['1INCH', 1, '1INCH'],
  ])('name the underlying of %s', (baseCoin, multiplier, base) => {
    expect(instrument('XUSDT', { baseCoin })).toMatchObject({ multiplier, base });
  });

  it('of other coins and kinds are none of ours', () => {
    expect(parseInstrument(listing('BTCPERP', { settleCoin: 'USDC' }), 'USDT')).toBeUndefined();
    expect(parseInstrument(listing('BTCUSDT-21FEB25', { contractType: 'LinearFutures' }), 'USDT')).toBeUndefined();
  });

  test.each([
    [{ status: 'PreLaunch' }, 'inactive'],
    [{ status: 'Closed' }, 'inactive'],
    [{ isPreListing: true }, 'inactive'],
    [{ deliveryTime: '1790000000000' }, 'reduce-only'],
  ])('with %j are %s', (change, status) => {
    expect(instrument('BTCUSDT', change).status).toBe(status);
  });

  test.each([
    [{ priceFilter: { tickSize: '0' } }, 'tickSize must be a positive step'],
    [{ lotSizeFilter: { qtyStep: '1e-3' } }, 'qtyStep must be a positive step'],
    [{ fundingInterval: 0 }, 'fundingInterval must be minutes'],
    [{ leverageFilter: { maxLeverage: '0.5' } }, 'maxLeverage must be from 1 to 1000'],
  ])('with %j are refused by name', (change, message) => {
    expect(() => instrument('BTCUSDT', change)).toThrow(message);
  });
});

describe('tickers', () => {
  const btc = instrument('BTCUSDT');
  it('state funding as a fraction of the interval that the ticker names', () => {
    const ticker = tickerFields({
      markPrice: '66666.605',
      indexPrice: '66660',
      fundingRate: '-0.0008',
      nextFundingTime: '1760342400000',
      fundingIntervalHour: '4',
      lastPrice: '1',
    });
    expect(tickerEvents(btc, ticker, 7)).toMatchObject([
      {
        type: 'mark',
        markTicksScaled: { markNano: 66_666_605_000_000n, indexNano: 66_660_000_000_000n },
        venueAtMs: 7,
      },
      {
        type: 'funding-rate',
        rate: { kind: 'predicted', hourly: -200_000_000, intervalMs: 14_400_000, raw: '-0.0008' },
      },
    ]);
  });

  it('without an interval take the listing’s, and without a rate tell none', () => {
    const rated = tickerFields({ fundingRate: '0.0008', nextFundingTime: '1760342400000' });
    expect(tickerEvents(btc, rated, 7)).toMatchObject([{ rate: { hourly: 100_000_000, intervalMs: 28_800_000 } }]);
    expect(tickerEvents(btc, tickerFields({ fundingRate: '', nextFundingTime: '' }), 7)).toEqual([]);
  });

  it('of a unit error are refused instead of traded on', () => {
    const percent = tickerFields({ fundingRate: '10', nextFundingTime: '1760342400000', fundingIntervalHour: '8' });
    expect(tickerEvents(btc, percent, 7)).toMatchObject([
      { type: 'bad-value', what: 'FUNDING_RATE', code: 'RATE_OUT_OF_RANGE' },
    ]);
  });
});

describe('executions', () => {
  const execution = {
    symbol: 'BTCUSDT',
    orderId: 'o1',
    orderLinkId: '1001',
    side: 'Sell',
    execId: 'e1',
    execPrice: '95900.1',
    execQty: '0.5',
    execFee: '26.3725275',
    execType: 'Trade',
    feeRate: '0.00055',
    isMaker: false,
    execTime: '1746270400353',
    feeCurrency: '',
  };
  const find = (): ReturnType<typeof instrument> => instrument('BTCUSDT');

  it('are fills whose fee is a cost, rounded against us', () => {
    expect(parseExecution(execution, find)).toEqual([
      {
        type: 'fill',
        fill: {
          fillId: 'e1',
          symbol: 'BTCUSDT',
          clientOrderId: '1001',
          venueOrderId: 'o1',
          side: 'sell',
          priceTicks: 959_001,
          lots: 500,
          feeMicro: -26_372_528n,
          liquidity: 'taker',
          venueAtMs: 1_746_270_400_353,
        },
      },
    ]);
    expect(parseExecution({ ...execution, execFee: '-0.02' }, find)).toMatchObject([{ fill: { feeMicro: 20_000n } }]);
  });

  it.each([
    ['Trade', undefined],
    ['BustTrade', 'liquidation'],
    ['AdlTrade', 'adl'],
  ])('of type %s say whether the venue made them: %s', (execType, forced) => {
    const [event] = parseExecution({ ...execution, execType }, find) ?? [];
    expect(event?.type === 'fill' ? event.fill.forced : 'no fill').toBe(forced);
  });

  it('add the taxes that come beside the fee', () => {
    const extraFees = [{ feeCoin: 'USDT', fee: '0.006403779' }];
    expect(parseExecution({ ...execution, extraFees }, find)).toMatchObject([{ fill: { feeMicro: -26_378_932n } }]);
  });

  it('with a fee in another coin stay fills, and the fee is reported', () => {
    expect(parseExecution({ ...execution, feeCurrency: 'MNT', execFee: '0.1' }, find)).toMatchObject([
      { type: 'fill', fill: { feeMicro: 0n } },
      { type: 'venue-error', code: 'FOREIGN_FEE' },
    ]);
  });

  test.each([
    ['Buy', '0.003676', '0.0001', -3_676n, 100_000_000, 500],
    ['Sell', '-0.003676', '0.0001', 3_676n, 100_000_000, -500],
    ['Sell', '-0.003676', '-0.0001', 3_676n, 100_000_000, -500],
    ['Buy', '-0.003676', '-0.0001', 3_676n, -100_000_000, 500],
    ['Sell', '0.003676', '-0.0001', -3_676n, -100_000_000, -500],
  ])('of funding: a %s position with fee %s and rate %s', (side, execFee, feeRate, amountMicro, rate, signedLots) => {
    const funding = { ...execution, execType: 'Funding', side, execFee, feeRate };
    expect(parseExecution(funding, find)).toMatchObject([
      { type: 'funding-payment', payment: { paymentId: 'e1', amountMicro, rate, signedLots } },
    ]);
  });

  it('of other kinds move nothing; of other symbols are named; of other programs’ orders are not ours', () => {
    expect(parseExecution({ ...execution, execType: 'Settle' }, find)).toEqual([]);
    expect(parseExecution(execution, () => undefined)).toBeUndefined();
    expect(parseExecution({ ...execution, orderLinkId: 'ui-7' }, find)).toMatchObject([
      { fill: { clientOrderId: '' } },
    ]);
  });
});

describe('orders', () => {
  const order = {
    symbol: 'BTCUSDT',
    orderId: 'o1',
    orderLinkId: '1001',
    side: 'Buy',
    qty: '0.100',
    cumExecQty: '0.040',
    orderStatus: 'PartiallyFilled',
    rejectReason: 'EC_NoError',
    cancelType: 'UNKNOWN',
    updatedTime: '1672364262457',
  };
  const read = (change: object): ReturnType<typeof parseOrder> =>
    parseOrder({ ...order, ...change }, () => instrument('BTCUSDT'));

  it('that ended in part keep what was filled', () => {
    expect(read({ orderStatus: 'Cancelled', rejectReason: 'EC_NoImmediateQtyToFill' })).toMatchObject({
      status: 'cancelled',
      lots: 100,
      filledLots: 40,
      reason: 'EC_NoImmediateQtyToFill',
    });
  });

  it('in a cancel that came too late are filled, twice', () => {
    const filled = { orderStatus: 'Filled', cumExecQty: '0.100' };
    expect(read(filled)).toMatchObject({ status: 'filled' });
    expect(read({ ...filled, cancelType: 'CancelByUser', rejectReason: 'EC_OrigClOrdIDDoesNotExist' })).toMatchObject({
      status: 'filled',
      filledLots: 100,
    });
  });

  it('grow in sequence by time, by fill within a ms, and end last', () => {
    const reports = [
      read({ orderStatus: 'New', cumExecQty: '0' }),
      read({}),
      read({ orderStatus: 'Cancelled' }),
      read({ updatedTime: '1672364262458' }),
    ].map((report) => report?.sequence ?? 0);
    expect(reports).toEqual(reports.toSorted((one, other) => one - other));
    expect(new Set(reports).size).toBe(4);
  });

  it('of unknown status are nonsense', () => {
    expect(() => read({ orderStatus: 'Sleeping' })).toThrow('order.orderStatus must be a known status, was "Sleeping"');
  });
});

describe('positions and wallets', () => {
  const find = (): ReturnType<typeof instrument> => instrument('BTCUSDT');
  it('are signed by side; flat rows have none', () => {
    const row = {
      symbol: 'BTCUSDT',
      side: 'Sell',
      size: '0.5',
      positionIdx: 0,
      avgPrice: '50000',
      liqPrice: '',
      leverage: '10',
    };
    expect(parsePosition(row, find)).toEqual({
      symbol: 'BTCUSDT',
      signedLots: -500,
      entryPrice: '50000',
      leverage: 10,
    });
    expect(parsePosition({ ...row, side: '', size: '0', avgPrice: '0' }, find)).toMatchObject({ signedLots: 0 });
    const ranks = [0, 1, 5, undefined, 9].map(
      (adlRankIndicator) => parsePosition({ ...row, adlRankIndicator }, find)?.adlRank,
    );
    expect(ranks).toEqual([undefined, 0.2, 1, undefined, undefined]);
  });

  it('of hedge mode are refused by name', () => {
    const row = { symbol: 'BTCUSDT', side: 'Buy', size: '0.5', positionIdx: 1 };
    expect(() => parsePosition(row, find)).toThrow('positionIdx must be 0 (one-way mode), was 1');
  });

  it('tell the settlement coin’s wallet, and what is free with and without cross margin', () => {
    const coin = {
      coin: 'USDT',
      walletBalance: '100.1234567',
      totalPositionIM: '40',
      totalOrderIM: '9.0000001',
      locked: '',
    };
    const wallet = { totalAvailableBalance: '77.5', coin: [{ coin: 'BTC', walletBalance: '1' }, coin] };
    expect(parseWallet(wallet, 'USDT')).toEqual({
      type: 'balance',
      walletMicro: 100_123_456n,
      availableMicro: 77_500_000n,
    });
    expect(parseWallet({ ...wallet, totalAvailableBalance: '' }, 'USDT').availableMicro).toBe(51_123_455n);
    expect(parseWallet({ coin: [] }, 'USDT')).toMatchObject({ walletMicro: 0n, availableMicro: 0n });
  });
});

describe.skipIf(!hasFixtures)('recorded payloads (needs ../shared/venues/fixtures)', () => {
  test.each(names('rest-instruments'))('%s', (name) => {
    for (const row of rowsOf(name)) expect(parseInstrument(row, 'USDT')?.symbol).toBe(row['symbol']);
  });
  test.each([...names('rest-orders'), ...names('ws-order')])('%s', (name) => {
    for (const row of rowsOf(name)) expect(parseOrder(row, findAny)?.venueOrderId).toBe(row['orderId']);
  });
  test.each([...names('rest-executions'), ...names('ws-execution')])('%s', (name) => {
    for (const row of rowsOf(name)) expect(parseExecution(row, findAny)).not.toBeUndefined();
  });
  test.each([...names('rest-positions'), ...names('ws-position')])('%s', (name) => {
    for (const row of rowsOf(name)) {
      if (Number(row['positionIdx']) === 0) expect(parsePosition(row, findAny)?.symbol).toBe(row['symbol']);
      else expect(() => parsePosition(row, findAny)).toThrow('one-way mode');
    }
  });
  test.each([...names('rest-wallet'), ...names('ws-wallet')])('%s', (name) => {
    for (const row of rowsOf(name)) expect(parseWallet(row, 'USDT').walletMicro).toBeTypeOf('bigint');
  });
  test.each(names('rest-fee-rate'))('%s', (name) => {
    expect(rowsOf(name).map((row) => parseFees(row, findAny))).toEqual([
      { type: 'fee-tier', symbol: 'ETHUSDT', makerFee: 100_000_000, takerFee: 600_000_000 },
    ]);
  });
  test.each(names('rest-funding-history'))('%s', (name) => {
    const rates = rowsOf(name).map((row) => parseSettledRate(row, instrument('BTCUSDT')));
    expect(rates).toMatchObject([{ rate: { hourly: 12_500_000 } }, { rate: { hourly: 18_750_000 } }]);
  });
  test.each(names('rest-tickers'))('%s', (name) => {
    for (const row of rowsOf(name)) expect(tickerEvents(instrument('BTCUSDT'), tickerFields(row), 7)).toHaveLength(2);
  });
});

it('settled rates are of the time since the settlement before, whatever the interval is now', () => {
  const HOUR_MS = 3_600_000;
  const at = (hours: number): number => 1_767_225_600_000 + hours * HOUR_MS;
  // Every 8 h, then every 4 h, then hourly, and a hole of 11 h.
  const history = [at(0), at(8), at(12), at(16), at(17), at(28)].toReversed();
  expect([...settledIntervals(history, HOUR_MS)].map(([atMs, ms]) => [(atMs - at(0)) / HOUR_MS, ms / HOUR_MS])).toEqual(
    [
      [0, 1],
      [8, 8],
      [12, 4],
      [16, 4],
      [17, 1],
      [28, 1],
    ],
  );
  const row = { symbol: 'BTCUSDT', fundingRate: '0.0001', fundingRateTimestamp: String(at(8)) };
  const hourly = [8, 4, 1].map((hours) => {
    const event = parseSettledRate(row, instrument('BTCUSDT'), hours * HOUR_MS);
    return event.type === 'funding-rate' ? event.rate.hourly : 0;
  });
  expect(hourly).toEqual([12_500_000, 25_000_000, 100_000_000]);
});
