/**
 * What a run of marks says beyond its last one: how far the price moves in a moment, and how far the contract stands from its
 * index. O(1) per mark. Immutable values, any thread.
 */

export interface MarkWatch {
  /** Monotonic ms of the first and the last mark taken into account. */
  readonly sinceMs: number;
  readonly atMs: number;
  /** Mark by the last of them, 1e-9 quote, as a float: only its changes matter. */
  readonly markNano: number;
  /** Mean square of the mark's relative change, per monotonic ms. */
  readonly variancePerMs: number;
  /** (mark - index) / index averaged over about ten minutes of the market's time; undefined while no index was seen. */
  readonly premium: number | undefined;
}

/** Closer ones are one: their distance is the venue's rounding more than the market's move. */
const SAMPLE_MS = 500;
/** Half of an average's weight is younger than about two thirds of this, monotonic ms. */
const VARIANCE_MS = 600_000;
/** The same for the premium, in the market's time. */
const PREMIUM_MS = 600_000;
/** An average of less than this, in the market's time, is a moment. */
const PREMIUM_SEEN_MS = 300_000;
/** Marks further apart belong to two runs, monotonic ms. */
const GAP_MS = 60_000;

/** Takes a mark into account. `scale`: calendar ms per monotonic ms. */
export function observeMark(
  watch: MarkWatch | undefined,
  mark: { readonly markNano: bigint; readonly indexNano?: bigint; readonly receivedAtMonotonicMs: number },
  scale: number,
): MarkWatch {
  const atMs = mark.receivedAtMonotonicMs;
  const markNano = Number(mark.markNano);
  const premium = mark.indexNano === undefined ? undefined : markNano / Number(mark.indexNano) - 1;
  if (watch === undefined || atMs - watch.atMs > GAP_MS)
    return { sinceMs: atMs, atMs, markNano, variancePerMs: watch?.variancePerMs ?? 0, premium };
  const passedMs = atMs - watch.atMs;
  if (passedMs < SAMPLE_MS) return watch;
  const square = (markNano / watch.markNano - 1) ** 2 / passedMs;
  // An average that began a moment ago has only that moment to weigh.
  const weight = passedMs / Math.min(atMs - watch.sinceMs, VARIANCE_MS);
  const premiumWeight = (passedMs * scale) / (passedMs * scale + PREMIUM_MS);
  return {
    sinceMs: watch.sinceMs,
    atMs,
    markNano,
    variancePerMs: watch.variancePerMs + weight * (square - watch.variancePerMs),
    premium:
      premium === undefined || watch.premium === undefined
        ? (premium ?? watch.premium)
        : watch.premium + premiumWeight * (premium - watch.premium),
  };
}

/** Returns the move to expect within `ms`, a fraction: sigma x sqrt(time). 0 while nothing is known. */
export function expectedMove(watch: MarkWatch | undefined, ms: number): number {
  return Math.sqrt((watch?.variancePerMs ?? 0) * ms);
}

/** Returns the average premium, or undefined while it has not been watched for long enough or not lately. */
export function recentPremium(watch: MarkWatch | undefined, monotonicMs: number, scale: number): number | undefined {
  if (watch === undefined || monotonicMs - watch.atMs > GAP_MS) return undefined;
  return (watch.atMs - watch.sinceMs) * scale >= PREMIUM_SEEN_MS ? watch.premium : undefined;
}
