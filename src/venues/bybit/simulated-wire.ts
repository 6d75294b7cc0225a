/** The simulated Bybit venue's facts in its wire shapes: exact integers as decimal text, ids as UUIDs. Pure; any thread. */
import { microText, notionalMicro, notionalMicroAtNano, priceText, quantityText } from '../../money/amounts.ts';
import { formatDecimal } from '../../money/decimal.ts';
import { divideHalfEven } from '../../money/rounding.ts';
import { HOUR_MS } from '../../market/funding-rate.ts';
import type { Instrument } from '../../market/instrument.ts';
import type {
  Exchange,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangePosition,
  ExchangeStats,
  ExchangeTrade,
  TradeParty,
} from '../../simulation/exchange.ts';
import { CATEGORY, TRIGGER_FALL, TRIGGER_RISE } from './wire.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The venue's id spaces. */
export interface WireIds {
  order(orderNumber: number): string;
  trade(tradeNumber: number): string;
  payment(paymentNumber: number): string;
}

/** Returns the id spaces of one venue; different seeds give different ids. */
export function wireIds(seed: number): WireIds {
  const hex = (value: number, digits: number): string =>
    Math.abs(Math.trunc(value)).toString(16).padStart(digits, '0').slice(-digits);
  const uuid = (space: number, value: number): string => `${hex(seed, 8)}-${hex(space, 4)}-4000-8000-${hex(value, 12)}`;
  return { order: (n) => uuid(1, n), trade: (n) => uuid(2, n), payment: (n) => uuid(3, n) };
}

