/** How far a price has moved within a window, at O(1) per sample: two half windows with their extremes. Immutable, any thread. */

export interface PriceMove {
  readonly bucket: number;
  readonly low: number;
  readonly high: number;
  /** The half window before; no extremes when nothing was seen in it. */
  readonly lowBefore: number;
  readonly highBefore: number;
}

export const noPriceMove: PriceMove = {
  bucket: Number.NEGATIVE_INFINITY,
  low: Number.POSITIVE_INFINITY,
  high: 0,
  lowBefore: Number.POSITIVE_INFINITY,
  highBefore: 0,
};

/** Takes a price into account. `atMs` must not go back; a window is seen in full for at least half and at most all of its length. */
export function observePrice(move: PriceMove, price: number, atMs: number, windowMs: number): PriceMove {
  const bucket = Math.floor(atMs / (windowMs / 2));
  if (bucket === move.bucket) return { ...move, low: Math.min(move.low, price), high: Math.max(move.high, price) };
  const isNext = bucket === move.bucket + 1;
  return {
    bucket,
    low: price,
    high: price,
    lowBefore: isNext ? move.low : Number.POSITIVE_INFINITY,
    highBefore: isNext ? move.high : 0,
  };
}

/** Returns the distance between the extremes of the window as a fraction of the lower one; 0 before the first price. */
export function movedBy(move: PriceMove): number {
  const low = Math.min(move.low, move.lowBefore);
  const high = Math.max(move.high, move.highBefore);
  return high > 0 && low > 0 ? high / low - 1 : 0;
}
