/** Orders of a pair's legs as its state machine counts and asks for them. Pure, any thread. */
import { exposureRecord } from './exposure-clock.ts';
import type { LegSide } from './facts.ts';
import { isLive, isSettled } from './order-state.ts';
import type { OrderState } from './order-state.ts';
import type { LegView, Pair, PairCommand, PairStep, PairView, WantedOrder } from './pair.ts';

export const LEGS: readonly LegSide[] = ['long', 'short'];

export function otherLeg(leg: LegSide): LegSide {
  return leg === 'long' ? 'short' : 'long';
}

/** The side that builds a leg up. */
export function openingSide(leg: LegSide): 'buy' | 'sell' {
  return leg === 'long' ? 'buy' : 'sell';
}

export function inProgress(leg: LegView): boolean {
  return leg.orders.some((order) => !isSettled(order));
}

export function nextAttempt(leg: LegView): number {
  return leg.orders.reduce((highest, order) => Math.max(highest, order.planned.attempt), 0) + 1;
}

/** True when something of the pair was ever executed: then it was a trade, whatever is left of it. */
export function anyFill(view: PairView): boolean {
  return LEGS.some((leg) => view[leg].orders.some((order) => order.filledLots > 0));
}

/** Hedges in a row, the newest last, that did not fill in full: the rungs of the ladder that are used up. */
export function failedHedges(leg: LegView): number {
  let failed = 0;
  for (const { planned, filledLots } of leg.orders) {
    if (planned.purpose === 'hedge') failed = filledLots === planned.lots ? 0 : failed + 1;
  }
  return failed;
}

/** Trying again is for what may end differently: not for a permanent refusal, and not for the same one twice in a row. */
export function hopelessRefusal(leg: LegView): string | undefined {
  const [before, last] = leg.orders.slice(-2);
  const newest = last ?? before;
  if (newest === undefined || newest.status !== 'REJECTED' || newest.code === '') return undefined;
  if (newest.refusal === 'permanent') return `REFUSED: ${newest.code}`;
  // A venue that is too busy now may not be a moment later: the ladder bounds how often it is asked.
  if (newest.refusal === 'transient' || newest.refusal === 'rate-limit') return undefined;
  const isRepeated = last !== undefined && before?.status === 'REJECTED' && before.code === last.code;
  return isRepeated ? `REFUSED_TWICE: ${newest.code}` : undefined;
}

/** Asks for orders, and notes when. What stood unhedged until now is journaled with them. */
export function send(pair: Pair, view: PairView, orders: readonly WantedOrder[]): PairStep {
  const lastSendAtMs = { ...pair.timing.lastSendAtMs };
  for (const order of orders) lastSendAtMs[order.leg] = view.monotonicMs;
  const exposure = exposureRecord(pair.timing.exposure, view.nowMs);
  const isExposed = exposure.unhedgedQuote > 0 || exposure.quoteSeconds > (pair.record.exposure?.quoteSeconds ?? 0);
  return {
    pair: {
      record: isExposed ? { ...pair.record, revision: pair.record.revision + 1, exposure } : pair.record,
      timing: { ...pair.timing, lastSendAtMs, sends: pair.timing.sends + 1, settledSinceMs: undefined },
    },
    commands: [{ type: 'send', orders }],
  };
}

/** The next rung of the ladder on a leg that holds too little. */
export function hedging(leg: LegSide, lots: number, view: PairView): WantedOrder {
  return {
    leg,
    side: openingSide(leg),
    lots,
    purpose: 'hedge',
    attempt: nextAttempt(view[leg]),
    reduceOnly: false,
    price: { rule: 'ladder', rung: failedHedges(view[leg]) + 1 },
  };
}

/** An order that takes back `lots` of what a leg holds. Rung 0: any price within the protective cap. */
export function reducing(
  leg: LegSide,
  side: LegView,
  lots: number,
  purpose: 'close' | 'unwind' | 'rebalance',
  rung: number,
): WantedOrder {
  return {
    leg,
    side: side.ledgerLots > 0 ? 'sell' : 'buy',
    lots,
    purpose,
    attempt: nextAttempt(side),
    reduceOnly: true,
    price: rung === 0 ? { rule: 'protective' } : { rule: 'ladder', rung },
  };
}

/** True for an order that was meant to rest on the book. */
export function isQuote(order: OrderState): boolean {
  return order.planned.restsUntilMs !== undefined;
}

/** Cancels of everything that may still rest on a book and whose end nobody asked for yet. */
export function cancelsOfQuotes(view: Pick<PairView, LegSide>): readonly PairCommand[] {
  return LEGS.flatMap((leg) =>
    view[leg].orders
      .filter((order) => isQuote(order) && isLive(order) && !order.cancelRequested)
      .map((order): PairCommand => ({ type: 'cancel', leg, clientOrderId: order.planned.clientOrderId })),
  );
}
