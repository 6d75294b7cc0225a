/**
 * What a pair does about legs that became smaller without it, and how it makes both smaller on purpose. Decisions only: the pair's
 * state machine carries them out. Pure, any thread.
 */
import type { LegSide } from './facts.ts';
import { absolute, isBalanced, leadingLeg, legUnits, netUnits } from './imbalance.ts';
import type { Pair, PairView, ReductionTarget } from './pair.ts';

export type ReductionAnswer =
  /** Close what is left: nothing of this leg, too little of it, or a venue that is taking the rest too. */
  | { readonly action: 'leave'; readonly reason: 'LIQUIDATION' | 'LEG_MISSING' | 'BELOW_MINIMUM' }
  /** The other leg follows at once, whatever the cooldown and the thresholds of ordinary drift say. */
  | { readonly action: 'trim' }
  /** The legs are as close as their lots allow. */
  | { readonly action: 'accept' };

/** Returns what the newest reduction of an open pair asks for; undefined when all were answered. */
export function answerReduction(pair: Pair, view: PairView): ReductionAnswer | undefined {
  if (view.reductions.liquidated) return { action: 'leave', reason: 'LIQUIDATION' };
  if (view.reductions.count <= pair.timing.reductionsAnswered) return undefined;
  if (view.long.ledgerLots <= 0 || view.short.ledgerLots >= 0) return { action: 'leave', reason: 'LEG_MISSING' };
  if (matchedLots('long', view) < view.long.minLots || matchedLots('short', view) < view.short.minLots)
    return { action: 'leave', reason: 'BELOW_MINIMUM' };
  return { action: isAboveDust(view) ? 'trim' : 'accept' };
}

/** Lots a leg has once both are as large as the smaller one. */
function matchedLots(leg: LegSide, view: PairView): number {
  const units = absolute(legUnits(view[leg === 'long' ? 'short' : 'long']));
  return Math.min(Math.abs(view[leg].ledgerLots), Number(units / view[leg].unitsPerLot));
}

/** True when the venue of the larger leg accepts an order for what it has too much of: a refused one would end the pair for a trifle. */
export function isTrimmable(view: PairView): boolean {
  const { leg, lots } = leadingLeg(view);
  return lots >= view[leg].minLots;
}

/** True when the imbalance is worth an order, and can be one. */
export function isAboveDust(view: PairView): boolean {
  if (isBalanced(view) || !isTrimmable(view)) return false;
  const notional = Number(absolute(netUnits(view))) * (view.quotePerUnit ?? Number.POSITIVE_INFINITY);
  return notional >= view.policy.delta.dustNotional;
}

/** Lots of a leg that a reduction on purpose still has to take. */
export function excessLots(leg: LegSide, target: ReductionTarget, view: PairView): number {
  return Math.max(0, Math.abs(view[leg].ledgerLots) - target[leg]);
}

/** A closing walk longer than this, 1e-4, may not fill at once. */
const THIN_WALK_BPS = 10;

/**
 * Returns the leg to close first: the one with the thinner book, only when its walk is long. The other, deeper one can follow at any
 * moment; sent together, it would be gone while the thin one is still looking for takers.
 */
export function thinLegFirst(view: PairView): LegSide | undefined {
  const long = view.long.closeWalkBps;
  const short = view.short.closeWalkBps;
  if (long === undefined || short === undefined || long === short) return undefined;
  if (Math.max(long, short) <= THIN_WALK_BPS) return undefined;
  return long > short ? 'long' : 'short';
}
