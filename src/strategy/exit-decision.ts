/**
 * Decides whether an open pair is left, and why: domain section 10. Pure and O(1) per evaluation; the position actor calls it on
 * every relevant event and at least once a second.
 */
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS } from '../market/funding-rate.ts';
import { comingPayment, decidingHoldValueQuote, passedPayment } from './hold-value.ts';
import { shareToKeep } from './liquidation.ts';
import type { ExitPolicies } from './policy.ts';
import { movedBy, noPriceMove, observePrice } from './price-move.ts';
import type { PriceMove } from './price-move.ts';

/** In order of precedence: the first that applies is the reason. */
export type ExitCause =
  | 'LEG_MISSING'
  | 'LIQUIDATION'
  | 'KILL_SWITCH'
  | 'DAILY_LOSS'
  | 'ADL_RISK'
  | 'STALE_VENUE'
  | 'STABLECOIN_DEPEG'
  | 'DIVERGENCE'
  | 'VOL_PANIC'
  | 'STOP_LOSS'
  | 'TAKE_PROFIT'
  | 'CARRY_REVERSED'
  | 'ROTATION'
  | 'MAX_HOLD'
  | 'MANUAL';

export interface ExitLeg {
  /** For words in details, for example `lighter`. */
  readonly venue: string;
  /** Position confirmed by the venue, base units, signed; undefined while it is not confirmed. */
  readonly confirmedQuantity: number | undefined;
  /** Quantity x mark, quote, unsigned; used for expected funding. */
  readonly notionalQuote: number;
  /** Mark per base unit, quote; undefined while never seen. */
  readonly markPrice: number | undefined;
  /** Fraction of mark to the liquidation price; undefined while unknown. */
  readonly liquidationDistance: number | undefined;
  /** Maintenance margin, fraction of notional. */
  readonly maintenance: number;
  /** Place in the venue's queue of positions it closes first, 0 (last) to 1 (first); undefined where it does not say. */
  readonly adlRank: number | undefined;
  /** Unrealised profit at mark, quote; undefined without a mark. */
  readonly profitQuote: number | undefined;
  /** Monotonic ms since the venue last showed a sign of life. */
  readonly darkForMs: number;
  readonly funding: FundingOutlook | undefined;
  /** Changes whenever the predicted rate or its settlement changes, for example `1767225600000:12000000`. */
  readonly predictionKey: string;
}

export interface ExitInput {
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** Calendar ms. */
  readonly openedAtMs: number;
  readonly long: ExitLeg;
  readonly short: ExitLeg;
  /** The engine's order to leave, when there is one. */
  readonly flatten: { readonly cause: 'KILL_SWITCH' | 'DAILY_LOSS'; readonly detail: string } | undefined;
  /** An operator asked to leave. */
  readonly manual: boolean;
  /** View C of domain 15.3; undefined while a book is missing. */
  readonly executableQuote: number | undefined;
  /** Cost of closing now against mid, fees included, quote, positive; undefined while a book is missing. */
  readonly exitCostQuote: number | undefined;
  /** Taker fees of the pair, quote, positive: paid so far and those of closing now; undefined while a book is missing. */
  readonly feesQuote: number | undefined;
  /** How far the quote currencies of the legs are from being worth the same, a fraction; undefined where they are one, or unknown. */
  readonly quoteGap: number | undefined;
  /** Both legs can be traded now: only then can both be made smaller. */
  readonly reducible: boolean;
  /** A better pair waits for the capital of this one, in words; undefined when none does. */
  readonly rotation: string | undefined;
  /** Margin of both legs, the M of domain 5.2. */
  readonly capitalQuote: number;
}

/** What evaluations remember of each other. Start with `initialExitState`; keep what is returned. */
export interface ExitState {
  readonly divergedSinceMonotonicMs: number | undefined;
  readonly profitSinceMonotonicMs: number | undefined;
  readonly depeggedSinceMonotonicMs: number | undefined;
  readonly move: PriceMove;
  readonly reducedAtMonotonicMs: number;
  /** Distinct predictions in a row under which staying loses. */
  readonly reversedPredictions: number;
  readonly lastPredictionKey: string;
  /** Calendar ms until which a non-urgent exit waits for a payment; 0 when it does not. */
  readonly deferUntilMs: number;
}

export const initialExitState: ExitState = {
  divergedSinceMonotonicMs: undefined,
  profitSinceMonotonicMs: undefined,
  depeggedSinceMonotonicMs: undefined,
  move: noPriceMove,
  reducedAtMonotonicMs: Number.NEGATIVE_INFINITY,
  reversedPredictions: 0,
  lastPredictionKey: '',
  deferUntilMs: 0,
};

export type ExitUrgency = 'immediate' | 'fast' | 'normal';

