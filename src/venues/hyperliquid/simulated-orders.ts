/** The simulated Hyperliquid's orders: what is checked before the exchange takes one, and what is answered about it. Pure reads; any thread. */
import type { Instrument } from '../../market/instrument.ts';
import { notionalMicro } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import { allowedStepTicks } from '../../money/significant-digits.ts';
import type { ExchangeOrder, ExchangeOrderState, OrderTrigger, SubmitOutcome } from '../../simulation/exchange.ts';
import { OPEN_ORDERS_MAX } from './limits.ts';
import type { TakenOrder } from './simulated-intake.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { priceJson } from './simulated-wire.ts';
import type { Json, SimulatedAccount } from './simulated-wire.ts';

/** Prices farther from the oracle are refused, fraction. */
const ORACLE_BAND = 0.8;
export const NEVER_PLACED = 'Order was never placed, already canceled, or filled.';

/** Returns the order as the exchange takes it, or the venue's words of refusal. */
export function admitOrder(
  records: SimulatedRecords,
  order: TakenOrder,
  account: SimulatedAccount,
): ExchangeOrder | string {
  const instrument = records.markets[order.asset];
  if (instrument === undefined) return 'Invalid asset.';
  if (instrument.status === 'inactive') return 'Asset is delisted.';
  const units = parseDecimal(order.size, instrument.quantityDecimals);
  if (units === undefined) return 'Order has invalid size.';
  if (units === 0n) return 'Order has zero size.';
  const lots = Number(units / BigInt(instrument.lotUnits));
  const price = parseDecimal(order.price, instrument.priceDecimals);
  const ticks = price === undefined ? 0 : Number(price) / instrument.tickUnits;
  if (ticks <= 0 || ticks % allowedStepTicks(ticks, instrument) !== 0) return 'Price must be divisible by tick size.';
  if (!order.reduceOnly && notionalMicro(instrument, ticks, lots) < instrument.minNotionalMicro)
    return 'Order must have minimum value of $10.';
  const oracle = Number(records.exchange.stats(instrument.symbol).indexNano) / 1e9;
  if (Math.abs((ticks * instrument.tickUnits) / 10 ** instrument.priceDecimals / oracle - 1) > ORACLE_BAND)
    return 'Order price too far from oracle.';
  const mark = Number(records.exchange.stats(instrument.symbol).markNano) / 1e9;
  const trigger = order.triggerPrice === undefined ? undefined : stopOf(order, order.triggerPrice, mark, instrument);
  if (trigger === 'invalid') return 'Invalid TP/SL price.';
  if (order.cloid !== undefined && records.openByCloid(account, order.cloid) !== undefined)
    return `Duplicate cloid ${order.cloid}.`;
  if (records.openOrders(account).length >= OPEN_ORDERS_MAX) return 'Too many open orders.';
  return {
    account: account.name,
    clientOrderId: '',
    symbol: instrument.symbol,
    side: order.isBuy ? 'buy' : 'sell',
    lots,
    limitTicks: ticks,
    timeInForce: order.timeInForce === 'Gtc' || order.timeInForce === 'Alo' ? 'gtc' : 'ioc',
    postOnly: order.timeInForce === 'Alo',
    reduceOnly: order.reduceOnly,
    // An action expires, an order does not: it rests until it is cancelled.
    validUntilMs: Number.MAX_SAFE_INTEGER,
    ...(trigger === undefined ? {} : { trigger }),
  };
}

/** A stop closes when the mark moves against the position: a sale when it falls, a purchase when it rises. */
function stopOf(order: TakenOrder, price: string, mark: number, instrument: Instrument): OrderTrigger | 'invalid' {
  const units = parseDecimal(price, instrument.priceDecimals);
  const markTicks = units === undefined ? 0 : Number(units) / instrument.tickUnits;
  if (markTicks <= 0 || markTicks % allowedStepTicks(markTicks, instrument) !== 0) return 'invalid';
  const at = (markTicks * instrument.tickUnits) / 10 ** instrument.priceDecimals;
  if (order.isBuy ? at <= mark : at >= mark) return 'invalid';
  return { markTicks, direction: order.isBuy ? 'rise' : 'fall' };
}

/** Returns the status of an order that is said to rest. */
export function resting(records: SimulatedRecords, orderNumber: number): Json {
  return { resting: { oid: records.ids.order(orderNumber) } };
}

/** Returns the status of an order whose block has come. */
export function orderStatus(records: SimulatedRecords, order: ExchangeOrderState, asset: number): Json {
  const named = { oid: records.ids.order(order.venueOrderNumber), cloid: records.cloid(order.venueOrderNumber) };
  if (order.filledLots > 0) {
    const instrument = records.known(order.symbol);
    const size = (order.filledLots * instrument.lotUnits) / 10 ** instrument.quantityDecimals;
    const averagePrice = Number(order.filledQuoteMicro) / 1e6 / size;
    return {
      filled: {
        totalSz: size.toFixed(instrument.quantityDecimals),
        avgPx: averagePrice.toFixed(instrument.priceDecimals),
        ...named,
      },
    };
  }
  if (order.status === 'open') return { resting: named };
  return { error: `${endText(order.reason ?? '', touchText(records, order.symbol))} asset=${asset}` };
}

function endText(reason: string, touch: string): string {
  switch (reason) {
    case 'no-liquidity':
      return 'Order could not immediately match against any resting orders.';
    case 'post-only':
      return `Post only order would have immediately matched, bbo was ${touch}.`;
    case 'reduce-only':
      return 'Reduce only order would increase position.';
    case 'margin':
      return 'Insufficient margin to place order.';
    default:
      return NEVER_PLACED;
  }
}

/** Returns why the exchange did not take an order, in the venue's words. */
export function refusalText(reason: Extract<SubmitOutcome, { accepted: false }>['reason']): string {
  switch (reason) {
    case 'margin':
      return 'Insufficient margin to place order.';
    case 'below-minimum':
      return 'Order must have minimum value of $10.';
    case 'above-maximum':
      return 'Order would cause position to exceed margin tier limit at current leverage.';
    case 'price-band':
      return 'Order price too far from oracle.';
    default:
      return `Order refused: ${reason}.`;
  }
}

/** The best prices, as refusals of post-only orders name them. */
function touchText(records: SimulatedRecords, symbol: string): string {
  const { bids, asks } = records.exchange.book(symbol);
  const text = (ticks = 0): string => priceJson(ticks, records.known(symbol));
  return `${text(bids[0]?.[0])}@${text(asks[0]?.[0])}`;
}
