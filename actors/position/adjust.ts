/** Corrections of the books without a fill behind them: only what two comparisons in a row proved. */
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import type { LegKey } from '../../src/execution/facts.ts';
import { takenBack } from '../../src/execution/late-fills.ts';
import { bookOf, pairLots, shareOf } from '../../src/execution/ledger.ts';
import { isSettled } from '../../src/execution/order-state.ts';
import type { OrderState } from '../../src/execution/order-state.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { positionAdjusted } from '../../src/execution/position-truth.ts';
import { microText } from '../../src/money/amounts.ts';
import { append, rowOf } from './journal.ts';
import { legBefore, noteReduction } from './reductions.ts';
import { legKeyOf } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** Books the proven difference between our fills and the venue; the id comes from the evidence, so that it counts once. */
export function adjust(
  state: PositionState,
  self: PositionSelf,
  track: VenueTrack,
  lots: number,
  pairId: string,
): void {
  const key = legKeyOf(track);
  if (key === undefined) return;
  const { venue, account } = key;
  const book = bookOf(state.book.ledger, key);
  const evidence = `fills say ${book.signedLots} after ${book.fills} fills, the venue says ${lots}`;
  const id = `adjust:${venue}:${account}:${key.symbol}:${book.fills}:${book.adjustments}:${book.signedLots}:${lots}`;
  const changeLots = lots - book.signedLots;
  const pairChange = pairId === '' ? undefined : changeOfPair(state, key, pairId, lots);
  const before = pairChange === undefined ? undefined : legBefore(state, self, key);
  const adjustment = {
    ...key,
    changeLots,
    ...(pairChange === undefined ? {} : { pairLots: pairChange.lots }),
    ...(track.mark === undefined ? {} : { priceNano: track.mark.markNano }),
    atMs: self.nowMs(),
    evidence,
  };
  append(state, self, [rowOf(state, self, 'adjust', id, { adjustment, pairId })]);
  track.watch = positionAdjusted(track.watch);
  const realisedMicro = bookOf(state.book.ledger, key).adjustedMicro - book.adjustedMicro;
  self.log('error', 'position-adjusted', {
    venue,
    account,
    symbol: key.symbol,
    pairId,
    evidence,
    realised: microText(realisedMicro),
  });
  noteReduction(state, self, before, { id, ownLots: pairChange?.reducedByOwnLots ?? 0, evidence });
}

/**
 * How much of a change is the pair's. First what a fill counted a second time, after it was booked for the pair without one. Of the
 * rest, less: what the pair can no longer claim of it. More: only what an order of it may have executed without our knowing the
 * fill; anything beyond is somebody else's trade and not ours to undo.
 */
function changeOfPair(
  state: PositionState,
  key: LegKey,
  pairId: string,
  lots: number,
): {
  readonly lots: number;
  /** Part of a smaller position that nobody took: an order of ours may have closed it, or it was counted twice. */
  readonly reducedByOwnLots: number;
} {
  const { ledger } = state.book;
  const held = bookOf(ledger, key).signedLots;
  const own = pairLots(ledger, pairId, key);
  const claim = ledger.claims.get(legKeyText(key));
  const returned = claim?.pairId === pairId ? takenBack(claim, lots - held) : 0;
  const change = lots - held - returned;
  let unexplained = { buy: 0, sell: 0 };
  for (const order of ordersOfPair(state.book, pairId)) {
    const { planned, filledLots } = order;
    // A stop that waits is no explanation of what is gone: a comparison asks for fills before it asks for the position.
    if (legKeyText(planned) !== legKeyText(key) || isStop(order) || !mayHideFills(order)) continue;
    unexplained = { ...unexplained, [planned.side]: unexplained[planned.side] + planned.lots - filledLots };
  }
  const explained = change > 0 ? Math.min(change, unexplained.buy) : -Math.min(-change, unexplained.sell);
  const ours = returned + explained;
  const reducedByOwnLots = Math.sign(ours) === -Math.sign(own) ? Math.abs(ours) : 0;
  return { lots: shareOf(lots, own + ours) - own, reducedByOwnLots };
}

/** No proof says that every fill of this order is known: it has no end, or an end by absence, or owes fills that it announced. */
function mayHideFills(order: OrderState): boolean {
  if (order.status === 'PLANNED') return false;
  return (
    !isSettled(order) ||
    order.status === 'LOST' ||
    order.ending === 'not-found' ||
    (order.venueFilledLots ?? 0) > order.filledLots
  );
}
