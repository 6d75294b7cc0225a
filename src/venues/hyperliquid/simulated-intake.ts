/** What the simulated Hyperliquid checks before an action counts: its shape, who signed it, its nonce and its expiry. Any thread. */
import { asFields, isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { ActionValue } from './msgpack.ts';
import { actionHash, agentDigest, recoverAddress } from './sign.ts';
import type { Network, SignedTerms, WireSignature } from './sign.ts';
import { isCloid, shortDecimal } from './wire.ts';

const DAY_MS = 86_400_000;
const NONCES_KEPT = 100;

export interface TakenOrder {
  readonly asset: number;
  readonly isBuy: boolean;
  readonly price: string;
  readonly size: string;
  readonly reduceOnly: boolean;
  readonly timeInForce: TimeInForce;
  /** Of a stop that takes when it is reached. */
  readonly triggerPrice?: string;
  readonly cloid: string | undefined;
}
export interface TakenCancel {
  readonly asset: number;
  /** The venue's number or a client id. */
  readonly order: number | string;
}

/** An action as it was understood. */
export type TakenAction =
  | { readonly type: 'order'; readonly orders: readonly TakenOrder[] }
  | { readonly type: 'cancel' | 'cancelByCloid'; readonly cancels: readonly TakenCancel[] }
  | { readonly type: 'updateLeverage'; readonly asset: number; readonly leverage: number }
  /** Without a time the schedule ends. */
  | { readonly type: 'scheduleCancel'; readonly time?: number }
  | { readonly type: 'noop' };

export interface SignedRequest {
  readonly action: TakenAction;
  readonly terms: SignedTerms;
  readonly signature: WireSignature;
}

/** Reads a request; undefined when the venue's own reader would have stumbled. */
export function readSignedRequest(body: string): SignedRequest | undefined {
  try {
    return signedRequestOf(asFields(parseLosslessJson(body, 'request'), 'request'));
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return undefined;
  }
}

export function signedRequestOf(request: Fields): SignedRequest | undefined {
  const { nonce, signature, vaultAddress, expiresAfter } = request;
  const understood = isFields(request['action']) ? readAction(request['action']) : undefined;
  if (understood === undefined || !isCount(nonce) || !isFields(signature)) return undefined;
  const { r, s, v } = signature;
  if (typeof r !== 'string' || typeof s !== 'string' || typeof v !== 'number') return undefined;
  const vault = vaultAddress ?? undefined;
  const expiry = expiresAfter ?? undefined;
  if (vault !== undefined && !isAddress(vault)) return undefined;
  if (expiry !== undefined && !isCount(expiry)) return undefined;
  return {
    action: understood.action,
    terms: {
      action: understood.hashed,
      nonce,
      ...(vault === undefined ? {} : { vaultAddress: vault }),
      ...(expiry === undefined ? {} : { expiresAfter: expiry }),
    },
    signature: { r, s, v },
  };
}

/**
 * The venue hashes what it has understood, in its own order of fields and its own short numbers, not the text it was sent: whoever
 * hashed another form signed something else.
 */
function readAction(action: Fields): { readonly action: TakenAction; readonly hashed: ActionValue } | undefined {
  const { type } = action;
  switch (type) {
    case 'order': {
      const { orders, grouping, builder } = action;
      if (!Array.isArray(orders) || orders.length === 0 || grouping !== 'na') return undefined;
      const taken = orders.map(readOrder);
      const whole = taken.flatMap((order) => (order === undefined ? [] : [order]));
      if (whole.length < taken.length) return undefined;
      const hashed = { type, orders: whole.map(hashedOrder), grouping };
      if (builder === undefined || builder === null) return { action: { type, orders: whole }, hashed };
      // Who placed the order for the account, and for which fee: signed with it, and paid nothing here.
      if (!isFields(builder) || !isAddress(builder['b']) || !isCount(builder['f'])) return undefined;
      const { b, f } = builder;
      return { action: { type, orders: whole }, hashed: { ...hashed, builder: { b, f } } };
    }
    case 'cancel':
    case 'cancelByCloid': {
      const { cancels } = action;
      if (!Array.isArray(cancels) || cancels.length === 0) return undefined;
      const taken = cancels.map((cancel) => readCancel(cancel, type));
      const whole = taken.flatMap((cancel) => (cancel === undefined ? [] : [cancel]));
      if (whole.length < taken.length) return undefined;
      const hashed = whole.map(({ asset, order }) =>
        type === 'cancel' ? { a: asset, o: order } : { asset, cloid: order },
      );
      return { action: { type, cancels: whole }, hashed: { type, cancels: hashed } };
    }
    case 'updateLeverage': {
      const { asset, isCross, leverage } = action;
      if (!isCount(asset) || typeof isCross !== 'boolean' || !isCount(leverage)) return undefined;
      return { action: { type, asset, leverage }, hashed: { type, asset, isCross, leverage } };
    }
    case 'scheduleCancel': {
      const { time } = action;
      if (time !== undefined && !isCount(time)) return undefined;
      const schedule = time === undefined ? { type } : { type, time };
      return { action: schedule, hashed: schedule };
    }
    case 'noop':
      return { action: { type }, hashed: { type } };
    default:
      return undefined;
  }
}

/** The last is what the venue's own page sends for a market order: taken at once, or gone. */
const TIMES_IN_FORCE = ['Gtc', 'Ioc', 'Alo', 'FrontendMarket'] as const;
type TimeInForce = (typeof TIMES_IN_FORCE)[number];

function isTimeInForce(value: unknown): value is TimeInForce {
  return TIMES_IN_FORCE.some((known) => known === value);
}

function readOrder(value: unknown): TakenOrder | undefined {
  if (!isFields(value)) return undefined;
  const { a, b, p, s, r, t, c } = value;
  const limit = isFields(t) ? t['limit'] : undefined;
  const tif = isFields(limit) ? limit['tif'] : undefined;
  if (!isCount(a) || typeof b !== 'boolean' || typeof r !== 'boolean' || !isDecimal(p) || !isDecimal(s))
    return undefined;
  const trigger = isFields(t) && isFields(t['trigger']) ? t['trigger'] : undefined;
  const triggerPrice = trigger?.['triggerPx'];
  const isStop = trigger?.['isMarket'] === true && trigger['tpsl'] === 'sl' && isDecimal(triggerPrice);
  if (!isStop && !isTimeInForce(tif)) return undefined;
  if (c !== undefined && c !== null && !isCloid(c)) return undefined;
  return {
    asset: a,
    isBuy: b,
    price: shortDecimal(p),
    size: shortDecimal(s),
    reduceOnly: r,
    timeInForce: isTimeInForce(tif) ? tif : 'Ioc',
    ...(isStop ? { triggerPrice: shortDecimal(triggerPrice) } : {}),
    cloid: c ?? undefined,
  };
}

function hashedOrder(order: TakenOrder): ActionValue {
  const { asset: a, isBuy: b, price: p, size: s, reduceOnly: r, timeInForce: tif, cloid: c } = order;
  const { triggerPrice: triggerPx } = order;
  const t = triggerPx === undefined ? { limit: { tif } } : { trigger: { isMarket: true, triggerPx, tpsl: 'sl' } };
  return { a, b, p, s, r, t, c };
}

function readCancel(value: unknown, type: 'cancel' | 'cancelByCloid'): TakenCancel | undefined {
  if (!isFields(value)) return undefined;
  const asset = type === 'cancel' ? value['a'] : value['asset'];
  const order = type === 'cancel' ? value['o'] : value['cloid'];
  if (!isCount(asset) || (type === 'cancel' ? !isCount(order) : !isCloid(order))) return undefined;
  return { asset, order: order as number | string };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}(?:\.\d{1,8})?$/.test(value);
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value);
}

