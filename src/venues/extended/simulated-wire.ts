/** The simulated Extended venue's facts in its wire shapes: the exchange's exact integers as padded decimal text and huge ids. Pure; any thread. */
import { microText, notionalMicro, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  OrderTrigger,
  TradeParty,
} from '../../simulation/exchange.ts';
import type { SettlementMarket } from './sign.ts';
import { TRIGGER_DOWN, TRIGGER_UP } from './wire.ts';
import type { WireOrderStatus, WireValue } from './wire.ts';

/** One account of the simulated venue. */
export interface SimulatedAccount {
  readonly name: string;
  readonly apiKey: string;
  /** 0x hex, as starkPublicKeyOf returns it. */
  readonly starkPublicKey: string;
  readonly vault: number;
  readonly accountId: number;
  /** Leverage shown for markets whose leverage was never set; the exchange's own default for this account. Default 1. */
  readonly leverage?: number;
}

/** The venue's id spaces: all beyond 2^53, so that neighbours differ only in digits a double cannot hold. */
export interface WireIds {
  order(orderNumber: number): bigint;
  trade(tradeNumber: number): bigint;
  payment(paymentNumber: number): bigint;
  position(accountId: number, marketIndex: number): bigint;
}

const ID_BASE = 2_051_000_000_000_000_000n;
const ID_SPACE = 50_000_000_000_000_000n;

/** Returns the id spaces of one venue; different seeds give different ids. */
export function wireIds(seed: number): WireIds {
  const base = ID_BASE + BigInt(Math.abs(Math.trunc(seed)) % 1_000) * 10_000_000_000_000n;
  return {
    order: (orderNumber) => base + BigInt(orderNumber),
    trade: (tradeNumber) => base + ID_SPACE + BigInt(tradeNumber),
    payment: (paymentNumber) => base + 2n * ID_SPACE + BigInt(paymentNumber),
    position: (accountId, marketIndex) => base + 3n * ID_SPACE + BigInt(accountId) * 10_000n + BigInt(marketIndex),
  };
}

/** Returns the settlement ids of a market, derived from its name and steps as the venue's own look. */
export function settlementOf(instrument: Instrument): SettlementMarket {
  const digits = Math.max(6, instrument.quantityDecimals + 1);
  let id = '';
  for (const byte of new TextEncoder().encode(`${assetNameOf(instrument)}-${digits}`))
    id += byte.toString(16).padStart(2, '0');
  return {
    syntheticId: `0x${id.padEnd(30, '0')}`,
    syntheticResolution: (10n ** BigInt(digits)).toString(),
    collateralId: '0x1',
    collateralResolution: '1000000',
  };
}

function assetNameOf(instrument: Instrument): string {
  return instrument.multiplier === 1 ? instrument.base : `${instrument.multiplier}${instrument.base}`;
}

export function marketJson(
  instrument: Instrument,
  stats: ExchangeStats,
  book: ReturnType<Exchange['book']>,
): WireValue {
  const settlement = settlementOf(instrument);
  const band = shortDecimal(BigInt(instrument.priceBand ?? 0), 12);
  return {
    name: instrument.symbol,
    uiName: instrument.symbol,
    category: 'Crypto',
    assetName: assetNameOf(instrument),
    assetPrecision: instrument.quantityDecimals,
    collateralAssetName: instrument.quote,
    collateralAssetPrecision: 6,
    active: instrument.status !== 'inactive',
    status:
      instrument.status === 'active' ? 'ACTIVE' : instrument.status === 'reduce-only' ? 'REDUCE_ONLY' : 'DISABLED',
    type: 'PERPETUAL',
    isRfq: false,
    marketStats: statsJson(instrument, stats, book),
    tradingConfig: {
      minOrderSize: quantityText(instrument.minQuantityLots, instrument),
      minOrderSizeChange: quantityText(1, instrument),
      minPriceChange: priceText(1, instrument),
      maxMarketOrderValue: microText(instrument.maxNotionalMicro),
      maxLimitOrderValue: microText(instrument.maxNotionalMicro),
      maxPositionValue: microText(instrument.maxNotionalMicro),
      maxLeverage: `${instrument.maxLeverage}.00`,
      hourlyFundingRateCap: '0.25',
      maxNumOrders: String(OPEN_ORDERS_MAX),
      ...(instrument.priceBand === undefined ? {} : { limitPriceCap: band, limitPriceFloor: band }),
      riskFactorConfig: [
        {
          upperBound: microText(instrument.maxNotionalMicro),
          riskFactor: shortDecimal(BigInt(instrument.maintenanceMarginRate), 12),
        },
      ],
    },
    l2Config: {
      type: 'STARKX',
      collateralId: settlement.collateralId,
      collateralResolution: Number(settlement.collateralResolution),
      syntheticId: settlement.syntheticId,
      syntheticResolution: Number(settlement.syntheticResolution),
    },
  };
}

