/** Compares what the engine holds and the venues say right now with the fold of the journal. */
import { legKeyText } from '../../src/execution/facts.ts';
import { owedMicro } from '../../src/execution/funding-expectation.ts';
import { compare } from '../../src/execution/identities.ts';
import type { BrokenIdentity } from '../../src/execution/identities.ts';
import { bookOf, pairBook } from '../../src/execution/ledger.ts';
import { viewsContradiction } from '../../src/strategy/pnl-views.ts';
import type { LegState, PairChanged } from '../position-messages.ts';
import type { SymbolBooks } from './state.ts';

/** The live books against the fold of the journal. They hear of a fact at different moments: only what lasts is broken. */
export function liveBreaches(books: SymbolBooks, picture: PairChanged): readonly BrokenIdentity[] {
  const breaches: BrokenIdentity[] = [];
  const { ledger } = books;
  const { base, pairId } = picture;
  const pair = pairBook(ledger, pairId);
  compare(breaches, 'LIVE_PAIR', `${pairId} funding`, pair.fundingMicro, picture.fundingMicro);
  compare(breaches, 'LIVE_PAIR', `${pairId} fees`, pair.feesMicro, picture.feesMicro);
  compare(breaches, 'LIVE_PAIR', `${pairId} price`, pair.priceMicro + pair.adjustedMicro, picture.realisedMicro);
  for (const leg of [picture.long, picture.short]) if (leg !== undefined) compareLeg(breaches, books, leg);
  compare(breaches, 'LIVE_TOTALS', `${base} pairs`, ledger.closed.pairs, picture.closedPairs);
  compare(breaches, 'LIVE_TOTALS', `${base} net`, ledger.closed.netMicro, picture.closedNetMicro);
  compare(breaches, 'LIVE_TOTALS', `${base} funding`, ledger.closed.fundingMicro, picture.closedFundingMicro);
  if (picture.owedMicro !== undefined)
    compare(breaches, 'LIVE_FUNDING', `${base} owed`, owedMicro(books.expectations), picture.owedMicro);
  return breaches;
}

function compareLeg(breaches: BrokenIdentity[], { ledger }: SymbolBooks, leg: LegState): void {
  const subject = legKeyText(leg);
  const book = bookOf(ledger, leg);
  compare(breaches, 'LIVE_LEG', `${subject} lots`, book.signedLots, leg.signedLots);
  if (leg.costMicro !== undefined) compare(breaches, 'LIVE_LEG', `${subject} cost`, book.costMicro, leg.costMicro);
}

/** The venue's own word on a leg against its fills. */
export function venueBreaches({ ledger }: SymbolBooks, picture: PairChanged): readonly BrokenIdentity[] {
  const breaches: BrokenIdentity[] = [];
  for (const leg of [picture.long, picture.short]) {
    if (leg?.reportedLots === undefined) continue;
    compare(breaches, 'VENUE_POSITION', legKeyText(leg), bookOf(ledger, leg).signedLots, leg.reportedLots);
  }
  return breaches;
}

/** The three views against each other: made at one moment, they agree to the last unit. */
export function viewBreaches(picture: PairChanged): readonly BrokenIdentity[] {
  const { views } = picture;
  const detail = views === undefined ? undefined : viewsContradiction(views);
  if (detail === undefined) return [];
  return [{ identity: 'THREE_VIEWS', subject: picture.pairId, expected: 'views that add up', got: detail }];
}
