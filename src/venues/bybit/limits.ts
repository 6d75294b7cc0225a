/** Bybit's request limits, and what each of its error codes means for us. Pure; any thread. */
import type { AccessProblem } from '../access.ts';
import type { LimitFeedback, LimitProfile, RefusalClass } from '../venue.ts';
import { LIMIT_HEADER, REMAINING_HEADER } from './wire.ts';

export type BybitTier = 'standard' | 'vip1' | 'vip2' | 'vip3';

const SECOND_MS = 1_000;
/** Orders a second and endpoint, by tier of the account. */
const ORDERS_PER_SECOND: Readonly<Record<BybitTier, number>> = { standard: 10, vip1: 20, vip2: 40, vip3: 60 };
/** The most common limit of a reading endpoint, per account and second. */
const READS_PER_SECOND = 50;

/** Documented for one address over all hosts; beyond it every request is answered 403 for ten minutes. */
export const ADDRESS_LIMIT = { max: 600, windowMs: 5_000 } as const;
export const ADDRESS_BAN_MS = 600_000;

/** Reads the option `limitProfile`: `standard` (default), `vip1`, `vip2` or `vip3`. */
export function tierOf(option: string | number | boolean | undefined): BybitTier {
  if (option === undefined || option === 'standard') return 'standard';
  if (option === 'vip1' || option === 'vip2' || option === 'vip3') return option;
  throw new RangeError(`bybit limitProfile must be standard, vip1, vip2 or vip3, was ${String(option)}`);
}

/** Limits are per endpoint, account and second; one bucket holds all reads of an account and so never exceeds any endpoint's. */
export function limitsOf(tier: BybitTier): LimitProfile {
  return {
    rest: { name: 'bybit-rest', max: READS_PER_SECOND, windowMs: SECOND_MS },
    // Placing, amending and cancelling each have as much: counted together, none can be exceeded.
    orders: { name: 'bybit-orders', max: ORDERS_PER_SECOND[tier], windowMs: SECOND_MS },
    address: { name: 'bybit-address', ...ADDRESS_LIMIT, per: 'address' },
    connects: { name: 'bybit-connects', max: 500, windowMs: 300_000, per: 'address' },
    connectionsMax: 1_000,
  };
}

/** Documented limits per second and account, where they differ from 50. Market data only counts for the address. */
const READ_LIMITS: ReadonlyMap<string, number> = new Map([
  ['/v5/account/transaction-log', 25],
  ['/v5/account/fee-rate', 5],
  ['/v5/position/set-leverage', 10],
  ['/v5/position/switch-mode', 10],
  ['/v5/position/trading-stop', 10],
]);

const READ_ORDERS: ReadonlySet<string> = new Set(['/v5/order/realtime', '/v5/order/history']);

/** Requests a second to a private endpoint. */
export function endpointLimit(path: string, tier: BybitTier): number {
  if (READ_ORDERS.has(path)) return READS_PER_SECOND;
  if (path.startsWith('/v5/order/')) return ORDERS_PER_SECOND[tier];
  return READ_LIMITS.get(path) ?? READS_PER_SECOND;
}

/**
 * Reads the three headers that every private answer carries: of how many requests to this endpoint so many remain. Undefined where
 * they are missing, or are no numbers that can be.
 */
export function limitFeedback(
  path: string,
  headers: Readonly<Record<string, string>>,
  tier: BybitTier,
): LimitFeedback | undefined {
  const [max, remaining] = [headers[LIMIT_HEADER], headers[REMAINING_HEADER]].map((text) =>
    text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN,
  );
  if (max === undefined || remaining === undefined || !(max > 0) || !(remaining >= 0)) return undefined;
  return {
    bucket: path.startsWith('/v5/order/') && !READ_ORDERS.has(path) ? 'orders' : 'rest',
    usedShare: Math.max(0, max - remaining) / max,
    granted: Math.min(1, max / endpointLimit(path, tier)),
  };
}

/** Weight in the bucket of 50 that keeps an endpoint with a lower limit within it. */
export function weightOf(path: string): number {
  return READS_PER_SECOND / (READ_LIMITS.get(path) ?? READS_PER_SECOND);
}

const CLASSES: readonly (readonly [RefusalClass, readonly number[]])[] = [
  // Too late, or our clock is off: provably not taken, and the next request carries a new time.
  ['transient', [10002]],
  ['fatal', [10003, 10004, 10005, 10010, 33004]],
  ['rate-limit', [10006, 10429, 20003, 10403]],
  ['unknown-outcome', [-1, 10000, 10016, 10019]],
  ['duplicate', [110072, 20006, 10014]],
  ['permanent', [10001, 110094]],
  ['state', [110001, 110008, 110010, 170213]], // the order is gone
  ['state', [110004, 110006, 110007, 110012, 110044, 110045, 110052]], // margin
  ['state', [110003, 110017, 110092, 110093, 110120, 110121, 30208, 30209]], // prices and sizes against the market's present state
  ['state', [110023, 110034, 110042, 30228, 110074]], // reduce-only, delisting
  ['state', [110011, 110039, 110040, 110046]], // liquidation under way
  ['state', [110013, 110025, 110026, 110043, 34040]], // leverage, modes, stops
];
const CLASS_BY_CODE: ReadonlyMap<number, RefusalClass> = new Map(
  CLASSES.flatMap(([refusal, codes]) => codes.map((code) => [code, refusal] as const)),
);

/** Returns what a code means; an unknown one proves nothing. */
export function refusalClassOf(code: number): RefusalClass {
  return CLASS_BY_CODE.get(code) ?? 'unknown-outcome';
}

/** Returns what a refusal says about our access. */
export function accessProblemOf(code: string): AccessProblem | undefined {
  switch (code) {
    case '10003':
    case '10004':
    case 'AUTH':
      return 'wrong-key';
    case '10005':
      return 'not-permitted';
    case '10010':
      return 'address-refused';
    case '33004':
      return 'expired-key';
    default:
      return undefined;
  }
}

/** Returns what an HTTP status other than 200 means. */
export function refusalClassOfStatus(status: number, body: string): RefusalClass {
  if (status === 429 || isAddressBan(status, body)) return 'rate-limit';
  if (status === 401 || status === 403) return 'fatal';
  return status === 404 ? 'permanent' : 'unknown-outcome';
}

/** Both a ban and a refused region are 403; only their text differs. */
export function isAddressBan(status: number, body: string): boolean {
  return status === 403 && /too frequent/i.test(body);
}
