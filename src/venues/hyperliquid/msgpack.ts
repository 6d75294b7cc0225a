/**
 * The canonical msgpack of signed actions: shortest headers, shortest integers, keys in the order given. A general packer may choose
 * longer forms for speed, and one byte more is another hash. Pure; any thread.
 */
import { RangeViolation } from '../../money/range-violation.ts';

/** What an action may hold. Undefined fields are left out, as JSON.stringify leaves them out. */
export type ActionValue =
  string | number | boolean | readonly ActionValue[] | { readonly [field: string]: ActionValue | undefined };

/** Returns the bytes. Throws RangeViolation for a number that is no safe integer. */
export function packAction(value: ActionValue): Uint8Array {
  const bytes: number[] = [];
  pack(value, bytes);
  return Uint8Array.from(bytes);
}

function pack(value: ActionValue, bytes: number[]): void {
  if (typeof value === 'boolean') {
    bytes.push(value ? 0xc3 : 0xc2);
  } else if (typeof value === 'number') {
    packInteger(value, bytes);
  } else if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    packHeader(text.length, { fix: 0xa0, fixMax: 31, short: 0xd9, middle: 0xda, long: 0xdb }, bytes);
    for (const byte of text) bytes.push(byte);
  } else if (isList(value)) {
    packHeader(value.length, { fix: 0x90, fixMax: 15, short: undefined, middle: 0xdc, long: 0xdd }, bytes);
    for (const item of value) pack(item, bytes);
  } else {
    const fields = Object.entries(value).filter(([, held]) => held !== undefined);
    packHeader(fields.length, { fix: 0x80, fixMax: 15, short: undefined, middle: 0xde, long: 0xdf }, bytes);
    for (const [name, held] of fields) {
      pack(name, bytes);
      if (held !== undefined) pack(held, bytes);
    }
  }
}

function isList(value: ActionValue): value is readonly ActionValue[] {
  return Array.isArray(value);
}

interface Headers {
  readonly fix: number;
  readonly fixMax: number;
  readonly short: number | undefined;
  readonly middle: number;
  readonly long: number;
}

function packHeader(length: number, headers: Headers, bytes: number[]): void {
  if (length <= headers.fixMax) bytes.push(headers.fix | length);
  else if (headers.short !== undefined && length <= 0xff) bytes.push(headers.short, length);
  else if (length <= 0xffff) bytes.push(headers.middle, ...bigEndian(length, 2));
  else bytes.push(headers.long, ...bigEndian(length, 4));
}

function packInteger(value: number, bytes: number[]): void {
  if (!Number.isSafeInteger(value)) throw new RangeViolation('number of an action', 'a safe integer', value);
  if (value >= 0) {
    if (value <= 0x7f) bytes.push(value);
    else if (value <= 0xff) bytes.push(0xcc, value);
    else if (value <= 0xffff) bytes.push(0xcd, ...bigEndian(value, 2));
    else if (value <= 0xffff_ffff) bytes.push(0xce, ...bigEndian(value, 4));
    else bytes.push(0xcf, ...bigEndian(value, 8));
  } else if (value >= -0x20) {
    bytes.push(value & 0xff);
  } else if (value >= -0x80) {
    bytes.push(0xd0, ...bigEndian(value, 1));
  } else if (value >= -0x8000) {
    bytes.push(0xd1, ...bigEndian(value, 2));
  } else if (value >= -0x8000_0000) {
    bytes.push(0xd2, ...bigEndian(value, 4));
  } else {
    bytes.push(0xd3, ...bigEndian(value, 8));
  }
}

/** Two's complement, most significant byte first. */
export function bigEndian(value: number, byteCount: number): readonly number[] {
  const bits = BigInt.asUintN(byteCount * 8, BigInt(value));
  return Array.from({ length: byteCount }, (_, index) => Number((bits >> BigInt(8 * (byteCount - 1 - index))) & 0xffn));
}
