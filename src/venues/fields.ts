/** Typed reads of a venue's JSON fields that several venues share: texts, decimals of any length, money and rates. Pure; any thread. */
import { parseDecimal } from '../money/decimal.ts';
import { divideDown, divideHalfEven, divideUp } from '../money/rounding.ts';
import type { MicroUnits, PicoRate } from '../money/units.ts';
import { malformed } from './json.ts';
import type { Fields } from './json.ts';

export function asList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(where, 'a list', value);
  return value;
}

/** Returns a field's text, or undefined when it is absent or empty. A number becomes the plain decimal that it was written as. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === 'number' && Number.isFinite(value)) return plainDecimal(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const EXPONENT_FORM = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/;

/** The shortest decimal text that is this number, without an exponent: 1e-8 is "0.00000001". */
export function plainDecimal(value: number): string {
  const text = String(value);
  const parts = EXPONENT_FORM.exec(text);
  if (parts === null) return text;
  const [, sign = '', first = '', rest = '', power = '0'] = parts;
  const exponent = Number(power);
  const digits = first + rest;
  return exponent < 0 ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}` : sign + digits.padEnd(exponent + 1, '0');
}

export function textField(fields: Fields, name: string, where: string): string {
  const text = optionalText(fields, name);
  if (text === undefined) throw malformed(`${where}.${name}`, 'text', fields[name]);
  return text;
}

/** Returns an epoch time in ms. */
export function timeField(fields: Fields, name: string, where: string): number {
  const time = Number(textField(fields, name, where));
  if (!Number.isSafeInteger(time) || time <= 0)
    throw malformed(`${where}.${name}`, 'an epoch time in ms', fields[name]);
  return time;
}

/** Returns a whole number of any length; sequences may outgrow a double. */
export function integerField(fields: Fields, name: string, where: string): bigint {
  const text = textField(fields, name, where);
  if (!/^-?\d{1,30}$/.test(text)) throw malformed(`${where}.${name}`, 'an integer', fields[name]);
  return BigInt(text);
}

/** More fraction digits than any venue ever writes. */
const FINE_DECIMALS = 30;
const MICRO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 6);
const NANO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 9);
const PICO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 12);

export function decimalField(fields: Fields, name: string, decimals: number, where: string): bigint {
  const text = textField(fields, name, where);
  const units = parseDecimal(text, decimals);
  if (units === undefined)
    throw malformed(`${where}.${name}`, `a decimal with at most ${decimals} fraction digits`, text);
  return units;
}

/** Money of ours: the venue has more digits than micro-units; what is finer is rounded down, against us. */
export function amountDown(fields: Fields, name: string, where: string): MicroUnits {
  return divideDown(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE) as MicroUnits;
}

/** A cost to us: rounded up, against us. */
export function costUp(fields: Fields, name: string, where: string): bigint {
  return divideUp(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE);
}

/** Money that flowed either way: half-even. */
export function amountHalfEven(fields: Fields, name: string, where: string): bigint {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE);
}

/** A price in 1e-9 quote, half-even. */
export function nanoField(fields: Fields, name: string, where: string): bigint {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), NANO_FROM_FINE);
}

/** A fraction in 1e-12, half-even. */
export function picoField(fields: Fields, name: string, where: string): PicoRate {
  return Number(divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), PICO_FROM_FINE)) as PicoRate;
}

/** A step such as "0.10" or "10": its decimals and its whole units of them. */
export function stepField(
  fields: Fields,
  name: string,
  where: string,
): { readonly decimals: number; readonly units: number } {
  const text = textField(fields, name, where);
  const fraction = /^\d+(?:\.(\d*?)0*)?$/.exec(text)?.[1] ?? '';
  const units = parseDecimal(text, fraction.length);
  if (units === undefined || units <= 0n || units > 1_000_000_000n)
    throw malformed(`${where}.${name}`, 'a positive step', text);
  return { decimals: fraction.length, units: Number(units) };
}
