/**
 * The last gate: every order on its way to a socket passes here, in the thread that writes it. Connector thread only.
 *
 * The limits come from the configuration at start and nothing a strategy says can change them. An order's worst case counts
 * everything of ours that may still execute.
 */
import { notionalMicro, priceNano, priceText, microText } from '../money/amounts.ts';
import type { Instrument } from '../market/instrument.ts';
import type { BookView } from '../market/book.ts';
import type { Branded } from '../money/units.ts';
import type { OrderRequest } from '../venues/venue.ts';

/** An order that passed the last gate. Made only here; connectors submit nothing else. */
export type ApprovedOrder = Branded<OrderRequest, 'ApprovedOrder'>;

/** Limits of one account. Money in quote micro-units. */
export interface OrderGateLimits {
  /** Symbols this account may trade at all. */
  readonly symbols: readonly string[];
  readonly maxOrderNotionalMicro: bigint;
  /** Cap on the position in one symbol, own working orders counted as filled. */
  readonly maxPositionNotionalMicro: bigint;
  /** Own orders that may be live on the account. */
  readonly maxOpenOrders: number;
  readonly maxOrdersPerSec: number;
  /** The same over a minute and a UTC day, for what does not only reduce; absent: no such limit. */
  readonly maxOrdersPerMinute?: number;
  readonly maxOrdersPerDay?: number;
  /** How far past the reference price an order may pay, in 1e-4. */
  readonly priceCollarBps: number;
  /** Loss of the account since the UTC day began after which only reducing orders pass. */
  readonly dailyLossMicro: bigint;
}

/** What the connector knows at the moment of sending. */
export interface OrderGateContext {
  readonly instrument: Instrument;
  /** 1e-9 quote per contract; absent when never seen or stale. */
  readonly markNano?: bigint;
  readonly indexNano?: bigint;
  /** Stands in for a missing mark: its mid is the reference then. */
  readonly book?: BookView;
  /** Confirmed position plus fills known since, signed lots; undefined when not reconciled yet. */
  readonly positionLots: number | undefined;
  /** The venue has no reduce-only rule of its own. */
  readonly lacksReduceOnly?: true;
  /** Our other orders of this symbol that may still execute, in flight and unknown ones included. */
  readonly workingOrders: readonly WorkingOrder[];
  /** Our other orders on the whole account that may be live. */
  readonly openOrders: number;
  /** Result of the account since the UTC day began; absent while unknown. */
  readonly dayResultMicro?: bigint;
  /** Calendar ms, against the order's validity. */
  readonly nowMs: number;
  readonly monotonicMs: number;
}
export interface WorkingOrder {
  readonly side: 'buy' | 'sell';
  readonly remainingLots: number;
  readonly reduceOnly: boolean;
  /** Waits for the mark, outside the book. */
  readonly isWaiting?: boolean;
}

export type DenialCode =
  | 'SYMBOL_NOT_ALLOWED'
  | 'INSTRUMENT_MISMATCH'
  | 'INSTRUMENT_STATUS'
  | 'BAD_ORDER'
  | 'EXPIRED_INTENT'
  | 'QUANTITY'
  | 'NOTIONAL'
  | 'POSITION_UNKNOWN'
  | 'POSITION_CAP'
  | 'REDUCE_ONLY_INCREASES'
  | 'OPEN_ORDERS'
  | 'NO_REFERENCE_PRICE'
  | 'PRICE_COLLAR'
  | 'ORDER_RATE'
  | 'DAILY_LOSS';

/** Names the rule and the value that broke it. */
export interface Denial {
  readonly code: DenialCode;
  readonly rule: string;
  readonly value: string;
  /** Both in one sentence, for logs and refusals. */
  readonly detail: string;
}

/** The gate's memory: when it let orders pass, at most one minute back, and how many that open on this UTC day. */
export interface OrderGate {
  readonly limits: OrderGateLimits;
  readonly passedAtMonotonicMs: readonly number[];
  readonly opened: { readonly day: number; readonly count: number };
}

export type OrderGateDecision =
  | { readonly gate: OrderGate; readonly approved: ApprovedOrder; readonly denied?: undefined }
  | { readonly gate: OrderGate; readonly approved?: undefined; readonly denied: Denial };

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Part of the order rate that opening orders, and stops, leave to those that close. */
const REDUCING_RATE_SHARE = 0.2;
const CLIENT_ORDER_ID = /^[1-9]\d{0,14}$/;
const CLIENT_ORDER_ID_MAX = 2 ** 48 - 1;
/** Precision of the collar: 1e-12 per bps is 1e8. */
const PICO_PER_BPS = 1e8;
const PICO = 10n ** 12n;

