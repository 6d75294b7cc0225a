/** A small tape for tests: prices from a function of time, one hourly rate, one interval. */
import type { MarketTape, TapeSettlement } from '../../src/simulation/market-tape.ts';

export const HOUR_MS = 3_600_000;
export const START_MS = Date.UTC(2026, 0, 5);

export interface PlainTapeOptions {
  readonly priceAt: (calendarMs: number) => number;
  readonly ratePicoAt?: (settleAtMs: number) => number;
  readonly depthQuote?: number;
  readonly spreadBps?: number;
  /** Between settlements; an hour when absent. */
  readonly intervalMs?: number;
}

export function plainTape(options: PlainTapeOptions): MarketTape {
  const { intervalMs = HOUR_MS } = options;
  const settlement = (settleAtMs: number): TapeSettlement => ({
    settleAtMs,
    ratePico: options.ratePicoAt?.(settleAtMs) ?? 12_000_000,
    intervalMs,
  });
  return {
    startAtMs: START_MS - 24 * HOUR_MS,
    endAtMs: START_MS + 1_000 * HOUR_MS,
    bases: () => ['BTC', 'SOL'],
    quote: (_venue, base, calendarMs) => {
      const price = options.priceAt(calendarMs) * (base === 'SOL' ? 0.002 : 1);
      return {
        mid: price,
        mark: price,
        index: price,
        spreadBps: options.spreadBps ?? 1,
        depthQuote: options.depthQuote ?? 1_000_000,
        volume24hQuote: 1e9,
      };
    },
    nextSettlement: (_venue, _base, calendarMs) => settlement((Math.floor(calendarMs / intervalMs) + 1) * intervalMs),
    lastSettlement: (_venue, _base, calendarMs) => settlement(Math.floor(calendarMs / intervalMs) * intervalMs),
  };
}
