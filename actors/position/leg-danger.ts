/** How near a leg of the pair is to being closed by its venue. Pure readings of the state. */
import type { LegSide } from '../../src/execution/facts.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { marginTermsAt } from '../../src/market/margin-tiers.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { quantityOf } from '../../src/money/amounts.ts';
import { accountMargin, closestLiquidationDistance, liquidationPriceAt } from '../../src/strategy/liquidation.ts';
import { leverageAskedFor } from './gates.ts';
import { averageBasePrice, basePrice, lotsOfLeg } from './pair-view.ts';
import type { PositionState, VenueTrack } from './state.ts';

/**
 * Distance to the closest of: the venue's own liquidation price, the price at which the margin given to this leg is used up, and
 * the price at which the account's is. A fraction of mark; undefined while flat or without a mark.
 */
export function legDistance(
  state: PositionState,
  pair: Pair,
  leg: LegSide,
  track: VenueTrack,
  monotonicMs: number,
): number | undefined {
  const { instrument } = track;
  const mark = basePrice(track);
  if (instrument === undefined || mark === undefined) return undefined;
  const position = bookOf(state.book.ledger, pair.record[leg]);
  const averagePrice = averageBasePrice(position, instrument);
  const leverage = leverageAskedFor(state, instrument);
  if (averagePrice <= 0 || leverage < 1) return undefined;
  const quantity = baseQuantity(Math.abs(lotsOfLeg(state, pair, leg)), instrument);
  const { maintenance } = marginTermsAt(instrument, quantity * mark);
  if (quantity <= 0) return undefined;
  const margins = [marginGiven(state, pair, leg, averagePrice, leverage, instrument)];
  const available = freshAvailable(state, track, monotonicMs);
  if (available !== undefined) margins.push(accountMargin(leg, quantity, averagePrice, mark, leverage, available));
  const prices = margins.map((margin) => liquidationPriceAt(leg, quantity, averagePrice, margin, maintenance));
  const computed = leg === 'long' ? Math.max(...prices) : Math.min(...prices);
  const reported = track.liquidationPrice === undefined ? undefined : track.liquidationPrice / instrument.multiplier;
  return closestLiquidationDistance(leg, mark, computed, reported);
}

/** The margin this leg started with, and what it has earned and paid since: closing a part of it takes none of that away. */
function marginGiven(
  state: PositionState,
  pair: Pair,
  leg: LegSide,
  averagePrice: number,
  leverage: number,
  instrument: Instrument,
): number {
  const opened = ordersOfPair(state.book, pair.record.pairId)
    .filter((order) => order.planned.leg === leg && !order.planned.reduceOnly)
    .reduce((lots, order) => lots + order.filledLots, 0);
  const quantity = baseQuantity(Math.max(opened, Math.abs(lotsOfLeg(state, pair, leg))), instrument);
  const now = bookOf(state.book.ledger, pair.record[leg]);
  const before = state.book.legsAtEntry[leg];
  const moneyOf = (book: typeof now): bigint =>
    book.realisedMicro + book.feesMicro + book.fundingMicro + book.adjustedMicro;
  const earnedMicro = moneyOf(now) - (before === undefined ? moneyOf(now) : moneyOf(before));
  return (averagePrice * quantity) / leverage + Number(earnedMicro) / 1e6;
}

/** What the account has free, quote; undefined while its last word is too old to rest on. */
export function freshAvailable(state: PositionState, track: VenueTrack, monotonicMs: number): number | undefined {
  const { balance } = track;
  if (balance === undefined || monotonicMs - balance.receivedAtMonotonicMs > state.args.stale.accountMs)
    return undefined;
  return Number(balance.availableMicro) / 1e6;
}

export function baseQuantity(lots: number, instrument: Instrument): number {
  return quantityOf(lots, instrument) * instrument.multiplier;
}
