/** The opening of a pair in any of its modes: what is sent first, what follows a fill, and when it is over. Pure, any thread. */
import { unhedgedForMs } from './exposure-clock.ts';
import { isBalanced, laggingLeg, leadingLeg, netUnits, absolute } from './imbalance.ts';
import { advanceMaking, mayEscalate, quoting } from './maker-entry.ts';
import type { LegSide } from './facts.ts';
import type { Pair, PairCommand, PairRecord, PairStep, PairView, WantedOrder } from './pair.ts';
import {
  anyFill,
  failedHedges,
  hedging,
  hopelessRefusal,
  inProgress,
  isQuote,
  LEGS,
  nextAttempt,
  openingSide,
  otherLeg,
  reducing,
  send,
} from './pair-orders.ts';

/** What an opening asks of its pair's state machine. */
export type OpeningVerdict =
  | { readonly type: 'go-on'; readonly step: PairStep }
  /** Everything is as it should be once both venues confirm it; `asks` are due at once. */
  | { readonly type: 'confirm'; readonly pair: Pair; readonly asks: readonly PairCommand[] }
  | { readonly type: 'open' | 'fail' | 'unwind'; readonly pair: Pair; readonly reason: string };

/** The first orders of a new pair. */
export function openingOrders(record: PairRecord): readonly WantedOrder[] {
  const { entry } = record;
  if (entry?.mode === 'maker-taker') return [quoting(entry.leg, record[entry.leg].lots, 1)];
  if (entry?.mode === 'sequential') return [taking(entry.leg, record[entry.leg].lots, 1)];
  return LEGS.map((leg) => taking(leg, record[leg].lots, 1));
}

/** Immediate or cancel, at the planned limit. */
function taking(leg: LegSide, lots: number, attempt: number): WantedOrder {
  return {
    leg,
    side: openingSide(leg),
    lots,
    purpose: 'open',
    attempt,
    reduceOnly: false,
    price: { rule: 'ladder', rung: 1 },
  };
}

/** Says how the opening goes on. */
export function continueOpening(before: Pair, view: PairView): OpeningVerdict {
  const making = advanceMaking(before, view);
  if (!making.isOver) return { type: 'go-on', step: making.step };
  const { pair } = making.step;
  if (inProgress(view.long) || inProgress(view.short)) return wait(pair);

  const missing = escalated(pair, view);
  if (missing !== undefined) return missing;
  if (view.long.ledgerLots === 0 && view.short.ledgerLots === 0) {
    if (!bothConfirmed(view)) return { type: 'confirm', pair, asks: [] };
    // What was filled and is gone again is booked on the pair: it ends as a trade.
    if (anyFill(view)) return { type: 'unwind', pair, reason: 'LEG_MISSING' };
    const again = takenAgain(pair, view);
    if (again !== undefined) return again;
    return { type: 'fail', pair, reason: endOf(pair) ?? firstRefusal(view) };
  }
  const unproven = unprovenFirstLeg(pair, view);
  if (unproven !== undefined) return { type: 'confirm', pair, asks: [{ type: 'reconcile', leg: unproven }] };
  if (!isBalanced(view)) return completeOrLeave(pair, view);
  if (!largeEnough(view)) return { type: 'unwind', pair, reason: 'BELOW_MINIMUM' };
  if (bothConfirmed(view)) return { type: 'open', pair, reason: 'CONFIRMED' };
  return { type: 'confirm', pair, asks: [] };
}

export function bothConfirmed(view: PairView): boolean {
  return view.long.truth.kind === 'confirmed' && view.short.truth.kind === 'confirmed';
}

export function largeEnough(view: PairView): boolean {
  return LEGS.every((leg) => Math.abs(view[leg].ledgerLots) >= view[leg].minLots);
}

function wait(pair: Pair): OpeningVerdict {
  return { type: 'go-on', step: { pair, commands: [] } };
}

/** Nobody came to the quote: what is missing is taken on both venues, as long as that is worth it by itself. */
function escalated(pair: Pair, view: PairView): OpeningVerdict | undefined {
  if (!mayEscalate(pair) || !isBalanced(view)) return undefined;
  const lots = (leg: LegSide): number => pair.record[leg].lots - Math.abs(view[leg].ledgerLots);
  if (LEGS.some((leg) => lots(leg) < view[leg].minLots) || view.escalationRefusal() !== undefined) return undefined;
  const record: PairRecord = {
    ...pair.record,
    revision: pair.record.revision + 1,
    entry: { mode: 'taker-taker' },
  };
  const orders = LEGS.map((leg) => taking(leg, lots(leg), nextAttempt(view[leg])));
  return { type: 'go-on', step: send({ ...pair, record }, view, orders) };
}

/**
 * Venues that were too busy for a moment may not be the next: the same orders once more, at the limits of the plan, as long as it is
 * young and every gate still passes. Whatever else refused them, or took them and found nobody, ends the entry.
 */
function takenAgain(pair: Pair, view: PairView): OpeningVerdict | undefined {
  const { entry } = pair.record;
  if (entry?.mode === 'maker-taker') return undefined;
  const legs = LEGS.filter((leg) => view[leg].orders.length > 0);
  if (legs.length === 0 || !legs.every((leg) => isRefusedForNow(view[leg]))) return undefined;
  const attempts = Math.max(...legs.map((leg) => nextAttempt(view[leg]) - 1));
  const { hedge, open } = view.policy;
  const ageMs = (view.nowMs - pair.record.enteredAtMs) / view.calendarScale;
  if (attempts >= hedge.maxAttempts || ageMs >= open.confirmMs) return undefined;
  const sinceSendMs = view.monotonicMs - Math.max(...legs.map((leg) => pair.timing.lastSendAtMs[leg]));
  const pauseMs = attempts * Math.max(...legs.map((leg) => view[leg].attemptMs));
  if (sinceSendMs < pauseMs) return wait(pair);
  if (view.quotingRefused !== undefined || view.entryRefusal() !== undefined) return undefined;
  const orders = legs.map((leg) => taking(leg, pair.record[leg].lots, nextAttempt(view[leg])));
  return { type: 'go-on', step: send(pair, view, orders) };
}

