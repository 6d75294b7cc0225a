import { describe, expect, it, test } from 'vitest';
import type { HttpAnswered } from '../../../src/ports/ports.ts';
import {
  eachKnown,
  fillsOperation,
  findOrderOperation,
  fundingHistoryOperation,
  openOrdersOperation,
} from '../../../src/venues/hyperliquid/rest.ts';
import { refusalClassOf } from '../../../src/venues/hyperliquid/limits.ts';
import {
  parseAccount,
  parseContext,
  parseFill,
  parseMeta,
  parseOrder,
  parsePayment,
} from '../../../src/venues/hyperliquid/parse.ts';
import { clientOrderIdOf, cloidOf, shortDecimal } from '../../../src/venues/hyperliquid/wire.ts';
import { allowedTicksDown, allowedTicksUp } from '../../../src/money/significant-digits.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import { answer, fixtureText, hasFixtures, knownMarkets, META } from './fixtures.ts';

const { find } = knownMarkets();
const AT = { calendarMs: 1_790_000_000_000, monotonicMs: 1 };
const access = { restUrl: 'http://venue', user: `0x${'ab'.repeat(20)}`, markets: knownMarkets() };
const HOUR_MS = 3_600_000;

function answered(body: string, status = 200): HttpAnswered {
  return { type: 'http-answered', ref: 1, status, headers: {}, body };
}

describe('markets', () => {
  const { markets } = parseMeta(META);

  it('numbers them as listed, delisted ones included', () => {
    expect(markets.map(({ asset, instrument }) => [asset, instrument.symbol])).toEqual(
      META.universe.map(({ name }, index) => [index, name]),
    );
    expect(find('OLD')).toMatchObject({ isDelisted: true, instrument: { status: 'inactive' } });
  });

  it('derives steps, digits, margins and bundles', () => {
    expect(find('BTC')?.instrument).toMatchObject({
      priceDecimals: 1,
      tickUnits: 1,
      priceDigitsMax: 5,
      quantityDecimals: 5,
      lotUnits: 1,
      minNotionalMicro: 10_000_000n,
      maxLeverage: 40,
      maintenanceMarginRate: 12_500_000_000,
    });
    expect(find('kPEPE')?.instrument).toMatchObject({ base: 'PEPE', multiplier: 1000, priceDecimals: 6 });
    expect(find('MOODENG')?.isolatedOnly).toBe(true);
  });

  it('asks more margin of larger positions, by the table a market names', () => {
    const marginTables = [
      [
        56,
        {
          description: 'tiered',
          marginTiers: [
            { lowerBound: '0.0', maxLeverage: 40 },
            { lowerBound: '150000000.0', maxLeverage: 20 },
          ],
        },
      ],
      [57, { marginTiers: [{ lowerBound: 'x', maxLeverage: 3 }] }],
      'damaged',
    ];
    const market = (marginTableId: number) =>
      parseMeta({ marginTables, universe: [{ name: 'BTC', szDecimals: 5, maxLeverage: 40, marginTableId }] }).markets[0]
        ?.instrument;
    expect(market(56)?.marginTiers).toEqual([
      { fromMicro: 0n, maxLeverage: 40, maintenanceMarginRate: 12_500_000_000 },
      { fromMicro: 150_000_000_000_000n, maxLeverage: 20, maintenanceMarginRate: 25_000_000_000 },
    ]);
    expect(market(57)?.marginTiers).toBeUndefined();
    expect(market(40)?.marginTiers).toBeUndefined();
  });

  it('goes on behind a listing it cannot read, without shifting the numbers', () => {
    const damaged = parseMeta({ universe: [{ name: 'BTC' }, META.universe[1]] });
    expect(damaged.markets).toMatchObject([{ asset: 1, instrument: { symbol: 'ETH' } }]);
    expect(damaged.damaged).toHaveLength(1);
  });
});

describe('prices of five significant digits', () => {
  const btc = { priceDecimals: 1, tickUnits: 1, priceDigitsMax: 5 };
  test.each([
    [841_436, 841_430, 841_440],
    [1_234_567, 1_234_560, 1_234_570], // whole numbers are always allowed
    [99_999, 99_999, 99_999],
    [999_996, 999_990, 1_000_000],
    [12, 12, 12],
  ])('%i ticks of a tenth: %i below, %i above', (ticks, down, up) => {
    expect([allowedTicksDown(ticks, btc), allowedTicksUp(ticks, btc)]).toEqual([down, up]);
  });

  it('leaves instruments alone whose digits are not bounded', () => {
    expect(allowedTicksDown(1_234_567, { priceDecimals: 1, tickUnits: 1 })).toBe(1_234_567);
  });
});

