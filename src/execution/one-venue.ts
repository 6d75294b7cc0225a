/**
 * A pair of which one venue gives no account: what the other venue's leg may keep, and when it is taken back. Pure, any thread.
 *
 * The silent venue may or may not have executed what was sent there. Its leg counts only as far as it is held whichever way that
 * ended; whatever the reachable leg holds beyond that may stand alone and is reduced before the time limit passes. When the silent
 * venue speaks again its facts are applied like any others: at worst its own leg is then the one to be undone.
 */
import { unhedgedForMs } from './exposure-clock.ts';
import { provableAfterMs } from './facts.ts';
import type { LegSide } from './facts.ts';
import { isBalanced } from './imbalance.ts';
import { isSettled, isUnresolved } from './order-state.ts';
import type { Pair, PairView } from './pair.ts';
import type { ExecutionPolicy } from './policy.ts';

/** After the end of its validity an order of a venue that answers is proven one way or the other within this, monotonic ms. */
const PROOF_MS = 3_000;

export interface LoneLeg {
  readonly leg: LegSide;
  /** Whole lots of it that nothing surely hedges. */
  readonly lots: number;
}

/** Returns the leg that gives no account of itself while the other does, or undefined. */
export function silentLeg(pair: Pair, view: PairView): LegSide | undefined {
  const silent = { long: isSilent(pair, 'long', view), short: isSilent(pair, 'short', view) };
  if (silent.long === silent.short) return undefined;
  return silent.long ? 'long' : 'short';
}

/** True when an imbalance exists, or may, that a silent venue keeps open: worth an alarm, whichever leg it leaves exposed. */
export function isExposedByOneVenue(pair: Pair, view: PairView): boolean {
  if (!isSilent(pair, 'long', view) && !isSilent(pair, 'short', view)) return false;
  const unresolved = [...view.long.orders, ...view.short.orders].some(isUnresolved);
  // A pair whole to the lot with nothing open is not exposed, however long a venue is away.
  return unresolved || !isBalanced(view);
}

/** Returns the reachable leg's unhedged lots once they have stood alone long enough to be taken back; undefined before. */
export function overdueLoneLeg(pair: Pair, view: PairView): LoneLeg | undefined {
  const silent = silentLeg(pair, view);
  if (silent === undefined) return undefined;
  const leg: LegSide = silent === 'long' ? 'short' : 'long';
  if (unhedgedForMs(pair.timing.exposure, view.monotonicMs) < actAfterMs(view.policy, view[leg].attemptMs))
    return undefined;
  const lots = unhedgedLots(leg, view);
  return lots < 1 ? undefined : { leg, lots };
}

/** The limit is for the end of the exposure: reducing starts early enough for an answer and one ladder of attempts. */
export function actAfterMs(policy: ExecutionPolicy, attemptMs = policy.hedge.attemptMs): number {
  const { oneVenueMsMax } = policy.exposure;
  const neededMs = policy.order.ackMs + policy.hedge.maxAttempts * attemptMs;
  return Math.max(oneVenueMsMax / 2, oneVenueMsMax - neededMs);
}

function isSilent(pair: Pair, side: LegSide, view: PairView): boolean {
  const leg = view[side];
  if (!leg.reachable) return true;
  // Quarantine rests on a query of its own: a venue whose streams live while its answers fail is no better than one away.
  if (pair.record.phase === 'QUARANTINED' && leg.queries <= pair.timing.queriesBefore[side]) return true;
  return leg.orders.some((order) => {
    if (order.status === 'LOST') return isUnresolved(order);
    const provableAtMs = provableAfterMs(order.planned) + PROOF_MS * view.calendarScale;
    return order.status === 'UNKNOWN' && view.nowMs > provableAtMs;
  });
}

/** Returns how many whole lots of a leg exceed what the other one surely holds. */
export function unhedgedLots(leg: LegSide, view: PairView): number {
  const lone = view[leg];
  const held = BigInt(Math.abs(lone.ledgerLots)) * lone.unitsPerLot;
  const hedged = surelyHeldUnits(leg === 'long' ? 'short' : 'long', view);
  return held <= hedged ? 0 : Number((held - hedged) / lone.unitsPerLot);
}

/** What a leg holds in its own direction even if every open reduction of it was executed. */
function surelyHeldUnits(leg: LegSide, view: PairView): bigint {
  const direction = leg === 'long' ? 1 : -1;
  const side = view[leg];
  let lots = side.ledgerLots * direction;
  for (const order of side.orders) {
    const reduces = (order.planned.side === 'sell') === (leg === 'long');
    if (reduces && !isSettled(order)) lots -= order.planned.lots - order.filledLots;
  }
  return lots <= 0 ? 0n : BigInt(lots) * side.unitsPerLot;
}
