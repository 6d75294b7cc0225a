/** When to leave an open pair: gathers what the decision rests on and lets the strategy's rules decide (domain section 10). */
import { bookOf, pairBook, pairNetMicro } from '../../src/execution/ledger.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { positionTruth } from '../../src/execution/position-truth.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { medianHourly } from '../../src/market/funding-history.ts';
import { marginTermsAt } from '../../src/market/margin-tiers.ts';
import { recentPremium } from '../../src/market/mark-watch.ts';
import { commonStep } from '../../src/market/instrument-match.ts';
import { quoteGap } from '../../src/market/quote-rates.ts';
import { decideToReduce } from '../../src/execution/pair-state.ts';
import { priceOf } from '../../src/money/amounts.ts';
import { midTicks } from '../../src/strategy/book-walk.ts';
import { outlookOf } from '../../src/strategy/entry-assessment.ts';
import { dangerOf, noteDanger } from '../../src/strategy/danger.ts';
import { evaluateExit } from '../../src/strategy/exit-decision.ts';
import type { ExitInput, ExitLeg } from '../../src/strategy/exit-decision.ts';
import { transferNeeded } from '../../src/strategy/liquidation.ts';
import { lotsOf } from '../../src/strategy/sizing.ts';
import { executableValue, exitCost, exitFee } from '../../src/strategy/pair-value.ts';
import type { ExecutableLeg } from '../../src/strategy/pair-value.ts';
import type { ExitReason } from '../position-messages.ts';
import { carryOut, leave } from './carry-out.ts';
import { keepPair } from './journal.ts';
import { baseQuantity, freshAvailable, legDistance } from './leg-danger.ts';
import { leverageAskedFor } from './gates.ts';
import { averageBasePrice, basePrice, lotsOfLeg, viewPair, walkedBasePrice } from './pair-view.ts';
import { isReachable, pairTracks, venueKey } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** A burst of market events is one evaluation. */
const EVALUATION_PAUSE_MS = 25;
/** A leg that stays near its liquidation is told again after this. */
const LIQUIDATION_TOLD_MS = 60_000;

/** A wish to make room for a better pair holds this long without being repeated. */
const ROTATION_HELD_MS = 10_000;

/** Evaluates the exit rules of an open pair, and leaves or makes it smaller when they say so. O(1). */
export function evaluate(state: PositionState, self: PositionSelf): void {
  const { pair } = state;
  // A drain starts nothing, except what the kill switch demands.
  const isDrained = state.draining && state.engine?.flatten !== true;
  if (state.stage !== 'running' || isDrained || pair === undefined || !mayManage(state)) return;
  const { phase } = pair.record;
  if (phase !== 'OPEN' && phase !== 'REBALANCING') return;
  if (phase === 'OPEN' && state.exitWanted?.pairId === pair.record.pairId) {
    leave(state, self, state.exitWanted.reason);
    return;
  }
  const now = self.monotonicMs();
  if (now - state.lastExitEvaluationAtMs < EVALUATION_PAUSE_MS) return;
  state.lastExitEvaluationAtMs = now;
  const input = exitInput(state, self, pair);
  watchLiquidation(state, self, pair, input);
  watchDanger(state, self, pair, input);
  const { state: exit, decision } = evaluateExit(state.exit, input, state.args.exits);
  self.metrics.distribution('exit_eval_duration').record(self.monotonicMs() - now);
  state.exit = exit;
  const { action, reason, urgency, detail, keep } = decision;
  if (action === 'HOLD' || reason === undefined) return;
  // A pair whose legs are being brought together is left only for what does not wait.
  if (phase === 'REBALANCING' && (action === 'REDUCE' || urgency === 'normal')) return;
  self.log('info', action === 'EXIT' ? 'exit-decided' : 'reduce-decided', {
    pairId: pair.record.pairId,
    reason,
    detail,
  });
  self.count(`exits-decided:${action === 'EXIT' ? reason : 'REDUCE'}`);
  if (action === 'EXIT') leave(state, self, reason);
  else makeSmaller(state, self, pair, keep ?? 0, reason);
}

/** Both legs down to a part of what they are, in whole common steps; to nothing where less would be too little to hold. */
function makeSmaller(state: PositionState, self: PositionSelf, pair: Pair, keep: number, reason: ExitReason): void {
  const { long, short } = pairTracks(state, pair);
  const view = viewPair(state, self, pair);
  if (view === undefined || long.instrument === undefined || short.instrument === undefined) return;
  const step = commonStep(long.instrument, short.instrument);
  const steps = Math.min(
    Math.floor(Math.abs(view.long.ledgerLots) / step.longLots),
    Math.floor(Math.abs(view.short.ledgerLots) / step.shortLots),
  );
  const target = lotsOf(Math.floor(steps * keep), step);
  if (target.long < view.long.minLots || target.short < view.short.minLots) {
    leave(state, self, reason);
    return;
  }
  const reduced = decideToReduce(pair, target, reason, view);
  if (reduced.pair === pair) return;
  keepPair(state, self, reduced.pair);
  carryOut(state, self, reduced.pair, reduced.commands);
}

