/** Reads Extended's markets, statistics, orders, fills, positions, balances and payments into exact types. Pure; connector thread. */
import { fundingRateFromText, HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import { boundedMarginTiers } from '../../market/margin-tiers.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import { divideHalfEven, divideUp } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import { asFields, isFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { reportSequence } from '../report-sequence.ts';
import type { FillReport, FundingPaymentReport, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import {
  amountDown,
  decimalField,
  FINE_DECIMALS,
  idField,
  MICRO_FROM_FINE,
  nanoField,
  optionalText,
  picoField,
  textField,
  timeField,
} from './json.ts';
import type { SettlementMarket } from './sign.ts';
import { PREMIUM_FORMULA } from './wire.ts';
import type { WireOrderStatus } from './wire.ts';

/** One perpetual market: what everybody may know and what only the signer needs. */
export interface ExtendedMarket {
  readonly instrument: Instrument;
  readonly settlement: SettlementMarket;
  /** False for request-for-quote markets: their book is only indicative, they are not offered for trading. */
  readonly tradable: boolean;
}
export type FindMarket = (symbol: string) => ExtendedMarket | undefined;

/** Taker 0.025 %, maker 0: the published fees, until the account's own are read. */
const TAKER_FEE = 250_000_000 as PicoRate;
const MAKER_FEE = 0 as PicoRate;

/** Returns undefined for anything but a perpetual. Old servers send neither `type` nor `isRfq`. */
export function parseMarket(value: unknown): ExtendedMarket | undefined {
  const market = asFields(value, 'market');
  const type = optionalText(market, 'type');
  if (type !== undefined && type !== 'PERPETUAL') return undefined;
  const symbol = textField(market, 'name', 'market');
  const where = `market ${symbol}`;
  const config = asFields(market['tradingConfig'], `${where}.tradingConfig`);
  const layer = asFields(market['l2Config'], `${where}.l2Config`);
  const price = stepField(config, 'minPriceChange', where);
  const quantity = stepField(config, 'minOrderSizeChange', where);
  const minimum = decimalField(config, 'minOrderSize', quantity.decimals, where);
  const base = textField(market, 'assetName', where);
  const bands = ['limitPriceCap', 'limitPriceFloor']
    .filter((name) => config[name] !== undefined)
    .map((name) => picoField(config, name, where));
  const orderValue = decimalField(config, 'maxLimitOrderValue', 6, where);
  const positionValue = decimalField(config, 'maxPositionValue', 6, where);
  const { multiplier, underlying } = multiplierOf(base);
  return {
    instrument: {
      venue: 'extended',
      symbol,
      base: underlying,
      quote: textField(market, 'collateralAssetName', where),
      multiplier,
      priceDecimals: price.decimals,
      tickUnits: price.units,
      quantityDecimals: quantity.decimals,
      lotUnits: quantity.units,
      minQuantityLots: Number(divideUp(minimum, BigInt(quantity.units))) as QuantityLots,
      minNotionalMicro: 0n as MicroUnits,
      maxNotionalMicro: (orderValue < positionValue ? orderValue : positionValue) as MicroUnits,
      maxLeverage: Math.floor(Number(textField(config, 'maxLeverage', where))),
      maintenanceMarginRate: maintenanceRate(config, where),
      ...tiersOf(config),
      makerFee: MAKER_FEE,
      takerFee: TAKER_FEE,
      fundingIntervalMs: HOUR_MS,
      fundingPrice: 'mark',
      premiumFormula: PREMIUM_FORMULA,
      status: statusOf(market),
      ...(bands.length === 0 ? {} : { priceBand: Math.min(...bands) as PicoRate }),
      ...volumeOf(market, where),
    },
    settlement: {
      syntheticId: textField(layer, 'syntheticId', where),
      syntheticResolution: textField(layer, 'syntheticResolution', where),
      collateralId: textField(layer, 'collateralId', where),
      collateralResolution: textField(layer, 'collateralResolution', where),
    },
    tradable: market['isRfq'] !== true,
  };
}

/** Contracts of cheap coins come in bundles named after their size, for example 1000PEPE. */
function multiplierOf(asset: string): { readonly multiplier: number; readonly underlying: string } {
  const bundle = /^(1000+)([A-Z].*)$/.exec(asset);
  const underlying = bundle?.[2];
  return underlying === undefined
    ? { multiplier: 1, underlying: asset }
    : { multiplier: Number(bundle?.[1]), underlying };
}

/** A step such as "0.05" or "10": its decimals and its whole units of them. */
function stepField(config: Fields, name: string, where: string): { readonly decimals: number; readonly units: number } {
  const text = textField(config, name, where);
  const fraction = /^\d+(?:\.(\d*?)0*)?$/.exec(text)?.[1] ?? '';
  const units = parseDecimal(text, fraction.length);
  if (units === undefined || units <= 0n || units > 1_000_000_000n)
    throw malformed(`${where}.${name}`, 'a positive step', text);
  return { decimals: fraction.length, units: Number(units) };
}

/**
 * The venue publishes a risk factor per position size, not the maintenance rate itself. The first factor is used whole: it may
 * overstate maintenance, so a liquidation price computed from it is never farther away than the real one.
 */
function maintenanceRate(config: Fields, where: string): PicoRate {
  const tiers = config['riskFactorConfig'];
  const first: unknown = Array.isArray(tiers) ? tiers[0] : undefined;
  if (first !== undefined) return picoField(asFields(first, `${where}.riskFactorConfig`), 'riskFactor', where);
  return Math.ceil(1e12 / Number(textField(config, 'maxLeverage', where))) as PicoRate;
}

/**
 * Initial margin rises with the position's value, and maintenance is taken to be all of it, as above. A table that cannot be read
 * leaves the terms of the smallest positions, and the venue refuses what exceeds its own.
 */
function tiersOf(config: Fields): Pick<Instrument, 'marginTiers'> {
  const rows: unknown = config['riskFactorConfig'];
  const marketMax = Math.floor(Number(config['maxLeverage']));
  const marginTiers = boundedMarginTiers(
    (Array.isArray(rows) ? rows : []).map((row: unknown) => {
      const fields = isFields(row) ? row : {};
      const factor = Number(optionalText(fields, 'riskFactor') ?? Number.NaN);
      const maxLeverage = Math.min(marketMax, Math.floor(1 / factor + 1e-9));
      return { upperBound: optionalText(fields, 'upperBound') ?? '', maxLeverage, maintenance: factor };
    }),
  );
  return marginTiers === undefined ? {} : { marginTiers };
}

/** A size is bounded by it: a volume that is no amount must not stand for a large one. */
function volumeOf(market: Fields, where: string): Pick<Instrument, 'volume24hQuote'> {
  const stats = market['marketStats'];
  const text = stats === undefined ? undefined : optionalText(asFields(stats, `${where}.marketStats`), 'dailyVolume');
  if (text === undefined) return {};
  if (!/^\d+(\.\d+)?$/.test(text)) throw malformed(`${where}.dailyVolume`, 'a plain decimal of at least 0', text);
  return { volume24hQuote: Number(text) };
}

function statusOf(market: Fields): Instrument['status'] {
  const status = optionalText(market, 'status') ?? 'ACTIVE';
  if (status === 'REDUCE_ONLY') return 'reduce-only';
  return status === 'ACTIVE' && market['active'] !== false ? 'active' : 'inactive';
}

/** Mark, index and predicted funding of one market from its statistics. */
export function parseMarketStats(symbol: string, value: unknown, nowMs: number): readonly VenueEvent[] {
  const where = `stats of ${symbol}`;
  const stats = asFields(value, where);
  return [
    {
      type: 'mark',
      symbol,
      markTicksScaled: {
        markNano: nanoField(stats, 'markPrice', where),
        indexNano: nanoField(stats, 'indexPrice', where),
      },
      venueAtMs: nowMs,
    },
    // Despite its name, `nextFundingRate` is the time of the next payment.
    rateEvent(
      symbol,
      'predicted',
      textField(stats, 'fundingRate', where),
      timeField(stats, ['nextFundingRate'], where),
      nowMs,
    ),
  ];
}

/** An applied rate `{m, T, f}`. */
export function parseAppliedRate(value: unknown): VenueEvent {
  const applied = asFields(value, 'applied rate');
  const settledAtMs = timeField(applied, ['T'], 'applied rate');
  return rateEvent(
    textField(applied, 'm', 'applied rate'),
    'settled',
    textField(applied, 'f', 'applied rate'),
    settledAtMs,
    settledAtMs,
  );
}

function rateEvent(
  symbol: string,
  kind: 'predicted' | 'settled',
  raw: string,
  settleAtMs: number,
  venueAtMs: number,
): VenueEvent {
  // All of this venue's published rates are fractions per hour.
  const unit = { scale: 'fraction', perMs: HOUR_MS } as const;
  const rate = fundingRateFromText({
    venue: 'extended',
    symbol,
    kind,
    raw,
    unit,
    intervalMs: HOUR_MS,
    settleAtMs,
    venueAtMs,
  });
  if ('rejected' in rate)
    return { type: 'bad-value', what: 'FUNDING_RATE', symbol, code: rate.rejected, detail: `${kind}: ${rate.detail}` };
  return { type: 'funding-rate', rate };
}

export function parseBalance(value: unknown): Extract<VenueEvent, { type: 'balance' }> {
  const balance = asFields(value, 'balance');
  return {
    type: 'balance',
    walletMicro: amountDown(balance, 'balance', 'balance'),
    availableMicro: amountDown(balance, 'availableForTrade', 'balance'),
  };
}

/** Returns undefined when the market is none we know. */
export function parsePosition(value: unknown, find: FindMarket): PositionReport | undefined {
  const position = asFields(value, 'position');
  const market = find(textField(position, 'market', 'position'));
  if (market === undefined) return undefined;
  const lots = quantityLotsFromText(textField(position, 'size', 'position'), market.instrument);
  const entryPrice = optionalText(position, 'openPrice');
  const liquidationPrice = optionalText(position, 'liquidationPrice');
  const leverage = optionalText(position, 'leverage');
  return {
    symbol: market.instrument.symbol,
    signedLots: (direction(position, 'position') === 'long' ? lots : -lots + 0) as SignedLots,
    ...(entryPrice === undefined ? {} : { entryPrice }),
    ...(liquidationPrice === undefined ? {} : { liquidationPrice }),
    ...(leverage === undefined ? {} : { leverage: Number(leverage) }),
  };
}

function direction(fields: Fields, where: string): 'long' | 'short' {
  const side = fields['side'];
  if (side === 'LONG') return 'long';
  if (side === 'SHORT') return 'short';
  throw malformed(`${where}.side`, 'LONG or SHORT', side);
}

function sideField(fields: Fields, where: string): 'buy' | 'sell' {
  const side = fields['side'];
  if (side === 'BUY') return 'buy';
  if (side === 'SELL') return 'sell';
  throw malformed(`${where}.side`, 'BUY or SELL', side);
}

const STATUS: Readonly<Record<WireOrderStatus, OrderReport['status']>> = {
  NEW: 'open',
  PARTIALLY_FILLED: 'open',
  UNTRIGGERED: 'open',
  TRIGGERED: 'open',
  FILLED: 'filled',
  CANCELLED: 'cancelled',
  REJECTED: 'rejected',
  EXPIRED: 'expired',
};
const STATUSES: ReadonlyMap<string, OrderReport['status']> = new Map(Object.entries(STATUS));

/** Returns undefined when the market is none we know. */
export function parseOrder(value: unknown, find: FindMarket): OrderReport | undefined {
  const order = asFields(value, 'order');
  const market = find(textField(order, 'market', 'order'));
  if (market === undefined) return undefined;
  const stated = textField(order, 'status', 'order');
  const status = STATUSES.get(stated);
  if (status === undefined) throw malformed('order.status', 'a known status', order['status']);
  const lots = quantityLotsFromText(textField(order, 'qty', 'order'), market.instrument);
  const filledText = optionalText(order, 'filledQty');
  const filledLots = filledText === undefined ? undefined : quantityLotsFromText(filledText, market.instrument);
  const reason = optionalText(order, 'statusReason');
  const venueAtMs = timeField(order, ['updatedTime', 'updatedAt', 'createdTime', 'createdAt'], 'order');
  return {
    symbol: market.instrument.symbol,
    clientOrderId: optionalText(order, 'externalId') ?? '',
    venueOrderId: idField(order, 'id', 'order'),
    status,
    side: sideField(order, 'order'),
    lots,
    ...(filledLots === undefined ? {} : { filledLots }),
    ...(reason === undefined || reason === 'NONE' ? {} : { reason }),
    ...(stated === 'UNTRIGGERED' ? { isWaiting: true } : {}),
    venueAtMs,
    sequence: reportSequence({ venueAtMs, lots, filledLots: filledLots ?? 0, isOpen: status === 'open' }),
  };
}

/** Returns undefined when the market is none we know. `clientOrderIdOf` fills in what the venue left out. */
export function parseFill(
  value: unknown,
  find: FindMarket,
  clientOrderIdOf: (venueOrderId: string) => string | undefined,
): FillReport | undefined {
  const fill = asFields(value, 'fill');
  const market = find(textField(fill, 'market', 'fill'));
  if (market === undefined) return undefined;
  const venueOrderId = idField(fill, 'orderId', 'fill');
  // `fee` is a cost, negative for a rebate: the cash flow is its opposite, rounded against us should it ever be finer than a micro-unit.
  const feeCost = divideUp(decimalField(fill, 'fee', FINE_DECIMALS, 'fill'), MICRO_FROM_FINE);
  return {
    fillId: idField(fill, 'id', 'fill'),
    symbol: market.instrument.symbol,
    clientOrderId:
      optionalText(fill, 'externalOrderId') ?? optionalText(fill, 'externalId') ?? clientOrderIdOf(venueOrderId) ?? '',
    venueOrderId,
    side: sideField(fill, 'fill'),
    priceTicks: priceTicksFromText(textField(fill, 'price', 'fill'), market.instrument),
    lots: quantityLotsFromText(textField(fill, 'qty', 'fill'), market.instrument),
    feeMicro: -feeCost as MicroUnits,
    liquidity: fill['isTaker'] === true ? 'taker' : 'maker',
    venueAtMs: timeField(fill, ['createdTime', 'createdAt'], 'fill'),
    ...forcedBy(optionalText(fill, 'tradeType')),
  };
}

function forcedBy(tradeType: string | undefined): Pick<FillReport, 'forced'> {
  if (tradeType === 'LIQUIDATION') return { forced: 'liquidation' };
  return tradeType === 'DELEVERAGE' ? { forced: 'adl' } : {};
}

/** Returns undefined when the market is none we know. `fundingFee` is the cash flow: positive when received. */
export function parseFundingPayment(value: unknown, find: FindMarket): FundingPaymentReport | undefined {
  const payment = asFields(value, 'funding payment');
  const market = find(textField(payment, 'market', 'funding payment'));
  if (market === undefined) return undefined;
  const lots = quantityLotsFromText(textField(payment, 'size', 'funding payment'), market.instrument);
  return {
    paymentId: idField(payment, 'id', 'funding payment'),
    symbol: market.instrument.symbol,
    amountMicro: divideHalfEven(
      decimalField(payment, 'fundingFee', FINE_DECIMALS, 'funding payment'),
      MICRO_FROM_FINE,
    ) as MicroUnits,
    rate: Number(
      divideHalfEven(
        decimalField(payment, 'fundingRate', FINE_DECIMALS, 'funding payment'),
        10n ** BigInt(FINE_DECIMALS - 12),
      ),
    ) as PicoRate,
    signedLots: (direction(payment, 'funding payment') === 'long' ? lots : -lots + 0) as SignedLots,
    settledAtMs: timeField(payment, ['paidTime'], 'funding payment'),
  };
}

/** Account fee rates of one market. */
export function parseFees(value: unknown): Extract<VenueEvent, { type: 'fee-tier' }> {
  const fees = asFields(value, 'fees');
  return {
    type: 'fee-tier',
    symbol: textField(fees, 'market', 'fees'),
    makerFee: picoField(fees, 'makerFeeRate', 'fees'),
    takerFee: picoField(fees, 'takerFeeRate', 'fees'),
  };
}
