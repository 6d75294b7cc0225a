/** An ended pair that holds something again, because a fill of one of its own orders came in late. */
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { isActive, reviveForLateFill } from '../../src/execution/pair-state.ts';
import { keepPair } from './journal.ts';
import { viewPair } from './pair-view.ts';
import type { PositionSelf, PositionState } from './state.ts';

/** Quarantines such a pair, so that what it holds is undone. Returns whether it did. */
export function reviveIfExposed(state: PositionState, self: PositionSelf): boolean {
  const { pair } = state;
  if (pair === undefined || isActive(pair.record.phase)) return false;
  if (!holdsOwnRemainder(state, pair, 'long') && !holdsOwnRemainder(state, pair, 'short')) return false;
  const view = viewPair(state, self, pair);
  if (view === undefined) return false;
  keepPair(state, self, reviveForLateFill(pair, view));
  return true;
}

/** True when a leg is held and our own orders, not somebody else's trade, left it there. */
function holdsOwnRemainder(state: PositionState, pair: Pair, leg: LegSide): boolean {
  if (bookOf(state.book.ledger, pair.record[leg]).signedLots === 0) return false;
  const { adopted, [leg]: taken } = pair.record;
  let own = adopted === undefined ? 0 : leg === 'long' ? taken.lots : -taken.lots;
  for (const order of ordersOfPair(state.book, pair.record.pairId)) {
    if (order.planned.leg === leg) own += order.planned.side === 'buy' ? order.filledLots : -order.filledLots;
  }
  return own !== 0;
}
