/** How large a new pair may be, in whole common steps: domain 6.1. Quantities are exact, targets are floats. Pure, any thread. */
import { notionalMicroAtNano, quoteOfMicro } from '../money/amounts.ts';
import type { CommonStep } from '../market/instrument-match.ts';
import type { Instrument } from '../market/instrument.ts';

export interface SizingLeg {
  readonly instrument: Instrument;
  readonly lotsPerStep: number;
  readonly markNano: bigint;
  readonly freeMarginQuote: number;
  /** Whole leverage the leg would run at, at least 1. */
  readonly leverage: number;
  /** Lots takeable within the walk limit, to open and to close again. */
  readonly usableOpenLots: number;
  readonly usableCloseLots: number;
  /** Traded in the last 24 h, quote; absent where the venue does not say. */
  readonly volume24hQuote?: number;
}

export interface SizingInput {
  readonly long: SizingLeg;
  readonly short: SizingLeg;
  /** Wallets of both accounts added. */
  readonly equityQuote: number;
  /** What the exposure limits leave for one leg. */
  readonly headroomQuote: number;
  /** A cap while the unit of a funding rate is unproven; Infinity otherwise. */
  readonly unprovenMaxQuote: number;
  readonly policy: {
    readonly maxNotionalQuote: number;
    readonly capitalShare: number;
    readonly volumeFraction: number;
    readonly depthFraction: number;
    readonly maxStepNotionalShare: number;
    readonly marginBuffer: number;
  };
}

/** What limited the target. */
export type SizeBound =
  'maxNotional' | 'capital' | 'volume' | 'depth' | 'headroom' | 'margin' | 'unproven' | 'venueMax';

export type SizeDecision =
  | { readonly sized: true; readonly steps: number; readonly targetQuote: number; readonly boundBy: SizeBound }
  | {
      readonly sized: false;
      readonly code: 'SIZE_BELOW_MIN' | 'STEP_TOO_COARSE';
      readonly detail: string;
      readonly boundBy: SizeBound;
    };

/** After an adverse move of a fifth the leg must still be worth more than the venue's least order, to be closable. */
const CLOSABLE_SHARE_PERCENT = 80n;

/** Decides the number of common steps; rounds down and never up to reach a minimum. */
export function sizePair(input: SizingInput): SizeDecision {
  const { targetQuote, boundBy } = target(input);
  const stepMicro = stepNotionalMicro(input.long, input.short);
  const steps = Number(BigInt(Math.floor(targetQuote * 1e6)) / stepMicro);
  const least = leastSteps(input.long, input.short);
  if (steps < least) {
    const detail = `${targetQuote.toFixed(2)} quote (${boundBy}) is ${steps} steps < ${least} steps that both venues accept`;
    return { sized: false, code: 'SIZE_BELOW_MIN', detail, boundBy };
  }
  const stepQuote = quoteOfMicro(stepMicro);
  const maxStepQuote = input.policy.maxStepNotionalShare * targetQuote;
  if (stepQuote > maxStepQuote) {
    const detail = `common step is worth ${stepQuote.toFixed(2)} > ${maxStepQuote.toFixed(2)} quote`;
    return { sized: false, code: 'STEP_TOO_COARSE', detail, boundBy };
  }
  return { sized: true, steps, targetQuote, boundBy };
}

/**
 * Returns the fewest steps that both venues accept as an order, now and, when closing, after an adverse move: each venue's least
 * quantity and least notional on each leg.
 */
export function leastSteps(long: SizingLeg, short: SizingLeg): number {
  return Math.max(1, leastStepsOf(long), leastStepsOf(short));
}

function leastStepsOf(leg: SizingLeg): number {
  const { instrument, lotsPerStep } = leg;
  const byQuantity = Math.ceil(instrument.minQuantityLots / lotsPerStep);
  const closableMicro = notionalMicroAtNano(instrument, leg.markNano, lotsPerStep) * CLOSABLE_SHARE_PERCENT;
  if (closableMicro <= 0n) return Infinity;
  const byNotional = (instrument.minNotionalMicro * 100n + closableMicro - 1n) / closableMicro;
  return Math.max(byQuantity, Number(byNotional));
}

/** Returns the notional of one step at the higher of both marks, micro-units, at least 1. */
export function stepNotionalMicro(long: SizingLeg, short: SizingLeg): bigint {
  const atLong = notionalMicroAtNano(long.instrument, long.markNano, long.lotsPerStep);
  const atShort = notionalMicroAtNano(short.instrument, short.markNano, short.lotsPerStep);
  const higher = atLong > atShort ? atLong : atShort;
  return higher > 0n ? higher : 1n;
}

/** Returns how many whole steps the usable depth of both legs, open and close side, leaves to us. */
export function depthSteps(long: SizingLeg, short: SizingLeg, depthFraction: number): number {
  return Math.min(depthStepsOf(long, depthFraction), depthStepsOf(short, depthFraction));
}

function depthStepsOf({ usableOpenLots, usableCloseLots, lotsPerStep }: SizingLeg, depthFraction: number): number {
  return Math.floor((depthFraction * Math.min(usableOpenLots, usableCloseLots)) / lotsPerStep);
}

function target(input: SizingInput): { readonly targetQuote: number; readonly boundBy: SizeBound } {
  const { long, short, policy } = input;
  const stepQuote = quoteOfMicro(stepNotionalMicro(long, short));
  const volumeQuote = Math.min(long.volume24hQuote ?? Infinity, short.volume24hQuote ?? Infinity);
  let boundBy: SizeBound = 'maxNotional';
  let targetQuote = policy.maxNotionalQuote;
  const limit = (by: SizeBound, quote: number): void => {
    if (quote >= targetQuote) return;
    targetQuote = quote;
    boundBy = by;
  };
  limit('capital', policy.capitalShare * input.equityQuote);
  limit('volume', policy.volumeFraction * volumeQuote);
  limit('depth', depthSteps(long, short, policy.depthFraction) * stepQuote);
  limit('headroom', input.headroomQuote);
  limit('margin', Math.min(marginQuoteOf(long, policy.marginBuffer), marginQuoteOf(short, policy.marginBuffer)));
  limit('unproven', input.unprovenMaxQuote);
  limit('venueMax', Math.min(venueMaxQuote(long, stepQuote), venueMaxQuote(short, stepQuote)));
  return { targetQuote: Math.max(0, targetQuote), boundBy };
}

function marginQuoteOf({ freeMarginQuote, leverage }: SizingLeg, marginBuffer: number): number {
  return freeMarginQuote * (1 - marginBuffer) * leverage;
}

/** What one order may be: by value, and by quantity in whole steps. The same order must be able to close the leg. */
function venueMaxQuote({ instrument, lotsPerStep }: SizingLeg, stepQuote: number): number {
  const byValue = quoteOfMicro(instrument.maxNotionalMicro);
  const { maxQuantityLots } = instrument;
  return maxQuantityLots === undefined
    ? byValue
    : Math.min(byValue, Math.floor(maxQuantityLots / lotsPerStep) * stepQuote);
}

/** Returns the lots of one leg for a number of steps. */
export function lotsOf(steps: number, step: CommonStep): { readonly long: number; readonly short: number } {
  return { long: steps * step.longLots, short: steps * step.shortLots };
}
