/** The pre-trade limits of domain 12.2: everything that may still become a position counts as one. Pure functions, any thread. */

/** Money in quote, plain numbers: limits are judged, never booked. */
export interface ExposureLimits {
  /** Notional of one leg. */
  readonly maxPairNotionalQuote: number;
  /** All legs of one underlying added. */
  readonly maxSymbolNotionalQuote: number;
  readonly maxVenueNotionalQuote: number;
  readonly maxTotalNotionalQuote: number;
  readonly maxUnhedgedNotionalQuote: number;
}

/** One pair at its worst: what is open, in flight or merely decided. */
export interface Exposure {
  readonly base: string;
  readonly longVenue: string;
  readonly shortVenue: string;
  /** Notional of the larger leg. */
  readonly legNotionalQuote: number;
  /** Notional that may stand alone right now: that of a leg while the pair is opening, closing or unknown, else 0. */
  readonly unhedgedNotionalQuote: number;
}

export type ExposureCode =
  'EXPOSURE_PAIR' | 'EXPOSURE_SYMBOL' | 'EXPOSURE_VENUE' | 'EXPOSURE_TOTAL' | 'EXPOSURE_UNHEDGED';

/** The largest notional of one leg a new pair may have, and the limit that says so. */
export interface Headroom {
  readonly legNotionalQuote: number;
  readonly code: ExposureCode;
  readonly detail: string;
}

/** Returns the tightest limit for a new pair beside the given exposures; the notional is never negative. */
export function entryHeadroom(
  limits: ExposureLimits,
  exposures: readonly Exposure[],
  entry: { readonly base: string; readonly longVenue: string; readonly shortVenue: string },
): Headroom {
  const used = sumOf(exposures, entry.base);
  const rooms: Headroom[] = [
    room('EXPOSURE_PAIR', 'pair', limits.maxPairNotionalQuote, 0, 1),
    room('EXPOSURE_SYMBOL', entry.base, limits.maxSymbolNotionalQuote, used.symbol, 2),
    room('EXPOSURE_TOTAL', 'total', limits.maxTotalNotionalQuote, used.total, 2),
    room('EXPOSURE_UNHEDGED', 'unhedged', limits.maxUnhedgedNotionalQuote, used.unhedged, 1),
  ];
  const legsPerVenue = entry.longVenue === entry.shortVenue ? 2 : 1;
  for (const venue of new Set([entry.longVenue, entry.shortVenue])) {
    const usedHere = venueNotional(exposures, venue);
    rooms.push(room('EXPOSURE_VENUE', venue, limits.maxVenueNotionalQuote, usedHere, legsPerVenue));
  }
  return rooms.reduce((one, other) => (other.legNotionalQuote < one.legNotionalQuote ? other : one));
}

function room(code: ExposureCode, what: string, max: number, used: number, legs: number): Headroom {
  return {
    legNotionalQuote: Math.max(0, (max - used) / legs),
    code,
    detail: `${what} notional ${used.toFixed(2)} used of ${max.toFixed(2)}`,
  };
}

function sumOf(
  exposures: readonly Exposure[],
  base: string,
): { readonly symbol: number; readonly total: number; readonly unhedged: number } {
  let symbol = 0;
  let total = 0;
  let unhedged = 0;
  for (const exposure of exposures) {
    const gross = 2 * exposure.legNotionalQuote;
    total += gross;
    unhedged += exposure.unhedgedNotionalQuote;
    if (exposure.base === base) symbol += gross;
  }
  return { symbol, total, unhedged };
}

function venueNotional(exposures: readonly Exposure[], venue: string): number {
  let used = 0;
  for (const exposure of exposures) {
    if (exposure.longVenue === venue) used += exposure.legNotionalQuote;
    if (exposure.shortVenue === venue) used += exposure.legNotionalQuote;
  }
  return used;
}
