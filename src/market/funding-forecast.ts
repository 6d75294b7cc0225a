/** How many payments a horizon holds and what they are expected to bring: domain 2.5 and 2.6. Pure functions, any thread. */
import { HOUR_MS } from './funding-rate.ts';

/** What one leg's funding is expected to do. Rates are fractions of one settlement, as floats: forecasts, never ledger amounts. */
export interface FundingOutlook {
  /** Calendar ms until the coming settlement, by the venue's clock; not negative. */
  readonly nextSettleInMs: number;
  readonly intervalMs: number;
  /** Expected rate of the coming settlement. */
  readonly nextRate: number;
  /** Where the rate returns to: the median of settled rates. */
  readonly medianRate: number;
  /** Hours in which half of the way back is gone; Infinity for a rate that stays. */
  readonly halfLifeHours: number;
}

/** Returns n(H): the number of settlements from now up to and including the horizon. */
export function paymentsWithin(horizonMs: number, nextSettleInMs: number, intervalMs: number): number {
  if (horizonMs < nextSettleInMs) return 0;
  return 1 + Math.floor((horizonMs - nextSettleInMs) / intervalMs);
}

/** Returns the time of the coming settlement, rolled over the ones already passed when the venue's word is old. Calendar ms. */
export function comingSettlement(settleAtMs: number, intervalMs: number, nowMs: number): number {
  if (settleAtMs > nowMs) return settleAtMs;
  return settleAtMs + (Math.floor((nowMs - settleAtMs) / intervalMs) + 1) * intervalMs;
}

/** Returns the share of a deviation from the median that is left one interval later. */
export function persistence(intervalMs: number, halfLifeHours: number): number {
  return 0.5 ** (intervalMs / HOUR_MS / halfLifeHours);
}

/** Returns the expected rate of the k-th coming settlement, k from 1. */
export function expectedRate(outlook: FundingOutlook, k: number): number {
  const phi = persistence(outlook.intervalMs, outlook.halfLifeHours);
  return outlook.medianRate + (outlook.nextRate - outlook.medianRate) * phi ** (k - 1);
}

/** Returns S_n: the sum of the expected rates of the next `n` settlements. */
export function expectedRateSum(outlook: FundingOutlook, n: number): number {
  const phi = persistence(outlook.intervalMs, outlook.halfLifeHours);
  // The closed form divides by 1 - phi, which vanishes for a rate that never returns.
  const weight = 1 - phi < 1e-12 ? n : (1 - phi ** n) / (1 - phi);
  return n * outlook.medianRate + (outlook.nextRate - outlook.medianRate) * weight;
}

/**
 * Returns the expected funding cash flow of a leg over the horizon, quote. `signedNotionalQuote` is quantity x funding price,
 * negative for a short leg: longs pay positive rates.
 */
export function expectedFunding(outlook: FundingOutlook, signedNotionalQuote: number, horizonMs: number): number {
  const payments = paymentsWithin(horizonMs, outlook.nextSettleInMs, outlook.intervalMs);
  return -signedNotionalQuote * expectedRateSum(outlook, payments);
}

/** Returns what the settlements `first` to `last` (from 1) of a leg are expected to bring, quote, less `haircut` of its size. */
export function conservativeSum(
  outlook: FundingOutlook,
  signedNotionalQuote: number,
  first: number,
  last: number,
  haircut: number,
): number {
  if (last < first) return 0;
  const rates = expectedRateSum(outlook, last) - expectedRateSum(outlook, first - 1);
  const expected = -signedNotionalQuote * rates;
  return expected - haircut * Math.abs(expected);
}

/** Returns the same, less `haircut` of its size: what a careful decision counts on. */
export function conservativeFunding(
  outlook: FundingOutlook,
  signedNotionalQuote: number,
  horizonMs: number,
  haircut: number,
): number {
  const expected = expectedFunding(outlook, signedNotionalQuote, horizonMs);
  return expected - haircut * Math.abs(expected);
}
