/** Bybit's signatures: HMAC-SHA256 in hex, or RSA-SHA256 in base64 when the secret is a PEM key. Microseconds; connector thread. */
import { createHmac, createSign, timingSafeEqual } from 'node:crypto';

export interface BybitKey {
  readonly apiKey: string;
  /** The HMAC secret, or an RSA private key in PEM. */
  readonly secret: string;
}

export interface RequestTimes {
  /** Calendar ms, whole. */
  readonly timestamp: number;
  /** How long after `timestamp` the venue still accepts, calendar ms, whole. */
  readonly recvWindow: number;
}

/** `payload`: the query string or the body, exactly the bytes that are sent. */
export function requestSignature(key: BybitKey, times: RequestTimes, payload: string): string {
  return signature(key.secret, `${times.timestamp}${key.apiKey}${times.recvWindow}${payload}`);
}

/** The signature of a socket's `auth` frame, good until `expiresMs` (calendar ms, whole). */
export function sessionSignature(key: BybitKey, expiresMs: number): string {
  return signature(key.secret, `GET/realtime${expiresMs}`);
}

function signature(secret: string, text: string): string {
  return secret.startsWith('-----BEGIN')
    ? createSign('RSA-SHA256').update(text).sign(secret, 'base64')
    : createHmac('sha256', secret).update(text).digest('hex');
}

/** Compares two signatures of the same kind without telling by its duration where they differ. */
export function isSameSignature(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
