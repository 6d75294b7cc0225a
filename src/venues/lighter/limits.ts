/** Lighter's request limits by account tier, and what each of its error codes means for us. Pure; any thread. */
import type { AccessProblem } from '../access.ts';
import type { LimitBucket, LimitProfile, RefusalClass } from '../venue.ts';

export type LighterTier = 'standard' | 'premium' | 'plus';

const MINUTE_MS = 60_000;
/** Documented for one address, all its connections together: client messages a minute, and how many of them unanswered. */
const SOCKET_MESSAGES: LimitBucket = {
  name: 'lighter-messages',
  max: 200,
  windowMs: MINUTE_MS,
  per: 'address',
  inFlightMax: 50,
};
/** On one connection. */
export const SUBSCRIPTIONS_MAX = 500;
const SOCKETS = {
  socketMessages: SOCKET_MESSAGES,
  connects: { name: 'lighter-connects', max: 255, windowMs: MINUTE_MS, per: 'address' },
  connectionsMax: 255,
  subscriptionsMax: SUBSCRIPTIONS_MAX,
  leverageChangesPerMinute: 40,
} as const satisfies Partial<LimitProfile>;

const REST_PREMIUM = 24_000;
const REST_STANDARD = 60;

/**
 * Requests count for the account where they carry its token and for the address where not: what both have is shared between accounts.
 *
 * Standard accounts: 60 requests a minute in total, transactions included, over both transports.
 */
export const STANDARD_LIMITS: LimitProfile = {
  rest: { name: 'lighter-rest', max: REST_STANDARD, windowMs: MINUTE_MS, per: 'address' },
  ...SOCKETS,
};
/** Premium accounts without staked LIT. */
export const PREMIUM_LIMITS: LimitProfile = {
  rest: { name: 'lighter-rest', max: REST_PREMIUM, windowMs: MINUTE_MS, per: 'address' },
  orders: { name: 'lighter-transactions', max: 4_000, windowMs: MINUTE_MS },
  ...SOCKETS,
};

/** Plus accounts (opened by API only) without staked LIT. */
export const PLUS_LIMITS: LimitProfile = {
  ...PREMIUM_LIMITS,
  rest: { name: 'lighter-rest', max: 120_000, windowMs: MINUTE_MS, per: 'address' },
  orders: { name: 'lighter-transactions', max: 8_000, windowMs: MINUTE_MS },
};

/** Reads the option `tier`: `standard` (default), `premium` or `plus`. */
export function tierOf(option: string | number | boolean | undefined): LighterTier {
  if (option === undefined || option === 'standard') return 'standard';
  if (option === 'premium' || option === 'plus') return option;
  throw new RangeError(`lighter tier must be standard, premium or plus, was ${String(option)}`);
}

export function limitsOf(tier: LighterTier): LimitProfile {
  if (tier === 'standard') return STANDARD_LIMITS;
  return tier === 'premium' ? PREMIUM_LIMITS : PLUS_LIMITS;
}

/** Returns how long the venue holds back what takes, ms: the slowest of what is published for a tier. */
export function takerDelayOf(tier: LighterTier): number {
  return tier === 'premium' ? 200 : 300;
}

const ORDINARY_WEIGHT = 300;
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['sendTx', 6],
  ['sendTxBatch', 6],
  ['nextNonce', 6],
  ['accountInactiveOrders', 100],
  ['apikeys', 150],
  ['trades', 600],
  ['recentTrades', 600],
]);

/**
 * Returns the weight of an endpoint in its tier's bucket. Standard requests all count 1, except where the weighted limit would
 * allow fewer than 60 a minute: then that lower number holds for standard accounts too.
 */
export function weightOf(endpoint: string, tier: LighterTier): number {
  const weight = WEIGHTS.get(endpoint) ?? ORDINARY_WEIGHT;
  return tier !== 'standard' ? weight : Math.max(1, (weight * REST_STANDARD) / REST_PREMIUM);
}

const CLASS_BY_CODE: ReadonlyMap<number, RefusalClass> = new Map<number, RefusalClass>([
  [20013, 'fatal'], // the token of a question
  // Wrong account, key or signature: nothing will work until a person looks.
  [21100, 'fatal'],
  [21108, 'fatal'],
  [21109, 'fatal'],
  [21120, 'fatal'],
  [21121, 'fatal'],
  [21104, 'nonce'],
  [21105, 'nonce'],
  [21111, 'state'], // pre-liquidation
  [21112, 'state'], // in liquidation
  [21122, 'state'], // dead man's switch due
  [21132, 'state'], // margin mode with an open position
  [21506, 'transient'], // too many pending
  [21507, 'state'], // below maintenance margin
  [21508, 'state'], // below initial margin
  [21600, 'state'], // not an active limit order
  [21601, 'transient'], // book full
  [21605, 'state'], // market status
  [21614, 'state'], // no position
  [21712, 'state'], // queued cancel-all
  [21717, 'state'], // order caps
  [21718, 'state'],
  [21719, 'state'],
  [21720, 'state'],
  [21728, 'duplicate'],
  [21732, 'state'], // reduce-only increases the position
  [21733, 'state'], // price protection: the market moved
  [21734, 'state'],
  [21735, 'state'],
  [21739, 'state'], // not enough margin
  // Not found, internal error, timeout: no word on what became of the request.
  [29404, 'unknown-outcome'],
  [29500, 'unknown-outcome'],
  [29501, 'unknown-outcome'],
]);

/** Returns what a refusal means. `status` is the HTTP status, undefined on a socket. A code we do not know proves nothing. */
export function refusalClassOf(code: number | undefined, status?: number): RefusalClass {
  if (status === 429 || (code !== undefined && code >= 23_000 && code <= 23_004)) return 'rate-limit';
  const known = code === undefined ? undefined : CLASS_BY_CODE.get(code);
  if (known !== undefined) return known;
  // The documented ranges of account, transaction, market and order checks, all of which come before anything is queued.
  if (code !== undefined && code >= 21_100 && code < 21_800) return 'permanent';
  if (status === 401 || status === 403) return 'fatal';
  return 'unknown-outcome';
}

/** Returns what a refusal says about our access. */
export function accessProblemOf(code: string): AccessProblem | undefined {
  switch (code) {
    case '20013':
      return 'expired-token';
    case '21100':
      return 'wrong-account';
    case '21108':
    case '21109':
    case '21120':
    case '21121':
      return 'wrong-key';
    default:
      return undefined;
  }
}

/** True for codes that can answer a transaction; all others are about frames, channels, tokens or connections. */
export function isTransactionCode(code: number): boolean {
  return (code >= 21_000 && code < 22_000) || code === 23_000 || (code >= 29_000 && code < 30_000);
}
/** "Already subscribed": harmless. */
export const ALREADY_SUBSCRIBED = 30_003;
