/** The shape of an order book as messages carry it. Plain data, any thread. */

/** Best first. Flat pairs keep msgpack and comparison cheap: [priceTicks, lots]. */
export type BookLevel = readonly [priceTicks: number, lots: number];

export interface BookView {
  readonly venue: string;
  readonly symbol: string;
  /** Best (highest) first, at most 20. */
  readonly bids: readonly BookLevel[];
  /** Best (lowest) first, at most 20. */
  readonly asks: readonly BookLevel[];
  /** Venue's time of the last change, calendar ms. */
  readonly venueAtMs: number;
  /** Monotonic ms when the last frame that made this view was received. */
  readonly receivedAtMonotonicMs: number;
}
