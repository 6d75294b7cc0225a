/** When to leave an open pair: gathers what the decision rests on and lets the strategy's rules decide (domain section 10). */
import { bookOf, pairBook, pairNetMicro } from '../../src/execution/ledger.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { positionTruth } from '../../src/execution/position-truth.ts';
import type { FundingOutlook } from '../../src/market/funding-forecast.ts';
import { medianHourly } from '../../src/market/funding-history.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { priceOf, quantityOf } from '../../src/money/amounts.ts';
import { midTicks } from '../../src/strategy/book-walk.ts';
import { outlookOf } from '../../src/strategy/entry-assessment.ts';
import { evaluateExit } from '../../src/strategy/exit-decision.ts';
import type { ExitInput, ExitLeg } from '../../src/strategy/exit-decision.ts';
import { closestLiquidationDistance, liquidationPrice } from '../../src/strategy/liquidation.ts';
import { executableValue, exitCost } from '../../src/strategy/pair-value.ts';
import type { ExecutableLeg } from '../../src/strategy/pair-value.ts';
import type { ExitReason } from '../position-messages.ts';
import { leave } from './carry-out.ts';
import { leverageAskedFor } from './gates.ts';
import { averageBasePrice, basePrice, lotsOfLeg, walkedBasePrice } from './pair-view.ts';
import { pairTracks } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';

/** A burst of market events is one evaluation. */
const EVALUATION_PAUSE_MS = 25;
/** A leg that stays near its liquidation is told again after this. */
const LIQUIDATION_TOLD_MS = 60_000;

/** Evaluates the exit rules of an open pair and leaves when they say so. O(1). */
export function evaluate(state: PositionState, self: PositionSelf): void {
  const { pair } = state;
  // A drain starts nothing, except what the kill switch demands.
  const isDrained = state.draining && state.engine?.flatten !== true;
  if (state.stage !== 'running' || isDrained || pair?.record.phase !== 'OPEN' || !mayManage(state)) return;
  if (state.exitWanted?.pairId === pair.record.pairId) {
    leave(state, self, state.exitWanted.reason);
    return;
  }
  const now = self.monotonicMs();
  if (now - state.lastExitEvaluationAtMs < EVALUATION_PAUSE_MS) return;
  state.lastExitEvaluationAtMs = now;
  const input = exitInput(state, self, pair);
  watchLiquidation(state, self, pair, input);
  const { state: exit, decision } = evaluateExit(state.exit, input, state.args.exits);
  state.exit = exit;
  if (decision.action !== 'EXIT' || decision.reason === undefined) return;
  self.log('info', 'exit-decided', { pairId: pair.record.pairId, reason: decision.reason, detail: decision.detail });
  leave(state, self, decision.reason);
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
    }
  }
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
    capitalQuote: pair.record.expected.capitalQuote,
  };
}

/** View C of domain 15.3: what closing now would net, all in, quote; undefined while a book is missing or too thin. */
export function executableQuote(state: PositionState, pair: Pair): number | undefined {
  const tracks = pairTracks(state, pair);
  const legs = [
    executableLeg(state, pair, 'long', tracks.long),
    executableLeg(state, pair, 'short', tracks.short),
  ].filter((leg) => leg !== undefined);
  return legs.length === 2 ? executableValue(legs, bookedQuote(state, pair)) : undefined;
}

/** The smaller of both legs' distances to liquidation, fraction of the mark; undefined while neither is known. */
export function nearestLiquidation(state: PositionState, self: PositionSelf, pair: Pair): number | undefined {
  const tracks = pairTracks(state, pair);
  const distances = (['long', 'short'] as const).flatMap(
    (leg) => exitLeg(state, self, pair, leg, tracks[leg]).liquidationDistance ?? [],
  );
  return distances.length === 0 ? undefined : Math.min(...distances);
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
    liquidationDistance:
      instrument === undefined || mark === undefined
        ? undefined
        : distanceOf(state, leg, averageBasePrice(position, instrument), mark, instrument, track.liquidationPrice),
    darkForMs: self.monotonicMs() - track.heardAtMs,
    funding: fundingOf(state, self, track),
    predictionKey: predicted === undefined ? '' : `${predicted.settleAtMs}:${predicted.hourly}`,
  };
}

function baseQuantity(lots: number, instrument: Instrument): number {
  return quantityOf(lots, instrument) * instrument.multiplier;
}

function fundingOf(state: PositionState, self: PositionSelf, track: VenueTrack): FundingOutlook | undefined {
  if (track.predicted === undefined) return undefined;
  const venueNowMs = self.nowMs() + (track.status?.clockOffsetMs ?? 0) * state.args.calendarScale;
  return outlookOf(track.predicted, medianHourly(track.settled), venueNowMs, state.args.exits.forecast.halfLifeHours);
}

/** Distance to the closer of the venue's liquidation price and our own, with the leverage asked; undefined when flat. */
function distanceOf(
  state: PositionState,
  side: LegSide,
  averagePrice: number,
  mark: number,
  instrument: Instrument,
  reportedPrice: number | undefined,
): number | undefined {
  if (averagePrice <= 0) return undefined;
  const maintenance = instrument.maintenanceMarginRate / 1e12;
  const leverage = leverageAskedFor(state, instrument);
  if (leverage < 1) return undefined;
  const computed = liquidationPrice(side, averagePrice, leverage, maintenance);
  const reported = reportedPrice === undefined ? undefined : reportedPrice / instrument.multiplier;
  return closestLiquidationDistance(side, mark, computed, reported);
}
