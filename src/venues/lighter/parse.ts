/** Reads Lighter's markets, statistics, orders, trades, positions, balances and payments into exact types. Pure; any thread. */
import { fundingRateFromText, HOUR_MS } from '../../market/funding-rate.ts';
import type { FundingRate } from '../../market/funding-rate.ts';
import type { BookLevel } from '../../market/book.ts';
import type { Instrument } from '../../market/instrument.ts';
import { canonicalUnderlying } from '../../market/instrument-match.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import { divideDown, divideHalfEven, divideUp } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate, QuantityLots, SignedLots } from '../../money/units.ts';
import { asFields, isFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import type { FillReport, FundingPaymentReport, OrderReport, PositionReport, VenueEvent } from '../venue.ts';
import {
  asList,
  booleanField,
  countField,
  countOrZero,
  decimalField,
  idField,
  optionalText,
  rowsOf,
  textField,
  timeField,
} from './json.ts';
import type { LighterMarket } from './markets.ts';
import {
  FEE_SCALE,
  FEE_TICK_PICO,
  FUNDING_INTERVAL_MS,
  FUNDING_UNIT,
  PREMIUM_FORMULA,
  MARGIN_FRACTION_SCALE,
  PERP_MARKET_ID_MAX,
  USDC_ASSET_ID,
} from './wire.ts';

const MICRO_DECIMALS = 6;
const PICO_DECIMALS = 12;
/** More fraction digits than the venue ever writes. */
const FINE_DECIMALS = 30;
const PICO = 1e12;

/** Returns undefined for anything but a visible perpetual. */
export function parseMarket(value: unknown): LighterMarket | undefined {
  const market = asFields(value, 'market');
  const symbol = textField(market, 'symbol', 'market');
  const where = `market ${symbol}`;
  const marketId = countField(market, 'market_id', where);
  const config = isFields(market['market_config']) ? market['market_config'] : {};
  if (textField(market, 'market_type', where) !== 'perp' || marketId > PERP_MARKET_ID_MAX) return undefined;
  if (config['hidden'] === true) return undefined;

  const priceDecimals = countField(market, 'price_decimals', where);
  const quantityDecimals = countField(market, 'size_decimals', where);
  const minimumFraction = countField(market, 'min_initial_margin_fraction', where);
  if (minimumFraction === 0) throw malformed(`${where}.min_initial_margin_fraction`, 'above 0', minimumFraction);
  const maintenance = countField(market, 'maintenance_margin_fraction', where);
  const steps = { priceDecimals, tickUnits: 1, quantityDecimals, lotUnits: 1 };
  const status = textField(market, 'status', where);
  const { base, multiplier } = canonicalUnderlying(symbol);
  return {
    marketId,
    instrument: {
      venue: 'lighter',
      symbol,
      base,
      quote: 'USDC',
      multiplier,
      ...steps,
      minQuantityLots: quantityLotsFromText(textField(market, 'min_base_amount', where), steps),
      minNotionalMicro: decimalField(market, 'min_quote_amount', MICRO_DECIMALS, where) as MicroUnits,
      maxNotionalMicro: decimalField(market, 'order_quote_limit', MICRO_DECIMALS, where) as MicroUnits,
      maxLeverage: Math.floor(MARGIN_FRACTION_SCALE / minimumFraction),
      maintenanceMarginRate: ((maintenance * PICO) / MARGIN_FRACTION_SCALE) as PicoRate,
      // The market's default, until the account's own fees are read. Its unit is not documented: as a fraction it is never too low.
      makerFee: rateField(market, 'maker_fee', where),
      takerFee: rateField(market, 'taker_fee', where),
      fundingIntervalMs: FUNDING_INTERVAL_MS,
      fundingPrice: 'mark',
      premiumFormula: PREMIUM_FORMULA,
      status: status !== 'active' ? 'inactive' : config['force_reduce_only'] === true ? 'reduce-only' : 'active',
      ...volumeOf(market, where),
    },
  };
}

/** A size is bounded by it: a volume that is no amount must not stand for a large one. */
function volumeOf(market: Fields, where: string): Pick<Instrument, 'volume24hQuote'> {
  const volume = market['daily_quote_token_volume'];
  if (volume === undefined) return {};
  if (typeof volume !== 'number' || !(volume >= 0 && volume < Infinity))
    throw malformed(`${where}.daily_quote_token_volume`, 'a number of at least 0', volume);
  return { volume24hQuote: volume };
}

function rateField(fields: Fields, name: string, where: string): PicoRate {
  return Number(decimalField(fields, name, PICO_DECIMALS, where)) as PicoRate;
}

/** Book levels in any order, as the venue lists them; size 0 deletes. */
export function parseLevels(value: unknown, instrument: Instrument): BookLevel[] {
  return asList(value, 'book side').map((item) => {
    const level = asFields(item, 'book level');
    const price = textField(level, 'price', 'book level');
    const size = textField(level, 'size', 'book level');
    return [
      // A price of 0 goes to the general reader, which refuses it.
      plainSteps(price, instrument.priceDecimals) || priceTicksFromText(price, instrument),
      plainSteps(size, instrument.quantityDecimals) ?? quantityLotsFromText(size, instrument),
    ];
  });
}

const ZERO = 48;
const POINT = 46;

/**
 * Counts steps of text written with exactly the market's decimals, as the venue writes all of them; undefined for any other text,
 * which the general readers then accept or refuse. Every step of a Lighter market is one unit of its last decimal. A book frame has
 * dozens of these: this takes a tenth of the general way, which goes through BigInt.
 */
function plainSteps(text: string, decimals: number): number | undefined {
  const pointAt = decimals === 0 ? text.length : text.length - decimals - 1;
  // 15 digits always fit a double exactly.
  if (pointAt < 1 || text.length > 15) return undefined;
  let steps = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (index === pointAt) {
      if (code !== POINT) return undefined;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    steps = steps * 10 + digit;
  }
  return steps;
}

/** Mark, index and both funding rates of one market's statistics. `venueAtMs` is the frame's time. */
export function parseMarketStats(value: unknown, market: LighterMarket, venueAtMs: number): VenueEvent[] {
  const { symbol } = market.instrument;
  const where = `market_stats ${symbol}`;
  const stats = asFields(value, where);
  const markTicksScaled = {
    markNano: nanoField(stats, 'mark_price', where),
    indexNano: nanoField(stats, 'index_price', where),
  };
  const events: VenueEvent[] = [{ type: 'mark', symbol, markTicksScaled, venueAtMs }];

  // The last payment is stamped up to some ms after its hour; 0 in a market that never had one.
  const stampedAtMs = countOrZero(stats, 'funding_timestamp', where);
  const settledAtMs = Math.round(stampedAtMs / HOUR_MS) * HOUR_MS;
  const comingAtMs = settledAtMs + HOUR_MS >= venueAtMs - MINUTE_MS ? settledAtMs + HOUR_MS : nextHour(venueAtMs);
  events.push(
    fundingEvent('predicted', textField(stats, 'current_funding_rate', where), symbol, comingAtMs, venueAtMs),
  );
  if (settledAtMs > 0) {
    const raw = textField(stats, 'funding_rate', where);
    events.push(fundingEvent('settled', raw, symbol, settledAtMs, venueAtMs, { ofFeed: true }));
  }
  return events;
}

const MINUTE_MS = 60_000;

function nextHour(atMs: number): number {
  return (Math.floor(atMs / HOUR_MS) + 1) * HOUR_MS;
}

/** A rate that must not be used is named like any other unreadable text; the rest of its frame still counts. */
function fundingEvent(
  kind: FundingRate['kind'],
  raw: string,
  symbol: string,
  settleAtMs: number,
  venueAtMs: number,
  source: Pick<FundingRate, 'ofFeed'> = {},
): VenueEvent {
  const rate = fundingRateFromText({
    ...source,
    venue: 'lighter',
    symbol,
    kind,
    raw,
    unit: FUNDING_UNIT,
    intervalMs: FUNDING_INTERVAL_MS,
    settleAtMs,
    venueAtMs,
  });
  return 'rejected' in rate
    ? { type: 'bad-value', what: 'FUNDING_RATE', symbol, code: rate.rejected, detail: `${kind}: ${rate.detail}` }
    : { type: 'funding-rate', rate };
}

/** One settled hour of `/fundings`: the rate is unsigned, `direction` says who paid. Returns its time too, for paging. */
export function parseSettledRate(
  value: unknown,
  symbol: string,
): { readonly atMs: number; readonly event: VenueEvent } {
  const row = asFields(value, 'funding');
  const atMs = timeField(row, 'timestamp', 'funding');
  const direction = textField(row, 'direction', 'funding');
  if (direction !== 'long' && direction !== 'short') throw malformed('funding.direction', 'long or short', direction);
  const magnitude = textField(row, 'rate', 'funding');
  const settledAtMs = Math.round(atMs / HOUR_MS) * HOUR_MS;
  const raw = direction === 'short' ? `-${magnitude}` : magnitude;
  return { atMs, event: fundingEvent('settled', raw, symbol, settledAtMs, atMs) };
}

/** Marks have more digits than ticks: half-even to 1e-9 quote. */
function nanoField(fields: Fields, name: string, where: string): bigint {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), 10n ** BigInt(FINE_DECIMALS - 9));
}