test.each([
  ['100.0', '100'],
  ['100', '100'],
  ['0.0147000', '0.0147'],
  ['0.00', '0'],
])('writes %s as %s', (text, short) => {
  expect(shortDecimal(text)).toBe(short);
});

it('carries our ids in the venue’s and knows others’ by their size', () => {
  expect(cloidOf('10')).toBe('0x0000000000000000000000000000000a');
  expect(clientOrderIdOf(cloidOf('281474976710655'))).toBe('281474976710655');
  expect(clientOrderIdOf('0xe8d5fd7ebbb4c3cff4d1803472a11463')).toBe('');
  expect(clientOrderIdOf('')).toBe('');
});

describe.skipIf(!hasFixtures)('recorded answers (needs ../shared/venues/fixtures)', () => {
  it('reads the account: positions signed, wallet without what is unrealised', () => {
    const recorded = answer('info-clearinghouse-state/sdk-clearinghouseState-get_user_state') as {
      readonly time?: number;
    };
    const { events } = parseAccount({ ...recorded, time: recorded.time ?? 1_684_000_000_000 }, find);
    const snapshot = events.find((event) => event.type === 'positions-snapshot');
    expect(snapshot?.positions.find(({ symbol }) => symbol === 'BTC')).toEqual({
      symbol: 'BTC',
      signedLots: -785,
      entryPrice: '26951.0',
      liquidationPrice: '173198.69592357',
      leverage: 20,
    });
    expect(snapshot?.positions.find(({ symbol }) => symbol === 'ETH')).toMatchObject({ signedLots: 1334 });
    expect(events.some((event) => event.type === 'balance')).toBe(true);
  });

  it('reads a negative raw balance', () => {
    const { events } = parseAccount(
      answer('info-clearinghouse-state/nautilus-http_clearinghouse_state_negative_total_raw_usd'),
      find,
    );
    expect(events).toContainEqual({ type: 'balance', walletMicro: 1_736_030_875n, availableMicro: 772_232_111n });
  });

  it('reads fills of perpetuals, leaves spot and dust out, and refuses a fee in another coin', () => {
    const recorded = answer('info-user-fills/nautilus-http_user_fills_dust_conversion');
    const { known, unknown } = eachKnown(recorded, 'fills', (item) => parseFill(item, find));
    expect(known.map(({ symbol, fillId, lots, liquidity }) => [symbol, fillId, lots, liquidity])).toEqual([
      ['ARB', '17679709382320-481029459465', 85_523, 'maker'],
      ['JUP', '122379282851005-481029451261', 440, 'maker'],
    ]);
    expect(unknown).toEqual([{ type: 'venue-error', code: 'UNKNOWN_COIN', reason: 'fills name the coin MANTA' }]);
    expect(() => parseFill({ ...(recorded as object[])[0], feeToken: 'HYPE' }, find)).toThrow(
      /fill.feeToken must be USDC/,
    );
  });

  it('refuses fills without a trade number: nothing would tell them apart', () => {
    const [first] = answer('info-user-fills/sdk-userFills-get_user_fills-part1') as readonly unknown[];
    expect(() => parseFill(first, find)).toThrow(MalformedPayload);
  });

  it('reads open orders with triggers, and ended ones with the venue’s reason', () => {
    const operation = openOrdersOperation(access);
    const body = JSON.stringify(answer('info-frontend-open-orders/sdk-frontendOpenOrders-get_frontend_open_orders'));
    const [listed] = operation.parse(answered(body), AT).events;
    expect(listed).toMatchObject({ type: 'open-orders' });
    expect(listed?.type === 'open-orders' && listed.orders[0]).toMatchObject({
      symbol: 'INJ',
      side: 'sell',
      status: 'open',
      lots: 125,
      clientOrderId: '',
    });

    const [historical] = answer('info-historical-orders/sdk-historicalOrders-historical_orders') as readonly {
      order: unknown;
      status: string;
      statusTimestamp: number;
    }[];
    expect(parseOrder(historical?.order, historical?.status ?? '', historical?.statusTimestamp, find)).toMatchObject({
      symbol: 'TON',
      status: 'rejected',
      reason: 'iocCancelRejected',
      filledLots: 0,
      venueOrderId: '141682155424',
    });
  });

  it('finds an order by our id, and says when the venue knows none', () => {
    const operation = findOrderOperation(access, '10');
    expect(JSON.parse(operation.request.body ?? '')).toEqual({
      type: 'orderStatus',
      user: access.user,
      oid: cloidOf('10'),
    });
    expect(operation.parse(answered(fixtureText('info-order-status/constructed-open')), AT).events).toMatchObject([
      {
        type: 'order-update',
        order: { clientOrderId: '10', status: 'open', lots: 1_000, venueOrderId: '481029459465' },
      },
      { type: 'order-lookup', clientOrderId: '10', found: true },
    ]);
    expect(operation.parse(answered('{"status":"unknownOid"}'), AT).events).toEqual([
      { type: 'order-lookup', clientOrderId: '10', found: false },
    ]);
  });

  it('reads payments as cash flows of their hour', () => {
    const recorded = answer(
      'info-user-funding/sdk-userFunding-user_funding_history_with_end_time-part2',
    ) as readonly unknown[];
    expect(parsePayment(recorded[0], find)).toEqual({
      paymentId: 'BTC-1681948800000',
      symbol: 'BTC',
      amountMicro: 5_950_454n,
      rate: 100_810_000,
      signedLots: -68_582,
      settledAtMs: 1_681_948_800_000,
    });
  });

  it('reads contexts: mark, oracle, and a rate that is for one hour already', () => {
    const frame = JSON.parse(fixtureText('ws-active-asset-ctx/tardis-activeAssetCtx-7')) as { data: { ctx: unknown } };
    expect(parseContext('MOODENG', frame.data.ctx, 1_790_000_000_000)).toMatchObject([
      { type: 'mark', markTicksScaled: { markNano: 199_630_000n, indexNano: 199_500_000n } },
      {
        type: 'funding-rate',
        rate: { kind: 'predicted', hourly: 48_630_000, settleAtMs: Math.ceil(1_790_000_000_000 / HOUR_MS) * HOUR_MS },
      },
    ]);
  });

  it('reads settled rates newest last', () => {
    const operation = fundingHistoryOperation(access, 'BTC', 1_769_900_000_000, AT);
    const { events } = operation.parse(answered(fixtureText('info-funding-history/nautilus-http_funding_history')), AT);
    expect(events.map((event) => event.type === 'funding-rate' && [event.rate.hourly, event.rate.settleAtMs])).toEqual([
      [12_500_000, 1_769_907_600_000],
      [-8_100_000, 1_769_911_200_000],
      [3_300_000, 1_769_914_800_000],
    ]);
  });
});

