/** What clients of the simulated Hyperliquid's sockets may ask for, as the server understands it. Pure; any thread. */
import { isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import type { Json, SimulatedAccount } from './simulated-wire.ts';

export type MarketType = 'l2Book' | 'bbo' | 'activeAssetCtx' | 'trades';
export type UserType = 'orderUpdates' | 'userFills' | 'userFundings' | 'userEvents' | 'clearinghouseState';
/** One subscription as the server understands it. */
export type Subscription =
  | { readonly type: MarketType; readonly coin: string; readonly fast: boolean }
  | {
      readonly type: UserType;
      readonly account: SimulatedAccount | undefined;
      readonly user: string;
      /** As asked for; each fill is told by itself all the same. */
      readonly aggregateByTime?: boolean;
    }
  | {
      readonly type: 'activeAssetData';
      readonly account: SimulatedAccount | undefined;
      readonly user: string;
      /** The coin it is about. */
      readonly asset: string;
    };

const MARKET_TYPES: ReadonlySet<unknown> = new Set(['l2Book', 'bbo', 'activeAssetCtx', 'trades']);
const USER_TYPES: ReadonlySet<unknown> = new Set([
  'orderUpdates',
  'userFills',
  'userFundings',
  'userEvents',
  'clearinghouseState',
]);

export function isMarketType(type: Subscription['type']): boolean {
  return MARKET_TYPES.has(type);
}

/** Reads what a client wants; undefined when the server would not understand it. */
export function readSubscription(records: SimulatedRecords, asked: unknown): Subscription | 'unknown-coin' | undefined {
  if (!isFields(asked)) return undefined;
  const { type, coin, user } = asked;
  if (MARKET_TYPES.has(type)) {
    if (typeof coin !== 'string') return undefined;
    if (records.instrument(coin) === undefined) return 'unknown-coin';
    return { type: type as MarketType, coin, fast: asked['fast'] === true };
  }
  if (typeof user !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(user)) return undefined;
  const address = user.toLowerCase();
  if (type === 'activeAssetData') {
    if (typeof coin !== 'string') return undefined;
    if (records.instrument(coin) === undefined) return 'unknown-coin';
    return { type, account: records.accountByAddress(address), user: address, asset: coin };
  }
  if (!USER_TYPES.has(type)) return undefined;
  const { aggregateByTime } = asked;
  const how = type === 'userFills' && typeof aggregateByTime === 'boolean' ? { aggregateByTime } : {};
  return { type: type as UserType, account: records.accountByAddress(address), user: address, ...how };
}

/** A subscription as the server repeats it, defaults included. */
export function filledIn(subscription: Subscription): { readonly [field: string]: Json } {
  const { type } = subscription;
  if ('asset' in subscription) return { type, user: subscription.user, coin: subscription.asset };
  if (!('coin' in subscription)) {
    const { user, aggregateByTime } = subscription;
    return aggregateByTime === undefined ? { type, user } : { type, user, aggregateByTime };
  }
  const { coin, fast } = subscription;
  return type === 'l2Book' ? { type, coin, nSigFigs: null, mantissa: null, fast } : { type, coin };
}

/** Returns a client's frame as an object, or undefined when it is none. */
export function readRequest(text: string): Fields | undefined {
  try {
    const request = parseLosslessJson(text, 'request');
    return isFields(request) ? request : undefined;
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return undefined;
  }
}
