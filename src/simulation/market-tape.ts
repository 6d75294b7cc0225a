/** What moves a simulated market: prices and funding as a function of calendar time. Pure; recorded or generated. Any thread. */

/** The outside market of one base on one venue at one instant. Prices in quote per unit of underlying. */
export interface TapeQuote {
  readonly mid: number;
  readonly mark: number;
  readonly index: number;
  /** Full spread at the touch, bps of mid. */
  readonly spreadBps: number;
  /** Quote value resting within 10 bps of mid on each side. */
  readonly depthQuote: number;
  readonly volume24hQuote: number;
}

export interface TapeSettlement {
  /** Rounded to the venue's funding instant, calendar ms. */
  readonly settleAtMs: number;
  /** Fraction of notional for this interval in 1e-12 units, positive: longs pay. */
  readonly ratePico: number;
  readonly intervalMs: number;
}

export interface MarketTape {
  /** First and last calendar ms it can answer for. */
  readonly startAtMs: number;
  readonly endAtMs: number;
  bases(venue: string): readonly string[];
  quote(venue: string, base: string, calendarMs: number): TapeQuote;
  /** The first settlement strictly after `calendarMs`; undefined past the end. */
  nextSettlement(venue: string, base: string, calendarMs: number): TapeSettlement | undefined;
  /** The last settlement at or before `calendarMs`. */
  lastSettlement(venue: string, base: string, calendarMs: number): TapeSettlement | undefined;
}