export function createOrderGate(limits: OrderGateLimits): OrderGate {
  return { limits, passedAtMonotonicMs: [], opened: { day: 0, count: 0 } };
}

/** Decides one order. Keep the returned gate: it remembers what passed. A denied order was never sent and never will be. */
export function approve(gate: OrderGate, order: OrderRequest, context: OrderGateContext): OrderGateDecision {
  const passedAtMonotonicMs = gate.passedAtMonotonicMs.filter((atMs) => context.monotonicMs - atMs < MINUTE_MS);
  const { limits } = gate;
  const day = Math.floor(context.nowMs / DAY_MS);
  const opened = gate.opened.day === day ? gate.opened : { day, count: 0 };
  const denied =
    denyForm(order, context.nowMs) ??
    denyInstrument(order, context.instrument, limits) ??
    denySize(order, context.instrument, limits) ??
    (order.reduceOnly ? denyIncrease(order, context) : denyOpening(order, context, limits)) ??
    denyPrice(order, context, limits) ??
    denyRate(order, { passedAtMonotonicMs, openedToday: opened.count }, context, limits);
  if (denied !== undefined) return { gate: { limits, passedAtMonotonicMs, opened }, denied };
  return {
    gate: {
      limits,
      passedAtMonotonicMs: [...passedAtMonotonicMs, context.monotonicMs],
      opened: order.reduceOnly ? opened : { day, count: opened.count + 1 },
    },
    approved: order as ApprovedOrder,
  };
}

/** One leg of an entry as it will be ordered. */
export type OpeningLeg = Pick<OrderRequest, 'symbol' | 'side' | 'lots' | 'limitTicks'>;

/** What is known of a leg before any of its pair was sent. */
export type OpeningContext = Pick<OrderGateContext, 'instrument' | 'markNano' | 'indexNano' | 'book' | 'positionLots'>;

/**
 * Returns why the last gate would deny an opening order as things stand, by the gate's own rules; undefined when it would pass. What
 * only the sending thread knows (other orders, the rate, the day's result) is left to the gate. For asking before the first leg of a
 * pair leaves: nothing is approved here.
 */
export function previewOpening(
  leg: OpeningLeg,
  context: OpeningContext,
  accountLimits: Omit<OrderGateLimits, 'symbols'>,
): Denial | undefined {
  const limits: OrderGateLimits = { ...accountLimits, symbols: [leg.symbol] };
  const order: OrderRequest = {
    ...leg,
    clientOrderId: '1',
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: false,
    validUntilMs: 1,
  };
  const whole: OrderGateContext = { ...context, workingOrders: [], openOrders: 0, nowMs: 0, monotonicMs: 0 };
  return (
    denyForm(order, whole.nowMs) ??
    denyInstrument(order, context.instrument, limits) ??
    denySize(order, context.instrument, limits) ??
    denyOpening(order, whole, limits) ??
    denyPrice(order, whole, limits)
  );
}

function denyForm(order: OrderRequest, nowMs: number): Denial | undefined {
  if (!CLIENT_ORDER_ID.test(order.clientOrderId) || Number(order.clientOrderId) > CLIENT_ORDER_ID_MAX) {
    return deny('BAD_ORDER', 'client order id must be a decimal integer from 1 to 2^48-1', order.clientOrderId);
  }
  if (order.postOnly && order.timeInForce === 'ioc') {
    return deny('BAD_ORDER', 'an immediate-or-cancel order must not be post-only', 'postOnly with ioc');
  }
  if (!Number.isSafeInteger(order.limitTicks) || order.limitTicks <= 0) {
    return deny('BAD_ORDER', 'limit price must be a positive whole number of ticks', String(order.limitTicks));
  }
  if (order.trigger !== undefined && (!order.reduceOnly || order.restsUntilMs === undefined)) {
    return deny('BAD_ORDER', 'an order that waits for the mark must reduce only, and end', 'trigger without');
  }
  if (order.trigger !== undefined && !(Number.isSafeInteger(order.trigger.ticks) && order.trigger.ticks > 0)) {
    return deny('BAD_ORDER', 'a trigger must be a positive whole number of ticks', String(order.trigger.ticks));
  }
  if (!(order.validUntilMs > nowMs)) {
    return deny('EXPIRED_INTENT', 'an order must be valid beyond now', `${order.validUntilMs} at ${nowMs}`);
  }
  return undefined;
}

