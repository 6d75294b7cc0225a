/**
 * What is proven about a leg's position at the venue, next to what our fills add up to. Pure, any thread.
 *
 * Reports and fills travel different roads and overtake each other for a moment, so a difference means nothing by itself. It is
 * believed after two queries in a row, with every fill applied before each, gave the same answer.
 */

export interface PositionWatch {
  /** The venue's latest word, lots; undefined before the first. */
  readonly reportedLots: number | undefined;
  /** Monotonic ms at which that word was received. */
  readonly reportedAtMs: number;
  /** Monotonic ms of the latest fill applied here. */
  readonly lastFillAtMs: number;
  /** Queries in a row that contradicted our fills with the same answer. */
  readonly contradictions: number;
  /** Queries answered so far, contradicting or not. */
  readonly queries: number;
}

export type PositionTruth =
  | { readonly kind: 'unknown' }
  /** The venue's word equals the sum of our fills. */
  | { readonly kind: 'confirmed'; readonly lots: number }
  /** It does not, and the difference is proven. */
  | { readonly kind: 'contradicted'; readonly lots: number };

const CONTRADICTIONS_PROVE = 2;

export const unseenPosition: PositionWatch = {
  reportedLots: undefined,
  reportedAtMs: Number.NEGATIVE_INFINITY,
  lastFillAtMs: Number.NEGATIVE_INFINITY,
  contradictions: 0,
  queries: 0,
};

/** The venue said what it holds, by stream or snapshot. Reports older than the last one change nothing. */
export function positionReported(watch: PositionWatch, lots: number, receivedAtMs: number): PositionWatch {
  if (receivedAtMs < watch.reportedAtMs) return watch;
  // What was proven of another position proves nothing of this one.
  const contradictions = lots === watch.reportedLots ? watch.contradictions : 0;
  return { ...watch, reportedLots: lots, reportedAtMs: receivedAtMs, contradictions };
}

/** A fill changed what we expect: earlier contradictions are explained or void. */
export function positionFilled(watch: PositionWatch, atMs: number): PositionWatch {
  return { ...watch, lastFillAtMs: atMs, contradictions: 0 };
}

/** The proven difference was booked: another one has to be proven anew. */
export function positionAdjusted(watch: PositionWatch): PositionWatch {
  return { ...watch, contradictions: 0 };
}

/** A query was answered after all fills the venue knows were applied. */
export function positionQueried(watch: PositionWatch, lots: number, ledgerLots: number, atMs: number): PositionWatch {
  const repeated = watch.contradictions === 0 || watch.reportedLots === lots;
  const contradictions = lots === ledgerLots ? 0 : repeated ? watch.contradictions + 1 : 1;
  return {
    ...watch,
    reportedLots: lots,
    reportedAtMs: Math.max(atMs, watch.reportedAtMs),
    contradictions,
    queries: watch.queries + 1,
  };
}

/** Returns what may be acted on. */
export function positionTruth(watch: PositionWatch, ledgerLots: number): PositionTruth {
  if (watch.reportedLots === undefined) return { kind: 'unknown' };
  if (watch.reportedLots === ledgerLots) return { kind: 'confirmed', lots: ledgerLots };
  if (watch.contradictions >= CONTRADICTIONS_PROVE) return { kind: 'contradicted', lots: watch.reportedLots };
  return { kind: 'unknown' };
}
