/** The platform tokens that simulated Coinbase venues take, with every claim of theirs checked. Any thread. */
import type { KeyObject } from 'node:crypto';
import { isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { isSignedBy, TOKEN_LIFE_S } from './sign.ts';

/** Who a token may be of. */
export interface TokenOwner {
  readonly keyName: string;
  readonly publicKey: KeyObject;
}

/** Tokens of a clock this much ahead are still taken, real s. */
const AHEAD_MAX_S = 5;
const NONCES_MAX = 10_000;
const NONCE_CHARACTERS_MIN = 16;

export class SimulatedTokens<Account extends TokenOwner> {
  readonly #accounts: readonly Account[];
  readonly #calendarScale: number;
  readonly #nonces = new Set<string>();

  constructor(accounts: readonly Account[], calendarScale: number) {
    this.#accounts = accounts;
    this.#calendarScale = calendarScale;
  }

  /**
   * The account whose platform token this is, or undefined. `uri`: what a token of one REST request must be for; a token for sockets and
   * for signing in must name none.
   */
  accountOf(token: string, at: Instant, uri?: string): Account | undefined {
    const parts = token.split('.');
    const [header, claims] = [partOf(parts[0]), partOf(parts[1])];
    if (parts.length !== 3 || header === undefined || claims === undefined) return undefined;
    const account = this.#accounts.find(({ keyName }) => keyName === header['kid']);
    if (account === undefined || claims['sub'] !== account.keyName || claims['iss'] !== 'cdp') return undefined;
    const algorithm = account.publicKey.asymmetricKeyType === 'ed25519' ? 'EdDSA' : 'ES256';
    // Widely used clients leave the type out.
    if (header['alg'] !== algorithm || (header['typ'] ?? 'JWT') !== 'JWT' || claims['uri'] !== uri) return undefined;
    if (!this.#isTimely(claims, at) || !this.#isFresh(account, header['nonce'])) return undefined;
    return isSignedBy(account.publicKey, token) ? account : undefined;
  }

  #isTimely(claims: Fields, at: Instant): boolean {
    const { nbf, exp } = claims;
    if (typeof nbf !== 'number' || typeof exp !== 'number') return false;
    const nowS = at.calendarMs / 1_000;
    const scale = this.#calendarScale;
    return nbf <= nowS + AHEAD_MAX_S * scale && nowS < exp && exp > nbf && exp - nbf <= TOKEN_LIFE_S * scale;
  }

  /** One token, one use. */
  #isFresh(account: Account, nonce: unknown): boolean {
    const used = `${account.keyName} ${String(nonce)}`;
    if (typeof nonce !== 'string' || nonce.length < NONCE_CHARACTERS_MIN || this.#nonces.has(used)) return false;
    this.#nonces.add(used);
    if (this.#nonces.size > NONCES_MAX) for (const oldest of this.#nonces) return this.#nonces.delete(oldest);
    return true;
  }
}

function partOf(text: string | undefined): Fields | undefined {
  try {
    const part = parseLosslessJson(Buffer.from(text ?? '', 'base64url').toString(), 'token');
    return isFields(part) ? part : undefined;
  } catch (error) {
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}
