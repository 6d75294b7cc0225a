/** Measures how much of a pair stood unhedged and for how long (domain 7.5). Pure, any thread. */

export interface ExposureClock {
  /** Unhedged notional now, quote, unsigned. */
  readonly unhedgedQuote: number;
  /** Monotonic ms since when something is unhedged; undefined while balanced. */
  readonly sinceMs: number | undefined;
  readonly observedAtMs: number;
  /** Integral of unhedged notional over time, quote x seconds. */
  readonly quoteSeconds: number;
  readonly maxUnhedgedQuote: number;
  /** Total time with anything unhedged, ms. */
  readonly unhedgedMs: number;
}

export const stoppedExposureClock: ExposureClock = {
  unhedgedQuote: 0,
  sinceMs: undefined,
  observedAtMs: 0,
  quoteSeconds: 0,
  maxUnhedgedQuote: 0,
  unhedgedMs: 0,
};

/** Accounts for the time since the last observation, then takes the new unhedged notional. */
export function observeExposure(clock: ExposureClock, unhedgedQuote: number, monotonicMs: number): ExposureClock {
  const passedMs = clock.sinceMs === undefined ? 0 : monotonicMs - clock.observedAtMs;
  return {
    unhedgedQuote,
    sinceMs: unhedgedQuote > 0 ? (clock.sinceMs ?? monotonicMs) : undefined,
    observedAtMs: monotonicMs,
    quoteSeconds: clock.quoteSeconds + (clock.unhedgedQuote * passedMs) / 1_000,
    maxUnhedgedQuote: Math.max(clock.maxUnhedgedQuote, unhedgedQuote),
    unhedgedMs: clock.unhedgedMs + passedMs,
  };
}

/** Returns how long something has been unhedged without a pause, ms; 0 while balanced. */
export function unhedgedForMs(clock: ExposureClock, monotonicMs: number): number {
  return clock.sinceMs === undefined ? 0 : monotonicMs - clock.sinceMs;
}