/** The venue states some balances with more digits than a micro-unit: rounded down, against us. */
function moneyField(fields: Fields, name: string, where: string): MicroUnits {
  return divideDown(
    decimalField(fields, name, FINE_DECIMALS, where),
    10n ** BigInt(FINE_DECIMALS - MICRO_DECIMALS),
  ) as MicroUnits;
}

/** Collateral is cash: profit of open positions is not in it. From `user_stats.stats` and rows of `account`. */
export function parseCollateral(value: unknown, where: string): VenueEvent {
  const stats = asFields(value, where);
  return {
    type: 'balance',
    walletMicro: moneyField(stats, 'collateral', where),
    availableMicro: moneyField(stats, 'available_balance', where),
  };
}

/** The perpetuals collateral among the assets; undefined when the frame does not name it. */
export function parseAssets(value: unknown): VenueEvent | undefined {
  for (const row of rowsOf(value, 'assets')) {
    const asset = asFields(row, 'asset');
    if (asset['asset_id'] === USDC_ASSET_ID) {
      return { type: 'balance', walletMicro: moneyField(asset, 'margin_balance', 'asset USDC') };
    }
  }
  return undefined;
}

export function parsePosition(value: unknown, market: LighterMarket): PositionReport {
  const { instrument } = market;
  const where = `position ${instrument.symbol}`;
  const position = asFields(value, where);
  const sign = position['sign'];
  if (sign !== 1 && sign !== -1) throw malformed(`${where}.sign`, '1 or -1', sign);
  const lots = quantityLotsFromText(textField(position, 'position', where), instrument);
  const entryPrice = optionalText(position, 'avg_entry_price');
  const liquidationPrice = optionalText(position, 'liquidation_price');
  const fraction = Number(optionalText(position, 'initial_margin_fraction'));
  return {
    symbol: instrument.symbol,
    // Flat rows say 1; never -0.
    signedLots: (lots === 0 ? 0 : sign * lots) as SignedLots,
    ...(lots === 0 || entryPrice === undefined ? {} : { entryPrice }),
    ...(lots === 0 || liquidationPrice === undefined || Number(liquidationPrice) === 0 ? {} : { liquidationPrice }),
    // Percent with two decimals: 33.33 and 33.34 are both 3x, 38.00 is not.
    ...(fraction > 0 ? { leverage: Math.round(10_000 / fraction) / 100 } : {}),
  };
}

