/** The simulated gateway's facts in its wire shapes: JSON numbers whose shortest text is the exact value. Pure; any thread. */
import { microText, notionalMicro, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeFunding,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import { labelOf, SETTLED_IN } from './wire.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The venue's id spaces. */
export interface WireIds {
  order(orderNumber: number): string;
  /** The number of an order by its id; NaN for anything else. */
  orderNumber(id: string): number;
  trade(tradeNumber: number): string;
  /** Rows of the ledger: payments and trades share one space. */
  payment(paymentNumber: number): number;
  tradeRow(tradeNumber: number): number;
}

const IDS_PER_SEED = 100_000_000;

/** Returns the id spaces of one venue; different seeds give different ids. */
export function wireIds(seed: number): WireIds {
  const from = (seed % 10_000) * IDS_PER_SEED;
  return {
    order: (number) => `USDC-${from + number}`,
    orderNumber: (id) => (/^USDC-\d{1,15}$/.test(id) ? Number(id.slice(5)) - from : Number.NaN),
    trade: (number) => `USDC-${from + number}`,
    payment: (number) => 2 * (from + number),
    tradeRow: (number) => 2 * (from + number) + 1,
  };
}

export function decimalNumber(units: bigint, decimals: number): number {
  return Number(formatDecimal(units, decimals));
}
const micro = (value: bigint): number => Number(microText(value));
const nano = (value: bigint): number => decimalNumber(value, 9);
export const pico = (value: number): number => decimalNumber(BigInt(Math.round(value)), 12);
export const priceNumber = (ticks: number, instrument: Instrument): number => Number(priceText(ticks, instrument));
export const amountNumber = (lots: number, instrument: Instrument): number => Number(quantityText(lots, instrument));

export function instrumentJson(instrument: Instrument, index: number): Json {
  const contract = amountNumber(1, instrument);
  return {
    instrument_name: instrument.symbol,
    instrument_id: 124_972 + index,
    kind: 'future',
    future_type: 'linear',
    instrument_type: 'linear',
    settlement_period: 'perpetual',
    base_currency: instrument.base,
    quote_currency: SETTLED_IN,
    counter_currency: SETTLED_IN,
    settlement_currency: SETTLED_IN,
    price_index: `${instrument.base.toLowerCase()}_usdc`,
    tick_size: priceNumber(1, instrument),
    tick_size_steps: [],
    min_trade_amount: amountNumber(instrument.minQuantityLots, instrument),
    contract_size: contract,
    maker_commission: pico(instrument.makerFee),
    taker_commission: pico(instrument.takerFee),
    max_leverage: instrument.maxLeverage,
    is_active: instrument.status !== 'inactive',
    state: instrument.status === 'inactive' ? 'closed' : 'open',
    creation_timestamp: 1_534_167_754_000,
    expiration_timestamp: 32_503_708_800_000,
  };
}

type BookSides = ReturnType<Exchange['book']>;

/** `funding_8h` is what the hour's rate would be for eight of them. */
export function tickerJson(instrument: Instrument, stats: ExchangeStats, book: BookSides, nowMs: number): Json {
  const [bid, ask] = [book.bids[0], book.asks[0]];
  return {
    instrument_name: instrument.symbol,
    timestamp: Math.floor(nowMs),
    state: 'open',
    stats: { volume: stats.volume24hBase, volume_usd: stats.volume24hQuote, volume_notional: stats.volume24hQuote },
    last_price: priceNumber(stats.lastTradeTicks, instrument),
    mark_price: nano(stats.markNano),
    index_price: nano(stats.indexNano),
    estimated_delivery_price: nano(stats.indexNano),
    settlement_price: nano(stats.indexNano),
    open_interest: stats.openInterestBase,
    current_funding: 0,
    funding_8h: pico(stats.predictedHourlyPico * 8),
    interest_value: 0,
    best_bid_price: bid === undefined ? 0 : priceNumber(bid[0], instrument),
    best_bid_amount: bid === undefined ? 0 : amountNumber(bid[1], instrument),
    best_ask_price: ask === undefined ? 0 : priceNumber(ask[0], instrument),
    best_ask_amount: ask === undefined ? 0 : amountNumber(ask[1], instrument),
    ...bandOf(instrument, stats),
  };
}

/** What an order's price may be now. */
function bandOf(instrument: Instrument, stats: ExchangeStats): Json {
  const band = BigInt(instrument.priceBand ?? 0);
  const share = (stats.markNano * band) / 1_000_000_000_000n;
  const decimals = instrument.priceDecimals;
  const round = (value: bigint): number => Number((Number(value) / 1e9).toFixed(decimals));
  return band === 0n ? {} : { min_price: round(stats.markNano - share), max_price: round(stats.markNano + share) };
}

export function rateJson(funding: ExchangeFunding, hours: number): Json {
  const hourly = funding.ratePico / hours;
  return {
    timestamp: Math.floor(funding.settledAtMs),
    index_price: nano(funding.priceNano),
    prev_index_price: nano(funding.priceNano),
    interest_1h: pico(hourly),
    interest_8h: pico(hourly * 8),
  };
}

/** Labels need not be unique at the venue, ids of the exchange must: repeats carry a number of their own behind a mark. */
const REPEAT_MARK = '#';

export function wireLabel(clientOrderId: string): string {
  const [bare = ''] = clientOrderId.split(REPEAT_MARK);
  return /^[1-9]\d{0,14}$/.test(bare) ? labelOf(bare) : bare;
}
export function repeatedId(clientOrderId: string, repeat: number): string {
  return `${clientOrderId}${REPEAT_MARK}${repeat}`;
}

/** How the venue words an end. */
const CANCEL_REASONS: ReadonlyMap<string, string> = new Map([
  ['asked', 'user_request'],
  ['no-liquidity', 'immediate_or_cancel'],
  ['post-only', 'post_only_reject'],
  ['self-trade', 'self_trade'],
  ['reduce-only', 'reduce_only'],
  ['liquidation', 'liquidation'],
  ['price-band', 'price_not_allowed'],
  ['margin', 'not_enough_funds'],
  ['disconnect', 'cancel_on_disconnect'],
]);

export function orderJson(order: ExchangeOrderState, instrument: Instrument, ids: WireIds): Json {
  const isLive = order.status === 'queued' || order.status === 'open';
  return {
    order_id: ids.order(order.venueOrderNumber),
    label: wireLabel(order.clientOrderId),
    instrument_name: order.symbol,
    direction: order.side,
    order_type: 'limit',
    order_state: isLive ? 'open' : order.status === 'expired' ? 'cancelled' : order.status,
    price: priceNumber(order.limitTicks, instrument),
    amount: amountNumber(order.lots, instrument),
    contracts: order.lots,
    filled_amount: amountNumber(order.filledLots, instrument),
    average_price: order.filledLots === 0 ? 0 : averagePrice(order.filledQuoteMicro, order.filledLots, instrument),
    time_in_force: order.timeInForce === 'ioc' ? 'immediate_or_cancel' : 'good_til_cancelled',
    post_only: order.postOnly,
    reject_post_only: order.postOnly,
    reduce_only: order.reduceOnly,
    ...(isLive || order.status === 'filled'
      ? {}
      : { cancel_reason: CANCEL_REASONS.get(order.reason ?? '') ?? order.reason ?? 'user_request' }),
    is_liquidation: order.clientOrderId === '',
    creation_timestamp: Math.floor(order.createdAtMs),
    last_update_timestamp: Math.floor(order.updatedAtMs),
    user_id: 1,
    web: false,
    api: true,
    replaced: false,
    mmp: false,
    risk_reducing: false,
  };
}

/** Quote per unit of the underlying, half-even: for reading only, never the base of a booking. */
function averagePrice(quoteMicro: bigint, lots: number, instrument: Instrument): number {
  const magnitude = quoteMicro < 0n ? -quoteMicro : quoteMicro;
  const numerator = magnitude * 10n ** BigInt(instrument.quantityDecimals);
  return decimalNumber(divideHalfEven(numerator, BigInt(Math.abs(lots)) * BigInt(instrument.lotUnits)), 6);
}

/** One side of a trade. */
export function tradeJson(trade: ExchangeTrade, party: TradeParty, instrument: Instrument, ids: WireIds): Json {
  const isMaker = trade.taker !== party;
  return {
    trade_id: ids.trade(trade.tradeNumber),
    trade_seq: trade.tradeNumber,
    order_id: ids.order(party.venueOrderNumber),
    label: wireLabel(party.clientOrderId),
    instrument_name: trade.symbol,
    direction: sideOf(trade, party),
    order_type: 'limit',
    state: 'filled',
    price: priceNumber(trade.priceTicks, instrument),
    amount: amountNumber(trade.lots, instrument),
    contracts: trade.lots,
    fee: micro(-party.feeMicro),
    fee_currency: SETTLED_IN,
    liquidity: isMaker ? 'M' : 'T',
    // Orders of the venue's own have no label: they close accounts that ran out of margin.
    ...(party.clientOrderId === '' ? { liquidation: isMaker ? 'M' : 'T' } : {}),
    profit_loss: micro(party.realisedMicro),
    timestamp: Math.floor(trade.atMs),
    tick_direction: 0,
    self_trade: false,
    matching_id: null,
  };
}

function sideOf(trade: ExchangeTrade, party: TradeParty): 'buy' | 'sell' {
  const isMaker = trade.taker !== party;
  return !isMaker === (trade.takerSide === 'buy') ? 'buy' : 'sell';
}

/** A trade in the ledger: what it cost, and what the position was after it. */
export function tradeRowJson(trade: ExchangeTrade, party: TradeParty, instrument: Instrument, ids: WireIds): Json {
  const direction = sideOf(trade, party);
  const signed = direction === 'buy' ? trade.lots : -trade.lots;
  const opens = party.positionBeforeLots === 0 || Math.sign(party.positionBeforeLots) === Math.sign(signed);
  return {
    id: ids.tradeRow(trade.tradeNumber),
    type: 'trade',
    instrument_name: trade.symbol,
    currency: SETTLED_IN,
    timestamp: Math.floor(trade.atMs),
    side: `${opens ? 'open' : 'close'} ${direction}`,
    price: priceNumber(trade.priceTicks, instrument),
    amount: amountNumber(trade.lots, instrument),
    position: signedAmount(party.positionBeforeLots + signed, instrument),
    commission: micro(-party.feeMicro),
    change: micro(party.feeMicro),
    cashflow: micro(party.realisedMicro),
    interest_pl: 0,
    trade_id: ids.trade(trade.tradeNumber),
    order_id: ids.order(party.venueOrderNumber),
    info: { value: micro(notionalMicro(instrument, trade.priceTicks, trade.lots)) },
  };
}

/** Funding of one exchange in the ledger: what was received is positive. */
export function paymentRowJson(payment: ExchangeFundingPayment, instrument: Instrument, ids: WireIds): Json {
  return {
    id: ids.payment(payment.paymentNumber),
    type: 'settlement',
    instrument_name: payment.symbol,
    currency: SETTLED_IN,
    timestamp: Math.floor(payment.settledAtMs),
    side: payment.signedLots < 0 ? 'short' : 'long',
    price: nano(payment.priceNano),
    amount: amountNumber(Math.abs(payment.signedLots), instrument),
    position: amountNumber(Math.abs(payment.signedLots), instrument),
    commission: null,
    change: micro(payment.amountMicro),
    cashflow: micro(payment.amountMicro),
    interest_pl: micro(payment.amountMicro),
    total_interest_pl: micro(payment.amountMicro),
    session_rpl: micro(payment.amountMicro),
    session_upl: 0,
    trade_id: null,
    order_id: null,
    info: {},
  };
}

function signedAmount(lots: number, instrument: Instrument): number {
  return lots < 0 ? -amountNumber(-lots, instrument) : amountNumber(lots, instrument);
}

export function positionJson(position: ExchangePosition, instrument: Instrument, stats: ExchangeStats): Json {
  const lots = Math.abs(position.signedLots);
  return {
    instrument_name: position.symbol,
    kind: 'future',
    direction: position.signedLots === 0 ? 'zero' : position.signedLots < 0 ? 'sell' : 'buy',
    size: signedAmount(position.signedLots, instrument),
    size_currency: signedAmount(position.signedLots, instrument),
    average_price: lots === 0 ? 0 : averagePrice(position.costMicro, lots, instrument),
    mark_price: nano(stats.markNano),
    index_price: nano(stats.indexNano),
    floating_profit_loss: micro(position.unrealisedMicro),
    total_profit_loss: micro(position.unrealisedMicro),
    realized_profit_loss: 0,
    realized_funding: 0,
    initial_margin: micro(
      notionalMicroAtNano(instrument, stats.markNano, lots) / BigInt(Math.max(1, position.leverage)),
    ),
    maintenance_margin: 0,
    leverage: instrument.maxLeverage,
    interest_value: 0,
    ...(position.liquidationPrice === undefined ? {} : { estimated_liquidation_price: position.liquidationPrice }),
  };
}

/** `balance` is as of the last daily settlement; what came since is the session's. */
export function summaryJson(wallet: ReturnType<Exchange['wallet']>, settledMicro: bigint): Json {
  return {
    currency: SETTLED_IN,
    balance: micro(settledMicro),
    session_rpl: micro(wallet.walletMicro - settledMicro),
    session_upl: micro(wallet.equityMicro - wallet.walletMicro),
    equity: micro(wallet.equityMicro),
    margin_balance: micro(wallet.equityMicro),
    available_funds: micro(wallet.availableMicro),
    available_withdrawal_funds: micro(wallet.availableMicro),
    initial_margin: micro(wallet.initialMarginMicro),
    maintenance_margin: micro(wallet.maintenanceMarginMicro),
    margin_model: 'cross_sm',
    cross_collateral_enabled: false,
    portfolio_margining_enabled: false,
    total_pl: 0,
    fee_balance: 0,
  };
}

/** The account's own rates, as shares of the value traded. */
export function feesJson(instruments: readonly Instrument[]): readonly Json[] {
  return instruments.map(({ base, makerFee, takerFee }) => ({
    kind: 'perpetual',
    index_name: `${base.toLowerCase()}_usdc`,
    value: { default: { type: 'fixed', maker: pico(makerFee), taker: pico(takerFee) }, block_trade: 0 },
  }));
}