export interface ExitDecision {
  readonly action: 'HOLD' | 'EXIT' | 'REDUCE';
  /** Present with EXIT and REDUCE, and with a HOLD that holds against a reason to leave. */
  readonly reason?: ExitCause;
  readonly urgency?: ExitUrgency;
  /** Rule and value in words; empty when there is nothing to say. */
  readonly detail: string;
  /** Present with REDUCE: the part of both legs to keep, at least 0 and less than 1. */
  readonly keep?: number;
  /** Present while a non-urgent exit waits for a settlement, calendar ms. */
  readonly deferUntilMs?: number;
}

const DIVERGENCE_SUSTAINED_MS = 60_000;
const TAKE_PROFIT_APART_MS = 250;
/** Quotes apart for this long have lost each other; shorter, somebody was late. */
const DEPEG_SUSTAINED_MS = 10_000;
/** Between two reductions of one pair: the venue's word on the new distance must come first. */
const REDUCE_PAUSE_MS = 30_000;

const HOLD: ExitDecision = { action: 'HOLD', detail: '' };

/** Evaluates all layers in order; first match wins. The returned state carries confirmations to the next evaluation. */
export function evaluateExit(
  state: ExitState,
  input: ExitInput,
  policy: ExitPolicies,
): { readonly state: ExitState; readonly decision: ExitDecision } {
  const observed = observe(state, input, policy);
  const emergency = emergencyExit(input, policy) ?? safetyExit(observed, input, policy);
  if (emergency !== undefined) return { state: { ...observed, deferUntilMs: 0 }, decision: emergency };

  const wish = economicExit(observed, input, policy);
  // What closes the pair takes the danger away with it: making it smaller is for a pair that stays.
  const reduction = wish?.urgency === 'fast' ? undefined : reduce(observed, input, policy);
  if (reduction !== undefined) {
    return { state: { ...observed, deferUntilMs: 0, reducedAtMonotonicMs: input.monotonicMs }, decision: reduction };
  }
  if (wish === undefined) return { state: { ...observed, deferUntilMs: 0 }, decision: HOLD };
  if (wish.urgency !== 'normal' || wish.reason === 'MANUAL') {
    return { state: { ...observed, deferUntilMs: 0 }, decision: wish };
  }
  return deferForSettlement(observed, wish, input, policy);
}

/** Brings the memories of sustained and confirmed conditions up to this evaluation. */
function observe(state: ExitState, input: ExitInput, policy: ExitPolicies): ExitState {
  const divergence = markDivergenceBps(input);
  const diverged = divergence !== undefined && divergence > policy.exit.maxMarkDivergenceBps;
  const takeProfit = takeProfitAt(input, policy);
  const profit = input.executableQuote !== undefined && takeProfit !== undefined && input.executableQuote >= takeProfit;
  const depegged = input.quoteGap !== undefined && input.quoteGap > policy.stablecoin.maxGap;
  return {
    ...state,
    divergedSinceMonotonicMs: diverged ? (state.divergedSinceMonotonicMs ?? input.monotonicMs) : undefined,
    depeggedSinceMonotonicMs: depegged ? (state.depeggedSinceMonotonicMs ?? input.monotonicMs) : undefined,
    move: observeMove(state.move, input, policy),
    profitSinceMonotonicMs: profit ? (state.profitSinceMonotonicMs ?? input.monotonicMs) : undefined,
    ...observeCarry(state, input, policy),
  };
}

/** Both legs' marks in one: a price that only one venue shows moves it half. */
function observeMove(move: PriceMove, input: ExitInput, policy: ExitPolicies): PriceMove {
  const { long, short, nowMs } = input;
  if (long.markPrice === undefined || short.markPrice === undefined) return move;
  return observePrice(move, (long.markPrice + short.markPrice) / 2, nowMs, policy.exit.moveWindowMs);
}

/** The profit to take, quote: a sum, and where set a multiple of all fees. Undefined while the fees are not known. */
export function takeProfitAt(input: ExitInput, { exit: rules }: ExitPolicies): number | undefined {
  if (rules.takeProfitFees === 0) return rules.takeProfitQuote;
  if (input.feesQuote === undefined) return undefined;
  return Math.max(rules.takeProfitQuote, rules.takeProfitFees * input.feesQuote);
}

function observeCarry(
  state: ExitState,
  input: ExitInput,
  policy: ExitPolicies,
): Pick<ExitState, 'reversedPredictions' | 'lastPredictionKey'> {
  const { reversedPredictions, lastPredictionKey } = state;
  const value = leavingValue(input, policy);
  // Missing facts are no evidence for either side: the count stands still.
  if (value === undefined || input.exitCostQuote === undefined) return { reversedPredictions, lastPredictionKey };
  if (value >= -policy.exit.hysteresis * input.exitCostQuote) return { reversedPredictions: 0, lastPredictionKey: '' };
  const key = `${input.long.predictionKey}|${input.short.predictionKey}`;
  if (key === lastPredictionKey) return { reversedPredictions, lastPredictionKey };
  return { reversedPredictions: Math.min(reversedPredictions + 1, policy.exit.confirm), lastPredictionKey: key };
}

