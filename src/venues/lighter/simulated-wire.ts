/** The simulated Lighter venue's accounts in its wire shapes: ids, orders, trades, positions, money; exact integers as decimal text padded to the market's digits. Pure; any thread. */
import type { Instrument } from '../../market/instrument.ts';
import { notionalMicro, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven, divideUp } from '../../money/rounding.ts';
import type {
  Exchange,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import type { WireValue } from './simulated-json.ts';
import { FEE_SCALE, FEE_TICK_PICO, USDC_ASSET_ID } from './wire.ts';

/** A market with the id the venue gives it. */
export interface SimulatedMarket {
  readonly marketId: number;
  readonly instrument: Instrument;
}

export type WireFields = { readonly [field: string]: WireValue | undefined };
type Wallet = ReturnType<Exchange['wallet']>;

/** Everyone else trades under this account. */
export const OUTSIDE_ACCOUNT = 281_474_976_618_239;
/** Beyond 2^53, so that neighbours differ only in digits a double cannot hold. */
const ORDER_INDEX_BASE = 36_028_797_018_963_968n;
export const OUTSIDE_ORDER_BASE = 39_406_496_739_491_840n;
const TRADE_ID_BASE = 19_211_490_000;
/** Real ones are 80 digits long and open with the block's place. */
const TRADE_HASH_DIGITS = 80;

/** The venue's id of the exchange's n-th order. */
export function orderIndexOf(venueOrderNumber: number): bigint {
  return ORDER_INDEX_BASE + BigInt(venueOrderNumber);
}

/** The client's own index, 0 when it gave none. */
function clientIndexOf(clientOrderId: string): bigint {
  return /^\d+$/.test(clientOrderId) ? BigInt(clientOrderId) : 0n;
}

export function tradeIdOf(tradeNumber: number): number {
  return TRADE_ID_BASE + tradeNumber;
}

export function micro(amount: bigint): string {
  return formatDecimal(amount, 6);
}

/** Calendar ms as whole seconds. */
export function seconds(calendarMs: number): number {
  return Math.floor(calendarMs / 1000);
}

/** Calendar ms as whole microseconds. */
export function micros(calendarMs: number): number {
  return Math.floor(calendarMs * 1000);
}

/** Cuts trailing zeros behind the first `kept` decimals. */
export function trimmed(text: string, kept: number): string {
  const shortest = text.indexOf('.') + 1 + kept;
  return text.slice(0, shortest) + text.slice(shortest).replace(/0+$/, '');
}

/** A fee rate in units of 1e-6; throws RangeError when the venue could not state it. */
export function feeTicks(ratePico: number): number {
  if (ratePico % FEE_TICK_PICO !== 0)
    throw new RangeError(`a fee must be a whole number of 1e-6, was ${ratePico} pico units`);
  return ratePico / FEE_TICK_PICO;
}

const ENDED_BY: ReadonlyMap<string, string> = new Map([
  ['asked', 'canceled'],
  ['post-only', 'canceled-post-only'],
  ['reduce-only', 'canceled-reduce-only'],
  ['margin', 'canceled-margin-not-allowed'],
  ['price-band', 'canceled-too-much-slippage'],
  ['self-trade', 'canceled-self-trade'],
  ['expired', 'canceled-expired'],
  ['liquidation', 'canceled-liquidation'],
]);

/** The venue's status text; a reason that is none of the exchange's own is taken as the text itself. */
function orderStatus(order: ExchangeOrderState, isMarketOrder: boolean): string {
  if (order.status === 'queued') return 'in-progress';
  if (isPending(order)) return 'pending';
  if (order.status === 'open' || order.status === 'filled') return order.status;
  const reason = order.reason ?? 'asked';
  if (reason === 'no-liquidity') return isMarketOrder ? 'canceled-too-much-slippage' : 'canceled-not-enough-liquidity';
  return ENDED_BY.get(reason) ?? reason;
}

function timeInForceText(order: ExchangeOrderState): string {
  if (order.postOnly) return 'post-only';
  return order.timeInForce === 'ioc' ? 'immediate-or-cancel' : 'good-till-time';
}

export interface OrderFacts {
  readonly order: ExchangeOrderState;
  readonly market: SimulatedMarket;
  readonly accountIndex: number;
  readonly isMarketOrder: boolean;
  /** Engine nonce of its latest change. */
  readonly nonce: number;
  /** Calendar microseconds of that change. */
  readonly transactionTime: number;
  readonly blockHeight: number;
}

export function orderJson(facts: OrderFacts): WireValue {
  const { order, isMarketOrder } = facts;
  const { marketId, instrument } = facts.market;
  const id = orderIndexOf(order.venueOrderNumber);
  const clientId = clientIndexOf(order.clientOrderId);
  return {
    order_index: id,
    client_order_index: clientId,
    order_id: id.toString(),
    client_order_id: clientId.toString(),
    market_index: marketId,
    owner_account_index: facts.accountIndex,
    initial_base_amount: quantityText(order.lots, instrument),
    price: priceText(order.limitTicks, instrument),
    nonce: facts.nonce,
    remaining_base_amount: quantityText(isOver(order) ? 0 : order.lots - order.filledLots, instrument),
    is_ask: order.side === 'sell',
    base_size: order.lots,
    base_price: order.limitTicks,
    filled_base_amount: quantityText(order.filledLots, instrument),
    filled_quote_amount: micro(order.filledQuoteMicro),
    side: '',
    type: order.trigger === undefined ? (isMarketOrder ? 'market' : 'limit') : 'stop-loss',
    time_in_force: timeInForceText(order),
    reduce_only: order.reduceOnly,
    trigger_price: formatDecimal(BigInt(order.trigger?.markTicks ?? 0), instrument.priceDecimals),
    order_expiry: order.timeInForce === 'ioc' && order.trigger === undefined ? 0 : Math.floor(order.validUntilMs),
    status: orderStatus(order, isMarketOrder),
    trigger_status: isPending(order) ? 'mark-price' : 'na',
    trigger_time: 0,
    parent_order_index: 0,
    parent_order_id: '0',
    to_trigger_order_id_0: '0',
    to_trigger_order_id_1: '0',
    to_cancel_order_id_0: '0',
    integrator_fee_collector_index: '0',
    integrator_taker_fee: '0',
    integrator_maker_fee: '0',
    block_height: facts.blockHeight,
    timestamp: seconds(order.createdAtMs),
    created_at: seconds(order.createdAtMs),
    updated_at: seconds(order.updatedAtMs),
    transaction_time: facts.transactionTime,
  };
}

/** A stop that waits for the mark. */
function isPending({ status, trigger, isTriggered }: ExchangeOrderState): boolean {
  return status === 'open' && trigger !== undefined && isTriggered !== true;
}

export function isOver(order: ExchangeOrderState): boolean {
  return order.status !== 'queued' && order.status !== 'open';
}

/** A trade as everyone sees it; `accountIndexOf` names the accounts of its sides. */
export function tradeJson(
  trade: ExchangeTrade,
  market: SimulatedMarket,
  blockHeight: number,
  accountIndexOf: (name: string) => number,
): WireFields {
  const { instrument, marketId } = market;
  const usdMicro = notionalMicro(instrument, trade.priceTicks, trade.lots);
  const takerFee = feeTicks(instrument.takerFee);
  const makerFee = feeTicks(instrument.makerFee);
  assertFee(trade.taker, usdMicro, takerFee);
  assertFee(trade.maker, usdMicro, makerFee);

  const isMakerAsk = trade.takerSide === 'buy';
  const [ask, bid] = isMakerAsk ? [trade.maker, trade.taker] : [trade.taker, trade.maker];
  const side = (party: TradeParty | undefined, offset: bigint): readonly [orderIndex: bigint, clientId: bigint] => {
    if (party === undefined) return [OUTSIDE_ORDER_BASE + BigInt(trade.tradeNumber) * 2n + offset, 0n];
    return [orderIndexOf(party.venueOrderNumber), clientIndexOf(party.clientOrderId)];
  };
  const [askId, askClientId] = side(ask, 0n);
  const [bidId, bidClientId] = side(bid, 1n);
  const tradeId = tradeIdOf(trade.tradeNumber);
  return {
    trade_id: tradeId,
    trade_id_str: tradeId.toString(),
    tx_hash: trade.tradeNumber.toString(16).padStart(16, '0').padEnd(TRADE_HASH_DIGITS, '0'),
    type: isForced(trade) ? 'liquidation' : 'trade',
    market_id: marketId,
    size: quantityText(trade.lots, instrument),
    price: priceText(trade.priceTicks, instrument),
    usd_amount: micro(usdMicro),
    ask_id: askId,
    ask_id_str: askId.toString(),
    bid_id: bidId,
    bid_id_str: bidId.toString(),
    ask_client_id: askClientId,
    ask_client_id_str: askClientId.toString(),
    bid_client_id: bidClientId,
    bid_client_id_str: bidClientId.toString(),
    ask_account_id: ask === undefined ? OUTSIDE_ACCOUNT : accountIndexOf(ask.account),
    bid_account_id: bid === undefined ? OUTSIDE_ACCOUNT : accountIndexOf(bid.account),
    is_maker_ask: isMakerAsk,
    block_height: blockHeight,
    timestamp: Math.floor(trade.atMs),
    ...(takerFee === 0 ? {} : { taker_fee: takerFee }),
    ...sideFacts('taker', trade.taker, trade, instrument),
    ...(makerFee === 0 ? {} : { maker_fee: makerFee }),
    ...sideFacts('maker', trade.maker, trade, instrument),
    transaction_time: micros(trade.atMs),
  };
}

/** Trades outside the book are the venue's own, against nobody: it closes accounts that ran out of margin. */
export function isForced({ taker, maker }: ExchangeTrade): boolean {
  return taker !== undefined && taker.clientOrderId === '' && maker === undefined;
}

/** What clients work out from the frame must be what the account paid, to the micro-unit. */
function assertFee(party: TradeParty | undefined, usdMicro: bigint, ticks: number): void {
  if (party === undefined) return;
  const stated = divideUp(usdMicro * BigInt(ticks), FEE_SCALE);
  if (-party.feeMicro !== stated)
    throw new Error(`the fee charged must be ${stated} micro-units, as the wire states it, was ${-party.feeMicro}`);
}

function sideFacts(
  role: 'taker' | 'maker',
  party: TradeParty | undefined,
  trade: ExchangeTrade,
  instrument: Instrument,
): WireFields {
  if (party === undefined) return {};
  const buys = (role === 'taker') === (trade.takerSide === 'buy');
  const before = party.positionBeforeLots;
  const after = before + (buys ? trade.lots : -trade.lots);
  return {
    ...(before === 0 ? {} : { [`${role}_position_size_before`]: quantityText(before, instrument) }),
    ...(Math.sign(before) === Math.sign(after) ? {} : { [`${role}_position_sign_changed`]: true }),
  };
}

export interface PositionFacts {
  readonly position: ExchangePosition;
  readonly market: SimulatedMarket;
  readonly markNano: bigint;
  readonly openOrders: number;
  readonly realisedMicro: bigint;
  /** Positive when the account paid. */
  readonly fundingPaidMicro: bigint;
}

export function positionJson(facts: PositionFacts): WireValue {
  const { position, fundingPaidMicro } = facts;
  const { instrument, marketId } = facts.market;
  const lots = Math.abs(position.signedLots);
  return {
    market_id: marketId,
    symbol: position.symbol,
    initial_margin_fraction: (100 / position.leverage).toFixed(2),
    open_order_count: facts.openOrders,
    pending_order_count: 0,
    position_tied_order_count: 0,
    sign: position.signedLots < 0 ? -1 : 1,
    position: quantityText(lots, instrument),
    avg_entry_price: entryPrice(position, instrument),
    position_value: micro(notionalMicroAtNano(instrument, facts.markNano, lots)),
    unrealized_pnl: micro(position.unrealisedMicro),
    realized_pnl: micro(facts.realisedMicro),
    liquidation_price: position.liquidationPrice?.toFixed(instrument.priceDecimals) ?? '0',
    ...(fundingPaidMicro === 0n ? {} : { total_funding_paid_out: micro(fundingPaidMicro) }),
    margin_mode: 0,
    allocated_margin: micro(0n),
  };
}

/** Average entry price with the market's digits, half-even: for reading only. */
function entryPrice({ signedLots, costMicro }: ExchangePosition, instrument: Instrument): string {
  const { priceDecimals, quantityDecimals } = instrument;
  if (signedLots === 0) return formatDecimal(0n, priceDecimals);
  const cost = costMicro < 0n ? -costMicro : costMicro;
  const numerator = cost * 10n ** BigInt(priceDecimals + quantityDecimals);
  return formatDecimal(divideHalfEven(numerator, BigInt(Math.abs(signedLots)) * 1_000_000n), priceDecimals);
}

export function assetsJson(wallet: Wallet): WireFields {
  return {
    symbol: 'USDC',
    asset_id: USDC_ASSET_ID,
    balance: micro(0n),
    locked_balance: micro(0n),
    margin_mode: 'enabled',
    margin_balance: micro(wallet.walletMicro),
  };
}

export function userStatsJson(wallet: Wallet, positionValueMicro: bigint): WireValue {
  const share = (part: bigint): string =>
    (wallet.equityMicro > 0n ? Number(part) / Number(wallet.equityMicro) : 0).toFixed(2);
  const numbers = {
    collateral: micro(wallet.walletMicro),
    portfolio_value: micro(wallet.equityMicro),
    leverage: share(positionValueMicro),
    available_balance: micro(wallet.availableMicro),
    margin_usage: share(wallet.initialMarginMicro * 100n),
    buying_power: '0',
  };
  return { account_trading_mode: 0, ...numbers, cross_stats: numbers, total_stats: numbers };
}

/** One row of `positionFunding`; `change` is the signed cash flow to the account. */
export function positionFundingJson(payment: ExchangeFundingPayment, market: SimulatedMarket): WireValue {
  return {
    timestamp: seconds(payment.settledAtMs),
    market_id: market.marketId,
    funding_id: payment.paymentNumber,
    change: micro(payment.amountMicro),
    rate: trimmed(formatDecimal(BigInt(payment.ratePico), 12), 4),
    position_size: quantityText(Math.abs(payment.signedLots), market.instrument),
    position_side: payment.signedLots < 0 ? 'short' : 'long',
    discount: '0',
  };
}
