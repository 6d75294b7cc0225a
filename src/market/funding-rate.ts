/** One funding rate as a venue stated it, with the unit it was stated in. Plain data and pure functions, any thread. */
import { parseDecimal } from '../money/decimal.ts';
import { divideHalfEven } from '../money/rounding.ts';
import type { PicoRate } from '../money/units.ts';
import type { VenueId } from './instrument.ts';

export interface FundingRate {
  readonly venue: VenueId;
  readonly symbol: string;
  readonly kind: 'predicted' | 'settled';
  /** The venue's text, for example "0.0012". */
  readonly raw: string;
  /** What `raw` is a rate of: percent or fraction, per this many ms. Declared by the venue's feed, never guessed. */
  readonly unit: FundingUnit;
  /** `raw` in that unit converted to a fraction per hour, signed (positive: longs pay shorts), exact or half-even. */
  readonly hourly: PicoRate;
  /** How often cash is exchanged. */
  readonly intervalMs: number;
  /** Predicted: the coming exchange. Settled: the exchange's own time. Calendar ms. */
  readonly settleAtMs: number;
  readonly venueAtMs: number;
  /** Settled, told by the very feed that predicts and not by the venue's history: no witness for its own unit. */
  readonly ofFeed?: true;
  /** Settled, from the history: what the feed that predicts says of the same settlement, read in that feed's unit. */
  readonly feedHourly?: PicoRate;
}

export interface FundingUnit {
  readonly scale: 'fraction' | 'percent';
  readonly perMs: number;
}

/** A rate record that must not be used: why, in words that name the rule and the value. */
export interface RejectedRate {
  readonly rejected: 'BAD_VALUE' | 'RATE_OUT_OF_RANGE';
  readonly detail: string;
}

export const HOUR_MS = 3_600_000;
/** 1 % per hour: more is a unit error, not a market. */
export const HOURLY_RATE_PICO_MAX = 10_000_000_000;
const PICO = 10n ** 12n;
/** Finer digits than any venue states; bounds the work on hostile text. */
const RATE_DECIMALS = 40;

/** Makes a rate record from the venue's text and its feed's declared unit; never guesses, never corrects. */
export function fundingRateFromText(record: Omit<FundingRate, 'hourly'>): FundingRate | RejectedRate {
  const hourly = hourlyFromText(record.raw, record.unit);
  if (typeof hourly !== 'number') return hourly;
  if (!isPositiveInteger(record.intervalMs)) {
    return bad(`funding interval must be a positive number of ms, was ${record.intervalMs}`);
  }
  if (!isPositiveInteger(record.settleAtMs)) {
    return bad(`settlement time must be a positive epoch ms, was ${record.settleAtMs}`);
  }
  return { ...record, hourly };
}

/** Converts decimal text in a declared unit to a fraction per hour in pico units, half-even where it does not fit exactly. */
export function hourlyFromText(raw: string, unit: FundingUnit): PicoRate | RejectedRate {
  const units = parseDecimal(raw, RATE_DECIMALS);
  if (units === undefined) return bad(`funding rate must be a plain decimal, was ${JSON.stringify(raw.slice(0, 80))}`);
  if (!isPositiveInteger(unit.perMs))
    return bad(`funding rate unit must be per a positive number of ms, was ${unit.perMs}`);

  const percentDivisor = unit.scale === 'percent' ? 100n : 1n;
  const numerator = units * PICO * BigInt(HOUR_MS);
  const denominator = 10n ** BigInt(RATE_DECIMALS) * percentDivisor * BigInt(unit.perMs);
  const hourly = divideHalfEven(numerator, denominator);
  if (hourly > HOURLY_RATE_PICO_MAX || hourly < -HOURLY_RATE_PICO_MAX) {
    const percent = Number(hourly) / 1e10;
    return { rejected: 'RATE_OUT_OF_RANGE', detail: `funding rate must be within 1 % per hour, was ${percent} %` };
  }
  return Number(hourly) as PicoRate;
}

/** Returns the fraction exchanged at one settlement, pico units, half-even. */
export function perSettlement(rate: Pick<FundingRate, 'hourly' | 'intervalMs'>): PicoRate {
  return Number(divideHalfEven(BigInt(rate.hourly) * BigInt(rate.intervalMs), BigInt(HOUR_MS))) as PicoRate;
}

function bad(detail: string): RejectedRate {
  return { rejected: 'BAD_VALUE', detail };
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