/** Layers 1 to 4: neither minimum hold nor settlements hold these back. */
function emergencyExit(input: ExitInput, policy: ExitPolicies): ExitDecision | undefined {
  const { long, short } = input;
  if (long.confirmedQuantity !== undefined && long.confirmedQuantity <= 0) {
    return exit('LEG_MISSING', 'immediate', `long leg on ${long.venue} is ${long.confirmedQuantity}`);
  }
  if (short.confirmedQuantity !== undefined && short.confirmedQuantity >= 0) {
    return exit('LEG_MISSING', 'immediate', `short leg on ${short.venue} is ${short.confirmedQuantity}`);
  }
  for (const leg of [long, short]) {
    const distance = leg.liquidationDistance;
    if (distance !== undefined && distance < policy.liquidation.critical) {
      const detail = `liquidation distance on ${leg.venue} ${percent(distance)} < ${percent(policy.liquidation.critical)}`;
      return exit('LIQUIDATION', 'immediate', detail);
    }
  }
  if (input.flatten !== undefined) return exit(input.flatten.cause, 'immediate', input.flatten.detail);
  for (const leg of [long, short]) {
    const { adlRank, profitQuote } = leg;
    if (adlRank === undefined || adlRank < policy.exit.maxAdlRank || profitQuote === undefined || profitQuote <= 0)
      continue;
    const detail = `ADL rank on ${leg.venue} ${percent(adlRank)} >= ${percent(policy.exit.maxAdlRank)}, leg earned ${fixed(profitQuote)}`;
    return exit('ADL_RISK', 'fast', detail);
  }
  return undefined;
}

/** Makes both legs smaller by what brings the weaker one back to the distance new legs have: domain 11.4. */
function reduce(state: ExitState, input: ExitInput, policy: ExitPolicies): ExitDecision | undefined {
  if (!input.reducible || input.monotonicMs - state.reducedAtMonotonicMs < REDUCE_PAUSE_MS) return undefined;
  const { reduce: limit, minEntryDistance } = policy.liquidation;
  let weakest: ExitDecision | undefined;
  for (const side of ['long', 'short'] as const) {
    const { liquidationDistance, maintenance, venue } = input[side];
    if (liquidationDistance === undefined || liquidationDistance >= limit) continue;
    const keep = shareToKeep(side, liquidationDistance, minEntryDistance, maintenance);
    if (weakest?.keep !== undefined && weakest.keep <= keep) continue;
    const detail = `liquidation distance on ${venue} ${percent(liquidationDistance)} < ${percent(limit)}, keeps ${percent(keep)} of both legs`;
    weakest = { action: 'REDUCE', reason: 'LIQUIDATION', urgency: 'fast', detail, keep };
  }
  return weakest;
}

/** Layers 5 and 6. */
function safetyExit(state: ExitState, input: ExitInput, policy: ExitPolicies): ExitDecision | undefined {
  const dark = input.long.darkForMs >= input.short.darkForMs ? input.long : input.short;
  if (dark.darkForMs > policy.exit.maxDarkMs) {
    const detail = `${dark.venue} silent for ${Math.floor(dark.darkForMs)} ms > ${policy.exit.maxDarkMs} ms`;
    if (policy.exit.darkVenue === 'flatten') return exit('STALE_VENUE', 'fast', detail);
    // Closing the reachable leg alone creates exposure, so everything below waits; only a person may decide otherwise.
    if (!input.manual) return { action: 'HOLD', reason: 'STALE_VENUE', detail };
  }
  const depeggedSince = state.depeggedSinceMonotonicMs;
  if (depeggedSince !== undefined && input.monotonicMs - depeggedSince >= DEPEG_SUSTAINED_MS) {
    const detail = `quote currencies ${percent(input.quoteGap ?? 0)} apart > ${percent(policy.stablecoin.maxGap)} for 10 s`;
    return exit('STABLECOIN_DEPEG', 'fast', detail);
  }
  const divergedSince = state.divergedSinceMonotonicMs;
  if (divergedSince !== undefined && input.monotonicMs - divergedSince >= DIVERGENCE_SUSTAINED_MS) {
    const detail = `marks ${fixed(markDivergenceBps(input) ?? 0)} bps apart > ${policy.exit.maxMarkDivergenceBps} bps for 60 s`;
    return exit('DIVERGENCE', 'fast', detail);
  }
  const moved = movedBy(state.move);
  if (moved > policy.exit.maxMove) {
    const detail = `mark moved ${percent(moved)} > ${percent(policy.exit.maxMove)} within ${policy.exit.moveWindowMs} ms`;
    return exit('VOL_PANIC', 'fast', detail);
  }
  return undefined;
}

