/** Prices of venues that bound the significant digits besides the decimals. Pure; any thread. */

/** Steps of an instrument whose prices have at most `priceDigitsMax` significant digits; whole quote units are always allowed. */
export interface DigitSteps {
  readonly priceDecimals: number;
  readonly tickUnits: number;
  /** Absent: only the tick counts. */
  readonly priceDigitsMax?: number;
}

/** Returns the distance in ticks between neighbouring allowed prices at `priceTicks`: 1 unless digits are bounded. */
export function allowedStepTicks(priceTicks: number, steps: DigitSteps): number {
  if (steps.priceDigitsMax === undefined) return 1;
  const digits = String(Math.max(1, Math.floor(priceTicks * steps.tickUnits))).length;
  const units = 10 ** Math.min(Math.max(0, digits - steps.priceDigitsMax), steps.priceDecimals);
  return Math.max(1, units / steps.tickUnits);
}

/** Returns the nearest allowed price at or below. A step never crosses a power of ten, so the result is allowed where it lands. */
export function allowedTicksDown(priceTicks: number, steps: DigitSteps): number {
  const step = allowedStepTicks(priceTicks, steps);
  return Math.floor(priceTicks / step) * step;
}

/** Returns the nearest allowed price at or above. */
export function allowedTicksUp(priceTicks: number, steps: DigitSteps): number {
  const step = allowedStepTicks(priceTicks, steps);
  return Math.ceil(priceTicks / step) * step;
}
