/** Who may ask the simulated Coinbase venue, and how often: platform tokens, access tokens, credits. Any thread. */
import { createHash } from 'node:crypto';
import type { Instant } from '../venue.ts';
import { CALL_CREDITS, MATCHING_CREDITS, SUBSCRIBE_CREDITS } from './limits.ts';
import type { CoinbaseTier } from './limits.ts';
import { CreditPool } from './simulated-credits.ts';
import { SimulatedTokens } from './simulated-tokens.ts';
import type { TokenOwner } from './simulated-tokens.ts';

/** One account of the simulated venue. */
export interface SimulatedAccount extends TokenOwner {
  readonly name: string;
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
/** Kinds of calls that are counted by themselves. */
export type CallCost = 'call' | 'matching' | 'subscribe' | 'ledger';
/** The ledger answers once a second for ever. */
const LEDGER_CREDITS = { burst: 5, perSecond: 1 };

const INVALID: RpcRefusal = { code: 13004, message: 'invalid_credentials' };
export const UNAUTHORIZED: RpcRefusal = { code: 13009, message: 'unauthorized', data: { reason: 'invalid_token' } };
export const TOO_MANY: RpcRefusal = { code: 10028, message: 'too_many_requests' };

export class SimulatedAccess {
  readonly accounts: readonly SimulatedAccount[];
  readonly #tokens: SimulatedTokens<SimulatedAccount>;
  readonly #seed: number;
  readonly #access = new Map<string, { readonly account: SimulatedAccount; readonly untilMs: number }>();
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
    this.#tokens = new SimulatedTokens(accounts, calendarScale);
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

  /** Exchanges a platform token for an access token. */
  signIn(token: unknown, at: Instant): { readonly text: string; readonly account: SimulatedAccount } | RpcRefusal {
    const account = typeof token === 'string' ? this.#tokens.accountOf(token, at) : undefined;
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