/** Open states; everything else has ended. `in-progress` is accepted and not yet executed. */
const LIVE_STATUSES: ReadonlySet<string> = new Set(['in-progress', 'pending', 'open']);

/** `receivedAtMs` dates rows of old servers that have no time at all. */
export function parseOrder(value: unknown, market: LighterMarket, receivedAtMs: number): OrderReport {
  const { instrument } = market;
  const where = `order ${instrument.symbol}`;
  const order = asFields(value, where);
  const clientOrderId = idField(order, 'client_order_id', 'client_order_index', where);
  const state = textField(order, 'status', where);
  const lots = quantityLotsFromText(textField(order, 'initial_base_amount', where), instrument);
  // Microseconds, and the only time fine enough to order the changes of one order.
  const transactionTime = countOrZero(order, 'transaction_time', where);
  const updatedAtMs = optionalTime(order, 'updated_at', where) ?? optionalTime(order, 'timestamp', where);
  const changedAtMs = transactionTime > 0 ? Math.floor(transactionTime / 1000) : (updatedAtMs ?? receivedAtMs);
  return {
    symbol: instrument.symbol,
    clientOrderId: clientOrderId === '0' ? '' : clientOrderId,
    venueOrderId: idField(order, 'order_id', 'order_index', where),
    status: statusOf(state, where),
    side: booleanField(order, 'is_ask', where) ? 'sell' : 'buy',
    lots,
    filledLots: quantityLotsFromText(textField(order, 'filled_base_amount', where), instrument),
    ...(state.startsWith('canceled-') ? { reason: state } : {}),
    ...(state === 'pending' ? { isWaiting: true } : {}),
    venueAtMs: changedAtMs,
    sequence: transactionTime > 0 ? transactionTime : (updatedAtMs ?? 0) * 1000,
  };
}

