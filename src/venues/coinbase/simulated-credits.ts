/** Buckets of credits as the gateway keeps them: each call takes some, time gives them back. Any thread. */
import type { Credits } from './limits.ts';

export class CreditPool {
  readonly #credits: Credits;
  readonly #left = new Map<string, { readonly calls: number; readonly atMs: number }>();

  constructor(credits: Credits) {
    this.#credits = credits;
  }

  /** Calls that `who` could make at once now. */
  left(who: string, nowMs: number): number {
    const { burst, perSecond } = this.#credits;
    const known = this.#left.get(who);
    return known === undefined ? burst : Math.min(burst, known.calls + ((nowMs - known.atMs) * perSecond) / 1_000);
  }

  /** False when there are not enough; nothing is taken then. */
  take(who: string, calls: number, nowMs: number): boolean {
    // What adds up to a whole call over many parts of a ms must count as one.
    const left = this.left(who, nowMs) - calls;
    if (left < -1e-9) return false;
    this.#left.set(who, { calls: Math.max(0, left), atMs: nowMs });
    return true;
  }
}
