/** Simulated Advanced Trade's facts in its wire shapes: decimal texts, RFC 3339 times, contracts counted whole. Pure; any thread. */
import { microText, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import { isoOfEpochMs } from '../iso-time.ts';
import { idOfUuid, uuidOf } from './wire.ts';

export type Json = Readonly<Record<string, unknown>>;
type BookSides = ReturnType<Exchange['book']>;
type Wallet = ReturnType<Exchange['wallet']>;

const NANO_DECIMALS = 9;
const PICO_DECIMALS = 12;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** The exchange's trading day begins and ends at this hour, UTC. */
const SESSION_HOUR_MS = 21 * 3_600_000;
/** 2030-12-20T16:00:00Z. */
const EXPIRES_AT_MS = 1_924_012_800_000;
/** Largest order of a product that states none. */
const CONTRACTS_MAX = 100_000;

/** The venue's id spaces: orders are named by UUIDs, trades too. */
export interface AdvancedIds {
  order(orderNumber: number): string;
  /** The number of an order by its id; NaN for anything else. */
  orderNumber(id: string): number;
  trade(tradeNumber: number): string;
}

/** Returns the id spaces of one venue; different seeds give different ids. */
export function advancedIds(seed: number): AdvancedIds {
  const uuid = (kind: string, number: number): string =>
    `${(seed >>> 0).toString(16).padStart(8, '0')}-${kind}-4000-8000-${number.toString(16).padStart(12, '0')}`;
  return {
    order: (number) => uuid('0a0d', number),
    orderNumber: (id) => {
      const number = Number.parseInt(id.slice(-12), 16);
      return uuid('0a0d', number) === id ? number : Number.NaN;
    },
    trade: (number) => uuid('7ade', number),
  };
}

/** The exchange's own name of an order that a client named so: our ids are plain numbers there, others' stay recognisable. */
export function bareClientId(text: string): string {
  return idOfUuid(text) || (text === '' ? '' : `:${text}`);
}
export function wireClientId(bare: string): string {
  return bare.startsWith(':') || bare === '' ? bare.slice(1) : uuidOf(bare);
}

/** RFC 3339 without a fraction where there is none. */
export function iso(epochMs: number): string {
  return isoOfEpochMs(epochMs).replace('.000Z', 'Z');
}
export const nanoText = (nano: bigint): string => trimmed(formatDecimal(nano, NANO_DECIMALS));

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
const money = (micro: bigint): string => trimmed(microText(micro));
/** An amount as REST writes it. */
export const dollars = (micro: bigint): Json => ({ value: money(micro), currency: 'USD' });

/** The name under which the underlying is traded against dollars at the spot exchange. */
export function spotProductOf(base: string): string {
  return `${base}-USD`;
}

export function maxContractsOf(instrument: Instrument): number {
  return instrument.maxQuantityLots ?? CONTRACTS_MAX;
}

/** Half way between the best prices, or the mark of an empty book. */
export function midNano(instrument: Instrument, book: BookSides, stats: ExchangeStats): bigint {
  const [bid, ask] = [book.bids[0], book.asks[0]];
  if (bid === undefined || ask === undefined) return stats.markNano;
  const units = BigInt(bid[0] + ask[0]) * BigInt(instrument.tickUnits);
  return divideHalfEven(units * 10n ** BigInt(NANO_DECIMALS - instrument.priceDecimals), 2n);
}

/** A future: its funding rate is the one settled last, at the time stated. */
export function futureJson(instrument: Instrument, stats: ExchangeStats, book: BookSides, nowMs: number): Json {
  const { symbol, base } = instrument;
  const code = symbol.split('-')[0] ?? symbol;
  const margin = trimmed(formatDecimal(BigInt(instrument.maintenanceMarginRate), PICO_DECIMALS));
  const rates = { long_margin_rate: margin, short_margin_rate: margin };
  const dayMs = Math.floor((nowMs - SESSION_HOUR_MS) / DAY_MS) * DAY_MS + SESSION_HOUR_MS;
  const isOff = instrument.status === 'inactive';
  const hourlyToInterval = BigInt(Math.round(instrument.fundingIntervalMs / 3_600_000));
  const contracts = Math.floor(stats.volume24hBase / Number(quantityText(1, instrument)));
  return {
    ...productFrame(symbol),
    price: priceText(stats.lastTradeTicks, instrument),
    volume_24h: String(contracts),
    base_increment: '1',
    quote_increment: '0.01',
    quote_min_size: '0',
    quote_max_size: '100000000',
    base_min_size: String(instrument.minQuantityLots),
    base_max_size: String(maxContractsOf(instrument)),
    base_name: '',
    status: '',
    trading_disabled: isOff,
    product_type: 'FUTURE',
    base_currency_id: '',
    fcm_trading_session_details: {
      is_session_open: true,
      open_time: iso(dayMs),
      close_time: iso(dayMs + DAY_MS),
      session_state: 'FCM_TRADING_SESSION_STATE_OPEN',
      after_hours_order_entry_disabled: false,
      closed_reason: 'FCM_TRADING_SESSION_CLOSED_REASON_UNDEFINED',
      maintenance: null,
    },
    mid_market_price: nanoText(midNano(instrument, book, stats)),
    base_display_symbol: '',
    price_increment: trimmed(priceText(1, instrument)),
    display_name: `${base} PERP`,
    product_venue: 'FCM',
    approximate_quote_24h_volume: String(Math.floor(stats.volume24hQuote)),
    future_product_details: {
      venue: 'cde',
      contract_code: code,
      contract_expiry: iso(EXPIRES_AT_MS),
      contract_size: trimmed(quantityText(1, instrument)),
      contract_root_unit: base,
      group_description: `nano ${base} Perp Futures`,
      contract_expiry_timezone: 'Europe/London',
      group_short_description: `nano ${base} Perp`,
      risk_managed_by: 'MANAGED_BY_FCM',
      contract_expiry_type: 'EXPIRING',
      // The venue leaves this empty and says the same further down.
      perpetual_details: {
        open_interest: '',
        funding_rate: '',
        funding_time: null,
        max_leverage: '',
        base_asset_uuid: '',
        underlying_type: '',
      },
      contract_display_name: `${base} PERP`,
      time_to_expiry_ms: String(Math.max(0, Math.floor(EXPIRES_AT_MS - nowMs))),
      non_crypto: false,
      contract_expiry_name: '2030-12',
      twenty_four_by_seven: true,
      funding_interval: `${instrument.fundingIntervalMs / SECOND_MS}s`,
      open_interest: String(Math.floor(stats.openInterestBase / Number(quantityText(1, instrument)))),
      funding_rate: trimmed(
        formatDecimal(BigInt(Math.round(stats.settledHourlyPico)) * hourlyToInterval, PICO_DECIMALS),
      ),
      funding_time: iso(stats.settledAtMs),
      display_name: `${base} Perpetual`,
      region_enabled: {},
      intraday_margin_rate: rates,
      overnight_margin_rate: rates,
      settlement_price: priceText(stats.lastTradeTicks, instrument),
      index_price: nanoText(stats.indexNano),
      futures_asset_type: 'FUTURES_ASSET_TYPE_CRYPTO',
    },
  };
}

/** The underlying at the spot exchange: listed, with a price, and not traded here. */
export function spotJson(base: string, stats: ExchangeStats): Json {
  return {
    ...productFrame(spotProductOf(base)),
    price: nanoText(stats.indexNano),
    volume_24h: '0',
    base_increment: '0.00000001',
    quote_increment: '0.01',
    quote_min_size: '1',
    quote_max_size: '150000000',
    base_min_size: '0.00000001',
    base_max_size: '3400',
    base_name: base,
    status: 'online',
    trading_disabled: false,
    product_type: 'SPOT',
    base_currency_id: base,
    fcm_trading_session_details: null,
    mid_market_price: '',
    base_display_symbol: base,
    price_increment: '0.01',
    display_name: spotProductOf(base),
    product_venue: 'CBE',
    approximate_quote_24h_volume: '0',
  };
}

/** What every product states alike. */
function productFrame(productId: string): Json {
  return {
    product_id: productId,
    price_percentage_change_24h: '0',
    volume_percentage_change_24h: '0',
    quote_name: 'US Dollar',
    watched: false,
    is_disabled: false,
    new: false,
    cancel_only: false,
    limit_only: false,
    post_only: false,
    auction_mode: false,
    quote_currency_id: 'USD',
    alias: '',
    alias_to: [],
    quote_display_symbol: 'USD',
    view_only: false,
    new_at: null,
    best_bid_price: '',
    best_ask_price: '',
  };
}

export function pricebookJson(instrument: Instrument, book: BookSides, depth: number, nowMs: number): Json {
  const levels = (side: BookSides['bids']): readonly Json[] =>
    side.slice(0, depth).map(([ticks, lots]) => ({ price: priceText(ticks, instrument), size: String(lots) }));
  return {
    product_id: instrument.symbol,
    bids: levels(book.bids),
    asks: levels(book.asks),
    time: iso(nowMs),
  };
}

const STATUS: Readonly<Record<ExchangeOrderState['status'], string>> = {
  queued: 'PENDING',
  open: 'OPEN',
  filled: 'FILLED',
  cancelled: 'CANCELLED',
  rejected: 'FAILED',
  expired: 'EXPIRED',
};
export function isLive(order: ExchangeOrderState): boolean {
  return order.status === 'queued' || order.status === 'open';
}

interface OrderParts {
  readonly order: ExchangeOrderState;
  readonly instrument: Instrument;
  readonly ids: AdvancedIds;
  readonly paidMicro: bigint;
}

/** Average price of what was filled, of one unit of the underlying. */
function averageText(quoteMicro: bigint, lots: number, instrument: Instrument): string {
  if (lots === 0) return '0';
  const scale = 10n ** BigInt(NANO_DECIMALS - 6 + instrument.quantityDecimals);
  const size = BigInt(Math.abs(lots)) * BigInt(instrument.lotUnits);
  return nanoText(divideHalfEven((quoteMicro < 0n ? -quoteMicro : quoteMicro) * scale, size));
}

function configurationOf({ order, instrument }: OrderParts): Json {
  const size = { base_size: String(order.lots), limit_price: priceText(order.limitTicks, instrument) };
  if (order.timeInForce === 'ioc') return { sor_limit_ioc: size };
  if (order.validUntilMs >= Number.MAX_SAFE_INTEGER) return { limit_limit_gtc: { ...size, post_only: order.postOnly } };
  return { limit_limit_gtd: { ...size, end_time: iso(order.validUntilMs), post_only: order.postOnly } };
}

function forceOf({ order }: OrderParts): string {
  if (order.timeInForce === 'ioc') return 'IMMEDIATE_OR_CANCEL';
  return order.validUntilMs >= Number.MAX_SAFE_INTEGER ? 'GOOD_UNTIL_CANCELLED' : 'GOOD_UNTIL_DATE_TIME';
}

/** As REST lists it. */
export function orderJson(parts: OrderParts): Json {
  const { order, instrument, ids, paidMicro } = parts;
  const isRejected = order.status === 'rejected';
  return {
    order_id: ids.order(order.venueOrderNumber),
    product_id: order.symbol,
    user_id: '00000000-0000-4000-8000-000000000000',
    order_configuration: configurationOf(parts),
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    client_order_id: wireClientId(order.clientOrderId),
    status: STATUS[order.status],
    time_in_force: forceOf(parts),
    created_time: iso(order.createdAtMs),
    completion_percentage: String(Math.floor((100 * order.filledLots) / order.lots)),
    filled_size: String(order.filledLots),
    average_filled_price: averageText(order.filledQuoteMicro, order.filledLots, instrument),
    fee: '',
    number_of_fills: order.filledLots > 0 ? '1' : '0',
    filled_value: money(order.filledQuoteMicro),
    pending_cancel: false,
    size_in_quote: false,
    total_fees: money(paidMicro),
    size_inclusive_of_fees: false,
    total_value_after_fees: money(order.filledQuoteMicro + paidMicro),
    trigger_status: 'INVALID_ORDER_TYPE',
    order_type: 'LIMIT',
    reject_reason: isRejected ? (order.reason ?? '') : 'REJECT_REASON_UNSPECIFIED',
    settled: !isLive(order),
    product_type: 'FUTURE',
    reject_message: '',
    cancel_message: order.status === 'cancelled' ? (order.reason ?? '') : '',
    order_placement_source: 'RETAIL_ADVANCED',
    outstanding_hold_amount: '0',
    is_liquidation: false,
    last_fill_time: order.filledLots > 0 ? iso(order.updatedAtMs) : null,
    edit_history: [],
    leverage: '',
    margin_type: 'CROSS',
    retail_portfolio_id: '',
  };
}

/** As the user channel words it: what was filled is summed up, the remainder of an ended order is nothing. */
export function userOrderJson(parts: OrderParts): Json {
  const { order, instrument, ids, paidMicro } = parts;
  return {
    avg_price: averageText(order.filledQuoteMicro, order.filledLots, instrument),
    cancel_reason: order.status === 'cancelled' ? (order.reason ?? '') : '',
    client_order_id: wireClientId(order.clientOrderId),
    completion_percentage: String(Math.floor((100 * order.filledLots) / order.lots)),
    contract_expiry_type: 'EXPIRING',
    creation_time: iso(order.createdAtMs),
    cumulative_quantity: String(order.filledLots),
    filled_value: money(order.filledQuoteMicro),
    leaves_quantity: isLive(order) ? String(order.lots - order.filledLots) : '0',
    limit_price: priceText(order.limitTicks, instrument),
    number_of_fills: order.filledLots > 0 ? '1' : '0',
    order_id: ids.order(order.venueOrderNumber),
    order_side: order.side === 'buy' ? 'BUY' : 'SELL',
    order_type: 'Limit',
    outstanding_hold_amount: '0',
    post_only: String(order.postOnly),
    product_id: order.symbol,
    product_type: 'FUTURE',
    reject_reason: order.status === 'rejected' ? (order.reason ?? '') : '',
    retail_portfolio_id: '',
    risk_managed_by: 'MANAGED_BY_FCM',
    status: STATUS[order.status],
    stop_price: '',
    time_in_force: forceOf(parts),
    total_fees: money(paidMicro),
    total_value_after_fees: money(order.filledQuoteMicro + paidMicro),
    trigger_status: 'INVALID_ORDER_TYPE',
  };
}

export function fillJson(trade: ExchangeTrade, party: TradeParty, instrument: Instrument, ids: AdvancedIds): Json {
  const isTaker = trade.taker === party;
  const side = isTaker === (trade.takerSide === 'buy') ? 'BUY' : 'SELL';
  return {
    entry_id: `${ids.trade(trade.tradeNumber)}-${isTaker ? 't' : 'm'}`,
    trade_id: ids.trade(trade.tradeNumber),
    order_id: ids.order(party.venueOrderNumber),
    trade_time: iso(trade.atMs),
    trade_type: 'FILL',
    price: priceText(trade.priceTicks, instrument),
    size: String(trade.lots),
    commission: money(-party.feeMicro),
    product_id: trade.symbol,
    sequence_timestamp: iso(trade.atMs),
    liquidity_indicator: isTaker ? 'TAKER' : 'MAKER',
    size_in_quote: false,
    user_id: '00000000-0000-4000-8000-000000000000',
    side,
    retail_portfolio_id: '',
  };
}

export function tradeJson(trade: ExchangeTrade, instrument: Instrument, ids: AdvancedIds): Json {
  return {
    trade_id: ids.trade(trade.tradeNumber),
    product_id: trade.symbol,
    price: priceText(trade.priceTicks, instrument),
    size: String(trade.lots),
    // The venue names the maker's side.
    side: trade.takerSide === 'buy' ? 'SELL' : 'BUY',
    time: iso(trade.atMs),
  };
}

export function positionJson(position: ExchangePosition, instrument: Instrument, stats: ExchangeStats): Json {
  const { signedLots, liquidationPrice } = position;
  const usd = (value: string): Json => ({ value, currency: 'USD' });
  const entry = averageText(position.costMicro, signedLots, instrument);
  const notional = notionalMicroAtNano(instrument, stats.markNano, Math.abs(signedLots));
  return {
    product_id: position.symbol,
    expiration_time: iso(EXPIRES_AT_MS),
    side: signedLots < 0 ? 'SHORT' : 'LONG',
    number_of_contracts: String(Math.abs(signedLots)),
    current_price: usd(nanoText(stats.markNano)),
    avg_entry_price: usd(entry),
    unrealized_pnl: dollars(position.unrealisedMicro),
    daily_realized_pnl: usd('0'),
    contract_size: trimmed(quantityText(1, instrument)),
    entry_vwap: usd(entry),
    liquidation_price: usd(liquidationPrice === undefined ? '0' : liquidationPrice.toFixed(2)),
    leverage: String(position.leverage),
    position_notional: dollars(notional),
  };
}

/** The same in the words of the user channel. */
export function userPositionJson(position: ExchangePosition, instrument: Instrument): Json {
  return {
    product_id: position.symbol,
    side: position.signedLots < 0 ? 'SHORT' : 'LONG',
    number_of_contracts: String(Math.abs(position.signedLots)),
    realized_pnl: '0',
    unrealized_pnl: money(position.unrealisedMicro),
    entry_price: averageText(position.costMicro, position.signedLots, instrument),
  };
}

/** `amount` writes money: with its currency over REST, plain on the stream. `accruedMicro` is not cash yet. */
export function balanceJson(wallet: Wallet, accruedMicro: bigint, amount: (micro: bigint) => unknown): Json {
  const cashMicro = wallet.walletMicro - accruedMicro;
  const bufferMicro = wallet.equityMicro - wallet.maintenanceMarginMicro;
  const window = (type: string): Json => ({
    margin_window_type: `FCM_MARGIN_WINDOW_TYPE_${type}`,
    margin_level: 'MARGIN_LEVEL_TYPE_BASE',
    initial_margin: amount(wallet.initialMarginMicro),
    maintenance_margin: amount(wallet.maintenanceMarginMicro),
    liquidation_buffer_percentage: '1000',
    total_hold: amount(0n),
    futures_buying_power: amount(wallet.availableMicro),
  });
  return {
    futures_buying_power: amount(wallet.availableMicro),
    total_usd_balance: amount(cashMicro),
    cbi_usd_balance: amount(0n),
    cfm_usd_balance: amount(cashMicro),
    total_open_orders_hold_amount: amount(0n),
    unrealized_pnl: amount(wallet.equityMicro - wallet.walletMicro),
    daily_realized_pnl: amount(0n),
    initial_margin: amount(wallet.initialMarginMicro),
    available_margin: amount(wallet.availableMicro),
    liquidation_threshold: amount(wallet.maintenanceMarginMicro),
    liquidation_buffer_amount: amount(bufferMicro),
    liquidation_buffer_percentage: '1000',
    intraday_margin_window_measure: window('INTRADAY'),
    overnight_margin_window_measure: window('OVERNIGHT'),
  };
}
/** An amount as the stream writes it. */
export const plainAmount = (micro: bigint): string => money(micro);

/** The account's rates, of the products it trades. */
export function feesJson(markets: readonly Instrument[]): Json {
  const rate = (pico: number): string => trimmed(formatDecimal(BigInt(pico), PICO_DECIMALS));
  return {
    total_volume: 0,
    total_fees: 0,
    fee_tier: {
      pricing_tier: '',
      usd_from: '0',
      usd_to: '',
      taker_fee_rate: rate(markets[0]?.takerFee ?? 0),
      maker_fee_rate: rate(markets[0]?.makerFee ?? 0),
      aop_from: '',
      aop_to: '',
    },
    margin_rate: null,
    goods_and_services_tax: null,
    advanced_trade_only_volume: 0,
    advanced_trade_only_fees: 0,
    coinbase_pro_volume: 0,
    coinbase_pro_fees: 0,
    total_balance: '',
  };
}