function denyInstrument(order: OrderRequest, instrument: Instrument, limits: OrderGateLimits): Denial | undefined {
  if (!limits.symbols.includes(order.symbol)) {
    return deny('SYMBOL_NOT_ALLOWED', `symbol must be one of ${limits.symbols.join(', ')}`, order.symbol);
  }
  if (instrument.symbol !== order.symbol) {
    return deny('INSTRUMENT_MISMATCH', `the order must be for ${instrument.symbol}`, order.symbol);
  }
  const tradable = instrument.status === 'active' || (instrument.status === 'reduce-only' && order.reduceOnly);
  return tradable ? undefined : deny('INSTRUMENT_STATUS', 'the instrument must be tradable', instrument.status);
}

function denySize(order: OrderRequest, instrument: Instrument, limits: OrderGateLimits): Denial | undefined {
  if (!Number.isSafeInteger(order.lots) || order.lots <= 0) {
    return deny('QUANTITY', 'quantity must be a positive whole number of lots', String(order.lots));
  }
  // Venues let a remainder below their minimum be closed; it could never be closed otherwise.
  if (!order.reduceOnly && order.lots < instrument.minQuantityLots) {
    return deny('QUANTITY', `quantity must be at least ${instrument.minQuantityLots} lots`, String(order.lots));
  }
  // What reduces is bounded by the position and the collar. A cap on its value would keep a grown position from ever closing.
  if (order.reduceOnly) return undefined;
  const notional = notionalMicro(instrument, order.limitTicks, order.lots);
  if (notional > limits.maxOrderNotionalMicro) {
    return deny(
      'NOTIONAL',
      `order notional must be at most ${microText(limits.maxOrderNotionalMicro)}`,
      microText(notional),
    );
  }
  return undefined;
}

/** A reducing order plus everything else that reduces must fit inside the position: it may never flip. */
function denyIncrease(order: OrderRequest, context: OrderGateContext): Denial | undefined {
  const position = context.positionLots;
  // Without a known position the venue's own reduce-only rule is the guard; refusing here would forbid an emergency close. Where there
  // is no such rule, the close waits until it is known what there is to close.
  if (position === undefined)
    return context.lacksReduceOnly === true
      ? deny('POSITION_UNKNOWN', 'the position must be reconciled where the venue has no reduce-only rule', 'unknown')
      : undefined;
  const reducing = position > 0 ? 'sell' : 'buy';
  if (position === 0 || order.side !== reducing) {
    return deny(
      'REDUCE_ONLY_INCREASES',
      `a reduce-only order must oppose the position of ${position} lots`,
      order.side,
    );
  }
  let working = 0;
  // What waits for the mark is there for when nothing else closes the position: it must not stand in the way of what does. Should
  // both be executed, the venue's own reduce-only rule ends the later one. Of its own kind there is one.
  const isBeside = (other: WorkingOrder): boolean =>
    other.side === order.side && (other.isWaiting === true) === (order.trigger !== undefined);
  for (const other of context.workingOrders) if (isBeside(other)) working += other.remainingLots;
  if (working + order.lots > Math.abs(position)) {
    const rule = `reducing orders must not exceed the position of ${Math.abs(position)} lots`;
    return deny('REDUCE_ONLY_INCREASES', rule, `${order.lots} beside ${working} working`);
  }
  return undefined;
}

function denyOpening(order: OrderRequest, context: OrderGateContext, limits: OrderGateLimits): Denial | undefined {
  const { instrument, positionLots, dayResultMicro } = context;
  if (positionLots === undefined) return deny('POSITION_UNKNOWN', 'the position must be reconciled', 'unknown');
  if (dayResultMicro !== undefined && dayResultMicro <= -limits.dailyLossMicro) {
    const rule = `the day's loss must stay below ${microText(limits.dailyLossMicro)}`;
    return deny('DAILY_LOSS', rule, microText(dayResultMicro));
  }
  if (context.openOrders >= limits.maxOpenOrders) {
    return deny('OPEN_ORDERS', `live orders must stay at most ${limits.maxOpenOrders}`, String(context.openOrders + 1));
  }
  const sign = order.side === 'buy' ? 1 : -1;
  let worstLots = positionLots + sign * order.lots;
  for (const other of context.workingOrders) {
    if (other.side === order.side && !other.reduceOnly) worstLots += sign * other.remainingLots;
  }
  // An order that ends nearer to zero than the cap is judged by where it ends, on either side of zero.
  const worst = notionalMicro(instrument, order.limitTicks, Math.abs(worstLots));
  if (worst > limits.maxPositionNotionalMicro) {
    const rule = `position notional must stay at most ${microText(limits.maxPositionNotionalMicro)}`;
    return deny('POSITION_CAP', rule, microText(worst));
  }
  return undefined;
}

