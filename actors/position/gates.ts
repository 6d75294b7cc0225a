/** The gates that can change between a decision and its first order, asked again right before it (domain 5.3). */
import { isActive } from '../../src/execution/pair-state.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { positionTruth } from '../../src/execution/position-truth.ts';
import { emptyFundingCheck, fundingVerdict } from '../../src/market/funding-check.ts';
import { quoteGap } from '../../src/market/quote-rates.ts';
import { medianHourly } from '../../src/market/funding-history.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { assessEntry } from '../../src/strategy/entry-assessment.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import { firstRefusal, PREFLIGHT_GATES } from '../../src/strategy/entry-gates.ts';
import { symbolLeverage } from '../../src/strategy/liquidation.ts';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { previewOpening } from '../../src/risk/approval.ts';
import type { EntryPlan, LegPlan } from '../position-messages.ts';
import { APPENDS_MAX, isAdopting } from './journal.ts';
import { hasLiveStop } from './stop-facts.ts';
import { legKeyOf, trackOf } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** Returns why this plan must not be entered now, or undefined when it may. */
export function entryRefusal(state: PositionState, self: PositionSelf, plan: EntryPlan): string | undefined {
  if (state.stage !== 'running') return 'RECOVERING';
  if (state.draining) return 'DRAINING';
  if (state.pair !== undefined && isActive(state.pair.record.phase)) return 'PAIR_EXISTS';
  if (isAdopting(state)) return 'ADOPTING';
  if (hasLiveStop(state)) return 'STOP_NOT_ENDED';
  if (self.nowMs() < (state.pair?.record.cooldownUntilMs ?? 0)) return 'COOLDOWN';
  return preflightRefusal(state, self, plan);
}

/** The part of the gates that holds for a pair already planned: asked once more when its plan is durable. */
export function preflightRefusal(
  state: PositionState,
  self: PositionSelf,
  plan: Pick<EntryPlan, 'base' | 'long' | 'short'>,
): string | undefined {
  if (state.draining) return 'DRAINING';
  const held = entriesHeldBack(state);
  if (held !== undefined) return held;
  for (const leg of [plan.long, plan.short]) {
    const track = trackOf(state, leg);
    if (track === undefined || track.instrument?.symbol !== leg.symbol) return 'UNMATCHED';
    if (track.instrument.status !== 'active') return 'INSTRUMENT_STATUS';
    const refusal = venueRefusal(state, self, track) ?? positionRefusal(state, track);
    if (refusal !== undefined) return refusal;
    if (track.leverage !== leverageAskedFor(state, track.instrument)) return 'LEVERAGE_MISMATCH';
  }
  // Both legs, before either leaves: a second leg that the last gate denies would leave the first one alone.
  const denied = lastGateRefusal(state, plan.long, 'buy') ?? lastGateRefusal(state, plan.short, 'sell');
  return denied ?? entryGatesRefusal(state, self, plan);
}

/** What holds back every order that adds, whatever the plan. */
function entriesHeldBack(state: PositionState): string | undefined {
  if (state.engine?.state !== 'TRADING') return 'ENGINE_NOT_TRADING';
  if (state.engine.entriesPaused === true) return 'ENTRIES_PAUSED';
  if (state.appends.size > APPENDS_MAX) return 'JOURNAL';
  if (state.legReductions.length > 0) return 'VENUE_REDUCED';
  for (const track of state.venues.values()) if (track.external) return 'EXTERNAL_EXPOSURE';
  return undefined;
}

/** Why what a maker did not get must not be taken on both venues: the gates of any entry, for `lots` of each leg. */
export function escalationRefusal(
  state: PositionState,
  self: PositionSelf,
  record: PairRecord,
  lots: Readonly<Record<LegSide, number>>,
): string | undefined {
  const held = entriesHeldBack(state);
  if (held !== undefined) return held;
  if (state.draining || state.exitWanted?.pairId === record.pairId) return 'LEAVING';
  const long = { ...record.long, lots: lots.long };
  const short = { ...record.short, lots: lots.short };
  const denied = lastGateRefusal(state, long, 'buy') ?? lastGateRefusal(state, short, 'sell');
  return denied ?? entryGatesRefusal(state, self, { base: record.base, long, short });
}

/** The entry gates once more, for the plan as it is and with what this actor has heard since it was made. */
function entryGatesRefusal(
  state: PositionState,
  self: PositionSelf,
  plan: Pick<EntryPlan, 'base' | 'long' | 'short'>,
): string | undefined {
  const { entry, calendarScale } = state.args;
  const facts: EntryFacts = {
    base: plan.base,
    nowMs: self.nowMs(),
    monotonicMs: self.monotonicMs(),
    calendarScale,
    // Asked above, or known to the strategy alone: no gate among these looks at them.
    engine: { state: 'TRADING', reason: '', entriesPaused: false },
    pair: { phase: 'PREFLIGHT', active: true, cooldownUntilMs: 0, blacklisted: false },
    quoteGap: gapBetween(state, plan),
    activePairs: 0,
    exposures: [],
    favourableStreak: 0,
    long: legFacts(state, plan.long),
    short: legFacts(state, plan.short),
  };
  return firstRefusal(assessEntry(facts, entry, plan), entry, PREFLIGHT_GATES)?.code;
}

