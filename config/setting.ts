/** Builders for single settings: each carries its unit, default, range and purpose. Main thread and CLI only (zod). */
import { z } from 'zod';

/** A number of `unit` within `range` (both ends allowed). */
export function number(unit: string, value: number, range: readonly [min: number, max: number], about: string) {
  return z.number().min(range[0]).max(range[1]).default(value).meta({ unit, description: about });
}

/** A whole number of `unit` within `range` (both ends allowed). */
export function integer(unit: string, value: number, range: readonly [min: number, max: number], about: string) {
  return z.int().min(range[0]).max(range[1]).default(value).meta({ unit, description: about });
}

/** A duration in whole ms. `clock` says which time it is measured in: the monotonic one, or the (compressible) calendar. */
export function milliseconds(
  clock: 'monotonic' | 'calendar',
  value: number,
  range: readonly [min: number, max: number],
  about: string,
) {
  return integer(`ms, ${clock}`, value, range, about);
}

/** An amount in quote units that converts to micro-units without rounding: at most 6 fraction digits. */
export function money(value: number, range: readonly [min: number, max: number], about: string) {
  return z
    .number()
    .min(range[0])
    .max(range[1])
    .refine(isWholeMicroUnits, 'must have at most 6 fraction digits')
    .default(value)
    .meta({ unit: 'quote', description: about });
}

export function flag(value: boolean, about: string) {
  return z.boolean().default(value).meta({ unit: 'true or false', description: about });
}

/** One of the named values. */
export function choice<const Value extends string>(values: readonly Value[], value: NoInfer<Value>, about: string) {
  return z
    .enum(values)
    .default(value as never)
    .meta({ unit: values.join(', '), description: about });
}

function isWholeMicroUnits(amount: number): boolean {
  // Division first, rounding to the nearest double, is exact for every decimal of up to 6 digits in the accepted ranges.
  return Math.round(amount * 1e6) / 1e6 === amount;
}
