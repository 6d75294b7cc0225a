/** The simulated Hyperliquid's limits: weights per IP address, and each account's budget of actions. Any thread. */
import { ADDRESS_ACTIONS_FREE, ADDRESS_PAUSE_MS, CANCELS_EXTRA, HYPERLIQUID_LIMITS, MINUTE_MS } from './limits.ts';

interface Spent {
  readonly atMs: number;
  readonly weight: number;
}

/** A true sliding minute per key. Times are monotonic ms. */
export class SlidingMinute {
  readonly #spent = new Map<string, Spent[]>();

  used(key: string, nowMs: number): number {
    const recent = (this.#spent.get(key) ?? []).filter(({ atMs }) => nowMs - atMs < MINUTE_MS);
    this.#spent.set(key, recent);
    return recent.reduce((sum, { weight }) => sum + weight, 0);
  }

  spend(key: string, weight: number, nowMs: number): void {
    const list = this.#spent.get(key) ?? [];
    list.push({ atMs: nowMs, weight });
    this.#spent.set(key, list);
  }
}

export class SimulatedLimits {
  readonly #weights = new SlidingMinute();
  readonly #actionsUsed = new Map<string, number>();
  readonly #lastSlowMs = new Map<string, number>();
  #refuseAllForMs = 0;
  #refuseAllUntilMs = Number.NEGATIVE_INFINITY;
  refusals = 0;

  /** Refuses everything from the next request on, for so long. */
  refuseAll(durationMs: number): void {
    this.#refuseAllForMs = durationMs;
  }

  /** False when the address has no weight left; a question's items are charged once they are counted. */
  admit(remote: string, weight: number, nowMs: number): boolean {
    if (this.#refuseAllForMs > 0) {
      this.#refuseAllUntilMs = nowMs + this.#refuseAllForMs;
      this.#refuseAllForMs = 0;
    }
    if (nowMs < this.#refuseAllUntilMs || this.#weights.used(remote, nowMs) + weight > HYPERLIQUID_LIMITS.rest.max) {
      this.refusals += 1;
      return false;
    }
    this.#weights.spend(remote, weight, nowMs);
    return true;
  }

  charge(remote: string, weight: number, nowMs: number): void {
    if (weight > 0) this.#weights.spend(remote, weight, nowMs);
  }

  actionsUsed(address: string): number {
    return this.#actionsUsed.get(address) ?? 0;
  }

  static actionsMax(volumeQuote: number): number {
    return ADDRESS_ACTIONS_FREE + Math.floor(volumeQuote);
  }

  /** Sets how many actions an account has used before. */
  setActionsUsed(address: string, used: number): void {
    this.#actionsUsed.set(address, used);
  }

  /** Returns the refusal of a batch of so many actions, or undefined when they fit the account's budget. */
  spendActions(
    address: string,
    batch: { readonly actions: number; readonly areCancels: boolean; readonly volumeQuote: number },
    nowMs: number,
  ): string | undefined {
    const base = SimulatedLimits.actionsMax(batch.volumeQuote);
    const max = batch.areCancels ? Math.min(base + CANCELS_EXTRA, 2 * base) : base;
    const used = this.actionsUsed(address) + batch.actions;
    const slowMs = this.#lastSlowMs.get(address) ?? Number.NEGATIVE_INFINITY;
    if (used > max && nowMs - slowMs < ADDRESS_PAUSE_MS) {
      this.refusals += 1;
      return `Too many cumulative requests sent (${used} > ${max}) for cumulative volume traded $${batch.volumeQuote.toFixed(2)}. Place taker orders to free up 1 request per USDC traded.`;
    }
    if (used > max) this.#lastSlowMs.set(address, nowMs);
    this.#actionsUsed.set(address, used);
    return undefined;
  }
}
