/** Turns what the actor knows into the view its pair's state machine decides on. Pure readings of the state. */
import { completeOrUnwind, topUpOrTrim } from '../../src/execution/complete-or-unwind.ts';
import type { CompletionVerdict, RemainderVerdict } from '../../src/execution/complete-or-unwind.ts';
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import { sharedBaseUnits } from '../../src/execution/imbalance.ts';
import { bookOf, pairLots, stepsOf } from '../../src/execution/ledger.ts';
import type { LegBook } from '../../src/execution/ledger.ts';
import { reductionsOfPair } from '../../src/execution/leg-reduction.ts';
import type { LegView, Pair, PairView, QuoteVerdict, WantedOrder } from '../../src/execution/pair.ts';
import { openingSide, otherLeg } from '../../src/execution/pair-orders.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { positionTruth } from '../../src/execution/position-truth.ts';
import type { BookView } from '../../src/market/book.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { orderPriceTicks, priceNano, priceOf, quantityOf } from '../../src/money/amounts.ts';
import { midTicks, opposite, walkBook } from '../../src/strategy/book-walk.ts';
import { priceCapTicks } from '../../src/strategy/order-price.ts';
import { escalationRefusal, hedgeRefusal, preflightRefusal } from './gates.ts';
import { isReachable, pairTracks } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

const NANO_PER_BPS = 10_000n;

/**
 * Returns the view of the pair, or undefined while the steps of an instrument are not known. A venue that does not list its
 * instrument (it may be away since before this start) is seen in the steps its leg was booked in.
 */
export function viewPair(state: PositionState, self: PositionSelf, pair: Pair): PairView | undefined {
  const tracks = pairTracks(state, pair);
  const { long, short } = tracks;
  const longSteps = long.instrument ?? stepsOf(state.book.ledger, pair.record.long);
  const shortSteps = short.instrument ?? stepsOf(state.book.ledger, pair.record.short);
  if (longSteps === undefined || shortSteps === undefined) return undefined;
  const units = sharedBaseUnits(longSteps, shortSteps);
  const mark = basePrice(long) ?? basePrice(short);
  return {
    long: viewLeg(state, self, pair, 'long', long, units.long),
    short: viewLeg(state, self, pair, 'short', short, units.short),
    nowMs: self.nowMs(),
    monotonicMs: self.monotonicMs(),
    increaseRefused: hedgeRefusal(state, self, [long, short]),
    quotingRefused: quotingRefusal(state, pair),
    quotePerUnit: mark === undefined ? undefined : mark * units.quantityPerUnit,
    policy: state.args.execution,
    reductions: reductionsOfPair(state.legReductions, pair.record.pairId),
    calendarScale: state.args.calendarScale,
    judgeCompletion: (lagging, lots, overdue) => judgeCompletion(state, pair, tracks, lagging, lots, overdue),
    judgeRemainder: (leading, topUp, trim) => judgeRemainder(state, pair, tracks, leading, topUp, trim),
    judgeQuote: (leg, restingTicks) => judgeQuote(state, pair, tracks, leg, restingTicks),
    entryRefusal: () => preflightRefusal(state, self, pair.record),
    escalationRefusal: () => escalationRefusal(state, self, pair.record, missingOf(state, pair)),
  };
}

function viewLeg(
  state: PositionState,
  self: PositionSelf,
  pair: Pair,
  leg: LegSide,
  track: VenueTrack,
  unitsPerLot: bigint,
): LegView {
  const { signedLots } = bookOf(state.book.ledger, pair.record[leg]);
  const ledgerLots = lotsOfLeg(state, pair, leg);
  const truth = positionTruth(track.watch, signedLots);
  return {
    orders: ordersOfPair(state.book, pair.record.pairId).filter((order) => order.planned.leg === leg && !isStop(order)),
    ledgerLots,
    // Confirmed is the account's position; of that only its own part is the pair's to decide on.
    truth: truth.kind === 'confirmed' ? { kind: 'confirmed', lots: ledgerLots } : truth,
    queries: track.watch.queries,
    queryFirst: track.queryFirst,
    quietForMs: self.monotonicMs() - track.watch.lastFillAtMs,
    minLots: track.instrument === undefined ? 1 : minimumLots(track, track.instrument),
    unitsPerLot,
    reachable: isReachable(track.status) && track.instrument !== undefined,
    attemptMs: state.args.execution.hedge.attemptMs + (track.instrument?.takerDelayMs ?? 0),
    increaseRefused: hedgeRefusal(state, self, [track]),
    closeWalkBps: closeWalkBps(track, ledgerLots),
  };
}

