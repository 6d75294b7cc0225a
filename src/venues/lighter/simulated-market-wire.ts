/** The simulated Lighter venue's markets in its wire shapes: statistics, listings, settled rates, resting orders of others. Pure; any thread. */
import type { Instrument } from '../../market/instrument.ts';
import { priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import type { Exchange, ExchangeFunding, ExchangeStats } from '../../simulation/exchange.ts';
import type { WireValue } from './simulated-json.ts';
import { feeTicks, micro, OUTSIDE_ACCOUNT, OUTSIDE_ORDER_BASE, seconds, trimmed } from './simulated-wire.ts';
import type { SimulatedMarket, WireFields } from './simulated-wire.ts';
import { MARGIN_FRACTION_SCALE } from './wire.ts';

type Book = ReturnType<Exchange['book']>;

/** 1e-9 quote as text with the market's price digits, half-even. */
function nanoPrice(nano: bigint, { priceDecimals }: Instrument): string {
  return formatDecimal(divideHalfEven(nano, 10n ** BigInt(9 - priceDecimals)), priceDecimals);
}

/** A rate in pico units as percent: four decimals as on the venue, more only where the rate has them. */
function percentText(pico: number): string {
  return trimmed(formatDecimal(BigInt(Math.round(pico)), 10), 4);
}

export function marketStatsJson(market: SimulatedMarket, stats: ExchangeStats, book: Book): WireValue {
  const { instrument, marketId } = market;
  const price = Number(stats.markNano) / 1e9;
  return {
    symbol: stats.symbol,
    market_id: marketId,
    index_price: nanoPrice(stats.indexNano, instrument),
    mark_price: nanoPrice(stats.markNano, instrument),
    mid_price: midPrice(book, stats, instrument),
    open_interest: (stats.openInterestBase * price).toFixed(6),
    open_interest_limit: '72057594037927936.000000',
    funding_clamp_small: '0.0500',
    funding_clamp_big: '4.0000',
    base_interest_rate: '0.0100',
    last_trade_price: priceText(stats.lastTradeTicks, instrument),
    current_funding_rate: percentText(stats.predictedHourlyPico),
    funding_rate: percentText(stats.settledHourlyPico),
    funding_timestamp: Math.floor(stats.settledAtMs),
    ...dailyJson(stats, price),
  };
}

function midPrice(book: Book, stats: ExchangeStats, instrument: Instrument): string {
  const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
  if (bid === undefined || ask === undefined) return priceText(stats.lastTradeTicks, instrument);
  return formatDecimal(divideHalfEven(BigInt(bid) + BigInt(ask), 2n), instrument.priceDecimals);
}

/** The exchange keeps no daily extremes: the day looks as if it had been quiet. */
function dailyJson(stats: ExchangeStats, price: number): WireFields {
  return {
    daily_base_token_volume: stats.volume24hBase,
    daily_quote_token_volume: stats.volume24hQuote,
    daily_price_low: price,
    daily_price_high: price,
    daily_price_change: 0,
  };
}

/** One row of `orderBooks`. */
export function orderBookJson({ instrument, marketId }: SimulatedMarket): WireFields {
  return {
    symbol: instrument.symbol,
    market_id: marketId,
    market_type: 'perp',
    base_asset_id: 0,
    quote_asset_id: 0,
    status: instrument.status === 'inactive' ? 'inactive' : 'active',
    taker_fee: formatDecimal(BigInt(feeTicks(instrument.takerFee)), 4),
    is_taker_fee_enabled: true,
    maker_fee: formatDecimal(BigInt(feeTicks(instrument.makerFee)), 4),
    is_maker_fee_enabled: true,
    liquidation_fee: '1.0000',
    min_base_amount: quantityText(instrument.minQuantityLots, instrument),
    min_quote_amount: micro(instrument.minNotionalMicro),
    order_quote_limit: micro(instrument.maxNotionalMicro),
    supported_size_decimals: instrument.quantityDecimals,
    supported_price_decimals: instrument.priceDecimals,
    supported_quote_decimals: 6,
  };
}

/** One row of `orderBookDetails`. */
export function orderBookDetailsJson(market: SimulatedMarket, stats: ExchangeStats): WireValue {
  const { instrument } = market;
  const maintenance = Math.round(instrument.maintenanceMarginRate / (1e12 / MARGIN_FRACTION_SCALE));
  const initial = minInitialMarginFraction(instrument);
  return {
    ...orderBookJson(market),
    size_decimals: instrument.quantityDecimals,
    price_decimals: instrument.priceDecimals,
    quote_multiplier: 1,
    default_initial_margin_fraction: Math.max(500, initial),
    min_initial_margin_fraction: initial,
    maintenance_margin_fraction: maintenance,
    closeout_margin_fraction: Math.floor((maintenance * 2) / 3),
    last_trade_price: Number(priceText(stats.lastTradeTicks, instrument)),
    daily_trades_count: 0,
    ...dailyJson(stats, Number(stats.markNano) / 1e9),
    open_interest: stats.openInterestBase,
    daily_chart: {},
    market_config: {
      market_margin_mode: 0,
      insurance_fund_account_index: 281_474_976_710_655,
      liquidation_mode: 0,
      force_reduce_only: instrument.status === 'reduce-only',
      trading_hours: '',
      funding_fee_discounts_enabled: false,
      hidden: false,
      rfq_enabled: true,
    },
    strategy_index: 2,
  };
}

/** In 1/10000, rounded up: never more leverage than the market allows. */
export function minInitialMarginFraction(instrument: Instrument): number {
  return Math.ceil(MARGIN_FRACTION_SCALE / instrument.maxLeverage);
}

/** One row of `fundings`: what one unit of base paid, and an unsigned percentage with its direction. */
export function fundingJson(funding: ExchangeFunding): WireValue {
  const pico = BigInt(Math.abs(funding.ratePico));
  return {
    timestamp: seconds(funding.settledAtMs),
    value: formatDecimal(divideHalfEven(funding.priceNano * pico, 10n ** 13n), 8),
    rate: percentText(Math.abs(funding.ratePico)),
    direction: funding.ratePico < 0 ? 'short' : 'long',
  };
}

/** The book's levels as individual orders of others, best first. */
export function bookOrdersJson(
  levels: readonly (readonly [number, number])[],
  limit: number,
  { instrument }: SimulatedMarket,
): WireValue {
  return levels.slice(0, limit).map(([ticks, lots], index) => {
    const id = OUTSIDE_ORDER_BASE + BigInt(ticks) * 1_000n + BigInt(index);
    return {
      order_index: id,
      order_id: id.toString(),
      owner_account_index: OUTSIDE_ACCOUNT,
      initial_base_amount: quantityText(lots, instrument),
      remaining_base_amount: quantityText(lots, instrument),
      price: priceText(ticks, instrument),
      order_expiry: 0,
      transaction_time: 0,
    };
  });
}
