/** What margin a venue asks of a position by its size: domain 3.1 and 6.2. Pure functions, any thread. */
import { parseDecimal } from '../money/decimal.ts';
import type { MicroUnits, PicoRate } from '../money/units.ts';
import type { Instrument } from './instrument.ts';

/** Terms of positions whose notional is at least `fromMicro`. */
export interface MarginTier {
  readonly fromMicro: MicroUnits;
  /** Initial margin is 1 over this. */
  readonly maxLeverage: number;
  /** Of the whole notional: a deduction that a venue grants for the part in lower tiers is not counted, which is the careful side. */
  readonly maintenanceMarginRate: PicoRate;
}

export interface MarginTerms {
  readonly maxLeverage: number;
  /** Fraction of notional. */
  readonly maintenance: number;
}

/** Returns the terms of a position of this size; those of the instrument where it has no tiers or is below the first. */
export function marginTermsAt(
  instrument: Pick<Instrument, 'maxLeverage' | 'maintenanceMarginRate' | 'marginTiers'>,
  notionalQuote: number,
): MarginTerms {
  let terms: Pick<MarginTier, 'maxLeverage' | 'maintenanceMarginRate'> = instrument;
  for (const tier of instrument.marginTiers ?? []) if (notionalQuote * 1e6 >= Number(tier.fromMicro)) terms = tier;
  return { maxLeverage: terms.maxLeverage, maintenance: terms.maintenanceMarginRate / 1e12 };
}

/**
 * Returns tiers from their lower bounds (decimal text, quote) and leverages, maintenance being half the initial margin, in rising
 * order; undefined when they are none that can be relied on.
 */
export function halfMarginTiers(
  rows: readonly { readonly lowerBound: string; readonly maxLeverage: number }[],
): readonly MarginTier[] | undefined {
  const tiers: MarginTier[] = [];
  for (const { lowerBound, maxLeverage } of rows) {
    const fromMicro = parseDecimal(lowerBound, 6);
    if (fromMicro === undefined || fromMicro < 0n || !Number.isSafeInteger(maxLeverage) || maxLeverage < 1)
      return undefined;
    const before = tiers.at(-1);
    // Bigger positions never get easier terms: a table that says so is misread.
    if (before !== undefined && (fromMicro <= before.fromMicro || maxLeverage > before.maxLeverage)) return undefined;
    tiers.push({
      fromMicro: fromMicro as MicroUnits,
      maxLeverage,
      maintenanceMarginRate: Math.ceil(1e12 / (2 * maxLeverage)) as PicoRate,
    });
  }
  return tiers.length === 0 ? undefined : tiers;
}
