/** What both ends of Hyperliquid's wire share: ids, decimal text, the shapes of actions and info questions. Pure; any thread. */
import type { ActionValue } from './msgpack.ts';

export const INFO_PATH = '/info';
export const EXCHANGE_PATH = '/exchange';

export const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** Significant digits of a price, and the decimals that prices and sizes of a perpetual share. */
export const PRICE_DIGITS_MAX = 5;
export const PERP_DECIMALS = 6;

const CLOID_DIGITS = 32;
/** Our own ids stay below 2^48: 12 hex digits. */
const OWN_DIGITS = 12;
const OWN_CLOID = new RegExp(`^0x0{${CLOID_DIGITS - OWN_DIGITS}}[0-9a-f]{${OWN_DIGITS}}$`);

/** Returns the 16-byte client id of one of our decimal ids. */
export function cloidOf(clientOrderId: string): string {
  return `0x${BigInt(clientOrderId).toString(16).padStart(CLOID_DIGITS, '0')}`;
}

/** Returns our decimal id, or empty text for an id that is not one of ours. */
export function clientOrderIdOf(cloid: string): string {
  if (!OWN_CLOID.test(cloid)) return '';
  const number = Number.parseInt(cloid.slice(-OWN_DIGITS), 16);
  return number === 0 ? '' : String(number);
}

export function isCloid(text: unknown): text is string {
  return typeof text === 'string' && /^0x[0-9a-f]{32}$/.test(text);
}

/** Cuts trailing zeros: the venue hashes numbers in their shortest form and recovers another signer from any other. */
export function shortDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export interface WireOrder {
  readonly asset: number;
  readonly isBuy: boolean;
  /** Shortest decimal texts. */
  readonly price: string;
  readonly size: string;
  readonly reduceOnly: boolean;
  readonly timeInForce: 'Gtc' | 'Ioc' | 'Alo';
  /** Waits for the mark at this price, then takes like a market order, at its limit price at worst. Present: no time in force. */
  readonly triggerPrice?: string;
  readonly cloid: string;
}

// The order of fields below is the order that is hashed.

export function orderAction(order: WireOrder): ActionValue {
  return {
    type: 'order',
    orders: [
      {
        a: order.asset,
        b: order.isBuy,
        p: order.price,
        s: order.size,
        r: order.reduceOnly,
        t:
          order.triggerPrice === undefined
            ? { limit: { tif: order.timeInForce } }
            : { trigger: { isMarket: true, triggerPx: order.triggerPrice, tpsl: 'sl' } },
        c: order.cloid,
      },
    ],
    grouping: 'na',
  };
}

export function cancelAction(cancels: readonly { readonly asset: number; readonly cloid: string }[]): ActionValue {
  return { type: 'cancelByCloid', cancels: cancels.map(({ asset, cloid }) => ({ asset, cloid })) };
}

/** By the venue's own order ids. */
export function cancelByOidAction(cancels: readonly { readonly asset: number; readonly oid: number }[]): ActionValue {
  return { type: 'cancel', cancels: cancels.map(({ asset, oid }) => ({ a: asset, o: oid })) };
}

/** All orders of the account are cancelled at this epoch ms; undefined ends a schedule. */
export function scheduleCancelAction(time: number | undefined): ActionValue {
  return time === undefined ? { type: 'scheduleCancel' } : { type: 'scheduleCancel', time };
}

export function leverageAction(asset: number, isCross: boolean, leverage: number): ActionValue {
  return { type: 'updateLeverage', asset, isCross, leverage };
}

/** A subscription without its user or coin filled in by the server. */
export type Subscription = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What is asked for, as text that names it. */
export function channelText(subscription: Subscription): string {
  return JSON.stringify(subscription);
}

export function subscriptionText(method: 'subscribe' | 'unsubscribe', channel: string): string {
  return `{"method":"${method}","subscription":${channel}}`;
}