function optionalTime(fields: Fields, name: string, where: string): number | undefined {
  return fields[name] === undefined || fields[name] === 0 ? undefined : timeField(fields, name, where);
}

function statusOf(state: string, where: string): OrderReport['status'] {
  if (LIVE_STATUSES.has(state)) return 'open';
  if (state === 'filled') return 'filled';
  if (state === 'canceled-expired') return 'expired';
  if (state === 'canceled' || state.startsWith('canceled-')) return 'cancelled';
  throw malformed(`${where}.status`, 'an order status', state);
}

/** When an order was made, ms, if the row says so. */
export function orderCreatedAtMs(value: unknown): number | undefined {
  return optionalTime(asFields(value, 'order'), 'created_at', 'order');
}

/**
 * Our fills of a trade: none, one, or both sides of a trade with ourselves.
 *
 * The fee is our role's whole number of 1e-6 of `usd_amount`, which is exact to the micro-unit; a product between two micro-units is
 * rounded up against us, as the venue's ledger has no smaller unit.
 */
export function parseTrade(value: unknown, market: LighterMarket, accountIndex: number): FillReport[] {
  const { instrument } = market;
  const where = `trade ${instrument.symbol}`;
  const trade = asFields(value, where);
  const tradeId = idField(trade, 'trade_id_str', 'trade_id', where);
  const isMakerAsk = booleanField(trade, 'is_maker_ask', where);
  const usdMicro = decimalField(trade, 'usd_amount', MICRO_DECIMALS, where);
  const forced = forcedBy(optionalText(trade, 'type'));
  const sides = (['ask', 'bid'] as const).filter((side) => trade[`${side}_account_id`] === accountIndex);
  return sides.map((side) => {
    const isMaker = (side === 'ask') === isMakerAsk;
    const fee = BigInt(feeTicks(trade, isMaker ? 'maker_fee' : 'taker_fee', where));
    const clientOrderId = idField(trade, `${side}_client_id_str`, `${side}_client_id`, where);
    return {
      fillId: sides.length === 1 ? tradeId : `${tradeId}:${side}`,
      symbol: instrument.symbol,
      clientOrderId: clientOrderId === '0' ? '' : clientOrderId,
      venueOrderId: idField(trade, `${side}_id_str`, `${side}_id`, where),
      side: side === 'ask' ? 'sell' : 'buy',
      priceTicks: priceTicksFromText(textField(trade, 'price', where), instrument),
      lots: quantityLotsFromText(textField(trade, 'size', where), instrument),
      feeMicro: -divideUp(usdMicro * fee, FEE_SCALE) as MicroUnits,
      liquidity: isMaker ? 'maker' : 'taker',
      venueAtMs: timeField(trade, 'timestamp', where),
      ...forced,
    };
  });
}