/** Open orders an account may have in one market. */
export const OPEN_ORDERS_MAX = 200;

export function statsJson(instrument: Instrument, stats: ExchangeStats, book: ReturnType<Exchange['book']>): WireValue {
  const touch = (level: readonly [number, number] | undefined): string =>
    priceText(level?.[0] ?? stats.lastTradeTicks, instrument);
  return {
    dailyVolume: stats.volume24hQuote.toFixed(6),
    dailyVolumeBase: stats.volume24hBase.toFixed(instrument.quantityDecimals),
    lastPrice: priceText(stats.lastTradeTicks, instrument),
    askPrice: touch(book.asks[0]),
    bidPrice: touch(book.bids[0]),
    markPrice: formatDecimal(stats.markNano, 9),
    indexPrice: formatDecimal(stats.indexNano, 9),
    fundingRate: rateText(stats.predictedHourlyPico),
    nextFundingRate: stats.nextSettleAtMs,
    openInterest: ((stats.openInterestBase * Number(stats.markNano)) / 1e9).toFixed(6),
    openInterestBase: stats.openInterestBase.toFixed(instrument.quantityDecimals),
  };
}

/** A fraction in pico units as text with every digit, trailing zeros after the sixth cut. */
export function rateText(pico: number): string {
  return shortDecimal(BigInt(Math.round(pico)), 12, 6);
}

function shortDecimal(units: bigint, decimals: number, kept = 2): string {
  const text = formatDecimal(units, decimals);
  const shortest = text.length - decimals + kept;
  return text.slice(0, shortest) + text.slice(shortest).replace(/0+$/, '');
}

/** The venue pads the amounts of fills to sixteen decimals. */
function padded(text: string): string {
  const point = text.indexOf('.');
  return point < 0 ? `${text}.${'0'.repeat(16)}` : text.padEnd(point + 17, '0');
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['post-only', 'POST_ONLY_FAILED'],
  ['reduce-only', 'REDUCE_ONLY_FAILED'],
  ['margin', 'NOT_ENOUGH_FUNDS'],
  ['no-liquidity', 'NO_LIQUIDITY'],
  ['self-trade', 'SELF_TRADE_PROTECTION'],
  ['price-band', 'INVALID_PRICE'],
  ['liquidation', 'ACCOUNT_LIQUIDATION'],
]);
/** Ends that need no reason: asked for, or simply over. */
const NO_REASON: ReadonlySet<string> = new Set(['asked', 'expired']);

function statusOf(order: ExchangeOrderState): WireOrderStatus {
  switch (order.status) {
    case 'queued':
    case 'open':
      if (order.trigger !== undefined && order.isTriggered !== true) return 'UNTRIGGERED';
      return order.filledLots > 0 ? 'PARTIALLY_FILLED' : 'NEW';
    case 'filled':
      return 'FILLED';
    case 'rejected':
      return 'REJECTED';
    case 'expired':
      return order.reason === 'self-trade' ? 'CANCELLED' : 'EXPIRED';
    case 'cancelled':
      return 'CANCELLED';
    default:
      throw new Error(`unknown order status ${String(order.status satisfies never)}`);
  }
}

