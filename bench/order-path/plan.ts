/** What the benchmarks of the way from a book to an order play, and what its two subjects answer. Plain data, every thread of them. */

/** Venues whose book can be a flood: one whose signature is computed in the pool, one whose is made on the io thread in microseconds. */
export type OrderVenue = 'extended' | 'bybit';

export const ACCOUNT = 'main';
export const BASE = 'BTC';
/** The venue's higher tier, on both sides of the wire: how many orders are sent is the benchmark's business. */
export const LIMITS = 'premium';

/** One run: a paced stream of book frames with triggers in it. */
export interface LoadPlan {
  readonly framesPerSecond: number;
  /** Frames that must each be answered by one order. */
  readonly triggers: number;
  /** Pause between the due times of triggers, ms, drawn evenly from this range: never in step with anybody's timer. */
  readonly spacingMinMs: number;
  readonly spacingMaxMs: number;
}

/** One due trigger and the order that answered it, as the venue saw them. Times are `process.hrtime.bigint()`, comparable between threads. */
export interface VenueSample {
  readonly clientOrderId: string;
  /** Just before the trigger's write; when it was due, if an earlier one was still unanswered then. */
  readonly sentNs: bigint;
  /** The whole order was read from its connection. */
  readonly arrivedNs: bigint;
}

/** What the venue's side of one run came to. */
export interface VenueReport {
  /** Sent and answered, each by one order. */
  readonly triggers: number;
  /** One for each trigger, and one for each due time that passed while a trigger was unanswered. */
  readonly samples: readonly VenueSample[];
  readonly frames: number;
  readonly elapsedMs: number;
}

/** One order as the deciding thread saw it. */
export interface Decision {
  readonly clientOrderId: string;
  readonly decidedNs: bigint;
  /** The decider knows that its intent is on disk, and hands the order over. */
  readonly durableNs: bigint;
  /** The decider knows what the venue made of it. */
  readonly answeredNs: bigint;
}

/** Where a venue is reached. */
export interface VenueAddress {
  readonly restUrl: string;
  readonly streamUrl: string;
}

/** One way to get from a venue frame to an order; connected to a venue of its own. */
export interface Subject {
  /** Rejects as soon as something of it fails; never settles otherwise. */
  readonly failure: Promise<never>;
  /** Decisions whose orders were answered since the last call, in any order. */
  takeDecisions(): Promise<readonly Decision[]>;
  /** Returns once nothing of it runs any more. */
  close(): Promise<void>;
}