/** Both sides of a forced trade are told so: what matters is whether the order was ours. */
function forcedBy(type: string | undefined): Pick<FillReport, 'forced'> {
  if (type === 'liquidation') return { forced: 'liquidation' };
  return type === 'deleverage' ? { forced: 'adl' } : {};
}

/** Whole 1e-6 of notional; the venue leaves zero out. A rebate is negative. */
function feeTicks(fields: Fields, name: string, where: string): number {
  const value = fields[name] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw malformed(`${where}.${name}`, 'a whole number', value);
  }
  return value;
}

/** The fees of the account's tier, from `accountLimits`. */
export function parseFeeTier(value: unknown): VenueEvent {
  const limits = asFields(value, 'accountLimits');
  const fee = (name: string): PicoRate => (feeTicks(limits, name, 'accountLimits') * FEE_TICK_PICO) as PicoRate;
  return { type: 'fee-tier', makerFee: fee('current_maker_fee_tick'), takerFee: fee('current_taker_fee_tick') };
}

/**
 * A funding payment. `change` is our cash flow. The venue numbers rounds per market, so only both together are an id; times up to
 * some minutes after the hour mean the hour.
 */
export function parseFundingPayment(value: unknown, market: LighterMarket): FundingPaymentReport {
  const { instrument, marketId } = market;
  const where = `position funding ${instrument.symbol}`;
  const row = asFields(value, where);
  const side = textField(row, 'position_side', where);
  if (side !== 'long' && side !== 'short') throw malformed(`${where}.position_side`, 'long or short', side);
  const lots: QuantityLots = quantityLotsFromText(textField(row, 'position_size', where), instrument);
  return {
    paymentId: `${marketId}:${idField(row, 'funding_id_str', 'funding_id', where)}`,
    symbol: instrument.symbol,
    amountMicro: decimalField(row, 'change', MICRO_DECIMALS, where) as MicroUnits,
    rate: fineRate(textField(row, 'rate', where), where),
    signedLots: (side === 'short' ? -lots : lots) as SignedLots,
    settledAtMs: settledHour(timeField(row, 'timestamp', where)),
  };
}

const SETTLEMENT_LATE_MS = 5 * MINUTE_MS;

function settledHour(atMs: number): number {
  const hour = Math.round(atMs / HOUR_MS) * HOUR_MS;
  return Math.abs(atMs - hour) <= SETTLEMENT_LATE_MS ? hour : atMs;
}

function fineRate(text: string, where: string): PicoRate {
  const units = parseDecimal(text, FINE_DECIMALS);
  if (units === undefined) throw malformed(`${where}.rate`, 'a plain decimal', text);
  return Number(divideHalfEven(units, 10n ** BigInt(FINE_DECIMALS - PICO_DECIMALS))) as PicoRate;
}

/** When a row of trades or payments happened, ms. */
export function rowTimeMs(value: unknown, where: string): number {
  return timeField(asFields(value, where), 'timestamp', where);
}
