/** How far two legs are from balance, in exact shared units of the underlying. Pure, any thread. */
import { commonStep, stepQuantity } from '../market/instrument-match.ts';
import type { QuantitySteps } from '../market/instrument-match.ts';
import type { LegSide } from './facts.ts';
import { isLive } from './order-state.ts';
import type { LegView, PairView } from './pair.ts';

/** Returns how many shared units one lot of each leg is, and what such a unit is in the underlying (a float, for notionals). */
export function sharedBaseUnits(
  long: QuantitySteps,
  short: QuantitySteps,
): { readonly long: bigint; readonly short: bigint; readonly quantityPerUnit: number } {
  const step = commonStep(long, short);
  // Both legs reach the common step exactly, so one lot of a leg is to the other's as the counts per step, crossed.
  return {
    long: BigInt(step.shortLots),
    short: BigInt(step.longLots),
    quantityPerUnit: stepQuantity(step) / (step.longLots * step.shortLots),
  };
}

/** Net underlying by our fills: positive when too long. */
export function netUnits(view: Pick<PairView, 'long' | 'short'>): bigint {
  return legUnits(view.long) + legUnits(view.short);
}

export function legUnits(leg: Pick<LegView, 'ledgerLots' | 'unitsPerLot'>): bigint {
  return BigInt(leg.ledgerLots) * leg.unitsPerLot;
}

/**
 * Returns the largest unhedged amount the facts allow, unsigned: an order whose outcome is unknown may have filled in full or not
 * at all, whichever is worse. Orders on their way normally do not count: both legs leave in the same moment.
 */
export function worstNetUnits(view: Pick<PairView, 'long' | 'short'>): bigint {
  const known = netUnits(view);
  let highest = known;
  let lowest = known;
  for (const leg of [view.long, view.short]) {
    for (const order of leg.orders) {
      if (!isLive(order) || (order.status !== 'UNKNOWN' && order.status !== 'LOST')) continue;
      const openUnits = BigInt(order.planned.lots - order.filledLots) * leg.unitsPerLot;
      if (order.planned.side === 'buy') highest += openUnits;
      else lowest -= openUnits;
    }
  }
  return absolute(highest) > absolute(lowest) ? absolute(highest) : absolute(lowest);
}

/** True when no whole lot of either leg could bring the legs closer together. */
export function isBalanced(view: Pick<PairView, 'long' | 'short'>): boolean {
  const coarser = view.long.unitsPerLot > view.short.unitsPerLot ? view.long.unitsPerLot : view.short.unitsPerLot;
  return absolute(netUnits(view)) < coarser;
}

/** Returns the leg that holds less, and how many of its whole lots are missing. */
export function laggingLeg(view: Pick<PairView, 'long' | 'short'>): { readonly leg: LegSide; readonly lots: number } {
  const net = netUnits(view);
  const leg: LegSide = net > 0n ? 'short' : 'long';
  return { leg, lots: Number(absolute(net) / view[leg].unitsPerLot) };
}

/** Returns the leg that holds more, and how many of its whole lots are too many. */
export function leadingLeg(view: Pick<PairView, 'long' | 'short'>): { readonly leg: LegSide; readonly lots: number } {
  const net = netUnits(view);
  const leg: LegSide = net > 0n ? 'long' : 'short';
  return { leg, lots: Number(absolute(net) / view[leg].unitsPerLot) };
}

export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