function gapBetween(state: PositionState, plan: Pick<EntryPlan, 'long' | 'short'>): number | undefined {
  const [long, short] = [trackOf(state, plan.long)?.instrument, trackOf(state, plan.short)?.instrument];
  return long === undefined || short === undefined ? undefined : quoteGap(state.quoteRates, long.quote, short.quote);
}

function legFacts(state: PositionState, leg: LegPlan): EntryLegFacts {
  const track = trackOf(state, leg);
  const { minSettlements } = state.args.entry.fundingCheck;
  return {
    venue: leg.venue,
    account: leg.account,
    status: track?.status,
    instrument: track?.instrument,
    book: track?.book,
    bookLostReason: '',
    mark: track?.mark,
    markWatch: track?.markWatch,
    predicted:
      track?.predicted === undefined
        ? undefined
        : { rate: track.predicted, receivedAtMonotonicMs: track.predictedAtMs },
    medianHourly: track === undefined ? undefined : medianHourly(track.settled),
    fundingVerdict: track?.paymentSuspicion ?? fundingVerdict(track?.fundingCheck ?? emptyFundingCheck, minSettlements),
    leverage: track?.leverage,
    balance: track?.balance,
  };
}

/** The leverage the connectors set and read back for an instrument of this symbol. */
export function leverageAskedFor(state: PositionState, instrument: Instrument): number {
  return symbolLeverage({
    wanted: state.args.leverage.wanted,
    cap: state.args.leverage.max,
    venueMax: instrument.maxLeverage,
    distance: state.args.exits.liquidation.minEntryDistance,
    maintenance: instrument.maintenanceMarginRate / 1e12,
  });
}

/** What the last gate of this leg's connector would say. */
function lastGateRefusal(state: PositionState, leg: LegPlan, side: 'buy' | 'sell'): string | undefined {
  const track = trackOf(state, leg);
  if (track?.instrument === undefined) return 'UNMATCHED';
  const { instrument, mark, book } = track;
  const denial = previewOpening(
    // Counted in this instrument's own lots and ticks by whoever made the plan.
    { symbol: leg.symbol, side, lots: leg.lots as QuantityLots, limitTicks: leg.limitTicks as PriceTicks },
    {
      instrument,
      positionLots: bookOf(state.book.ledger, leg).signedLots,
      ...(mark === undefined ? {} : { markNano: mark.markNano }),
      ...(mark?.indexNano === undefined ? {} : { indexNano: mark.indexNano }),
      ...(book === undefined ? {} : { book }),
    },
    state.args.gate,
  );
  return denial === undefined ? undefined : `LAST_GATE_${denial.code}`;
}

/** Why exposure of a pair that is being opened must not be increased now. */
export function hedgeRefusal(
  state: PositionState,
  self: PositionSelf,
  tracks: readonly VenueTrack[],
): string | undefined {
  if (state.engine?.state !== 'TRADING' && state.engine?.state !== 'ARMED') return 'ENGINE_NOT_TRADING';
  for (const track of tracks) {
    const refusal = venueRefusal(state, self, track);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function venueRefusal(state: PositionState, self: PositionSelf, track: VenueTrack): string | undefined {
  const { status, book, mark } = track;
  if (status?.status !== 'ready') return 'VENUE_DOWN';
  if (!status.entriesAllowed) return 'ENTRIES_NOT_ALLOWED';
  const offsetMs = Math.abs(status.clockOffsetMs);
  if (offsetMs > state.args.clock.maxOffsetMs) return 'CLOCK_SKEW';
  if (book === undefined) return 'BOOK_GAP';
  const now = self.monotonicMs();
  if (now - book.receivedAtMonotonicMs > state.args.stale.bookMs) return 'STALE_BOOK';
  if (mark === undefined || now - mark.receivedAtMonotonicMs > state.args.stale.markMs) return 'STALE_MARK';
  return undefined;
}

/** A new pair starts from a position that is known, and known to be empty. */
function positionRefusal(state: PositionState, track: VenueTrack): string | undefined {
  const key = legKeyOf(track);
  if (!track.reconciled || key === undefined) return 'UNRECONCILED';
  const book = bookOf(state.book.ledger, key);
  if (book.signedLots !== 0) return 'EXTERNAL_EXPOSURE';
  return positionTruth(track.watch, 0).kind === 'confirmed' ? undefined : 'STALE_ACCOUNT';
}