/** Layers 7 to 12. Minimum hold holds back all but the stop and the operator. */
function economicExit(state: ExitState, input: ExitInput, policy: ExitPolicies): ExitDecision | undefined {
  const stopLossQuote = (policy.exit.stopLossPct / 100) * input.capitalQuote;
  if (input.executableQuote !== undefined && input.executableQuote < -stopLossQuote) {
    return exit('STOP_LOSS', 'fast', `closing now nets ${fixed(input.executableQuote)} < ${fixed(-stopLossQuote)}`);
  }
  const heldHours = (input.nowMs - input.openedAtMs) / HOUR_MS;
  if (heldHours >= policy.exit.minHoldHours) {
    const held = ordinaryExit(state, input, policy, heldHours);
    if (held !== undefined) return held;
  }
  return input.manual ? exit('MANUAL', 'normal', 'asked by the operator') : undefined;
}

function ordinaryExit(
  state: ExitState,
  input: ExitInput,
  policy: ExitPolicies,
  heldHours: number,
): ExitDecision | undefined {
  const profitSince = state.profitSinceMonotonicMs;
  if (profitSince !== undefined && input.monotonicMs - profitSince >= TAKE_PROFIT_APART_MS) {
    const detail = `closing now nets ${fixed(input.executableQuote ?? 0)} >= ${fixed(takeProfitAt(input, policy) ?? 0)}`;
    return exit('TAKE_PROFIT', 'normal', detail);
  }
  if (state.reversedPredictions >= policy.exit.confirm) {
    const value = fixed(leavingValue(input, policy) ?? 0);
    const threshold = fixed(-policy.exit.hysteresis * (input.exitCostQuote ?? 0));
    const detail = `staying ${policy.exit.horizonHours} h brings ${value} < ${threshold}, ${policy.exit.confirm} predictions`;
    return exit('CARRY_REVERSED', 'normal', detail);
  }
  if (input.rotation !== undefined) return exit('ROTATION', 'normal', input.rotation);
  if (heldHours > policy.exit.maxHoldHours) {
    return exit('MAX_HOLD', 'normal', `held ${fixed(heldHours)} h > ${policy.exit.maxHoldHours} h`);
  }
  return undefined;
}

/** A non-urgent exit waits for a payment worth waiting for, until the venue has certainly booked it. */
function deferForSettlement(
  state: ExitState,
  wish: ExitDecision,
  input: ExitInput,
  policy: ExitPolicies,
): { readonly state: ExitState; readonly decision: ExitDecision } {
  const deferUntilMs = Math.max(state.deferUntilMs, deferral(input, policy));
  if (deferUntilMs <= input.nowMs) return { state: { ...state, deferUntilMs: 0 }, decision: wish };
  return {
    state: { ...state, deferUntilMs },
    decision: { ...wish, action: 'HOLD', detail: `${wish.detail}; waits for a settlement`, deferUntilMs },
  };
}

/**
 * Returns until when a payment is worth waiting for, calendar ms, or 0 when none is: one that is coming, or one that passed so
 * recently that the venue may not have made it yet.
 */
function deferral(input: ExitInput, { settle }: ExitPolicies): number {
  const passed = passedPayment(input);
  if (passed !== undefined && passed.agoMs < settle.guardMs && passed.quote > settle.minDeferQuote)
    return input.nowMs + settle.guardMs - passed.agoMs;
  const coming = comingPayment(input);
  if (coming === undefined || coming.quote <= settle.minDeferQuote || coming.inMs > settle.deferMs) return 0;
  return input.nowMs + coming.inMs + settle.guardMs;
}

/** V_hold as leaving now may count on it, quote; undefined without forecasts for both legs. */
function leavingValue(input: ExitInput, { exit: rules, forecast, settle }: ExitPolicies): number | undefined {
  return decidingHoldValueQuote(input, rules.horizonHours, forecast.haircut, settle.guardMs);
}

function markDivergenceBps({ long, short }: ExitInput): number | undefined {
  return divergenceBps(long.markPrice, short.markPrice);
}

/** Domain section 4: how far both legs' mark prices, quote per unit of the underlying, are apart, bps; undefined while one is unknown. */
export function divergenceBps(longMark: number | undefined, shortMark: number | undefined): number | undefined {
  return longMark === undefined || shortMark === undefined ? undefined : Math.abs(shortMark / longMark - 1) * 1e4;
}

function exit(reason: ExitCause, urgency: ExitUrgency, detail: string): ExitDecision {
  return { action: 'EXIT', reason, urgency, detail };
}

function fixed(value: number): string {
  return value.toFixed(3);
}
function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
