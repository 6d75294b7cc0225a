/** The simulated Hyperliquid's facts in its wire shapes: the exchange's exact integers as short decimal text. Pure; any thread. */
import type { Instrument } from '../../market/instrument.ts';
import { microText, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import type {
  OrderTrigger,
  Exchange,
  ExchangeFunding,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import { premiumPicoOf } from './funding-formula.ts';
import { shortDecimal } from './wire.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json | undefined };

/** One account of the simulated venue. */
export interface SimulatedAccount {
  readonly name: string;
  /** Lower case. */
  readonly address: string;
  /** Addresses whose signatures act for it, its own among them. */
  readonly signers: readonly string[];
  /** Leverage of coins whose leverage was never set, the exchange's own default for this account. Default 1. */
  readonly leverage?: number;
}

/** The venue's id spaces: order numbers beyond 2^32, trade numbers near 2^50. */
export interface WireIds {
  order(orderNumber: number): number;
  trade(tradeNumber: number): number;
}

export function wireIds(seed: number): WireIds {
  const base = 480_000_000_000 + (Math.abs(Math.trunc(seed)) % 1_000) * 10_000_000;
  return {
    order: (orderNumber) => base + orderNumber,
    trade: (tradeNumber) => 700_000_000_000_000 + base + tradeNumber,
  };
}

/** Prices and sizes keep one decimal even where it is zero, as the venue writes them. */
function decimalText(text: string): string {
  const short = shortDecimal(text);
  return short.includes('.') ? short : `${short}.0`;
}

export function priceJson(ticks: number, instrument: Instrument): string {
  return decimalText(priceText(ticks, instrument));
}

export function sizeJson(lots: number, instrument: Instrument): string {
  return decimalText(quantityText(lots, instrument));
}

function moneyJson(micro: bigint): string {
  return decimalText(microText(micro));
}

/** A fraction in 1e-12. */
export function rateJson(pico: number): string {
  return shortDecimal(formatDecimal(BigInt(Math.round(pico)), 12));
}

type Book = ReturnType<Exchange['book']>;

export function levelsJson(book: Book, instrument: Instrument, depth: number): Json {
  const side = (levels: Book['bids']): Json =>
    levels
      .slice(0, depth)
      .map(([ticks, lots]) => ({ px: priceJson(ticks, instrument), sz: sizeJson(lots, instrument), n: 1 }));
  return [side(book.bids), side(book.asks)];
}

export function marketJson(instrument: Instrument): Json {
  return {
    name: instrument.symbol,
    szDecimals: instrument.quantityDecimals,
    maxLeverage: instrument.maxLeverage,
    marginTableId: instrument.maxLeverage,
    ...(instrument.status === 'inactive' ? { isDelisted: true } : {}),
  };
}

/** Sizes at which the venue measures impact prices are not simulated: the touch stands for them. */
export function contextJson(instrument: Instrument, stats: ExchangeStats, book: Book): Json {
  const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
  const hasBook = bid !== undefined && ask !== undefined;
  const nano = (price: bigint): string => decimalText(formatDecimal(price, 9));
  return {
    funding: rateJson(stats.predictedHourlyPico),
    openInterest: stats.openInterestBase.toFixed(instrument.quantityDecimals),
    prevDayPx: nano(stats.markNano),
    dayNtlVlm: stats.volume24hQuote.toFixed(6),
    premium: hasBook ? rateJson(premiumPicoOf(stats.predictedHourlyPico)) : null,
    oraclePx: nano(stats.indexNano),
    markPx: nano(stats.markNano),
    midPx: hasBook ? decimalText(formatDecimal(BigInt(bid + ask) * 5n, instrument.priceDecimals + 1)) : null,
    impactPxs: hasBook ? [priceJson(bid, instrument), priceJson(ask, instrument)] : null,
    dayBaseVlm: stats.volume24hBase.toFixed(instrument.quantityDecimals),
  };
}

export function settledRateJson(funding: ExchangeFunding): Json {
  return {
    coin: funding.symbol,
    fundingRate: rateJson(funding.ratePico),
    premium: rateJson(premiumPicoOf(funding.ratePico)),
    time: Math.floor(funding.settledAtMs),
  };
}

const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ['margin', 'perpMarginRejected'],
  ['post-only', 'badAloPxRejected'],
  ['price-band', 'oracleRejected'],
]);

