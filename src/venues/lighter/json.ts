/** Fields of Lighter's JSON, each checked and named. Pure; any thread. */
import { parseDecimal } from '../../money/decimal.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';

/** Returns a list; null is how the venue writes an empty one. */
export function asList(value: unknown, where: string): readonly unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw malformed(where, 'a list', value);
  return value;
}

/** Returns the rows of a map from market id to a row or a list of rows, or of one plain list: the venue uses all three. */
export function rowsOf(value: unknown, where: string): readonly unknown[] {
  if (value === null || Array.isArray(value)) return asList(value, where);
  return Object.values(asFields(value, where)).flatMap((rows) => rows ?? []);
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

/** Returns a whole number of at least 0, or 0 when the venue left it out. */
export function countOrZero(fields: Fields, name: string, where: string): number {
  const value = fields[name];
  return value === undefined || value === null ? 0 : countField(fields, name, where);
}

export function booleanField(fields: Fields, name: string, where: string): boolean {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  throw malformed(`${where}.${name}`, 'true or false', value);
}

/** Returns an id as decimal text, from its text twin or, where that is missing, from the number. */
export function idField(fields: Fields, twin: string, name: string, where: string): string {
  const value = fields[twin] ?? fields[name];
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && /^\d{1,20}$/.test(text)) return text;
  throw malformed(`${where}.${twin}`, 'an id', value);
}

/** Returns a count of 10^-decimals of decimal text. */
export function decimalField(fields: Fields, name: string, decimals: number, where: string): bigint {
  const text = textField(fields, name, where);
  const units = parseDecimal(text, decimals);
  if (units === undefined)
    throw malformed(`${where}.${name}`, `a decimal with at most ${decimals} fraction digits`, text);
  return units;
}

/** No time in ms since the epoch is this small, and none in seconds this large. */
const SECONDS_BELOW = 100_000_000_000;

/** Returns an epoch time in ms. The venue states some rows in seconds and others, or the same ones at other times, in ms. */
export function timeField(fields: Fields, name: string, where: string): number {
  const value = countField(fields, name, where);
  if (value === 0) throw malformed(`${where}.${name}`, 'an epoch time', value);
  return value < SECONDS_BELOW ? value * 1000 : value;
}
