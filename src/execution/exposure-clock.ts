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

/** What a clock has gathered, for the journal. */
export interface ExposureRecord {
  readonly quoteSeconds: number;
  readonly maxUnhedgedQuote: number;
  readonly unhedgedMs: number;
  /** Unhedged at the time of the row, calendar ms: it stood alone for as long as nobody lived to count. */
  readonly unhedgedQuote: number;
  readonly atMs: number;
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

/** Returns what is journaled of a clock; calendar ms. */
export function exposureRecord(clock: ExposureClock, nowMs: number): ExposureRecord {
  const { quoteSeconds, maxUnhedgedQuote, unhedgedMs, unhedgedQuote } = clock;
  return { quoteSeconds, maxUnhedgedQuote, unhedgedMs, unhedgedQuote, atMs: nowMs };
}

/** Goes on from the journal after a restart. `deadMs` is the monotonic time since that row: what stood alone then stood alone through it. */
export function resumedExposureClock(
  record: ExposureRecord | undefined,
  deadMs: number,
  monotonicMs: number,
): ExposureClock {
  if (record === undefined) return stoppedExposureClock;
  const { quoteSeconds, maxUnhedgedQuote, unhedgedMs, unhedgedQuote } = record;
  const passedMs = unhedgedQuote > 0 ? Math.max(0, deadMs) : 0;
  return {
    unhedgedQuote: 0,
    sinceMs: undefined,
    observedAtMs: monotonicMs,
    quoteSeconds: quoteSeconds + (unhedgedQuote * passedMs) / 1_000,
    maxUnhedgedQuote,
    unhedgedMs: unhedgedMs + passedMs,
  };
}