function isRefusedForNow({ orders }: PairView['long']): boolean {
  const last = orders.at(-1);
  return last?.status === 'REJECTED' && (last.refusal === 'transient' || last.refusal === 'rate-limit');
}

/** The first leg of a sequence counts once a query of this phase says that it is held: its fills alone prove nothing. */
function unprovenFirstLeg(pair: Pair, view: PairView): LegSide | undefined {
  const { entry } = pair.record;
  if (entry?.mode !== 'sequential' || view[otherLeg(entry.leg)].orders.length > 0) return undefined;
  const first = view[entry.leg];
  const isQueried = first.queries > pair.timing.queriesBefore[entry.leg];
  return isQueried && first.truth.kind === 'confirmed' ? undefined : entry.leg;
}

/** Everything has settled and the legs differ: add what is missing, or undo everything. */
function completeOrLeave(pair: Pair, view: PairView): OpeningVerdict {
  const { leg, lots } = laggingLeg(view);
  const { hedge } = view.policy;
  const overdue = unhedgedForMs(pair.timing.exposure, view.monotonicMs) >= hedge.maxUnhedgedMs;
  const refusal = completionRefusal(leg, view);
  if (refusal !== undefined) return { type: 'unwind', pair, reason: refusal };
  if (lots < view[leg].minLots) return endRemainder(pair, view);
  const verdict = view.judgeCompletion(leg, lots, overdue);
  if (verdict.action === 'unwind')
    return { type: 'unwind', pair, reason: overdue ? 'UNHEDGED_TOO_LONG' : 'UNWIND_CHEAPER' };
  if (view.monotonicMs - pair.timing.lastSendAtMs[leg] < view[leg].attemptMs && failedHedges(view[leg]) > 0)
    return wait(pair);
  return { type: 'go-on', step: send(pair, view, [hedging(leg, lots, view)]) };
}

function completionRefusal(leg: LegSide, view: PairView): string | undefined {
  if (view.increaseRefused !== undefined) return view.increaseRefused;
  if (!view[leg].reachable) return 'VENUE_DOWN';
  const refused = hopelessRefusal(view[leg]);
  if (refused !== undefined) return refused;
  return failedHedges(view[leg]) >= view.policy.hedge.maxAttempts ? 'HEDGE_EXHAUSTED' : undefined;
}

/**
 * Too little stands alone for an order on the other venue: take more of it until it can be hedged, once, or give it back. What
 * is hedged already stays (domain 7.2, step 5).
 */
function endRemainder(pair: Pair, view: PairView): OpeningVerdict {
  const { leg, lots: trim } = leadingLeg(view);
  const leading = view[leg];
  const held = Math.abs(leading.ledgerLots);
  const topUp = topUpLots(pair, leg, view);
  const isToppedUp = leading.orders.some(
    (order) => order.planned.purpose === 'open' && order.planned.attempt > 1 && !isQuote(order),
  );
  if (topUp !== undefined && !isToppedUp && view.judgeRemainder(leg, topUp, trim).action === 'top-up')
    return { type: 'go-on', step: send(pair, view, [taking(leg, topUp, nextAttempt(leading))]) };
  // What is left after giving it back must be worth keeping.
  if (held - trim < leading.minLots) return { type: 'unwind', pair, reason: 'BELOW_MINIMUM' };
  if (leading.truth.kind !== 'confirmed' || leading.queryFirst)
    return { type: 'confirm', pair, asks: [{ type: 'reconcile', leg }] };
  const attempts = leading.orders.filter((order) => order.planned.reduceOnly).length;
  if (attempts >= view.policy.hedge.maxAttempts || !leading.reachable)
    return { type: 'unwind', pair, reason: 'TRIM_FAILED' };
  const sinceSendMs = view.monotonicMs - pair.timing.lastSendAtMs[leg];
  if (attempts > 0 && sinceSendMs < leading.attemptMs) return wait(pair);
  return { type: 'go-on', step: send(pair, view, [reducing(leg, leading, trim, 'unwind', attempts + 1)]) };
}

/** Lots of the leading leg that make what stands alone one least order of the other; undefined beyond the plan's size. */
function topUpLots(pair: Pair, leg: LegSide, view: PairView): number | undefined {
  const leading = view[leg];
  const lagging = view[otherLeg(leg)];
  const wanted = BigInt(lagging.minLots) * lagging.unitsPerLot - absolute(netUnits(view));
  const needed = Number((wanted + leading.unitsPerLot - 1n) / leading.unitsPerLot);
  const lots = Math.max(needed, leading.minLots);
  return Math.abs(leading.ledgerLots) + lots <= pair.record[leg].lots ? lots : undefined;
}

function endOf(pair: Pair): string | undefined {
  const { entry } = pair.record;
  return entry?.mode === 'maker-taker' && entry.ended !== 'FILLED' ? entry.ended : undefined;
}

function firstRefusal(view: PairView): string {
  for (const leg of LEGS) {
    for (const order of view[leg].orders)
      if (order.status === 'REJECTED' && order.reason !== '') return `REJECTED: ${order.reason}`;
  }
  return 'NOT_FILLED';
}
