/**
 * Lots booked for a pair because its venue held more or less than any fill explained, and the fills behind them that came in since.
 * Such a fill counts the same lots a second time, until a comparison takes them back; whoever they seemed to be of then gets back, or
 * gives up, what was booked without it. Immutable values, any thread.
 */

export interface Claim {
  readonly pairId: string;
  /** Signed lots booked for the pair without a fill. */
  readonly lots: number;
  /** How many of them fills told again; the same sign, no more. */
  readonly metLots: number;
  /** Calendar ms of the latest booking: a later trade cannot be what was booked. */
  readonly atMs: number;
}

/** Adds what an adjustment books for a pair. Taking back what fills told again leaves less to be told. */
export function addToClaim(before: Claim | undefined, pairId: string, lots: number, atMs: number): Claim {
  const same = before?.pairId === pairId ? before : undefined;
  const left = (same?.lots ?? 0) + lots;
  const met = same === undefined ? 0 : same.metLots + takenBack(same, lots);
  return { pairId, lots: left, metLots: within(met, left), atMs };
}

/** A fill came in; it may be what was booked before it was known. */
export function meetClaim(claim: Claim, tradeLots: number, tradedAtMs: number): Claim {
  if (tradedAtMs > claim.atMs || Math.sign(tradeLots) !== Math.sign(claim.lots)) return claim;
  return { ...claim, metLots: within(claim.metLots + tradeLots, claim.lots) };
}

/** The part of a change that only takes back what was counted twice, signed lots. */
export function takenBack({ metLots }: Claim, changeLots: number): number {
  return 0 - within(-changeLots, metLots);
}

/** The lots as far as the limit goes; 0 when it is on the other side. */
function within(lots: number, limit: number): number {
  if (lots === 0 || Math.sign(lots) !== Math.sign(limit)) return 0;
  return Math.abs(lots) < Math.abs(limit) ? lots : limit;
}
