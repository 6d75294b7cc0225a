/**
 * The trading decision of both subjects: a new trigger price at the top of the book means one order.
 * Pure; any thread.
 *
 * The quiet best bid is a whole multiple of 16 ticks. Trigger number n (1 and up) raises it by 1 + n mod 15 ticks, so that
 * consecutive triggers differ and a trigger stays visible until the venue lowers the bid again.
 */
import { encodeClientOrderId } from '../../src/execution/client-order-id.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import type { BookView } from '../../src/market/book.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { PriceTicks } from '../../src/money/units.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import type { OrderRequest } from '../../src/venues/venue.ts';
import { ACCOUNT, BASE, type OrderVenue } from './plan.ts';

const SLOTS = 16;
/** How far through the touch the order may pay: it is filled at once, and stays inside every price band. */
const LIMIT_THROUGH = 0.005;
/** A busy machine is measured here, not avoided. */
const VALID_MS = 30_000;

/** Returns a quiet best bid near a price. */
export function quietBidNear(ticks: number): number {
  return Math.floor(ticks / SLOTS) * SLOTS;
}

/** Returns how many ticks above the quiet bid a trigger stands. */
export function triggerRise(triggerNumber: number): number {
  return 1 + (triggerNumber % (SLOTS - 1));
}

/** What a decider remembers between books. */
export interface DecisionMemory {
  /** Rise of the last trigger answered, 0 before the first. */
  readonly lastRise: number;
  /** Decisions so far. */
  readonly count: number;
}

export const NO_DECISIONS: DecisionMemory = { lastRise: 0, count: 0 };

/** Returns the memory with one decision more when the book shows a trigger not yet answered, else the same memory. */
export function watchBook(memory: DecisionMemory, book: BookView): DecisionMemory {
  const bid = book.bids[0]?.[0];
  if (bid === undefined) return memory;
  const rise = bid % SLOTS;
  return rise === 0 || rise === memory.lastRise ? memory : { lastRise: rise, count: memory.count + 1 };
}

/** The order of decision number `count`. Sides alternate, so that the position stays small. */
export function orderOf(
  count: number,
  book: BookView,
  instrument: Instrument,
  boot: number,
  nowMs: number,
): OrderRequest {
  const buy = count % 2 === 1;
  const touch = (buy ? book.asks[0] : book.bids[0])?.[0];
  if (touch === undefined) throw new Error('a decision needs both sides of the book');
  const through = Math.ceil(touch * LIMIT_THROUGH);
  return {
    clientOrderId: encodeClientOrderId({ boot, symbolIndex: 0, counter: count }),
    symbol: instrument.symbol,
    side: buy ? 'buy' : 'sell',
    lots: instrument.minQuantityLots,
    // Sums of ticks of one instrument are ticks of it.
    limitTicks: (touch + (buy ? through : -through)) as PriceTicks,
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: false,
    validUntilMs: nowMs + VALID_MS,
  };
}

/** The row that must be on disk before the order leaves: what a position actor writes of each planned order. */
export function intentRow(venue: OrderVenue, order: OrderRequest, actor: string, nowMs: number): JournalRow {
  const planned: PlannedOrder = {
    venue,
    account: ACCOUNT,
    symbol: order.symbol,
    clientOrderId: order.clientOrderId,
    pairId: `${BASE}-bench`,
    leg: 'long',
    purpose: 'open',
    attempt: 1,
    side: order.side,
    lots: order.lots,
    limitTicks: order.limitTicks,
    reduceOnly: order.reduceOnly,
    validUntilMs: order.validUntilMs,
    plannedAtMs: nowMs,
  };
  return {
    id: `order-planned:${venue}:${ACCOUNT}:${order.clientOrderId}`,
    type: 'order-planned',
    atMs: nowMs,
    actor,
    correlation: BASE,
    payload: { order: planned },
  };
}
