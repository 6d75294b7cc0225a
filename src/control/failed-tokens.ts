/** Makes guessing the token pointless: five wrong ones in a minute, and nobody is let in for the next. Main thread only. */

export const FAILURES_MAX = 5;
export const FAILURE_WINDOW_MS = 60_000;
export const SILENCE_MS = 60_000;

export class FailedTokens {
  readonly #monotonicMs: () => number;
  #failedAtMs: number[] = [];
  #silentUntilMs = Number.NEGATIVE_INFINITY;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Returns the ms for which every token, right or wrong, is refused unread; 0 when it may be judged. */
  silenceMs(): number {
    return Math.max(0, this.#silentUntilMs - this.#monotonicMs());
  }

  record(): void {
    const now = this.#monotonicMs();
    this.#failedAtMs = [...this.#failedAtMs.filter((atMs) => now - atMs < FAILURE_WINDOW_MS), now];
    if (this.#failedAtMs.length < FAILURES_MAX) return;
    this.#failedAtMs = [];
    this.#silentUntilMs = now + SILENCE_MS;
  }
}
