/** How venues make a funding rate from their premium, to foresee the part of a period that is still to come: domain 2.2 and 2.6. Pure. */
import { comingSettlement } from './funding-forecast.ts';
import { HOUR_MS } from './funding-rate.ts';
import type { FundingRate } from './funding-rate.ts';

/** premium + clamp(interest - premium, -clamp, +clamp) is the rate of `perMs`. All rates of 1e-12. */
export interface PremiumFormula {
  /** What one result of the formula is a rate of, ms; absent: of one funding interval. */
  readonly perMs?: number;
  /** Interest of eight hours. */
  readonly interest8hPico: number;
  readonly clampPico: number;
  /** Largest rate of an hour, either way. */
  readonly hourlyCapPico: number;
}

const EIGHT_HOURS_MS = 8 * HOUR_MS;
const PICO = 1e12;

/** Returns the rate that a premium (a fraction) lasting a whole period would give, pico per hour, as a float. */
export function premiumHourly(formula: PremiumFormula, premium: number, intervalMs: number): number {
  const { perMs = intervalMs, interest8hPico, clampPico, hourlyCapPico } = formula;
  const interest = (interest8hPico * perMs) / EIGHT_HOURS_MS;
  const premiumPico = premium * PICO;
  const period = premiumPico + bounded(interest - premiumPico, clampPico);
  return bounded((period * HOUR_MS) / perMs, hourlyCapPico);
}

/**
 * Returns the rate to expect at the coming settlement, pico per hour: what was predicted for as much of the period as has passed, and
 * what the present premium would give for the rest, as far as `weight` (0 to 1) trusts it. The prediction itself where the venue's
 * formula or the premium is not known.
 */
export function blendedHourly(
  predicted: FundingRate,
  formula: PremiumFormula | undefined,
  premium: number | undefined,
  venueNowMs: number,
  weight = 1,
): number {
  if (formula === undefined || premium === undefined) return predicted.hourly;
  const { settleAtMs, intervalMs, hourly } = predicted;
  const restMs = comingSettlement(settleAtMs, intervalMs, venueNowMs) - venueNowMs;
  const rest = weight * Math.min(1, Math.max(0, restMs / intervalMs));
  return (1 - rest) * hourly + rest * premiumHourly(formula, premium, intervalMs);
}

function bounded(value: number, bound: number): number {
  return Math.min(bound, Math.max(-bound, value));
}