function quotingRefusal(state: PositionState, pair: Pair): string | undefined {
  if (state.draining) return 'DRAINING';
  return state.exitWanted?.pairId === pair.record.pairId ? state.exitWanted.reason : undefined;
}

/** Lots of each leg that the plan wants beyond what is held. */
function missingOf(state: PositionState, pair: Pair): Readonly<Record<LegSide, number>> {
  const missing = (leg: LegSide): number => pair.record[leg].lots - Math.abs(lotsOfLeg(state, pair, leg));
  return { long: missing('long'), short: missing('short') };
}

/** How far from mid, 1e-4, closing the lots now would walk; a book too thin for them is as far as any; undefined without a book. */
function closeWalkBps({ book }: VenueTrack, lots: number): number | undefined {
  const mid = book === undefined ? undefined : midTicks(book);
  if (book === undefined || mid === undefined || lots === 0) return undefined;
  const walk = walkBook(opposite(book, lots > 0 ? 'sell' : 'buy'), Math.abs(lots));
  return walk.filled ? (Math.abs(walk.vwapTicks - mid) / mid) * 1e4 : Number.POSITIVE_INFINITY;
}

/** Signed lots of a leg that are this pair's to trade. */
export function lotsOfLeg(state: PositionState, pair: Pair, leg: LegSide): number {
  const { ledger } = state.book;
  return state.args.execution.delta.claimExternal
    ? bookOf(ledger, pair.record[leg]).signedLots
    : pairLots(ledger, pair.record.pairId, pair.record[leg]);
}

/** Smallest position worth holding: at least the venue's minimum quantity and notional, so that it can be closed again. */
export function minimumLots(track: VenueTrack, instrument: Instrument): number {
  const lotQuote = (markOf(track) ?? 0) * quantityOf(1, instrument);
  const byNotional = lotQuote > 0 ? Math.ceil(Number(instrument.minNotionalMicro) / 1e6 / lotQuote) : 1;
  return Math.max(1, instrument.minQuantityLots, byNotional);
}

/** Mark per contract, quote, as a float; the book's middle stands in before the first mark. */
export function markOf(track: VenueTrack): number | undefined {
  if (track.mark !== undefined) return Number(track.mark.markNano) / 1e9;
  const mid = track.book === undefined ? undefined : midTicks(track.book);
  return mid === undefined || track.instrument === undefined ? undefined : priceOf(mid, track.instrument);
}

/** Mark per unit of the underlying, quote. */
export function basePrice(track: VenueTrack): number | undefined {
  const mark = markOf(track);
  return mark === undefined || track.instrument === undefined ? undefined : mark / track.instrument.multiplier;
}

/** Average price of the open quantity per unit of the underlying; 0 when flat. */
export function averageBasePrice(book: LegBook, instrument: Instrument): number {
  if (book.signedLots === 0) return 0;
  return Number(book.costMicro) / 1e6 / (quantityOf(book.signedLots, instrument) * instrument.multiplier);
}

/** Average price of taking `lots` now, per unit of the underlying; undefined when the book is missing or too thin. */
export function walkedBasePrice(track: VenueTrack, side: 'buy' | 'sell', lots: number): number | undefined {
  if (track.book === undefined || track.instrument === undefined || lots === 0) return undefined;
  const walk = walkBook(opposite(track.book, side), lots);
  return walk.filled ? priceOf(walk.vwapTicks, track.instrument) / track.instrument.multiplier : undefined;
}

