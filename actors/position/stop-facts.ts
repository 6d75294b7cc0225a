/** What others must know of the stops at the venues. Pure readings of the state. */
import type { PlannedOrder } from '../../src/execution/facts.ts';
import { isTerminal } from '../../src/execution/order-state.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { lotsOfLeg } from './pair-view.ts';
import type { PositionState } from './state.ts';

/** True while a stop of any pair may still be executed: nothing new is entered on top of it. */
export function hasLiveStop(state: PositionState): boolean {
  for (const order of state.book.orders.values()) if (isStop(order) && !isTerminal(order)) return true;
  return false;
}

/** Why a stop that was being written must not leave any more; undefined when it may. */
export function stopRefusal(state: PositionState, order: PlannedOrder): string | undefined {
  const { pair } = state;
  if (pair?.record.pairId !== order.pairId || pair.record.phase !== 'OPEN') return 'NOT_OPEN';
  return Math.abs(lotsOfLeg(state, pair, order.leg)) === order.lots ? undefined : 'LEG_CHANGED';
}
