/** Reads of a venue's JSON that every venue needs: nothing is assumed about a value before it is checked and named. Pure; any thread. */
import { RangeViolation } from '../money/range-violation.ts';
import { MalformedPayload } from './venue.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** 17 digits, or 16 that start with 9: only these can exceed 2^53. */
const MAY_HOLD_BIG_INTEGER = /[:,[]\s*-?(?:9\d{15}|\d{17})/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON; integers a double cannot hold become text with every digit kept. Throws MalformedPayload when it is no JSON. */
export function parseLosslessJson(text: string, where: string): unknown {
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