function judgeCompletion(
  state: PositionState,
  pair: Pair,
  tracks: Readonly<Record<LegSide, VenueTrack>>,
  lagging: LegSide,
  lots: number,
  overdue: boolean,
): CompletionVerdict {
  const leading: LegSide = lagging === 'long' ? 'short' : 'long';
  const missing = tracks[lagging];
  const alone = tracks[leading];
  const { record } = pair;
  const side = lagging === 'long' ? 'buy' : 'sell';
  const quantity = baseQuantityOf(lots, missing);
  const planned = baseQuantityOf(record[lagging].lots, missing);
  const aloneBook = bookOf(state.book.ledger, record[leading]);
  // The side that brings the lagging leg forward is the same that takes the leading leg back, on the other venue.
  const aloneLots =
    alone.instrument === undefined
      ? 0
      : Math.round(quantity / (quantityOf(1, alone.instrument) * alone.instrument.multiplier));
  return completeOrUnwind({
    expectedValueQuote: record.expected.expectedValueQuote,
    plannedQuantity: planned,
    filledQuantity: quantity,
    completion: {
      side,
      plannedPrice: plannedBasePrice(pair, lagging, missing),
      price: walkedBasePrice(missing, side, lots),
      feeRate: (missing.instrument?.takerFee ?? 0) / 1e12,
    },
    unwinding: {
      side,
      filledPrice: alone.instrument === undefined ? 0 : averageBasePrice(aloneBook, alone.instrument),
      price: walkedBasePrice(alone, side, Math.max(1, aloneLots)),
      feeRate: (alone.instrument?.takerFee ?? 0) / 1e12,
    },
    maxBps: state.args.execution.hedge.maxBps,
    overdue,
  });
}

/** Prices of domain 7.2 (5): what is left alone is made large enough for the other venue, or given back. */
function judgeRemainder(
  state: PositionState,
  pair: Pair,
  tracks: Readonly<Record<LegSide, VenueTrack>>,
  leading: LegSide,
  topUp: number,
  trim: number,
): RemainderVerdict {
  const { record } = pair;
  const ahead = tracks[leading];
  const lagging = otherLeg(leading);
  const behind = tracks[lagging];
  if (ahead.instrument === undefined || behind.instrument === undefined)
    return { action: 'trim', topUpQuote: undefined, trimQuote: undefined };
  const aheadQuantity = (lots: number): number => baseQuantityOf(lots, ahead);
  const hedgeQuantity = aheadQuantity(trim + topUp);
  const hedgeLots = Math.max(1, Math.round(hedgeQuantity / baseQuantityOf(1, behind)));
  const back = leading === 'long' ? 'sell' : 'buy';
  return topUpOrTrim({
    expectedValueQuote: (record.expected.expectedValueQuote * hedgeQuantity) / aheadQuantity(record[leading].lots),
    addition: {
      side: openingSide(leading),
      quantity: aheadQuantity(topUp),
      reference: plannedBasePrice(pair, leading, ahead),
      price: walkedBasePrice(ahead, openingSide(leading), topUp),
      feeRate: ahead.instrument.takerFee / 1e12,
    },
    hedge: {
      side: openingSide(lagging),
      quantity: hedgeQuantity,
      reference: plannedBasePrice(pair, lagging, behind),
      price: walkedBasePrice(behind, openingSide(lagging), hedgeLots),
      feeRate: behind.instrument.takerFee / 1e12,
    },
    trim: {
      side: back,
      quantity: aheadQuantity(trim),
      reference: averageBasePrice(bookOf(state.book.ledger, record[leading]), ahead.instrument),
      price: walkedBasePrice(ahead, back, trim),
      feeRate: ahead.instrument.takerFee / 1e12,
    },
  });
}

/**
 * The basis the pair would be entered at, against the planned one: the quote's price on its own venue, the other leg taken by its
 * book. A quote that nobody has reached while the other market ran away is as bad as a fill that comes too late.
 */
function judgeQuote(
  state: PositionState,
  pair: Pair,
  tracks: Readonly<Record<LegSide, VenueTrack>>,
  leg: LegSide,
  restingTicks: number | undefined,
): QuoteVerdict | undefined {
  const { entry } = pair.record;
  const { instrument, book } = tracks[leg];
  if (entry?.mode !== 'maker-taker' || instrument === undefined || book === undefined) return undefined;
  const hedgeLeg = otherLeg(leg);
  const touchTicks = touchOf(book, openingSide(leg));
  const lots = Math.max(1, missingOf(state, pair)[hedgeLeg]);
  const hedge = walkedBasePrice(tracks[hedgeLeg], openingSide(hedgeLeg), lots);
  if (touchTicks === undefined || hedge === undefined) return undefined;
  const plannedHedge = plannedBasePrice(pair, hedgeLeg, tracks[hedgeLeg]);
  const direction = leg === 'long' ? 1 : -1;
  // Paying more on the long leg and receiving less on the short one are both worse.
  const adverseBps = (ticks: number): number => {
    const quoted = priceOf(ticks - entry.quoteTicks, instrument) / instrument.multiplier;
    return ((direction * (quoted - (hedge - plannedHedge))) / plannedHedge) * 1e4;
  };
  const touchAdverseBps = adverseBps(touchTicks);
  return {
    touchTicks,
    touchAdverseBps,
    restingAdverseBps: restingTicks === undefined ? touchAdverseBps : adverseBps(restingTicks),
  };
}

