/** Coinbase's limits, and what its error codes and failure reasons mean for us. Pure; any thread. */
import type { AccessProblem } from '../access.ts';
import type { LimitProfile, RefusalClass } from '../venue.ts';

export type CoinbaseTier = 'standard' | 'premium' | 'plus';

/** A bucket of credits that fills again: calls at once at most, and calls a second for ever. */
export interface Credits {
  readonly burst: number;
  readonly perSecond: number;
}

/** The gateway. Calls that do not reach the matching engine, each session by itself. */
export const CALL_CREDITS: Credits = { burst: 100, perSecond: 20 };
/** Subscribing costs six times as much, from a pool of its own. */
export const SUBSCRIBE_CREDITS: Credits = { burst: 10, perSecond: 3.3 };
/** Orders and cancels, by the tier that an account's volume gives it. */
export const MATCHING_CREDITS: Readonly<Record<CoinbaseTier, Credits>> = {
  standard: { burst: 20, perSecond: 5 },
  premium: { burst: 30, perSecond: 10 },
  plus: { burst: 100, perSecond: 30 },
};
export const CONNECTIONS_MAX = 32;
export const SESSIONS_MAX = 16;

/** Advanced Trade, per user and per address, in any second. */
export const PRIVATE_PER_SECOND = 30;
export const PUBLIC_PER_SECOND = 10;
/** Sockets: connections and unauthenticated messages, per address and second. */
export const CONNECTIONS_PER_SECOND = 8;
export const MESSAGES_PER_SECOND = 8;

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** Reads the option `limitProfile`: `standard` (default), `premium` or `plus`. */
export function tierOf(option: string | number | boolean | undefined): CoinbaseTier {
  if (option === undefined || option === 'standard') return 'standard';
  if (option === 'premium' || option === 'plus') return option;
  throw new RangeError(`coinbase limitProfile must be standard, premium or plus, was ${String(option)}`);
}

/** A window that lets through as much as a bucket of credits holds while it fills once is never more than the bucket allows. */
function windowOf(name: string, { burst, perSecond }: Credits): { name: string; max: number; windowMs: number } {
  return { name, max: burst, windowMs: Math.ceil((burst * SECOND_MS) / perSecond) };
}

export function gatewayLimitsOf(tier: CoinbaseTier): LimitProfile {
  return {
    rest: windowOf('coinbase-calls', CALL_CREDITS),
    orders: windowOf('coinbase-orders', MATCHING_CREDITS[tier]),
    socketMessages: windowOf('coinbase-messages', SUBSCRIBE_CREDITS),
    connectionsMax: CONNECTIONS_MAX,
  };
}

/** What one key may ask in any hour, orders and cancels included. */
export const PRIVATE_PER_HOUR = 10_000;

/** Per second, as long published, and per hour. */
export const ADVANCED_LIMITS: LimitProfile = {
  // Both together are what a user may send.
  rest: { name: 'coinbase-rest', max: PRIVATE_PER_SECOND / 2, windowMs: SECOND_MS },
  orders: { name: 'coinbase-orders', max: PRIVATE_PER_SECOND / 2, windowMs: SECOND_MS },
  address: { name: 'coinbase-hour', max: PRIVATE_PER_HOUR, windowMs: HOUR_MS, isUndivided: true },
  socketMessages: { name: 'coinbase-messages', max: MESSAGES_PER_SECOND, windowMs: SECOND_MS, per: 'address' },
  connects: { name: 'coinbase-connects', max: CONNECTIONS_PER_SECOND, windowMs: SECOND_MS, per: 'address' },
};

/** Market data has a smaller limit, by address: as many units of the bucket keep within it. */
export const PUBLIC_WEIGHT = PRIVATE_PER_SECOND / 2 / PUBLIC_PER_SECOND;

const CLASSES: readonly (readonly [RefusalClass, readonly number[]])[] = [
  // Wrong or revoked keys and missing rights: a person must look.
  ['fatal', [13004, 13021, 13403, 10019]],
  // The access token's time was over, or the socket is not signed in yet: provably not taken, and the next carries a new one.
  ['transient', [13009, 10000, 13668]],
  ['rate-limit', [10028, 10066]],
  ['permanent', [-32602, -32600, -32700, -32601, 11029, 11050, 10020, 10021, 10022, 10023, 10026, 10027, 10043, 10012]],
  ['state', [10002, 10005, 10006, 10007, 10008, 10009, 10010, 10011, 10013, 10014, 10031, 10039, 11054, 11093]],
  ['state', [10004, 11044, 11008]], // the order is gone
  // The request's own time was over before it was matched.
  ['transient', [13888]],
  ['unknown-outcome', [10040, 10041, 10047, 11051, 13503, 13500, 11094]],
];
const CLASS_BY_CODE: ReadonlyMap<number, RefusalClass> = new Map(
  CLASSES.flatMap(([refusal, codes]) => codes.map((code) => [code, refusal] as const)),
);

/** Returns what a code of the gateway means; an unknown one proves nothing. */
export function refusalClassOf(code: number): RefusalClass {
  return CLASS_BY_CODE.get(code) ?? 'unknown-outcome';
}

/** Returns what a refusal says about our access. */
export function accessProblemOf(code: string): AccessProblem | undefined {
  switch (code) {
    case '13004':
    case 'AUTH':
    case 'HTTP_401':
      return 'wrong-key';
    case '13021':
    case '13403':
    case 'HTTP_403':
      return 'not-permitted';
    default:
      return undefined;
  }
}

/** Returns what an HTTP status means that came without a code. */
export function refusalClassOfStatus(status: number): RefusalClass {
  if (status === 429) return 'rate-limit';
  // An expired token is 401 too: the next request carries a new one.
  if (status === 401) return 'transient';
  if (status === 403) return 'fatal';
  if (status === 400 || status === 404) return 'permanent';
  return 'unknown-outcome';
}

const REASONS: readonly (readonly [RefusalClass, RegExp])[] = [
  ['duplicate', /DUPLICATE|CLIENT_ORDER_ID_ALREADY/],
  [
    'state',
    /INSUFFICIENT_FUND|POST_ONLY|MARGIN|REDUCE_ONLY|CANCEL_ONLY|LIMIT_ONLY|TRADING_DISABLED|PAUSED|SESSION|MARKET_CLOSED|UNTRADABLE|BREACHED_PRICE|OPEN_ORDERS|TRADE_LIMIT|LIQUIDAT/,
  ],
  ['state', /UNKNOWN_CANCEL_ORDER|DUPLICATE_CANCEL|COMMANDER_REJECTED_CANCEL|ORDER_IS_FULLY_FILLED|INVALID_CANCEL/],
  ['permanent', /INVALID_|UNSUPPORTED_|_PRECISION|TOO_SMALL|TOO_LARGE|MISSING_/],
  ['fatal', /ACCOUNT IS NOT AVAILABLE|NOT_ALLOWED|ELIGIBILITY|PERMISSION/],
];

/** Returns what a failure reason of Advanced Trade means; words we do not know prove nothing. */
export function refusalClassOfReason(reason: string): RefusalClass {
  const words = reason.toUpperCase();
  return REASONS.find(([, pattern]) => pattern.test(words))?.[0] ?? 'unknown-outcome';
}
