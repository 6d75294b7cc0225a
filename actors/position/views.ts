/** The three views of the open pair, from what this actor knows right now. */
import type { LegSide } from '../../src/execution/facts.ts';
import { bookOf, pairBook, pairNetMicro } from '../../src/execution/ledger.ts';
import { costShare } from '../../src/execution/position-arithmetic.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { pnlViews } from '../../src/strategy/pnl-views.ts';
import type { PnlViews, ViewedLeg } from '../../src/strategy/pnl-views.ts';
import { lotsOfLeg } from './pair-view.ts';
import { pairTracks } from './state.ts';
import type { PositionState } from './state.ts';

/** Returns the views; undefined while a leg's instrument or mark is not known. View C needs both books besides. */
export function viewsOf(state: PositionState, pair: Pair): PnlViews | undefined {
  const long = viewedLeg(state, pair, 'long');
  const short = viewedLeg(state, pair, 'short');
  if (long === undefined || short === undefined) return undefined;
  return pnlViews(long, short, pairNetMicro(pairBook(state.book.ledger, pair.record.pairId)));
}

function viewedLeg(state: PositionState, pair: Pair, leg: LegSide): ViewedLeg | undefined {
  const { instrument, mark, book } = pairTracks(state, pair)[leg];
  if (instrument === undefined || mark === undefined) return undefined;
  const position = bookOf(state.book.ledger, pair.record[leg]);
  const signedLots = lotsOfLeg(state, pair, leg);
  return {
    steps: instrument,
    signedLots,
    // Somebody else's lots on the same account share the average price, not the result.
    costMicro: signedLots === 0 ? 0n : costShare(position, Math.abs(signedLots)),
    markNano: mark.markNano,
    indexNano: mark.indexNano,
    book,
    takerFee: instrument.takerFee,
  };
}