/** A leg that comes near its liquidation is told before anything has to be done about it: money can still be moved there. */
function watchLiquidation(state: PositionState, self: PositionSelf, pair: Pair, input: ExitInput): void {
  const now = self.monotonicMs();
  const { warn } = state.args.exits.liquidation;
  for (const leg of ['long', 'short'] as const) {
    const { liquidationDistance, venue, notionalQuote } = input[leg];
    if (liquidationDistance === undefined || liquidationDistance >= warn) {
      state.liquidationToldAtMs[leg] = Number.NEGATIVE_INFINITY;
    } else if (now - state.liquidationToldAtMs[leg] >= LIQUIDATION_TOLD_MS) {
      state.liquidationToldAtMs[leg] = now;
      const distance = Number(liquidationDistance.toFixed(4));
      self.log('warn', 'liquidation-near', { pairId: pair.record.pairId, leg, venue, distance, warn, notionalQuote });
      adviseTransfer(state, self, pair, leg, input);
    }
  }
}

/** The venues are asked as often as the nearest end of the pair demands: see `checkRegularly`. */
function watchDanger(state: PositionState, self: PositionSelf, pair: Pair, input: ExitInput): void {
  const before = state.danger;
  const danger = dangerOf(before, input, state.args.exits);
  state.danger = danger;
  if (danger.level !== before.level) self.count(`pairs-watched:${danger.level}`);
  const { told: was } = state.dangerNews;
  state.dangerNews = noteDanger(state.dangerNews, danger.level, self.monotonicMs());
  const { told } = state.dangerNews;
  if (told === was) return;
  self.log(told === 'urgent' ? 'warn' : 'info', 'pair-watched', {
    pairId: pair.record.pairId,
    level: told,
    was,
    nearest: danger.of,
    share: Number(danger.share.toFixed(4)),
    longDistance: input.long.liquidationDistance ?? 'unknown',
    shortDistance: input.short.liquidationDistance ?? 'unknown',
    executableQuote: input.executableQuote ?? 'unknown',
  });
}

/** Domain 11.4: the other venue has what this leg lacks. Moving it is a person's business. */
function adviseTransfer(state: PositionState, self: PositionSelf, pair: Pair, leg: LegSide, input: ExitInput): void {
  const tracks = pairTracks(state, pair);
  const track = tracks[leg];
  const other = tracks[leg === 'long' ? 'short' : 'long'];
  const { liquidationDistance, notionalQuote, maintenance } = input[leg];
  const free = freshAvailable(state, other, self.monotonicMs());
  if (track.instrument === undefined || liquidationDistance === undefined || free === undefined) return;
  const leverage = leverageAskedFor(state, track.instrument);
  const amount = transferNeeded(leg, notionalQuote, liquidationDistance, leverage, maintenance);
  if (amount <= 0 || free < amount) return;
  self.count('margin-transfers-advised');
  self.log('warn', 'margin-transfer-advised', {
    pairId: pair.record.pairId,
    from: venueKey(other),
    to: venueKey(track),
    amountQuote: Number(amount.toFixed(2)),
    freeQuote: Number(free.toFixed(2)),
    distance: Number(liquidationDistance.toFixed(4)),
  });
}

/** Somebody asked to leave. A pair that is not open yet leaves once it is; one that is leaving already stays as it is. */
export function askToLeave(state: PositionState, self: PositionSelf, reason: ExitReason): void {
  const { pair } = state;
  if (state.draining || pair === undefined) return;
  const { phase, pairId } = pair.record;
  if (phase === 'PREFLIGHT' || phase === 'OPENING' || state.stage !== 'running') state.exitWanted = { pairId, reason };
  else leave(state, self, reason);
}

/** Domain 12.1: armed, trading and reduce-only engines manage what is open; a flattening one must. */
function mayManage(state: PositionState): boolean {
  const engine = state.engine;
  if (engine === undefined) return false;
  return engine.flatten || engine.state === 'ARMED' || engine.state === 'TRADING' || engine.state === 'REDUCE_ONLY';
}

function exitInput(state: PositionState, self: PositionSelf, pair: Pair): ExitInput {
  const tracks = pairTracks(state, pair);
  const legs = [
    executableLeg(state, pair, 'long', tracks.long),
    executableLeg(state, pair, 'short', tracks.short),
  ].filter((leg) => leg !== undefined);
  const complete = legs.length === 2;
  const { engine } = state;
  return {
    nowMs: self.nowMs(),
    monotonicMs: self.monotonicMs(),
    openedAtMs: pair.record.openedAtMs,
    long: exitLeg(state, self, pair, 'long', tracks.long),
    short: exitLeg(state, self, pair, 'short', tracks.short),
    flatten:
      engine?.flatten === true
        ? { cause: engine.reason.includes('DAILY_LOSS') ? 'DAILY_LOSS' : 'KILL_SWITCH', detail: engine.reason }
        : undefined,
    manual: false,
    executableQuote: complete ? executableValue(legs, bookedQuote(state, pair)) : undefined,
    exitCostQuote: complete ? exitCost(legs) : undefined,
    feesQuote: complete ? feesQuote(state, pair, legs) : undefined,
    quoteGap: quoteGapOf(state, tracks),
    reducible: isReachable(tracks.long.status) && isReachable(tracks.short.status),
    rotation: rotationOf(state, self, pair),
    capitalQuote: pair.record.expected.capitalQuote,
  };
}