/** `rested`: the order stood in the book before it ended. */
export function statusText(order: ExchangeOrderState, rested: boolean): string {
  const reason = order.reason ?? '';
  const traded = rested || order.filledLots > 0;
  switch (order.status) {
    case 'queued':
    case 'open':
      return 'open';
    case 'filled':
      return 'filled';
    case 'rejected':
      return REJECTIONS.get(reason) ?? 'rejected';
    case 'expired':
      return reason === 'self-trade' ? 'selfTradeCanceled' : 'canceled';
    case 'cancelled':
      if (reason === 'no-liquidity') return traded ? 'canceled' : 'iocCancelRejected';
      if (reason === 'reduce-only') return traded ? 'reduceOnlyCanceled' : 'reduceOnlyRejected';
      if (reason === 'liquidation') return 'liquidatedCanceled';
      return reason === 'internal' ? 'internalCancel' : 'canceled';
    default:
      throw new Error(`unknown order status ${String(order.status satisfies never)}`);
  }
}

/** An order as streams have it. */
export function orderJson(
  order: ExchangeOrderState,
  instrument: Instrument,
  ids: WireIds,
  cloid: string | undefined,
): { readonly [field: string]: Json | undefined } {
  return {
    coin: order.symbol,
    side: order.side === 'buy' ? 'B' : 'A',
    limitPx: priceJson(order.limitTicks, instrument),
    sz: sizeJson(order.lots - order.filledLots, instrument),
    oid: ids.order(order.venueOrderNumber),
    timestamp: Math.floor(order.createdAtMs),
    origSz: sizeJson(order.lots, instrument),
    cloid,
  };
}

/** An order as questions have it. */
export function fullOrderJson(
  order: ExchangeOrderState,
  instrument: Instrument,
  ids: WireIds,
  cloid: string | undefined,
): { readonly [field: string]: Json | undefined } {
  return {
    ...orderJson(order, instrument, ids, cloid),
    triggerCondition: order.trigger === undefined ? 'N/A' : triggerWords(order.trigger, instrument),
    isTrigger: order.trigger !== undefined && order.isTriggered !== true,
    triggerPx: order.trigger === undefined ? '0.0' : priceJson(order.trigger.markTicks, instrument),
    children: [],
    isPositionTpsl: false,
    reduceOnly: order.reduceOnly,
    orderType: order.trigger === undefined ? 'Limit' : 'Stop Market',
    tif: order.trigger !== undefined ? null : order.timeInForce === 'ioc' ? 'Ioc' : order.postOnly ? 'Alo' : 'Gtc',
    cloid: cloid ?? null,
  };
}

function triggerWords({ markTicks, direction }: OrderTrigger, instrument: Instrument): string {
  return `Price ${direction === 'rise' ? 'above' : 'below'} ${priceJson(markTicks, instrument)}`;
}

