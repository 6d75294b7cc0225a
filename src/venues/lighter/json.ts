/** Lighter's JSON and its fields: integers beyond 2^53 keep every digit, every access is checked and named. Pure; any thread. */
import { parseDecimal } from '../../money/decimal.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { MalformedPayload } from '../venue.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** 17 digits, or 16 that start with 9: only these can exceed 2^53. Times in microseconds have 16 and start with 1. */
const MAY_HOLD_BIG_INTEGER = /[:,[]\s*-?(?:9\d{15}|\d{17})/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON; integers a double cannot hold become text with every digit kept. Throws MalformedPayload when it is no JSON. */
export function parseJson(text: string, where: string): unknown {
  try {
    const lossless = MAY_HOLD_BIG_INTEGER.test(text) ? text.replace(STRING_OR_NUMBER, quoteBigInteger) : text;
    const parsed: unknown = JSON.parse(lossless);
    return parsed;
  } catch {
    throw new MalformedPayload(where, 'JSON', text);
  }
}

function quoteBigInteger(token: string): string {
  return token.startsWith('"') || /[.eE]/.test(token) || Number.isSafeInteger(Number(token)) ? token : `"${token}"`;
}

export function asFields(value: unknown, where: string): Fields {
  if (!isFields(value)) throw malformed(where, 'an object', value);
  return value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

export function malformed(where: string, rule: string, value: unknown): MalformedPayload {
  return new MalformedPayload(where, rule, JSON.stringify(value) ?? 'absent');
}

/** Runs a reader; a number that breaks its instrument's steps is the venue's mistake, not ours. */
export function reading<Result>(where: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeViolation) throw new MalformedPayload(where, 'readable in exact steps', error.message);
    throw error;
  }
}