export function orderJson(
  order: ExchangeOrderState,
  instrument: Instrument,
  ids: WireIds,
  accountId: number,
  paidFeeMicro: bigint,
): WireValue {
  const ended = order.status === 'cancelled' || order.status === 'rejected' || order.status === 'expired';
  const reason =
    order.reason === undefined || !ended || NO_REASON.has(order.reason)
      ? undefined
      : (REASONS.get(order.reason) ?? order.reason);
  return {
    id: ids.order(order.venueOrderNumber),
    accountId,
    ...(order.clientOrderId === '' ? {} : { externalId: order.clientOrderId }),
    market: order.symbol,
    type: order.trigger === undefined ? 'LIMIT' : 'CONDITIONAL',
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    status: statusOf(order),
    statusReason: reason,
    price: priceText(order.limitTicks, instrument),
    ...(order.filledLots === 0
      ? {}
      : { averagePrice: averagePrice(order.filledQuoteMicro, order.filledLots, instrument) }),
    qty: quantityText(order.lots, instrument),
    filledQty: quantityText(order.filledLots, instrument),
    payedFee: padded(microText(paidFeeMicro)),
    ...(order.trigger === undefined ? {} : { trigger: triggerJson(order.trigger, instrument) }),
    reduceOnly: order.reduceOnly,
    postOnly: order.postOnly,
    timeInForce: order.timeInForce === 'ioc' ? 'IOC' : 'GTT',
    expireTime: Math.floor(order.validUntilMs),
    createdTime: Math.floor(order.createdAtMs),
    updatedTime: Math.floor(order.updatedAtMs),
  };
}

function triggerJson({ markTicks, direction }: OrderTrigger, instrument: Instrument): WireValue {
  return {
    triggerPrice: priceText(markTicks, instrument),
    triggerPriceType: 'MARK',
    triggerPriceDirection: direction === 'rise' ? TRIGGER_UP : TRIGGER_DOWN,
    executionPriceType: 'MARKET',
  };
}

/** Quote per contract with 12 decimals, half-even: for reading only, never the base of a booking. */
function averagePrice(quoteMicro: bigint, lots: number, instrument: Instrument): string {
  const numerator = quoteMicro * 10n ** BigInt(6 + instrument.quantityDecimals);
  const magnitude = numerator < 0n ? -numerator : numerator;
  return shortDecimal(divideHalfEven(magnitude, BigInt(lots) * BigInt(instrument.lotUnits)), 12);
}

/** One side of a trade; `idName` is `externalId` in REST and `externalOrderId` on the stream. */
export function fillJson(
  trade: ExchangeTrade,
  party: TradeParty,
  instrument: Instrument,
  ids: WireIds,
  accountId: number,
  idName: 'externalId' | 'externalOrderId',
): WireValue {
  const isTaker = trade.taker === party;
  const buys = isTaker === (trade.takerSide === 'buy');
  return {
    id: ids.trade(trade.tradeNumber),
    accountId,
    market: trade.symbol,
    orderId: ids.order(party.venueOrderNumber),
    ...(party.clientOrderId === '' ? {} : { [idName]: party.clientOrderId }),
    side: buys ? 'BUY' : 'SELL',
    price: padded(priceText(trade.priceTicks, instrument)),
    qty: padded(quantityText(trade.lots, instrument)),
    value: padded(microText(notionalMicro(instrument, trade.priceTicks, trade.lots))),
    fee: padded(microText(-party.feeMicro)),
    // Orders of the venue's own have no external id: they close accounts that ran out of margin.
    tradeType: party.clientOrderId === '' ? 'LIQUIDATION' : 'TRADE',
    createdTime: Math.floor(trade.atMs),
    isTaker,
  };
}

