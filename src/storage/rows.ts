/** The journal's rows: one row is one fact. Plain data, any thread. */

/**
 * That an order's bytes were handed over is an `order-event` like every other change of it: what an order rests on is its `intent` and
 * its `order-planned`, durable before. Nonces are no rows: each life reads the next one from the venue, and a commit for each would
 * delay its order without telling the next life anything the venue does not.
 */
export type JournalRowType =
  | 'boot'
  | 'intent'
  | 'order-planned'
  | 'order-event'
  | 'fill'
  | 'funding'
  | 'funding-expected'
  | 'adjust'
  | 'leg-reduction'
  | 'pair-state'
  | 'pair-statistics'
  | 'engine-state'
  | 'usage-ramp'
  | 'flag'
  | 'config';

export interface JournalRow {
  /** Identity of the fact: the same fact again changes nothing (it is counted), another one is refused. For example `fill:lighter:main:123`. */
  readonly id: string;
  readonly type: JournalRowType;
  /** Calendar ms at the writer. */
  readonly atMs: number;
  /** Path of the writing actor. */
  readonly actor: string;
  /** Pair id or other thread of events; empty when none. */
  readonly correlation: string;
  /** Calendar ms at the venue, where the fact is one of its own; for rows told late it is what the row's own time is not. */
  readonly venueAtMs?: number;
  /** Id of the row this one follows from: the intent of an order, the order of a fill. Absent when none does. */
  readonly causation?: string;
  /** Plain data; bigints allowed (stored as text with a type mark, restored as bigint). */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Set by the store, from 1, without gaps. Absent before it is durable. */
  readonly sequence?: number;
}

/** Results are in sequence order, those of `latest` the other way round. `limit` is mandatory: everything has a bound. */
export type StoreQuery = LatestRows | ForwardQuery;

/** The newest rows before a sequence, newest first; of one correlation or one type or both, where given. */
export interface LatestRows {
  readonly type: 'latest';
  readonly correlation?: string;
  readonly rowType?: JournalRowType;
  /** Absent: from the end. */
  readonly beforeSequence?: number;
  readonly limit: number;
}

/** Rows after a sequence, oldest first. */
export type ForwardQuery =
  | { readonly type: 'all'; readonly afterSequence: number; readonly limit: number }
  | {
      readonly type: 'by-correlation';
      readonly correlation: string;
      readonly afterSequence: number;
      readonly limit: number;
    }
  | { readonly type: 'by-actor'; readonly actor: string; readonly afterSequence: number; readonly limit: number }
  | {
      readonly type: 'by-type';
      readonly rowType: JournalRowType;
      readonly afterSequence: number;
      readonly limit: number;
    };
