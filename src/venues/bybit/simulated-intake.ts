/** What the simulated Bybit venue's gateway checks before an order reaches the exchange. Pure reads; any thread. */
import { notionalMicro } from '../../money/amounts.ts';
import { parseDecimal } from '../../money/decimal.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { Exchange, ExchangeOrder, OrderTrigger, SubmitOutcome } from '../../simulation/exchange.ts';
import type { Fields } from '../json.ts';
import { optionalText } from '../fields.ts';
import type { Refusal } from './simulated-access.ts';
import { badParameter } from './simulated-answers.ts';
import { ORDER_LOTS_MAX } from './simulated-wire.ts';
import { TRIGGER_FALL, TRIGGER_RISE } from './wire.ts';

type Intake = { readonly accepted: ExchangeOrder } | { readonly refused: Refusal };

const ACTIVE_ORDERS_MAX = 500;
/** How far a market order reaches when the venue turns it into a limit order, as a divisor of the mark. */
const MARKET_REACH = 20n;
const PICO = 1e12;
const LINK_ID = /^[A-Za-z0-9_-]{1,36}$/;

/** Reads one order body. It stays valid once taken: this venue's orders have no expiry of their own. */
export function admitOrder(body: Fields, account: string, exchange: Exchange): Intake {
  const symbol = optionalText(body, 'symbol') ?? '';
  const instrument = exchange.markets().find((listed) => listed.symbol === symbol);
  if (instrument === undefined) return refuse(badParameter('symbol invalid'));
  const { side, orderType } = body;
  if (side !== 'Buy' && side !== 'Sell') return refuse(badParameter('side invalid'));
  if (orderType !== 'Limit' && orderType !== 'Market') return refuse(badParameter('orderType invalid'));
  if (Number(body['positionIdx'] ?? 0) !== 0) return refuse(badParameter('position idx not match position mode'));
  const linkId = optionalText(body, 'orderLinkId') ?? '';
  if (linkId !== '' && !LINK_ID.test(linkId)) return refuse(badParameter('orderLinkId invalid'));
  const force = orderType === 'Market' ? 'IOC' : (optionalText(body, 'timeInForce') ?? 'GTC');
  if (force !== 'GTC' && force !== 'IOC' && force !== 'PostOnly') return refuse(badParameter('timeInForce invalid'));

  const lots = steps(optionalText(body, 'qty') ?? '', instrument.quantityDecimals, instrument.lotUnits);
  if (lots === undefined || lots < instrument.minQuantityLots || lots > ORDER_LOTS_MAX)
    return refuse(badParameter('Qty invalid'));
  const limitTicks =
    orderType === 'Market'
      ? marketTicks(exchange, instrument, side)
      : steps(optionalText(body, 'price') ?? '', instrument.priceDecimals, instrument.tickUnits);
  if (limitTicks === undefined || limitTicks <= 0) return refuse(badParameter('Price invalid'));
  const reduceOnly = body['reduceOnly'] === true;
  if (!reduceOnly && notionalMicro(instrument, limitTicks, lots) < instrument.minNotionalMicro)
    return refuse({ retCode: 110094, retMsg: 'Order does not meet minimum order value' });

  const trigger = triggerOf(body, instrument, exchange);
  if (trigger !== undefined && !('markTicks' in trigger)) return refuse(trigger);
  const accepted: ExchangeOrder = {
    account,
    clientOrderId: linkId,
    symbol,
    side: side === 'Buy' ? 'buy' : 'sell',
    lots,
    limitTicks,
    timeInForce: force === 'IOC' ? 'ioc' : 'gtc',
    postOnly: force === 'PostOnly',
    reduceOnly,
    validUntilMs: Number.MAX_SAFE_INTEGER,
    ...(trigger === undefined ? {} : { trigger }),
  };
  const held = exchange.position(account, symbol)?.signedLots ?? 0;
  if (reduceOnly && (held === 0 || held > 0 === (side === 'Buy')))
    return refuse({ retCode: 110017, retMsg: 'current position is zero, cannot fix reduce-only order qty' });
  const active = exchange
    .orders(account)
    .filter((order) => order.symbol === symbol && (order.status === 'queued' || order.status === 'open')).length;
  return active >= ACTIVE_ORDERS_MAX
    ? refuse({ retCode: 110009, retMsg: 'The number of active orders exceeds the maximum limit' })
    : { accepted };
}