export function hashJson(number: number): string {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

function direction(before: number, after: number): string {
  if (before === 0 || Math.sign(before) === Math.sign(after)) {
    const grows = Math.abs(after) > Math.abs(before);
    return `${grows ? 'Open' : 'Close'} ${(grows ? after : before) > 0 ? 'Long' : 'Short'}`;
  }
  if (after === 0) return `Close ${before > 0 ? 'Long' : 'Short'}`;
  return before > 0 ? 'Long > Short' : 'Short > Long';
}

export function fillJson(facts: {
  readonly trade: ExchangeTrade;
  readonly party: TradeParty;
  readonly instrument: Instrument;
  readonly ids: WireIds;
  readonly cloid: string | undefined;
  readonly address: string;
  readonly markNano: bigint;
}): Json {
  const { trade, party, instrument, ids } = facts;
  const isTaker = trade.taker === party;
  const buys = isTaker === (trade.takerSide === 'buy');
  const before = party.positionBeforeLots;
  const tradeId = ids.trade(trade.tradeNumber);
  // Orders of the venue's own have no client id: they close accounts that ran out of margin.
  const isLiquidation = isTaker && party.clientOrderId === '';
  return {
    coin: trade.symbol,
    px: priceJson(trade.priceTicks, instrument),
    sz: sizeJson(trade.lots, instrument),
    side: buys ? 'B' : 'A',
    time: Math.floor(trade.atMs),
    startPosition: sizeJson(before, instrument),
    dir: direction(before, before + (buys ? trade.lots : -trade.lots)),
    closedPnl: moneyJson(party.realisedMicro),
    hash: hashJson(tradeId),
    oid: ids.order(party.venueOrderNumber),
    crossed: isTaker,
    fee: moneyJson(-party.feeMicro),
    tid: tradeId,
    cloid: facts.cloid,
    ...(isLiquidation
      ? {
          liquidation: {
            liquidatedUser: facts.address,
            markPx: decimalText(formatDecimal(facts.markNano, 9)),
            method: 'market',
          },
        }
      : {}),
    feeToken: 'USDC',
    twapId: null,
  };
}

/** One payment without its envelope; negative when paid. */
export function paymentJson(
  payment: ExchangeFundingPayment,
  instrument: Instrument,
): { readonly [field: string]: Json } {
  return {
    coin: payment.symbol,
    usdc: moneyJson(payment.amountMicro),
    szi: sizeJson(payment.signedLots, instrument),
    fundingRate: rateJson(payment.ratePico),
    nSamples: null,
  };
}

export function accountJson(
  exchange: Exchange,
  account: string,
  instrumentOf: (symbol: string) => Instrument,
  nowMs: number,
): Json {
  const wallet = exchange.wallet(account);
  let notional = 0n;
  let signedNotional = 0n;
  const positions = exchange.positions(account).map((position) => {
    const instrument = instrumentOf(position.symbol);
    const value = notionalMicroAtNano(
      instrument,
      exchange.stats(position.symbol).markNano,
      Math.abs(position.signedLots),
    );
    notional += value;
    signedNotional += position.signedLots < 0 ? -value : value;
    return { type: 'oneWay', position: positionJson(position, instrument, value) };
  });
  const summary = {
    accountValue: moneyJson(wallet.equityMicro),
    totalNtlPos: moneyJson(notional),
    totalRawUsd: moneyJson(wallet.equityMicro - signedNotional),
    totalMarginUsed: moneyJson(wallet.initialMarginMicro),
  };
  return {
    marginSummary: summary,
    crossMarginSummary: summary,
    crossMaintenanceMarginUsed: moneyJson(wallet.maintenanceMarginMicro),
    withdrawable: moneyJson(wallet.availableMicro),
    assetPositions: positions,
    time: Math.floor(nowMs),
  };
}

function positionJson(position: ExchangePosition, instrument: Instrument, value: bigint): Json {
  const margin = divideHalfEven(value, BigInt(Math.max(1, Math.floor(position.leverage))));
  const held = Math.abs(position.signedLots);
  const cost = position.costMicro < 0n ? -position.costMicro : position.costMicro;
  return {
    coin: position.symbol,
    szi: sizeJson(position.signedLots, instrument),
    leverage: { type: 'cross', value: position.leverage },
    entryPx: decimalText(
      formatDecimal(
        divideHalfEven(cost * 10n ** BigInt(instrument.quantityDecimals), BigInt(held) * BigInt(instrument.lotUnits)),
        6,
      ),
    ),
    positionValue: moneyJson(value),
    unrealizedPnl: moneyJson(position.unrealisedMicro),
    returnOnEquity: margin === 0n ? '0.0' : (Number(position.unrealisedMicro) / Number(margin)).toFixed(8),
    liquidationPx: position.liquidationPrice === undefined ? null : position.liquidationPrice.toFixed(6),
    marginUsed: moneyJson(margin),
    maxLeverage: instrument.maxLeverage,
    cumFunding: { allTime: '0.0', sinceOpen: '0.0', sinceChange: '0.0' },
  };
}
