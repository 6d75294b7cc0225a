/** What fill-to-hedge plays and what its venue answers. Plain data, every thread of the benchmark. */

/** Its leg is quoted; its stream carries the flood. */
export const MAKER_VENUE = 'extended';
/** Its leg hedges. It signs in microseconds, on the thread of the socket. */
export const HEDGE_VENUE = 'bybit';
/** Another customer of the maker venue, who takes from our quote. */
export const TAKER = 'taker';
export const BASE = 'BTC';
/** Its book is the flood. */
export const FLOODED_BASE = 'ETH';
/** Of one fill, units of the base: both venues take such an order. */
export const PIECE = 0.002;

/** One run: one quote, filled piece by piece. */
export interface LoadPlan {
  /** Frames of the flooded book. */
  readonly framesPerSecond: number;
  readonly fills: number;
  /** Pause between a hedge and the next fill, ms, drawn evenly from this range: never in step with anybody's timer. */
  readonly spacingMinMs: number;
  readonly spacingMaxMs: number;
}

export interface VenueReport {
  /** Of each fill: from just before its frame's write until the hedge's whole request was read, ns. */
  readonly hedgedAfterNs: readonly bigint[];
  readonly frames: number;
  readonly elapsedMs: number;
}

/** Base addresses without paths. */
export interface ServerAddress {
  readonly url: string;
  readonly streamUrl: string;
}

/** Where both venues are reached. */
export interface VenueAddresses {
  readonly maker: ServerAddress;
  readonly hedge: ServerAddress;
}