/** Returns the address that signed the request, or one nobody has for a signature that is none. */
export function signerOf(request: SignedRequest, network: Network): string {
  return recoverAddress(agentDigest(actionHash(request.terms), network), request.signature) ?? `0x${'0'.repeat(40)}`;
}

/** The nonces of each signer: the highest hundred are kept; a new one must be above the lowest of them, unused, and near the clock. */
export class SimulatedNonces {
  readonly #kept = new Map<string, number[]>();
  /** By signer: what an earlier life used at most. */
  #floors: Readonly<Record<string, number>> = {};

  /** The highest nonce of every signer. */
  highest(): Readonly<Record<string, number>> {
    return {
      ...this.#floors,
      ...Object.fromEntries([...this.#kept].map(([signer, kept]) => [signer, kept.at(-1) ?? 0])),
    };
  }

  /** Goes on after an earlier life: which nonces below its highest were free is forgotten, so none of them is. */
  restore(floors: Readonly<Record<string, number>>): void {
    this.#floors = floors;
  }

  /** Uses a nonce; returns why it cannot be. */
  use(signer: string, nonce: number, nowMs: number): string | undefined {
    if (nonce <= nowMs - 2 * DAY_MS || nonce >= nowMs + DAY_MS)
      return `Invalid nonce: ${nonce} is not within two days before and one day after ${Math.floor(nowMs)}`;
    const kept = this.#kept.get(signer) ?? [];
    const floor = this.#floors[signer];
    if (floor !== undefined && nonce <= floor) return `Invalid nonce: ${nonce} is not above ${floor}`;
    if (kept.includes(nonce)) return `Invalid nonce: duplicate nonce ${nonce}`;
    const lowest = kept[0];
    if (kept.length >= NONCES_KEPT && lowest !== undefined && nonce < lowest)
      return `Invalid nonce: ${nonce} is below the ${NONCES_KEPT} highest`;
    this.#kept.set(signer, [...kept, nonce].sort((left, right) => left - right).slice(-NONCES_KEPT));
    return undefined;
  }
}
