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
  return marginTiers(
    rows.map(({ lowerBound, maxLeverage }) => ({ lowerBound, maxLeverage, maintenance: 1 / (2 * maxLeverage) })),
  );
}

/**
 * The same from tables that end each tier by its upper bound and state maintenance, a fraction, themselves. What lies beyond the
 * last bound keeps its terms: venues refuse such positions.
 */
export function boundedMarginTiers(
  rows: readonly { readonly upperBound: string; readonly maxLeverage: number; readonly maintenance: number }[],
): readonly MarginTier[] | undefined {
  return marginTiers(
    rows.map(({ maxLeverage, maintenance }, index) => ({
      lowerBound: rows[index - 1]?.upperBound ?? '0',
      maxLeverage,
      maintenance,
    })),
  );
}

function marginTiers(
  rows: readonly { readonly lowerBound: string; readonly maxLeverage: number; readonly maintenance: number }[],
): readonly MarginTier[] | undefined {
  const tiers: MarginTier[] = [];
  for (const { lowerBound, maxLeverage, maintenance } of rows) {
    const fromMicro = parseDecimal(lowerBound, 6);
    if (fromMicro === undefined || fromMicro < 0n || !Number.isSafeInteger(maxLeverage) || maxLeverage < 1)
      return undefined;
    // Maintenance above the initial margin would liquidate what was just opened.
    if (!(maintenance > 0 && maintenance * maxLeverage <= 1 + SLACK)) return undefined;
    const maintenanceMarginRate = Math.ceil(maintenance * 1e12) as PicoRate;
    const before = tiers.at(-1);
    // Bigger positions never get easier terms: a table that says so is misread.
    if (
      before !== undefined &&
      (fromMicro <= before.fromMicro ||
        maxLeverage > before.maxLeverage ||
        maintenanceMarginRate < before.maintenanceMarginRate)
    )
      return undefined;
    tiers.push({ fromMicro: fromMicro as MicroUnits, maxLeverage, maintenanceMarginRate });
  }
  return tiers.length === 0 ? undefined : tiers;
}

/** Leverages are rounded down, fractions by their last digit. */
const SLACK = 1e-6;
