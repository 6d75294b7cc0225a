/** Fields of Hyperliquid's JSON, each checked and named. Pure; any thread. */
import { parseDecimal } from '../../money/decimal.ts';
import { divideDown, divideHalfEven, divideUp } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate } from '../../money/units.ts';
import { malformed } from '../json.ts';
import type { Fields } from '../json.ts';

export function asList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(where, 'a list', value);
  return value;
}

export function textField(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw malformed(`${where}.${name}`, 'text', value);
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

/** Returns a whole number of at least 0. */
export function countField(fields: Fields, name: string, where: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(`${where}.${name}`, 'a whole number', value);
}

/** Returns an id as text, all digits kept. */
export function idField(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && /^\d{1,20}$/.test(text)) return text;
  throw malformed(`${where}.${name}`, 'an id', value);
}

/** Returns an epoch time in ms. */
export function timeField(fields: Fields, name: string, where: string): number {
  const value = countField(fields, name, where);
  if (value === 0) throw malformed(`${where}.${name}`, 'an epoch time', value);
  return value;
}

export function sideField(fields: Fields, where: string): 'buy' | 'sell' {
  const side = fields['side'];
  if (side === 'B') return 'buy';
  if (side === 'A') return 'sell';
  throw malformed(`${where}.side`, 'A or B', side);
}

function decimalField(fields: Fields, name: string, decimals: number, where: string): bigint {
  const text = textField(fields, name, where);
  const units = parseDecimal(text, decimals);
  if (units === undefined)
    throw malformed(`${where}.${name}`, `a decimal with at most ${decimals} fraction digits`, text);
  return units;
}

/** More fraction digits than the venue ever writes. */
const FINE_DECIMALS = 30;
const MICRO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 6);
const NANO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 9);
const PICO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 12);

/** What we own: digits finer than a micro-unit are rounded down, against us. */
export function amountDown(fields: Fields, name: string, where: string): MicroUnits {
  return divideDown(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE) as MicroUnits;
}

/** What we pay: rounded up, against us. */
export function amountUp(fields: Fields, name: string, where: string): MicroUnits {
  return divideUp(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE) as MicroUnits;
}

export function amountNearest(fields: Fields, name: string, where: string): MicroUnits {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE) as MicroUnits;
}

/** A price with more digits than ticks, half-even to 1e-9 quote. */
export function nanoField(fields: Fields, name: string, where: string): bigint {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), NANO_FROM_FINE);
}

export function picoField(fields: Fields, name: string, where: string): PicoRate {
  return Number(divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), PICO_FROM_FINE)) as PicoRate;
}
