/** Who may ask the simulated Coinbase venue, and how often: platform tokens, access tokens, credits. Any thread. */
import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { CALL_CREDITS, MATCHING_CREDITS, SUBSCRIBE_CREDITS } from './limits.ts';
import type { CoinbaseTier } from './limits.ts';
import { isSignedBy, TOKEN_LIFE_S } from './sign.ts';
import { CreditPool } from './simulated-credits.ts';

/** One account of the simulated venue. */
export interface SimulatedAccount {
  readonly name: string;
  readonly keyName: string;
  readonly publicKey: KeyObject;
  readonly tier: CoinbaseTier;
  /** Leverage the exchange gives its positions. */
  readonly leverage: number;
}

/** What the gateway says no with. */
export interface RpcRefusal {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export const ACCESS_LIFE_S = 900;
/** Tokens of a clock this much ahead are still taken, real s. */
const AHEAD_MAX_S = 5;
const NONCES_MAX = 10_000;
/** Kinds of calls that are counted by themselves. */
export type CallCost = 'call' | 'matching' | 'subscribe' | 'ledger';
/** The ledger answers once a second for ever. */
const LEDGER_CREDITS = { burst: 5, perSecond: 1 };

const INVALID: RpcRefusal = { code: 13004, message: 'invalid_credentials' };
export const UNAUTHORIZED: RpcRefusal = { code: 13009, message: 'unauthorized', data: { reason: 'invalid_token' } };
export const TOO_MANY: RpcRefusal = { code: 10028, message: 'too_many_requests' };

export class SimulatedAccess {
  readonly accounts: readonly SimulatedAccount[];
  readonly #calendarScale: number;
  readonly #seed: number;
  readonly #access = new Map<string, { readonly account: SimulatedAccount; readonly untilMs: number }>();
  readonly #nonces = new Set<string>();
  readonly #pools: Readonly<Record<Exclude<CallCost, 'matching'>, CreditPool>> = {
    call: new CreditPool(CALL_CREDITS),
    subscribe: new CreditPool(SUBSCRIBE_CREDITS),
    ledger: new CreditPool(LEDGER_CREDITS),
  };
  readonly #matching: Readonly<Record<CoinbaseTier, CreditPool>> = {
    standard: new CreditPool(MATCHING_CREDITS.standard),
    premium: new CreditPool(MATCHING_CREDITS.premium),
    plus: new CreditPool(MATCHING_CREDITS.plus),
  };
  #issued = 0;
  #keysRefused: number | undefined;
  #refuseAll: { readonly durationMs: number } | { readonly untilMs: number } = { untilMs: 0 };
  refusals = 0;

  constructor(accounts: readonly SimulatedAccount[], calendarScale: number, seed: number) {
    this.accounts = accounts;
    this.#calendarScale = calendarScale;
    this.#seed = seed;
  }

  /** From the next call on, for so long, there are no credits. */
  refuseAllFor(durationMs: number): void {
    this.#refuseAll = { durationMs };
  }

  /** Refuses every key with this code; undefined takes them again. */
  refuseKeys(code: number | undefined): void {
    this.#keysRefused = code;
  }
  /** What is said to whoever comes with a key; undefined while keys are taken. */
  get keyRefusal(): RpcRefusal | undefined {
    return this.#keysRefused === undefined ? undefined : { ...INVALID, code: this.#keysRefused };
  }

  /** All access tokens end now. */
  revokeAll(): void {
    this.#access.clear();
  }

  /**
   * The account whose platform token this is, or undefined: every claim is checked. `uri`: what a token of one REST request must be for;
   * a token for sockets and for signing in must name none.
   */
  accountOf(token: string, at: Instant, uri?: string): SimulatedAccount | undefined {
    const parts = token.split('.');
    const [header, claims] = [partOf(parts[0]), partOf(parts[1])];
    if (parts.length !== 3 || header === undefined || claims === undefined) return undefined;
    const account = this.accounts.find(({ keyName }) => keyName === header['kid']);
    if (account === undefined || claims['sub'] !== account.keyName || claims['iss'] !== 'cdp') return undefined;
    const algorithm = account.publicKey.asymmetricKeyType === 'ed25519' ? 'EdDSA' : 'ES256';
    if (header['alg'] !== algorithm || header['typ'] !== 'JWT' || claims['uri'] !== uri) return undefined;
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
  #isFresh(account: SimulatedAccount, nonce: unknown): boolean {
    const used = `${account.keyName} ${String(nonce)}`;
    if (typeof nonce !== 'string' || nonce.length < 16 || this.#nonces.has(used)) return false;
    this.#nonces.add(used);
    if (this.#nonces.size > NONCES_MAX) for (const oldest of this.#nonces) return this.#nonces.delete(oldest);
    return true;
  }

  /** Exchanges a platform token for an access token. */
  signIn(token: unknown, at: Instant): { readonly text: string; readonly account: SimulatedAccount } | RpcRefusal {
    const account = typeof token === 'string' ? this.accountOf(token, at) : undefined;
    if (account === undefined || this.keyRefusal !== undefined) return this.keyRefusal ?? INVALID;
    this.#issued += 1;
    const text = createHash('sha256').update(`${this.#seed} ${account.name} ${this.#issued}`).digest('base64url');
    this.#access.set(text, { account, untilMs: at.monotonicMs + ACCESS_LIFE_S * 1_000 });
    return { text, account };
  }

  /** The account of an `Authorization` header, or undefined. */
  bearer(header: string | undefined, nowMs: number): SimulatedAccount | undefined {
    const known = this.#access.get(header?.replace(/^Bearer /, '') ?? '');
    return known !== undefined && nowMs < known.untilMs ? known.account : undefined;
  }

  /** Takes the credits of one call; false when there are none left, which ends the session. */
  admit(who: string, cost: CallCost, account: SimulatedAccount | undefined, nowMs: number): boolean {
    if ('durationMs' in this.#refuseAll) this.#refuseAll = { untilMs: nowMs + this.#refuseAll.durationMs };
    const pool = cost === 'matching' ? this.#matching[account?.tier ?? 'standard'] : this.#pools[cost];
    const isAdmitted = nowMs >= this.#refuseAll.untilMs && pool.take(who, 1, nowMs);
    if (!isAdmitted) this.refusals += 1;
    return isAdmitted;
  }

  /** The session of an access token is over. */
  end(header: string | undefined): void {
    this.#access.delete(header?.replace(/^Bearer /, '') ?? '');
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
