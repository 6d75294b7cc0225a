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
  return new MalformedPayload(where, rule, sampleOf(value));
}

const SAMPLE_CHARACTERS = 200;
/** Deeper than any venue's payload is worth showing; writing one out whole could exhaust the stack. */
const SAMPLE_DEPTH = 8;

/** Returns the beginning of a value as JSON, for complaints about it; `absent` for undefined. */
export function sampleOf(value: unknown, depth = SAMPLE_DEPTH): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SAMPLE_CHARACTERS));
  if (typeof value === 'bigint') return value.toString().slice(0, SAMPLE_CHARACTERS);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth === 0) return '...';
  const isList = Array.isArray(value);
  const parts: string[] = [];
  let length = 0;
  for (const name of isList ? value.keys() : Object.keys(value)) {
    if (length > SAMPLE_CHARACTERS) break;
    const item: unknown = Reflect.get(value, name);
    if (item === undefined && !isList) continue;
    const text = sampleOf(item, depth - 1);
    const part = isList ? text : `${JSON.stringify(name)}:${text}`;
    parts.push(part);
    length += part.length + 1;
  }
  const text = isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
  return text.slice(0, SAMPLE_CHARACTERS);
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
