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
  let tightest = room('EXPOSURE_PAIR', 'pair', limits.maxPairNotionalQuote, 0, 1);
  const consider = (code: ExposureCode, what: string, max: number, usedQuote: number, legs: number): void => {
    if (roomQuote(max, usedQuote, legs) < tightest.legNotionalQuote) tightest = room(code, what, max, usedQuote, legs);
  };
  consider('EXPOSURE_SYMBOL', entry.base, limits.maxSymbolNotionalQuote, used.symbol, 2);
  consider('EXPOSURE_TOTAL', 'total', limits.maxTotalNotionalQuote, used.total, 2);
  consider('EXPOSURE_UNHEDGED', 'unhedged', limits.maxUnhedgedNotionalQuote, used.unhedged, 1);
  const venue = (name: string, legs: number): void =>
    consider('EXPOSURE_VENUE', name, limits.maxVenueNotionalQuote, venueNotional(exposures, name), legs);
  if (entry.longVenue === entry.shortVenue) {
    venue(entry.longVenue, 2);
  } else {
    venue(entry.longVenue, 1);
    venue(entry.shortVenue, 1);
  }
  return { legNotionalQuote: tightest.legNotionalQuote, code: tightest.code, detail: detailOf(tightest) };
}

interface Room {
  readonly legNotionalQuote: number;
  readonly code: ExposureCode;
  readonly what: string;
  readonly max: number;
  readonly used: number;
}

function room(code: ExposureCode, what: string, max: number, used: number, legs: number): Room {
  return { legNotionalQuote: roomQuote(max, used, legs), code, what, max, used };
}

function roomQuote(max: number, used: number, legs: number): number {
  return Math.max(0, (max - used) / legs);
}

/** Written for the tightest limit alone: a scan asks for hundreds. */
function detailOf({ what, used, max }: Room): string {
  return `${what} notional ${used.toFixed(2)} used of ${max.toFixed(2)}`;
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
