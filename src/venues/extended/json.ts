/** Extended's JSON and its fields: big integers keep every digit, every access is checked and named. Pure; connector thread. */
import { parseDecimal } from '../../money/decimal.ts';
import { divideDown, divideHalfEven } from '../../money/rounding.ts';
import type { MicroUnits, PicoRate } from '../../money/units.ts';
import { malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';

/** Longer integers may exceed 2^53. */
const BIG_INTEGER_DIGITS = 16;
const MAY_HOLD_BIG_INTEGER = /[:,[]\s*-?\d{16}/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON; integers of 16 or more digits become text with every digit kept. Throws MalformedPayload when it is no JSON. */
export function parseJson(text: string, where: string): unknown {
  try {
    const parsed: unknown = JSON.parse(
      MAY_HOLD_BIG_INTEGER.test(text) ? text.replace(STRING_OR_NUMBER, quoteBigInteger) : text,
    );
    return parsed;
  } catch {
    throw new MalformedPayload(where, 'JSON', text);
  }
}

function quoteBigInteger(token: string): string {
  return token.startsWith('"') || token.length < BIG_INTEGER_DIGITS || /[.eE]/.test(token) ? token : `"${token}"`;
}

export function asList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(where, 'a list', value);
  return value;
}

/** Returns a text field; numbers are accepted as their digits, because the venue is not consistent. */
export function textField(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw malformed(`${where}.${name}`, 'text', value);
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/** Returns an id as text, all digits kept. */
export function idField(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw malformed(`${where}.${name}`, 'an id', value);
}

/** Some documents print seconds where the live venue sends ms; no live time in ms is this small. */
const SECONDS_BELOW = 100_000_000_000;

/** Returns a time in epoch ms from the first of the names that is there. */
export function timeField(fields: Fields, names: readonly string[], where: string): number {
  for (const name of names) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    const time = Number(value);
    if ((typeof value !== 'number' && typeof value !== 'string') || !Number.isSafeInteger(time) || time <= 0) {
      throw malformed(`${where}.${name}`, 'an epoch time', value);
    }
    return time < SECONDS_BELOW ? time * 1000 : time;
  }
  throw malformed(`${where}.${names[0] ?? 'time'}`, 'an epoch time', undefined);
}

export function decimalField(fields: Fields, name: string, decimals: number, where: string): bigint {
  const text = textField(fields, name, where);
  const units = parseDecimal(text, decimals);
  if (units === undefined)
    throw malformed(`${where}.${name}`, `a decimal with at most ${decimals} fraction digits`, text);
  return units;
}

/** More fraction digits than the venue ever writes. */
export const FINE_DECIMALS = 30;
export const MICRO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 6);
const NANO_FROM_FINE = 10n ** BigInt(FINE_DECIMALS - 9);

/** An amount of ours: digits finer than a micro-unit (the venue pads with zeros) would be rounded down, against us. */
export function amountDown(fields: Fields, name: string, where: string): MicroUnits {
  return divideDown(decimalField(fields, name, FINE_DECIMALS, where), MICRO_FROM_FINE) as MicroUnits;
}

/** Prices of marks have more digits than we keep: half-even to 1e-9 quote. */
export function nanoField(fields: Fields, name: string, where: string): bigint {
  return divideHalfEven(decimalField(fields, name, FINE_DECIMALS, where), NANO_FROM_FINE);
}

export function picoField(fields: Fields, name: string, where: string): PicoRate {
  return Number(decimalField(fields, name, 12, where)) as PicoRate;
}
