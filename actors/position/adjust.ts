/** Corrections of the books without a fill behind them: only what two comparisons in a row proved. */
import { bookOf } from '../../src/execution/ledger.ts';
import { positionAdjusted } from '../../src/execution/position-truth.ts';
import { microText } from '../../src/money/amounts.ts';
import { append, rowOf } from './journal.ts';
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
  const adjustment = {
    ...key,
    changeLots: lots - book.signedLots,
    ...(track.mark === undefined ? {} : { priceNano: track.mark.markNano }),
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
}