describe('pages of fills', () => {
  const fill = (time: number): unknown => ({
    coin: 'BTC',
    px: '84143.0',
    sz: '0.01',
    side: 'B',
    time,
    oid: time,
    tid: time,
    fee: '0.1',
    feeToken: 'USDC',
    crossed: true,
  });
  const page = (times: readonly number[]): string => JSON.stringify(times.map(fill));
  const full = Array.from({ length: 2_000 }, (_, index) => 1_000 + index);

  it('goes on after a full page in whichever direction the venue lists', () => {
    const operation = fillsOperation(access, 500);
    const ascending = operation.parse(answered(page(full)), AT);
    expect(JSON.parse(ascending.next?.request.body ?? '')).toMatchObject({ startTime: 2_999 });
    const descending = operation.parse(answered(page(full.toReversed())), AT);
    expect(JSON.parse(descending.next?.request.body ?? '')).toMatchObject({ startTime: 500, endTime: 1_000 });
    expect(descending.events[0]).toMatchObject({ fill: { venueAtMs: 1_000 } });
  });

  it('ends with a page that is not full', () => {
    expect(fillsOperation(access, 500).parse(answered(page([1, 2])), AT).next).toBeUndefined();
  });
});

test.each([
  [200, 'User or API Wallet 0x12 does not exist.', 'fatal'],
  [200, 'Order could not immediately match against any resting orders. asset=0', 'state'],
  [200, 'Order must have minimum value of $10. asset=0', 'permanent'],
  [200, 'Something nobody has seen before', 'unknown-outcome'],
  [429, 'anything', 'rate-limit'],
  [502, '<html>', 'unknown-outcome'],
  [422, 'Failed to deserialize the JSON body into the target type', 'permanent'],
])('takes status %i with %j as %s', (status, text, refusal) => {
  expect(refusalClassOf(status, text)).toBe(refusal);
});
