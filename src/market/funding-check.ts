/**
 * Proves, settlement by settlement, that a feed's predicted rates are in the unit it declares: domain 2.3. Where a feed also states
 * what was settled last, that against the venue's history is proof from the start. It judges and never corrects. Immutable values,
 * any thread.
 */
import type { FundingRate } from './funding-rate.ts';
import { perSettlement } from './funding-rate.ts';

export type FundingVerdict =
  | { readonly state: 'UNPROVEN' | 'OK' | 'SIGN_SUSPECT' | 'UNSTABLE' }
  | { readonly state: 'UNIT_SUSPECT'; readonly factor: number }
  /** What was paid on a position is not what the settled rate says: fractions of one settlement. */
  | { readonly state: 'PAYMENT_SUSPECT'; readonly implied: number; readonly stated: number };

export interface FundingCheck {
  /** The last prediction seen early enough, per coming settlement, oldest first. */
  readonly predictions: readonly { readonly settleAtMs: number; readonly hourly: number }[];
  /** Settled / predicted of the latest settlements, oldest first. */
  readonly ratios: readonly number[];
  /** History / the feed's own word of the same settlement, the latest ones. */
  readonly stated: readonly { readonly settleAtMs: number; readonly ratio: number }[];
  readonly lastSettledAtMs: number;
}

export const emptyFundingCheck: FundingCheck = { predictions: [], ratios: [], stated: [], lastSettledAtMs: 0 };

/** A prediction must have been seen this long before its settlement, calendar ms: later ones may be the settled value itself. */
const PREDICTED_BEFORE_MS = 1_000;
const PREDICTIONS_MAX = 4;
/** Old enough evidence leaves, so that a repaired feed is judged by its present. */
const RATIOS_MAX = 9;
/** Smaller settled rates (1e-7 per hour, in pico units) say nothing: rounding alone moves their ratio. */
const MEANINGFUL_HOURLY_PICO = 100_000;
/** Mistakes that feeds make: per 8 h, per day, percent for fraction; each also upside down and negated. */
const KNOWN_FACTORS = [8, 1 / 8, 24, 1 / 24, 100, 1 / 100] as const;
const FACTOR_TOLERANCE = 0.15;

/** Remembers a prediction for its settlement. `nowMs` is calendar time by the venue's clock. */
export function notePredicted(check: FundingCheck, rate: FundingRate, nowMs: number): FundingCheck {
  if (nowMs > rate.settleAtMs - PREDICTED_BEFORE_MS || rate.settleAtMs <= check.lastSettledAtMs) return check;
  const others = check.predictions.filter((prediction) => prediction.settleAtMs !== rate.settleAtMs);
  const predictions = [...others, { settleAtMs: rate.settleAtMs, hourly: rate.hourly }];
  return { ...check, predictions: predictions.slice(-PREDICTIONS_MAX) };
}

/** Compares a settled rate with what was predicted for it; a settlement counts once. */
export function noteSettled(before: FundingCheck, rate: FundingRate): FundingCheck {
  const check = noteStated(before, rate);
  if (rate.settleAtMs <= check.lastSettledAtMs) return check;
  const predicted = check.predictions.find((prediction) => prediction.settleAtMs === rate.settleAtMs);
  const predictions = check.predictions.filter((prediction) => prediction.settleAtMs > rate.settleAtMs);
  const seen = { ...check, predictions, lastSettledAtMs: rate.settleAtMs };
  if (predicted === undefined || Math.abs(rate.hourly) < MEANINGFUL_HOURLY_PICO) return seen;
  return { ...seen, ratios: [...check.ratios, rate.hourly / predicted.hourly].slice(-RATIOS_MAX) };
}

function noteStated(check: FundingCheck, { feedHourly, hourly, settleAtMs }: FundingRate): FundingCheck {
  if (feedHourly === undefined || Math.abs(hourly) < MEANINGFUL_HOURLY_PICO) return check;
  const others = check.stated.filter((stated) => stated.settleAtMs !== settleAtMs);
  return { ...check, stated: [...others, { settleAtMs, ratio: hourly / feedHourly }].slice(-RATIOS_MAX) };
}

/** Judges the evidence so far. A feed that contradicts the history is not believed for agreeing with itself. */
export function fundingVerdict(check: FundingCheck, minSettlements: number): FundingVerdict {
  const stated = check.stated.length === 0 ? undefined : judged(check.stated.map(({ ratio }) => ratio));
  if (stated !== undefined && stated.state !== 'OK') return stated;
  if (check.ratios.length >= minSettlements) return judged(check.ratios);
  return stated ?? { state: 'UNPROVEN' };
}

function judged(ratios: readonly number[]): FundingVerdict {
  const ratio = median(ratios);
  if (ratio >= 0.5 && ratio <= 2) return { state: 'OK' };
  for (const factor of KNOWN_FACTORS) {
    if (Math.abs(Math.abs(ratio) / factor - 1) <= FACTOR_TOLERANCE) {
      return { state: 'UNIT_SUSPECT', factor: ratio < 0 ? -factor : factor };
    }
  }
  return { state: ratio < 0 ? 'SIGN_SUSPECT' : 'UNSTABLE' };
}

/**
 * The second, independent check: returns whether a booked payment implies the settled rate, within 5 % or 1e-7.
 * `paymentQuote` is our cash flow, `signedNotionalQuote` quantity x funding price with the position's sign.
 */
export function paymentConfirmsRate(
  paymentQuote: number,
  signedNotionalQuote: number,
  settled: Pick<FundingRate, 'hourly' | 'intervalMs'>,
): boolean {
  const implied = impliedRate(paymentQuote, signedNotionalQuote);
  const stated = perSettlement(settled) / 1e12;
  return Math.abs(implied - stated) <= Math.max(0.05 * Math.abs(stated), 1e-7);
}

/** Returns the rate of one settlement that a payment implies, as a fraction. */
export function impliedRate(paymentQuote: number, signedNotionalQuote: number): number {
  return -paymentQuote / signedNotionalQuote;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  // Two infinities of opposite sign have no middle; the pessimistic end stands for both.
  const middle = (lower + upper) / 2;
  return Number.isNaN(middle) ? lower : middle;
}