/** Whole trailing zeros are cut, as the venue writes rates and steps. */
function short(units: bigint, decimals: number): string {
  return formatDecimal(units, decimals)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

const PICO_DECIMALS = 12;

export function rateText(pico: number): string {
  return short(BigInt(Math.round(pico)), PICO_DECIMALS);
}

export function instrumentJson(instrument: Instrument): Json {
  const band = rateText(instrument.priceBand ?? 0);
  return {
    symbol: instrument.symbol,
    contractType: 'LinearPerpetual',
    status: instrument.status === 'inactive' ? 'Closed' : 'Trading',
    baseCoin: instrument.multiplier === 1 ? instrument.base : `${instrument.multiplier}${instrument.base}`,
    quoteCoin: instrument.quote,
    launchTime: '1585526400000',
    deliveryTime: instrument.status === 'reduce-only' ? '4102444800000' : '0',
    deliveryFeeRate: '',
    priceScale: String(instrument.priceDecimals),
    leverageFilter: { minLeverage: '1', maxLeverage: `${instrument.maxLeverage}.00`, leverageStep: '0.01' },
    priceFilter: {
      minPrice: priceText(1, instrument),
      maxPrice: priceText(19_999_998, instrument),
      tickSize: priceText(1, instrument),
    },
    lotSizeFilter: {
      maxOrderQty: quantityText(ORDER_LOTS_MAX, instrument),
      minOrderQty: quantityText(instrument.minQuantityLots, instrument),
      qtyStep: quantityText(1, instrument),
      postOnlyMaxOrderQty: quantityText(ORDER_LOTS_MAX, instrument),
      maxMktOrderQty: quantityText(ORDER_LOTS_MAX, instrument),
      minNotionalValue: short(instrument.minNotionalMicro, 6),
    },
    unifiedMarginTrade: true,
    fundingInterval: instrument.fundingIntervalMs / 60_000,
    settleCoin: instrument.quote,
    copyTrading: 'both',
    upperFundingRate: '0.02',
    lowerFundingRate: '-0.02',
    isPreListing: false,
    preListingInfo: null,
    riskParameters: { priceLimitRatioX: band, priceLimitRatioY: rateText(2 * (instrument.priceBand ?? 0)) },
    symbolType: '',
  };
}

/** One tier: the simulated exchange takes the same margin of positions of any size. */
export function riskLimitJson({ symbol, maxLeverage, maintenanceMarginRate }: Instrument): readonly Json[] {
  return [
    {
      id: 1,
      symbol,
      riskLimitValue: '100000000',
      maintenanceMargin: rateText(maintenanceMarginRate),
      initialMargin: rateText(1e12 / maxLeverage),
      maxLeverage: `${maxLeverage}.00`,
      mmDeduction: '',
      isLowestRisk: 1,
    },
  ];
}

/** Largest order, in lots of any instrument. */
export const ORDER_LOTS_MAX = 100_000_000;

export function tickerJson(
  instrument: Instrument,
  stats: ExchangeStats,
  book: ReturnType<Exchange['book']>,
): Readonly<Record<string, string>> {
  const [bid, ask] = [book.bids[0], book.asks[0]];
  const intervalHours = instrument.fundingIntervalMs / HOUR_MS;
  return {
    symbol: instrument.symbol,
    lastPrice: priceText(stats.lastTradeTicks, instrument),
    indexPrice: short(stats.indexNano, 9),
    markPrice: short(stats.markNano, 9),
    openInterest: stats.openInterestBase.toFixed(instrument.quantityDecimals),
    turnover24h: stats.volume24hQuote.toFixed(4),
    volume24h: stats.volume24hBase.toFixed(4),
    fundingRate: rateText(stats.predictedHourlyPico * intervalHours),
    nextFundingTime: String(stats.nextSettleAtMs),
    fundingIntervalHour: String(intervalHours),
    fundingCap: '0.02',
    bid1Price: bid === undefined ? '' : priceText(bid[0], instrument),
    bid1Size: bid === undefined ? '' : quantityText(bid[1], instrument),
    ask1Price: ask === undefined ? '' : priceText(ask[0], instrument),
    ask1Size: ask === undefined ? '' : quantityText(ask[1], instrument),
    curPreListingPhase: '',
  };
}

/** How the venue words an end: status, why it was rejected, who cancelled. */
const ENDS: ReadonlyMap<string, readonly [status: string, rejectReason: string, cancelType: string]> = new Map([
  ['asked', ['Cancelled', 'EC_PerCancelRequest', 'CancelByUser']],
  ['post-only', ['Cancelled', 'EC_PostOnlyWillTakeLiquidity', 'UNKNOWN']],
  ['no-liquidity', ['Cancelled', 'EC_NoImmediateQtyToFill', 'UNKNOWN']],
  ['reduce-only', ['Cancelled', 'EC_NoError', 'CancelByReduceOnly']],
  ['self-trade', ['Cancelled', 'EC_BySelfMatch', 'CancelBySmp']],
  ['liquidation', ['Cancelled', 'EC_NoError', 'CancelAllBeforeLiq']],
  ['price-band', ['Rejected', 'EC_LimitOrderInvalidPrice', 'UNKNOWN']],
  ['margin', ['Rejected', 'EC_Others', 'UNKNOWN']],
]);

function endOf(order: ExchangeOrderState): readonly [status: string, rejectReason: string, cancelType: string] {
  if (order.trigger !== undefined && order.isTriggered !== true && order.status === 'open')
    return ['Untriggered', 'EC_NoError', 'UNKNOWN'];
  if (order.status === 'queued' || order.status === 'open')
    return [order.filledLots > 0 ? 'PartiallyFilled' : 'New', 'EC_NoError', 'UNKNOWN'];
  if (order.status === 'filled') return ['Filled', 'EC_NoError', 'UNKNOWN'];
  const known = ENDS.get(order.reason ?? '');
  return known ?? [order.status === 'rejected' ? 'Rejected' : 'Cancelled', order.reason ?? 'EC_NoError', 'UNKNOWN'];
}

export function orderJson(order: ExchangeOrderState, instrument: Instrument, ids: WireIds, paidMicro: bigint): Json {
  const [orderStatus, rejectReason, cancelType] = endOf(order);
  const isLive = order.status === 'queued' || order.status === 'open';
  const leaves = isLive ? order.lots - order.filledLots : 0;
  return {
    category: CATEGORY,
    symbol: order.symbol,
    orderId: ids.order(order.venueOrderNumber),
    orderLinkId: order.clientOrderId,
    parentOrderLinkId: '',
    side: order.side === 'buy' ? 'Buy' : 'Sell',
    orderType: 'Limit',
    price: priceText(order.limitTicks, instrument),
    qty: quantityText(order.lots, instrument),
    timeInForce: order.postOnly ? 'PostOnly' : order.timeInForce === 'ioc' ? 'IOC' : 'GTC',
    orderStatus,
    cancelType,
    rejectReason,
    avgPrice: order.filledLots === 0 ? '' : averagePrice(order.filledQuoteMicro, order.filledLots, instrument),
    leavesQty: quantityText(leaves, instrument),
    cumExecQty: quantityText(order.filledLots, instrument),
    cumExecValue: short(order.filledQuoteMicro, 6),
    cumExecFee: short(paidMicro, 6),
    cumFeeDetail: paidMicro === 0n ? {} : { [instrument.quote]: short(paidMicro, 6) },
    reduceOnly: order.reduceOnly,
    closeOnTrigger: false,
    positionIdx: 0,
    stopOrderType: order.trigger === undefined ? '' : 'Stop',
    createType: order.clientOrderId === '' ? 'CreateByLiq' : 'CreateByUser',
    triggerPrice: order.trigger === undefined ? '' : priceText(order.trigger.markTicks, instrument),
    triggerDirection:
      order.trigger === undefined ? 0 : order.trigger.direction === 'rise' ? TRIGGER_RISE : TRIGGER_FALL,
    triggerBy: order.trigger === undefined ? '' : 'MarkPrice',
    takeProfit: '',
    stopLoss: '',
    tpslMode: '',
    createdTime: String(Math.floor(order.createdAtMs)),
    updatedTime: String(Math.floor(order.updatedAtMs)),
  };
}

/** Quote per contract, half-even: for reading only, never the base of a booking. */
function averagePrice(quoteMicro: bigint, lots: number, instrument: Instrument): string {
  const magnitude = quoteMicro < 0n ? -quoteMicro : quoteMicro;
  const numerator = magnitude * 10n ** BigInt(6 + instrument.quantityDecimals);
  return short(divideHalfEven(numerator, BigInt(lots) * BigInt(instrument.lotUnits)), PICO_DECIMALS);
}

/** One side of a trade. */
export function executionJson(
  trade: ExchangeTrade,
  party: TradeParty,
  isForced: boolean,
  instrument: Instrument,
  ids: WireIds,
): Json {
  const isMaker = trade.taker !== party;
  const buys = !isMaker === (trade.takerSide === 'buy');
  const closes = Math.sign(party.positionBeforeLots) === (buys ? -1 : 1);
  const closed = closes ? Math.min(Math.abs(party.positionBeforeLots), trade.lots) : 0;
  return {
    category: CATEGORY,
    symbol: trade.symbol,
    orderId: ids.order(party.venueOrderNumber),
    orderLinkId: party.clientOrderId,
    side: buys ? 'Buy' : 'Sell',
    orderType: 'Limit',
    stopOrderType: 'UNKNOWN',
    execId: ids.trade(trade.tradeNumber),
    execPrice: priceText(trade.priceTicks, instrument),
    execQty: quantityText(trade.lots, instrument),
    // Orders of the venue's own close accounts that ran out of margin.
    execType: isForced ? 'BustTrade' : 'Trade',
    execValue: short(notionalMicro(instrument, trade.priceTicks, trade.lots), 6),
    execFee: microText(-party.feeMicro),
    feeRate: rateText(isMaker ? instrument.makerFee : instrument.takerFee),
    feeCurrency: instrument.quote,
    execPnl: short(party.realisedMicro, 6),
    closedSize: quantityText(closed, instrument),
    isMaker,
    execTime: String(Math.floor(trade.atMs)),
    extraFees: '',
    seq: trade.tradeNumber,
  };
}

/** A funding payment as an execution: what was paid is positive. */
export function fundingJson(payment: ExchangeFundingPayment, instrument: Instrument, ids: WireIds): Json {
  const lots = Math.abs(payment.signedLots);
  return {
    category: CATEGORY,
    symbol: payment.symbol,
    orderId: `${Math.floor(payment.settledAtMs / 1_000)}-${payment.paymentNumber}`,
    orderLinkId: '',
    side: payment.signedLots < 0 ? 'Sell' : 'Buy',
    orderType: 'UNKNOWN',
    stopOrderType: 'UNKNOWN',
    execId: ids.payment(payment.paymentNumber),
    execPrice: short(payment.priceNano, 9),
    execQty: quantityText(lots, instrument),
    execType: 'Funding',
    execValue: short(notionalMicroAtNano(instrument, payment.priceNano, lots), 6),
    execFee: microText(-payment.amountMicro),
    feeRate: rateText(payment.ratePico),
    feeCurrency: instrument.quote,
    closedSize: '',
    isMaker: false,
    execTime: String(Math.floor(payment.settledAtMs)),
    extraFees: '',
    seq: payment.paymentNumber,
  };
}

/** `priceName` is `avgPrice` in REST and `entryPrice` on the stream. */
export function positionJson(
  position: ExchangePosition,
  instrument: Instrument,
  stats: ExchangeStats,
  nowMs: number,
  priceName: 'avgPrice' | 'entryPrice',
): Json {
  const lots = Math.abs(position.signedLots);
  const value = notionalMicroAtNano(instrument, stats.markNano, lots);
  return {
    category: CATEGORY,
    positionIdx: 0,
    symbol: position.symbol,
    side: lots === 0 ? '' : position.signedLots < 0 ? 'Sell' : 'Buy',
    size: quantityText(lots, instrument),
    [priceName]: lots === 0 ? '0' : averagePrice(position.costMicro, lots, instrument),
    positionValue: short(value, 6),
    leverage: String(position.leverage),
    markPrice: short(stats.markNano, 9),
    liqPrice:
      position.liquidationPrice === undefined ? '' : position.liquidationPrice.toFixed(instrument.priceDecimals),
    positionIM: short(divideHalfEven(value, BigInt(Math.max(1, Math.floor(position.leverage)))), 6),
    unrealisedPnl: short(position.unrealisedMicro, 6),
    positionStatus: 'Normal',
    adlRankIndicator: 0,
    isReduceOnly: false,
    takeProfit: '',
    stopLoss: '',
    trailingStop: '',
    updatedTime: String(Math.floor(nowMs)),
    seq: lots === 0 ? -1 : Math.floor(nowMs),
  };
}

export function walletJson(wallet: ReturnType<Exchange['wallet']>, coin: string): Json {
  const unrealised = wallet.equityMicro - wallet.walletMicro;
  const equity = Number(wallet.equityMicro);
  const share = (margin: bigint): string => (equity > 0 ? (Number(margin) / equity).toFixed(4) : '0');
  return {
    accountType: 'UNIFIED',
    totalEquity: short(wallet.equityMicro, 6),
    totalWalletBalance: short(wallet.walletMicro, 6),
    totalMarginBalance: short(wallet.equityMicro, 6),
    totalAvailableBalance: short(wallet.availableMicro, 6),
    totalPerpUPL: short(unrealised, 6),
    totalInitialMargin: short(wallet.initialMarginMicro, 6),
    totalMaintenanceMargin: short(wallet.maintenanceMarginMicro, 6),
    accountIMRate: share(wallet.initialMarginMicro),
    accountMMRate: share(wallet.maintenanceMarginMicro),
    coin: [
      {
        coin,
        equity: short(wallet.equityMicro, 6),
        walletBalance: short(wallet.walletMicro, 6),
        usdValue: short(wallet.equityMicro, 6),
        locked: '0',
        borrowAmount: '0',
        bonus: '0',
        totalPositionIM: short(wallet.initialMarginMicro, 6),
        totalOrderIM: '0',
        totalPositionMM: short(wallet.maintenanceMarginMicro, 6),
        unrealisedPnl: short(unrealised, 6),
        availableToWithdraw: '',
        collateralSwitch: true,
        marginCollateral: true,
      },
    ],
  };
}
