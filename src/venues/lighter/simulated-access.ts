/** Who may do what on the simulated Lighter venue: registered keys with their nonces, and auth tokens. Any thread. */
import { textHash, verifierOf } from './sign.ts';
import type { Verifier } from './sign.ts';
import type { SimulatedAccount } from './simulated-records.ts';
import type { Refusal } from './simulated-refusals.ts';
import { refusal } from './simulated-refusals.ts';
import { AUTH_TOKEN_MAX_MS } from './wire.ts';

/** A registered key. `nextNonce` is what its next transaction must carry. */
export interface ApiKey {
  readonly index: number;
  readonly publicKeyHex: string;
  readonly verifier: Verifier;
  nextNonce: number;
}

export interface SignedIn {
  readonly account: SimulatedAccount;
  /** Calendar ms. */
  readonly deadlineMs: number;
}

const TOKEN = /^(\d{1,12}):(\d{1,15}):(\d{1,3}):([0-9a-f]{160})$/;

export class SimulatedAccess {
  readonly #keys = new Map<string, ApiKey>();
  readonly #accounts: ReadonlyMap<number, SimulatedAccount>;
  readonly #tokenAheadMaxMs: number;

  /** Throws RangeError for a public key that is no point of the curve. */
  constructor(accounts: readonly SimulatedAccount[], calendarScale: number) {
    this.#accounts = new Map(accounts.map((account) => [account.accountIndex, account]));
    // On a fast calendar a token of eight true hours reaches further ahead.
    this.#tokenAheadMaxMs = AUTH_TOKEN_MAX_MS * Math.max(1, calendarScale);
    for (const account of accounts) {
      for (const { index, publicKeyHex } of account.apiKeys) {
        const verifier = verifierOf(publicKeyHex);
        if (verifier === undefined)
          throw new RangeError(`key ${index} of ${account.name} must be a point of the curve, was ${publicKeyHex}`);
        this.#keys.set(keyName(account, index), { index, publicKeyHex, verifier, nextNonce: 0 });
      }
    }
  }

  account(accountIndex: number): SimulatedAccount | undefined {
    return this.#accounts.get(accountIndex);
  }

  /** No key is known any more. */
  isRevoked = false;

  key(account: SimulatedAccount, apiKeyIndex: number): ApiKey | undefined {
    if (this.isRevoked) return undefined;
    return this.#keys.get(keyName(account, apiKeyIndex));
  }

  keys(account: SimulatedAccount): readonly ApiKey[] {
    return account.apiKeys.flatMap(({ index }) => this.key(account, index) ?? []);
  }

  /** The next nonce of every key, by account and key index. */
  nonces(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#keys].map(([name, { nextNonce }]) => [name, nextNonce]));
  }

  restoreNonces(nonces: Readonly<Record<string, number>>): void {
    for (const [name, key] of this.#keys) key.nextNonce = nonces[name] ?? 0;
  }

  /** Reads an auth token: its deadline, account, key and signature must all hold. */
  signIn(token: string, nowMs: number): SignedIn | Refusal {
    const parts = TOKEN.exec(token);
    if (parts === null) return refusal(20013, 'malformed token');
    const [, deadline = '', accountIndex = '', keyIndex = '', signature = ''] = parts;
    const deadlineMs = Number(deadline) * 1000;
    if (deadlineMs <= nowMs) return refusal(20013, 'token has expired');
    if (deadlineMs > nowMs + this.#tokenAheadMaxMs) return refusal(20013, 'deadline is too far ahead');
    const account = this.account(Number(accountIndex));
    if (account === undefined) return refusal(20013, 'account not found');
    const key = this.key(account, Number(keyIndex));
    if (key === undefined) return refusal(20013, 'api key not found');
    const signed = textHash(token.slice(0, token.lastIndexOf(':')));
    return key.verifier.verify(signed, Buffer.from(signature, 'hex'))
      ? { account, deadlineMs }
      : refusal(20013, 'invalid signature');
  }
}

function keyName(account: SimulatedAccount, apiKeyIndex: number): string {
  return `${account.accountIndex}/${apiKeyIndex}`;
}
