/** The simulated Lighter venue's request limits: rolling minutes per address and IP, with the venue's weights and tiers. Any thread. */
import { RollingSums } from '../../simulation/rolling-sums.ts';
import type { SimulatedAccount } from './simulated-records.ts';

export type Tier = 'standard' | 'premium' | 'plus';

/** Requests a minute of the standard tier, each counted once and together with transactions. */
const STANDARD_REQUESTS = 60;
/** Weighted requests and transactions a minute of the tiers that have both. */
const WEIGHTED: Readonly<
  Record<Exclude<Tier, 'standard'>, { readonly requests: number; readonly transactions: number }>
> = {
  premium: { requests: 24_000, transactions: 4_000 },
  plus: { requests: 120_000, transactions: 8_000 },
};
/** From the lowest to the highest. */
const TIERS: readonly Tier[] = ['standard', 'premium', 'plus'];
const LEVERAGE_CHANGES = 40;

const DEFAULT_WEIGHT = 300;
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['sendTx', 6],
  ['sendTxBatch', 6],
  ['nextNonce', 6],
  ['accountInactiveOrders', 100],
  ['apikeys', 150],
  ['trades', 600],
  ['recentTrades', 600],
]);

export class RequestLimits {
  readonly #sums = new RollingSums();
  readonly #anonymousTier: Tier;

  /** An IP without a name has the best tier of all accounts: theirs is taken to be registered with the venue. */
  constructor(accounts: readonly SimulatedAccount[]) {
    this.#anonymousTier = TIERS.findLast((tier) => accounts.some((account) => account.tier === tier)) ?? 'standard';
  }

  /** A request counts for the account that signed in, else for the caller's IP. */
  admitRequest(endpoint: string, remote: string, account: SimulatedAccount | undefined, nowMs: number): boolean {
    const weight = WEIGHTS.get(endpoint) ?? DEFAULT_WEIGHT;
    if (account === undefined) return this.#admit(`ip ${remote}`, this.#anonymousTier, weight, nowMs);
    return this.#admit(`l1 ${account.l1Address}`, account.tier, weight, nowMs);
  }

  #admit(key: string, tier: Tier, weight: number, nowMs: number): boolean {
    return tier === 'standard'
      ? this.#sums.take(key, 1, STANDARD_REQUESTS, nowMs)
      : this.#sums.take(key, weight, WEIGHTED[tier].requests, nowMs);
  }

  /** Transactions of one account, however they came; standard accounts have one bucket for these and all requests. */
  admitTransactions(count: number, leverageChanges: number, account: SimulatedAccount, nowMs: number): boolean {
    const key = `l1 ${account.l1Address}`;
    if (leverageChanges > 0 && !this.#sums.take(`${key} leverage`, leverageChanges, LEVERAGE_CHANGES, nowMs))
      return false;
    return account.tier === 'standard'
      ? this.#sums.take(key, count, STANDARD_REQUESTS, nowMs)
      : this.#sums.take(`${key} transactions`, count, WEIGHTED[account.tier].transactions, nowMs);
  }
}