/**
 * A buy may not pay more, a sell not accept less than the collar around the reference. The index is the reference for opening,
 * being harder to push than the venue's own mark; closing may lean on whichever of index and mark lets it leave.
 */
function denyPrice(order: OrderRequest, context: OrderGateContext, limits: OrderGateLimits): Denial | undefined {
  const { instrument } = context;
  const mark = context.markNano ?? midNano(context.book, instrument);
  const preferred = context.indexNano ?? mark;
  // One that waits is executed where the mark will be then.
  const reducing =
    order.trigger === undefined ? [context.indexNano, mark] : [priceNano(order.trigger.ticks, instrument)];
  const references = (order.reduceOnly ? reducing : [preferred]).filter((nano) => nano !== undefined);
  if (references.length === 0) return deny('NO_REFERENCE_PRICE', 'a mark, index or book must be known', order.symbol);

  const collar = BigInt(Math.round(limits.priceCollarBps * PICO_PER_BPS));
  const price = priceNano(order.limitTicks, instrument);
  const inside = references.some((reference) =>
    order.side === 'buy' ? price * PICO <= reference * (PICO + collar) : price * PICO >= reference * (PICO - collar),
  );
  if (inside) return undefined;
  const side = order.side === 'buy' ? 'above' : 'below';
  const references9 = references.map((reference) => (Number(reference) / 1e9).toString()).join(' or ');
  const rule = `price must be at most ${limits.priceCollarBps} bps ${side} ${references9}`;
  return deny('PRICE_COLLAR', rule, priceText(order.limitTicks, instrument));
}

/** What reduces has only the second's limit: a runaway entry loop must not keep a position from closing. A stop closes nothing yet. */
function denyRate(
  order: OrderRequest,
  memory: { readonly passedAtMonotonicMs: readonly number[]; readonly openedToday: number },
  context: OrderGateContext,
  limits: OrderGateLimits,
): Denial | undefined {
  const { passedAtMonotonicMs, openedToday } = memory;
  const at = Math.floor(context.monotonicMs);
  const share = order.reduceOnly && order.trigger === undefined ? 1 : 1 - REDUCING_RATE_SHARE;
  const perSecond = Math.max(1, Math.floor(limits.maxOrdersPerSec * share));
  const inSecond = passedAtMonotonicMs.filter((atMs) => context.monotonicMs - atMs < SECOND_MS).length;
  if (inSecond >= perSecond)
    return deny('ORDER_RATE', `at most ${perSecond} orders per second`, `${inSecond + 1} at ${at}`);
  if (order.reduceOnly) return undefined;
  const { maxOrdersPerMinute = Number.POSITIVE_INFINITY, maxOrdersPerDay = Number.POSITIVE_INFINITY } = limits;
  const inMinute = passedAtMonotonicMs.length;
  if (inMinute >= maxOrdersPerMinute)
    return deny('ORDER_RATE', `at most ${maxOrdersPerMinute} orders per minute`, `${inMinute + 1} at ${at}`);
  if (openedToday >= maxOrdersPerDay)
    return deny('ORDER_RATE', `at most ${maxOrdersPerDay} opening orders per UTC day`, String(openedToday + 1));
  return undefined;
}

function midNano(book: BookView | undefined, instrument: Instrument): bigint | undefined {
  const bid = book?.bids[0];
  const ask = book?.asks[0];
  if (bid === undefined || ask === undefined || bid[0] >= ask[0]) return undefined;
  return (priceNano(bid[0], instrument) + priceNano(ask[0], instrument)) / 2n;
}

function deny(code: DenialCode, rule: string, value: string): Denial {
  return { code, rule, value, detail: `${rule}, was ${value}` };
}
