/**
 * Coinbase's credentials: JWTs of a platform key (ES256 or EdDSA, whichever kind the key is), and the older HMAC of the Exchange feed.
 * Tens of microseconds each; connector thread.
 */
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { RangeViolation } from '../../money/range-violation.ts';

/** A platform key, imported once: parsing it is the slow part. */
export interface PlatformKey {
  /** `organizations/{org}/apiKeys/{id}`. */
  readonly name: string;
  readonly algorithm: 'ES256' | 'EdDSA';
  readonly privateKey: KeyObject;
}

export interface TokenTerms {
  /** Random or at least unique. */
  readonly nonce: string;
  /** Epoch seconds, whole. */
  readonly notBeforeS: number;
  readonly expiresS: number;
  /** `METHOD host/path` without query, of the one request it is for; absent for sockets and for `public/auth`. */
  readonly uri?: string;
}

/** The longest life a token may have, real seconds. */
export const TOKEN_LIFE_S = 120;
const ED25519_SEED_BYTES = 32;
/** What stands before the seed in the standard form of an Ed25519 private key. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Imports a key. `secret`: PEM of a P-256 or Ed25519 private key (line breaks may be written as \n), or base64 of an Ed25519 seed,
 * alone or with its public key behind it. Throws RangeViolation, without quoting the secret.
 */
export function platformKey(name: string, secret: string): PlatformKey {
  const privateKey = importKey(secret.replaceAll('\\n', '\n').trim());
  const curve = privateKey?.asymmetricKeyDetails?.namedCurve;
  if (privateKey?.asymmetricKeyType === 'ed25519') return { name, algorithm: 'EdDSA', privateKey };
  if (privateKey?.asymmetricKeyType === 'ec' && curve === 'prime256v1') return { name, algorithm: 'ES256', privateKey };
  throw new RangeViolation('coinbase secret privateKey', 'a P-256 or Ed25519 private key', 'something else');
}

function importKey(secret: string): KeyObject | undefined {
  try {
    if (secret.startsWith('-----BEGIN')) return createPrivateKey(secret);
    const bytes = Buffer.from(secret, 'base64');
    if (bytes.length !== ED25519_SEED_BYTES && bytes.length !== 2 * ED25519_SEED_BYTES) return undefined;
    const key = Buffer.concat([ED25519_PREFIX, bytes.subarray(0, ED25519_SEED_BYTES)]);
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    // The library quotes what it could not read; nobody needs to see that.
    return undefined;
  }
}

export function publicKeyOf(key: PlatformKey): KeyObject {
  return createPublicKey(key.privateKey);
}

/** Returns a JWT. Field order as the venue documents it. */
export function platformToken(key: PlatformKey, terms: TokenTerms): string {
  const { nonce, notBeforeS: nbf, expiresS: exp, uri } = terms;
  const header = { alg: key.algorithm, kid: key.name, nonce, typ: 'JWT' };
  const claims = { sub: key.name, iss: 'cdp', nbf, exp, ...(uri === undefined ? {} : { uri }) };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${signature(key, signed).toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function signature({ algorithm, privateKey }: PlatformKey, text: string): Buffer {
  const bytes = Buffer.from(text);
  // The venue refuses the DER form that the library makes by default.
  return algorithm === 'ES256'
    ? sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    : sign(null, bytes, privateKey);
}

/** Whether the signature of a token in three parts is this key's. Says nothing about its claims. */
export function isSignedBy(publicKey: KeyObject, token: string): boolean {
  const end = token.lastIndexOf('.');
  const bytes = Buffer.from(token.slice(0, end));
  const given = Buffer.from(token.slice(end + 1), 'base64url');
  return publicKey.asymmetricKeyType === 'ed25519'
    ? verify(null, bytes, publicKey, given)
    : verify('sha256', bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, given);
}

/** What the Exchange's private requests are signed with: base64 of HMAC-SHA256 over time (seconds), method, path with query and body. */
export function exchangeSignature(
  secretBase64: string,
  request: { readonly timestamp: string; readonly method: string; readonly path: string; readonly body: string },
): string {
  const { timestamp, method, path, body } = request;
  return createHmac('sha256', Buffer.from(secretBase64, 'base64'))
    .update(timestamp + method + path + body)
    .digest('base64');
}

/** Any token in a text, for example one that the venue's message repeats, is taken out: messages are logged. */
export function withoutTokens(text: string): string {
  return text.replaceAll(/eyJ[\w-]{8,}(?:\.[\w-]*)*/g, '[token]');
}
