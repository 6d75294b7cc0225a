/** How many orders of a position may still change what it holds. */
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import { isLive } from '../../src/execution/order-state.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import type { PositionState } from './state.ts';

/** Orders that may be live at a venue or may still leave; not the stops that wait under an open pair, for as long as it lasts. */
export function liveOrders(state: PositionState): number {
  const leaving = [...state.appends.values()].reduce((sum, pending) => sum + pending.clientOrderIds.length, 0);
  const { pair } = state;
  return (
    leaving +
    (pair === undefined
      ? 0
      : ordersOfPair(state.book, pair.record.pairId).filter((order) => isLive(order) && !isStop(order)).length)
  );
}
