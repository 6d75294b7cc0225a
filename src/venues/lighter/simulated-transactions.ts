/** How the simulated Lighter venue reads a transaction: fields, account, key, expiry, signature, nonce. Pure; any thread. */
import { quinticHex, transactionHash } from './sign.ts';
import type { ApiKey, SimulatedAccess } from './simulated-access.ts';
import type { Fields } from './simulated-json.ts';
import { fieldsOf, integerOf } from './simulated-json.ts';
import type { SimulatedAccount } from './simulated-records.ts';
import { isRefusal, refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';
import {
  ATTRIBUTE_SKIP_NONCE,
  SIGNED_FIELDS,
  TX_CANCEL_ALL_ORDERS,
  TX_CANCEL_ORDER,
  TX_CREATE_ORDER,
  TX_UPDATE_LEVERAGE,
} from './wire.ts';

/** A transaction whose signature holds. */
export interface SignedTransaction {
  readonly type: number;
  readonly account: SimulatedAccount;
  readonly key: ApiKey;
  readonly nonce: number;
  readonly skipsNonce: boolean;
  readonly expiredAtMs: number;
  /** By the names of SIGNED_FIELDS. */
  readonly fields: ReadonlyMap<string, bigint>;
  readonly attributes: ReadonlyMap<number, number>;
  /** 80 hex digits. */
  readonly hash: string;
  readonly info: Fields;
}

const SUPPORTED: ReadonlySet<number> = new Set([
  TX_CREATE_ORDER,
  TX_CANCEL_ORDER,
  TX_CANCEL_ALL_ORDERS,
  TX_UPDATE_LEVERAGE,
]);
const NONCE_MAX = 2 ** 47 - 1;
const LAST_ATTRIBUTE = 7;
const INTEGRATOR_ATTRIBUTES = [1, 2, 3];
/** Who gives way when an account meets itself: the exchange only knows the default. */
const SELF_TRADE_ATTRIBUTES = [6, 7];

/** Reads and verifies one transaction of type 14, 15, 16 or 20. The nonce is only read here, see `nonceRefusal`. */
export function readTransaction(
  access: SimulatedAccess,
  chainId: number,
  txType: unknown,
  txInfo: unknown,
  nowMs: number,
): SignedTransaction | Refusal {
  const type = Number(integerOf(txType) ?? -1n);
  const names = SUPPORTED.has(type) ? SIGNED_FIELDS.get(type) : undefined;
  if (names === undefined) return refusal(21505);
  const info = fieldsOf(txInfo);
  if (info === undefined) return refusal(21501);
  const fields = readFields(info, names);
  if (isRefusal(fields)) return fields;
  const attributes = readAttributes(info['L2TxAttributes']);
  if (attributes === undefined) return refusal(21501, 'L2TxAttributes');
  if (INTEGRATOR_ATTRIBUTES.some((attribute) => (attributes.get(attribute) ?? 0) !== 0)) return refusal(21149);

  const [accountIndex, apiKeyIndex] = [natural(info['AccountIndex']), natural(info['ApiKeyIndex'])];
  const [nonce, expiredAtMs] = [natural(info['Nonce']), natural(info['ExpiredAt'])];
  if (accountIndex === undefined || apiKeyIndex === undefined || nonce === undefined || expiredAtMs === undefined)
    return refusal(21501);
  const account = access.account(accountIndex);
  if (account === undefined) return refusal(21100);
  const key = access.key(account, apiKeyIndex);
  if (key === undefined) return refusal(21109);
  if (expiredAtMs <= nowMs) return refusal(21501, 'ExpiredAt has passed');

  const hash = transactionHash(chainId, {
    type,
    accountIndex,
    apiKeyIndex,
    nonce,
    expiredAt: expiredAtMs,
    fields: Object.fromEntries(fields),
    attributes: Object.fromEntries(attributes),
  });
  const signature = typeof info['Sig'] === 'string' ? Buffer.from(info['Sig'], 'base64') : new Uint8Array();
  if (!key.verifier.verify(hash, signature)) return refusal(21120);
  const skipsNonce = attributes.get(ATTRIBUTE_SKIP_NONCE) === 1;
  return { type, account, key, nonce, skipsNonce, expiredAtMs, fields, attributes, hash: quinticHex(hash), info };
}

function readFields(info: Fields, names: readonly string[]): Map<string, bigint> | Refusal {
  const fields = new Map<string, bigint>();
  for (const name of names) {
    const value = integerOf(info[name]);
    // -1 is a convenience of client libraries, which replace it before they sign.
    if (name === 'OrderExpiry' && value !== undefined && value < 0n) return refusal(21711);
    if (value === undefined || value < 0n) return refusal(21501, name);
    fields.set(name, value);
  }
  return fields;
}

/** Undefined unless it is absent, null or a map from attribute types to whole numbers the exchange can honour. */
function readAttributes(value: unknown): Map<number, number> | undefined {
  const attributes = new Map<number, number>();
  if (value === undefined || value === null) return attributes;
  const given = fieldsOf(value);
  if (given === undefined) return undefined;
  for (const [name, held] of Object.entries(given)) {
    const [type, number] = [Number(name), natural(held)];
    if (!Number.isInteger(type) || type < 1 || type > LAST_ATTRIBUTE || number === undefined) return undefined;
    if (type === ATTRIBUTE_SKIP_NONCE && number > 1) return undefined;
    if (SELF_TRADE_ATTRIBUTES.includes(type) && number !== 0) return undefined;
    attributes.set(type, number);
  }
  return attributes;
}

function natural(value: unknown): number | undefined {
  const number = Number(integerOf(value) ?? -1n);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Checks a nonce against what the key must use next: exactly that, or with SkipNonce anything not below it. */
export function nonceRefusal(transaction: SignedTransaction, nextNonce: number): Refusal | undefined {
  const { nonce, skipsNonce } = transaction;
  const fits = skipsNonce ? nonce >= nextNonce && nonce <= NONCE_MAX : nonce === nextNonce;
  return fits ? undefined : refusal(21104);
}
