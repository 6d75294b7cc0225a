/**
 * Decides whether an open pair is left, and why: domain section 10. Pure and O(1) per evaluation; the position actor calls it on
 * every relevant event and at least once a second.
 */
import { conservativeFunding, expectedRate } from '../market/funding-forecast.ts';
import type { FundingOutlook } from '../market/funding-forecast.ts';
import { HOUR_MS } from '../market/funding-rate.ts';
import type { ExitPolicies } from './policy.ts';

/** In order of precedence: the first that applies is the reason. */
export type ExitCause =
  | 'LEG_MISSING'
  | 'LIQUIDATION'
  | 'KILL_SWITCH'
  | 'DAILY_LOSS'
  | 'STALE_VENUE'
  | 'DIVERGENCE'
  | 'STOP_LOSS'
  | 'TAKE_PROFIT'
  | 'CARRY_REVERSED'
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
  /** Margin of both legs, the M of domain 5.2. */
  readonly capitalQuote: number;
}

/** What evaluations remember of each other. Start with `initialExitState`; keep what is returned. */
export interface ExitState {
  readonly divergedSinceMonotonicMs: number | undefined;
  readonly profitSinceMonotonicMs: number | undefined;
  /** Distinct predictions in a row under which staying loses. */
  readonly reversedPredictions: number;
  readonly lastPredictionKey: string;
  /** Calendar ms until which a non-urgent exit waits for a payment; 0 when it does not. */
  readonly deferUntilMs: number;
}

export const initialExitState: ExitState = {
  divergedSinceMonotonicMs: undefined,
  profitSinceMonotonicMs: undefined,
  reversedPredictions: 0,
  lastPredictionKey: '',
  deferUntilMs: 0,
};

export type ExitUrgency = 'immediate' | 'fast' | 'normal';

export interface ExitDecision {
  readonly action: 'HOLD' | 'EXIT';
  /** Present with EXIT, and with a HOLD that holds against a reason to leave. */
  readonly reason?: ExitCause;
  readonly urgency?: ExitUrgency;
  /** Rule and value in words; empty when there is nothing to say. */
  readonly detail: string;
  /** Present while a non-urgent exit waits for a settlement, calendar ms. */
  readonly deferUntilMs?: number;
}

const DIVERGENCE_SUSTAINED_MS = 60_000;
const TAKE_PROFIT_APART_MS = 250;
/** Settlements of both legs this close together are one. */
const SAME_SETTLEMENT_MS = 1_000;

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
  const profit = input.executableQuote !== undefined && input.executableQuote >= policy.exit.takeProfitQuote;
  return {
    ...state,
    divergedSinceMonotonicMs: diverged ? (state.divergedSinceMonotonicMs ?? input.monotonicMs) : undefined,
    profitSinceMonotonicMs: profit ? (state.profitSinceMonotonicMs ?? input.monotonicMs) : undefined,
    ...observeCarry(state, input, policy),
  };
}

function observeCarry(
  state: ExitState,
  input: ExitInput,
  policy: ExitPolicies,
): Pick<ExitState, 'reversedPredictions' | 'lastPredictionKey'> {
  const { reversedPredictions, lastPredictionKey } = state;
  const value = holdValueQuote(input, policy);
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
  return undefined;
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
  const divergedSince = state.divergedSinceMonotonicMs;
  if (divergedSince !== undefined && input.monotonicMs - divergedSince >= DIVERGENCE_SUSTAINED_MS) {
    const detail = `marks ${fixed(markDivergenceBps(input) ?? 0)} bps apart > ${policy.exit.maxMarkDivergenceBps} bps for 60 s`;
    return exit('DIVERGENCE', 'fast', detail);
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
    const detail = `closing now nets ${fixed(input.executableQuote ?? 0)} >= ${fixed(policy.exit.takeProfitQuote)}`;
    return exit('TAKE_PROFIT', 'normal', detail);
  }
  if (state.reversedPredictions >= policy.exit.confirm) {
    const value = fixed(holdValueQuote(input, policy) ?? 0);
    const threshold = fixed(-policy.exit.hysteresis * (input.exitCostQuote ?? 0));
    const detail = `staying ${policy.exit.horizonHours} h brings ${value} < ${threshold}, ${policy.exit.confirm} predictions`;
    return exit('CARRY_REVERSED', 'normal', detail);
  }
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

/** Returns until when a coming payment is worth waiting for, calendar ms, or 0 when none is. */
function deferral(input: ExitInput, policy: ExitPolicies): number {
  const payment = comingPayment(input);
  if (payment === undefined || payment.quote <= policy.settle.minDeferQuote || payment.inMs > policy.settle.deferMs)
    return 0;
  return input.nowMs + payment.inMs + policy.settle.guardMs;
}

/** Returns the pair's nearest settlement and what it is expected to pay; undefined without forecasts for both legs. */
export function comingPayment(
  input: Pick<ExitInput, 'long' | 'short'>,
): { readonly inMs: number; readonly quote: number } | undefined {
  const long = input.long.funding;
  const short = input.short.funding;
  if (long === undefined || short === undefined) return undefined;
  const inMs = Math.min(long.nextSettleInMs, short.nextSettleInMs);
  let quote = 0;
  if (long.nextSettleInMs - inMs < SAME_SETTLEMENT_MS) quote -= input.long.notionalQuote * expectedRate(long, 1);
  if (short.nextSettleInMs - inMs < SAME_SETTLEMENT_MS) quote += input.short.notionalQuote * expectedRate(short, 1);
  return { inMs, quote };
}

/** Returns the conservative V_hold over the exit horizon, quote; undefined without forecasts for both legs. */
export function holdValueQuote(
  input: Pick<ExitInput, 'long' | 'short'>,
  policy: Pick<ExitPolicies, 'exit' | 'forecast'>,
): number | undefined {
  const { long, short } = input;
  if (long.funding === undefined || short.funding === undefined) return undefined;
  const horizonMs = policy.exit.horizonHours * HOUR_MS;
  const { haircut } = policy.forecast;
  return (
    conservativeFunding(long.funding, long.notionalQuote, horizonMs, haircut) +
    conservativeFunding(short.funding, -short.notionalQuote, horizonMs, haircut)
  );
}

function markDivergenceBps(input: ExitInput): number | undefined {
  const long = input.long.markPrice;
  const short = input.short.markPrice;
  return long === undefined || short === undefined ? undefined : Math.abs(short / long - 1) * 1e4;
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