/** By the mark only: what a bot of ours asks for. A trigger that the price has passed already is refused. */
function triggerOf(body: Fields, instrument: Instrument, exchange: Exchange): OrderTrigger | Refusal | undefined {
  const text = optionalText(body, 'triggerPrice');
  if (text === undefined) return undefined;
  const markTicks = steps(text, instrument.priceDecimals, instrument.tickUnits);
  const direction = Number(body['triggerDirection']);
  if (markTicks === undefined || markTicks <= 0) return badParameter('TriggerPrice invalid');
  if (direction !== TRIGGER_RISE && direction !== TRIGGER_FALL) return badParameter('triggerDirection invalid');
  if (optionalText(body, 'triggerBy') !== 'MarkPrice') return badParameter('triggerBy is not simulated');
  const { markNano } = exchange.stats(instrument.symbol);
  const mark = (Number(markNano) / 1e9) * 10 ** instrument.priceDecimals;
  if (direction === TRIGGER_RISE && markTicks * instrument.tickUnits <= mark)
    return { retCode: 110092, retMsg: 'expect Rising, but trigger_price <= current' };
  if (direction === TRIGGER_FALL && markTicks * instrument.tickUnits >= mark)
    return { retCode: 110093, retMsg: 'expect Falling, but trigger_price >= current' };
  return { markTicks, direction: direction === TRIGGER_RISE ? 'rise' : 'fall' };
}

function refuse(refused: Refusal): { readonly refused: Refusal } {
  return { refused };
}

/** Whole steps of a decimal text; undefined when it is none or lies between two. */
function steps(text: string, decimals: number, stepUnits: number): number | undefined {
  const units = parseDecimal(text, decimals);
  if (units === undefined || units < 0n || units % BigInt(stepUnits) !== 0n) return undefined;
  const count = Number(units / BigInt(stepUnits));
  return Number.isSafeInteger(count) ? count : undefined;
}

function marketTicks(exchange: Exchange, instrument: Instrument, side: 'Buy' | 'Sell'): number {
  const { markNano } = exchange.stats(instrument.symbol);
  const banded = (markNano * BigInt(instrument.priceBand ?? PICO)) / BigInt(PICO);
  const reach = banded < markNano / MARKET_REACH ? banded : markNano / MARKET_REACH;
  // Within the band, as the venue bounds its own slippage: the last tick inside.
  const ticks = (limitNano: bigint): number =>
    (Number(limitNano) * 10 ** instrument.priceDecimals) / 1e9 / instrument.tickUnits;
  return side === 'Buy' ? Math.floor(ticks(markNano + reach)) : Math.ceil(ticks(markNano - reach));
}

const REFUSALS: Readonly<Record<Extract<SubmitOutcome, { accepted: false }>['reason'], Refusal>> = {
  'duplicate-client-id': { retCode: 110072, retMsg: 'OrderLinkedID is duplicate' },
  'unknown-symbol': badParameter('symbol invalid'),
  'below-minimum': { retCode: 110094, retMsg: 'Order does not meet minimum order value' },
  'above-maximum': badParameter('Qty invalid'),
  'price-band': { retCode: 110003, retMsg: 'Order price exceeds the allowable range.' },
  margin: { retCode: 110007, retMsg: 'ab not enough for new order' },
  inactive: { retCode: 110074, retMsg: 'This contract is not live' },
  expired: badParameter('order expired'),
};

/** The venue's words for what the exchange refused. */
export function refusalOf(reason: keyof typeof REFUSALS): Refusal {
  return REFUSALS[reason];
}