function baseQuantityOf(lots: number, track: VenueTrack): number {
  return track.instrument === undefined ? 0 : quantityOf(lots, track.instrument) * track.instrument.multiplier;
}

/** Average price a leg was planned at, per unit of the underlying. */
function plannedBasePrice(pair: Pair, leg: LegSide, { instrument }: VenueTrack): number {
  return instrument === undefined ? 0 : priceOf(pair.record[leg].vwapTicks, instrument) / instrument.multiplier;
}

/** Best price of the side an order would rest on. */
function touchOf(book: BookView, side: 'buy' | 'sell'): number | undefined {
  return side === 'buy' ? book.bids[0]?.[0] : book.asks[0]?.[0];
}

/**
 * Returns the limit of an order, in ticks, or undefined when nothing tells what a fair price is. Openings keep the planned limit;
 * rungs start at what the book asks and reach further each time; the protective price is as far from mark as ever allowed.
 */
export function limitOf(state: PositionState, pair: Pair, track: VenueTrack, wanted: WantedOrder): number | undefined {
  const planned = pair.record[wanted.leg];
  const { instrument, book } = track;
  if (wanted.price.rule === 'touch') {
    const touch = book === undefined ? undefined : touchOf(book, wanted.side);
    if (touch === undefined) return undefined;
    return wanted.side === 'buy' ? Math.min(touch, planned.limitTicks) : Math.max(touch, planned.limitTicks);
  }
  if (wanted.purpose === 'open') return planned.limitTicks;
  if (instrument === undefined) return undefined;
  const markNano = track.mark?.markNano ?? midNano(book, instrument);
  if (markNano === undefined) return undefined;
  const { cap, execution } = state.args;
  const { hedge } = execution;
  const worst = book === undefined ? undefined : worstLevel(book, wanted.side, wanted.lots);
  const protective = wanted.price.rule === 'protective' || worst === undefined;
  const rung = wanted.price.rule === 'ladder' ? wanted.price.rung : hedge.maxAttempts;
  const laddered = wanted.purpose === 'hedge' || rung > 1;
  const bufferBps = protective ? cap.maxDeviationBps : laddered ? hedge.baseBps + 5 * (rung - 1) : cap.bufferBps;
  const reach = protective || worst === undefined ? orderPriceTicks(wanted.side, markNano, instrument) : worst;
  const limit = priceCapTicks(wanted.side, reach, markNano, instrument, { ...cap, bufferBps });
  if (limit <= 0) return undefined;
  return wanted.purpose === 'hedge'
    ? clampToPlan(limit, wanted.side, planned.vwapTicks, hedge.maxBps, instrument)
    : limit;
}

function worstLevel(book: BookView, side: 'buy' | 'sell', lots: number): number | undefined {
  const levels = opposite(book, side);
  const walk = walkBook(levels, lots);
  return walk.filled ? walk.worstTicks : levels.at(-1)?.[0];
}

/** No rung goes further from the average price that was planned than the hard cap. */
function clampToPlan(
  limit: number,
  side: 'buy' | 'sell',
  plannedVwapTicks: number,
  maxBps: number,
  instrument: Instrument,
): number {
  // The average is seldom a whole tick: rounded to the side that leaves less room.
  const reference = side === 'buy' ? Math.floor(plannedVwapTicks) : Math.ceil(plannedVwapTicks);
  const nano = priceNano(reference, instrument);
  const room = (nano * BigInt(Math.round(maxBps))) / NANO_PER_BPS;
  const farthest = orderPriceTicks(side, side === 'buy' ? nano + room : nano - room, instrument);
  return side === 'buy' ? Math.min(limit, farthest) : Math.max(limit, farthest);
}

function midNano(book: BookView | undefined, instrument: Instrument): bigint | undefined {
  const bid = book?.bids[0];
  const ask = book?.asks[0];
  return bid === undefined || ask === undefined
    ? undefined
    : (priceNano(bid[0], instrument) + priceNano(ask[0], instrument)) / 2n;
}