export function publicTradeJson(trade: ExchangeTrade, instrument: Instrument, ids: WireIds): WireValue {
  return {
    i: ids.trade(trade.tradeNumber),
    m: trade.symbol,
    S: trade.takerSide === 'buy' ? 'BUY' : 'SELL',
    tT: 'TRADE',
    T: Math.floor(trade.atMs),
    p: priceText(trade.priceTicks, instrument),
    q: quantityText(trade.lots, instrument),
  };
}

export interface PositionFacts {
  readonly position: ExchangePosition;
  readonly instrument: Instrument;
  readonly stats: ExchangeStats;
  readonly positionId: bigint;
  readonly accountId: number;
  /** Price profit and fees since the position was opened. */
  readonly realisedMicro: bigint;
  readonly openedAtMs: number;
  readonly nowMs: number;
}

export function positionJson(facts: PositionFacts): WireValue {
  const { position, instrument, stats } = facts;
  const lots = Math.abs(position.signedLots);
  const value = notionalMicroAtNano(instrument, stats.markNano, lots);
  return {
    id: facts.positionId,
    accountId: facts.accountId,
    market: position.symbol,
    side: position.signedLots < 0 ? 'SHORT' : 'LONG',
    leverage: `${position.leverage}.0`,
    size: quantityText(lots, instrument),
    value: microText(value),
    openPrice: lots === 0 ? '0' : averagePrice(position.costMicro, lots, instrument),
    markPrice: formatDecimal(stats.markNano, 9),
    ...(position.liquidationPrice === undefined ? {} : { liquidationPrice: position.liquidationPrice.toFixed(6) }),
    margin: microText(divideHalfEven(value, BigInt(Math.max(1, Math.floor(position.leverage))))),
    unrealisedPnl: microText(position.unrealisedMicro),
    realisedPnl: microText(facts.realisedMicro),
    adl: '0',
    createdTime: Math.floor(facts.openedAtMs),
    updatedTime: Math.floor(facts.nowMs),
  };
}

export function balanceJson(wallet: ReturnType<Exchange['wallet']>, nowMs: number): WireValue {
  const unrealised = wallet.equityMicro - wallet.walletMicro;
  const withdrawable = wallet.walletMicro + (unrealised < 0n ? unrealised : 0n) - wallet.initialMarginMicro;
  const ratio = wallet.equityMicro > 0n ? Number(wallet.maintenanceMarginMicro) / Number(wallet.equityMicro) : 0;
  return {
    collateralName: 'USD',
    balance: microText(wallet.walletMicro),
    equity: microText(wallet.equityMicro),
    availableForTrade: microText(wallet.availableMicro),
    availableForWithdrawal: microText(withdrawable > 0n ? withdrawable : 0n),
    unrealisedPnl: microText(unrealised),
    initialMargin: microText(wallet.initialMarginMicro),
    marginRatio: ratio.toFixed(6),
    updatedTime: Math.floor(nowMs),
  };
}

export function fundingPaymentJson(
  payment: ExchangeFundingPayment,
  instrument: Instrument,
  ids: WireIds,
  positionId: bigint,
  accountId: number,
): WireValue {
  const lots = Math.abs(payment.signedLots);
  return {
    id: ids.payment(payment.paymentNumber),
    accountId,
    market: payment.symbol,
    positionId,
    side: payment.signedLots < 0 ? 'SHORT' : 'LONG',
    size: quantityText(lots, instrument),
    value: microText(notionalMicroAtNano(instrument, payment.priceNano, lots)),
    markPrice: formatDecimal(payment.priceNano, 9),
    fundingFee: microText(payment.amountMicro),
    fundingRate: rateText(payment.ratePico),
    paidTime: Math.floor(payment.settledAtMs),
  };
}
