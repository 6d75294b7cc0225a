/** Says whether two instruments are one underlying, and in which steps both can hold equal quantities. Pure functions, any thread. */
import { formatDecimal, parseDecimal } from '../money/decimal.ts';
import { safeInteger } from '../money/amounts.ts';
import type { Instrument } from './instrument.ts';

/** What a venue's own name of an underlying means: our canonical base and the units of it per contract. */
export interface Underlying {
  readonly base: string;
  readonly multiplier: number;
}

/** Names that differ from the canonical base. An explicit list: a prefix alone proves nothing (1INCH is no multiple of INCH). */
const RENAMED: Readonly<Record<string, Underlying>> = {
  XBT: { base: 'BTC', multiplier: 1 },
  '1000PEPE': { base: 'PEPE', multiplier: 1_000 },
  kPEPE: { base: 'PEPE', multiplier: 1_000 },
  '1000BONK': { base: 'BONK', multiplier: 1_000 },
  kBONK: { base: 'BONK', multiplier: 1_000 },
  '1000SHIB': { base: 'SHIB', multiplier: 1_000 },
  SHIB1000: { base: 'SHIB', multiplier: 1_000 },
  kSHIB: { base: 'SHIB', multiplier: 1_000 },
  '1000FLOKI': { base: 'FLOKI', multiplier: 1_000 },
  kFLOKI: { base: 'FLOKI', multiplier: 1_000 },
  '1000TOSHI': { base: 'TOSHI', multiplier: 1_000 },
};

/** Returns the canonical underlying of a venue's base name; names without an entry are their own base. */
export function canonicalUnderlying(venueBase: string): Underlying {
  return Object.hasOwn(RENAMED, venueBase)
    ? (RENAMED[venueBase] ?? { base: venueBase, multiplier: 1 })
    : { base: venueBase, multiplier: 1 };
}

/** Returns the relative distance of two marks (1e-9 quote per contract) per unit of the underlying. */
export function markGap(one: Instrument, oneNano: bigint, other: Instrument, otherNano: bigint): number {
  return Math.abs(Number(otherNano) / other.multiplier / (Number(oneNano) / one.multiplier) - 1);
}

/** Returns why two instruments must not be traded as one underlying, in words; undefined when they may. */
export function mismatch(
  one: Instrument,
  oneNano: bigint,
  other: Instrument,
  otherNano: bigint,
  maxMarkGap: number,
): string | undefined {
  if (one.base !== other.base) return `base ${one.base} is not ${other.base}`;
  const gap = markGap(one, oneNano, other, otherNano);
  if (gap <= maxMarkGap) return undefined;
  return `marks ${(gap * 100).toFixed(2)} % apart > ${(maxMarkGap * 100).toFixed(2)} %`;
}

/** The smallest quantity both instruments can hold exactly: each leg holds a whole multiple of it. */
export interface CommonStep {
  readonly longLots: number;
  readonly shortLots: number;
  /** The step in units of the underlying, a fraction in lowest terms. */
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What the size of one lot in the underlying follows from. */
export type QuantitySteps = Pick<Instrument, 'venue' | 'symbol' | 'quantityDecimals' | 'lotUnits' | 'multiplier'>;

/** Returns the least common multiple of both lots in units of the underlying, on exact fractions. */
export function commonStep(long: QuantitySteps, short: QuantitySteps): CommonStep {
  const longLot = lotFraction(long);
  const shortLot = lotFraction(short);
  // lcm(a/b, c/d) = lcm(a, c) / gcd(b, d) for fractions in lowest terms.
  const numerator = leastCommonMultiple(longLot.numerator, shortLot.numerator);
  const denominator = greatestCommonDivisor(longLot.denominator, shortLot.denominator);
  return {
    longLots: lotsPerStep(long, longLot, numerator, denominator),
    shortLots: lotsPerStep(short, shortLot, numerator, denominator),
    numerator,
    denominator,
  };
}

/** Returns the step in units of the underlying as a float, for display and scores. */
export function stepQuantity(step: CommonStep): number {
  return Number(step.numerator) / Number(step.denominator);
}

interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

function lotFraction(instrument: QuantitySteps): Fraction {
  const multiplier = multiplierFraction(instrument);
  const numerator = BigInt(instrument.lotUnits) * multiplier.numerator;
  const denominator = 10n ** BigInt(instrument.quantityDecimals) * multiplier.denominator;
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/** A multiplier may be a decimal (a contract of 0.01 BTC): its shortest text is the number the venue meant. */
function multiplierFraction(instrument: QuantitySteps): Fraction {
  const { multiplier } = instrument;
  // Nearly all are 1, or another whole number: no text is needed for those.
  if (Number.isSafeInteger(multiplier) && multiplier > 0) return { numerator: BigInt(multiplier), denominator: 1n };
  const decimals = 12;
  const numerator = parseDecimal(String(multiplier), decimals);
  if (numerator === undefined || numerator <= 0n) {
    const value = String(multiplier);
    throw new RangeError(
      `multiplier of ${instrument.venue} ${instrument.symbol} must be a positive decimal, was ${value}`,
    );
  }
  return { numerator, denominator: 10n ** BigInt(decimals) };
}

function lotsPerStep(instrument: QuantitySteps, lot: Fraction, numerator: bigint, denominator: bigint): number {
  const above = numerator * lot.denominator;
  const below = denominator * lot.numerator;
  if (above % below !== 0n) {
    const lotText = formatDecimal(BigInt(instrument.lotUnits), instrument.quantityDecimals);
    throw new Error(
      `common step must be whole lots of ${lotText} on ${instrument.venue}, was ${numerator}/${denominator}`,
    );
  }
  return safeInteger('lots per common step', above / below);
}

function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  let [large, small] = [one, other];
  while (small !== 0n) [large, small] = [small, large % small];
  return large;
}

function leastCommonMultiple(one: bigint, other: bigint): bigint {
  return (one / greatestCommonDivisor(one, other)) * other;
}