/** The smaller of both legs' distances to liquidation, fraction of the mark; undefined while neither is known. */
export function nearestLiquidation(state: PositionState, self: PositionSelf, pair: Pair): number | undefined {
  const tracks = pairTracks(state, pair);
  const distances = (['long', 'short'] as const).flatMap(
    (leg) => exitLeg(state, self, pair, leg, tracks[leg]).liquidationDistance ?? [],
  );
  return distances.length === 0 ? undefined : Math.min(...distances);
}

/** Taker fees, positive: those paid, and those of closing now. */
function feesQuote(state: PositionState, pair: Pair, legs: readonly ExecutableLeg[]): number {
  const paid = -Number(pairBook(state.book.ledger, pair.record.pairId).feesMicro) / 1e6;
  return legs.reduce((sum, leg) => sum + exitFee(leg), paid);
}

/** Undefined where both legs are quoted in one currency, and while nobody knows. */
function quoteGapOf(state: PositionState, { long, short }: Readonly<Record<LegSide, VenueTrack>>): number | undefined {
  if (long.instrument === undefined || short.instrument === undefined) return undefined;
  return quoteGap(state.quoteRates, long.instrument.quote, short.instrument.quote);
}

function rotationOf(state: PositionState, self: PositionSelf, pair: Pair): string | undefined {
  const { rotation } = state;
  if (rotation?.pairId !== pair.record.pairId) return undefined;
  return self.monotonicMs() - rotation.atMs <= ROTATION_HELD_MS ? rotation.detail : undefined;
}

function bookedQuote(state: PositionState, pair: Pair): number {
  return Number(pairNetMicro(pairBook(state.book.ledger, pair.record.pairId))) / 1e6;
}

function executableLeg(
  state: PositionState,
  pair: Pair,
  leg: LegSide,
  track: VenueTrack,
): (ExecutableLeg & { readonly midPrice: number }) | undefined {
  const { instrument, book } = track;
  if (instrument === undefined || book === undefined) return undefined;
  const position = bookOf(state.book.ledger, pair.record[leg]);
  const mid = midTicks(book);
  const lots = lotsOfLeg(state, pair, leg);
  const closePrice = walkedBasePrice(track, lots > 0 ? 'sell' : 'buy', Math.abs(lots));
  if (mid === undefined || closePrice === undefined) return undefined;
  return {
    signedQuantity: baseQuantity(lots, instrument),
    averagePrice: averageBasePrice(position, instrument),
    closePrice,
    feeRate: instrument.takerFee / 1e12,
    midPrice: priceOf(mid, instrument) / instrument.multiplier,
  };
}

function exitLeg(state: PositionState, self: PositionSelf, pair: Pair, leg: LegSide, track: VenueTrack): ExitLeg {
  const position = bookOf(state.book.ledger, pair.record[leg]);
  const truth = positionTruth(track.watch, position.signedLots);
  const { instrument, predicted } = track;
  const mark = basePrice(track);
  const quantity = instrument === undefined ? 0 : baseQuantity(lotsOfLeg(state, pair, leg), instrument);
  return {
    venue: track.venue,
    confirmedQuantity: truth.kind === 'confirmed' && instrument !== undefined ? quantity : undefined,
    notionalQuote: Math.abs(quantity) * (mark ?? 0),
    markPrice: mark,
    liquidationDistance: legDistance(state, pair, leg, track, self.monotonicMs()),
    maintenance: instrument === undefined ? 0 : marginTermsAt(instrument, Math.abs(quantity) * (mark ?? 0)).maintenance,
    adlRank: track.adlRank,
    profitQuote:
      instrument === undefined || mark === undefined
        ? undefined
        : quantity * (mark - averageBasePrice(position, instrument)),
    darkForMs: self.monotonicMs() - track.heardAtMs,
    funding: fundingOf(state, self, track),
    predictionKey: predicted === undefined ? '' : `${predicted.settleAtMs}:${predicted.hourly}`,
  };
}

function fundingOf(state: PositionState, self: PositionSelf, track: VenueTrack): FundingOutlook | undefined {
  if (track.predicted === undefined) return undefined;
  const venueNowMs = self.nowMs() + (track.status?.clockOffsetMs ?? 0) * state.args.calendarScale;
  return outlookOf(track.predicted, medianHourly(track.settled), venueNowMs, state.args.exits.forecast.halfLifeHours, {
    formula: track.instrument?.premiumFormula,
    premium: recentPremium(track.markWatch, self.monotonicMs(), state.args.calendarScale),
    weight: state.args.exits.forecast.premiumWeight ?? 0,
  });
}
