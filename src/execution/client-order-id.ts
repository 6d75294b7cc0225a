/** Makes client order ids that never repeat, and recognises our own. Pure, any thread. */
import { RangeViolation } from '../money/range-violation.ts';

/** Most significant first: which process life, which symbol's position actor, which order of that actor in that life. */
const BOOT_BITS = 20n;
const SYMBOL_BITS = 8n;
const COUNTER_BITS = 20n;

export const BOOT_MAX = Number((1n << BOOT_BITS) - 1n);
export const SYMBOL_INDEX_MAX = Number((1n << SYMBOL_BITS) - 1n);
export const COUNTER_MAX = Number((1n << COUNTER_BITS) - 1n);

export interface ClientOrderIdParts {
  /** Boot number of the process, 1 and up, made durable before the first order. */
  readonly boot: number;
  /** Index of the symbol in this configuration, 0 and up. */
  readonly symbolIndex: number;
  /** Orders planned for this symbol in this boot, 1 and up. */
  readonly counter: number;
}

/**
 * Returns the id as decimal text of a 48-bit integer, 1 or more: the widest numeric field every venue has. Different parts
 * give different ids. Throws RangeViolation when a part does not fit: reusing an id would be worse than stopping.
 */
export function encodeClientOrderId(parts: ClientOrderIdParts): string {
  requireWithin('boot number', parts.boot, 1, BOOT_MAX);
  requireWithin('symbol index', parts.symbolIndex, 0, SYMBOL_INDEX_MAX);
  requireWithin('order counter', parts.counter, 1, COUNTER_MAX);
  const boot = BigInt(parts.boot) << (SYMBOL_BITS + COUNTER_BITS);
  const symbol = BigInt(parts.symbolIndex) << COUNTER_BITS;
  return (boot | symbol | BigInt(parts.counter)).toString();
}

/** Returns the parts of one of our ids, or undefined when the text cannot be one. */
export function decodeClientOrderId(text: string): ClientOrderIdParts | undefined {
  if (!/^[1-9]\d{0,14}$/.test(text)) return undefined;
  const value = BigInt(text);
  if (value >> (BOOT_BITS + SYMBOL_BITS + COUNTER_BITS) !== 0n) return undefined;
  const boot = Number(value >> (SYMBOL_BITS + COUNTER_BITS));
  const symbolIndex = Number((value >> COUNTER_BITS) & BigInt(SYMBOL_INDEX_MAX));
  const counter = Number(value & BigInt(COUNTER_MAX));
  return boot === 0 || counter === 0 ? undefined : { boot, symbolIndex, counter };
}

function requireWithin(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeViolation(what, `a whole number from ${min} to ${max}`, value);
  }
}
