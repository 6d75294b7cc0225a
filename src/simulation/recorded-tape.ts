/** A market tape that plays recorded rows: settled funding and hourly candles of any series, under any venue's name. Any thread. */
import type { MarketTape, TapeQuote, TapeSettlement } from './market-tape.ts';
import type { CandlePath } from './tape-candles.ts';
import { candlePath, priceAt, volume24hQuote } from './tape-candles.ts';
import type { CandleRow, FundingRow } from './tape-rows.ts';
import { TapeError } from './tape-rows.ts';
import { countAtOrBefore, settlementsFromRows } from './tape-settlements.ts';
import { textureAt } from './market-texture.ts';

/** The rows one market plays. */
export interface RecordedRows {
  readonly funding: {
    readonly rows: readonly FundingRow[];
    /** Which recorded venue's rows to play, for example `hyperliquid`. */
    readonly series: string;
    /** Settles on this grid whatever the recording did (see settlementsFromRows); absent: as recorded. */
    readonly intervalMs?: number;
  };
  /** In order of preference: holes in one are filled from the next, adjusted to its price level. */
  readonly candles: readonly (readonly CandleRow[])[];
}

export interface RecordedVenue extends RecordedRows {
  /** Bases that play other rows, for example because this venue's own were not recorded for them. */
  readonly except?: readonly (RecordedRows & { readonly bases: readonly string[] })[];
}

export interface RecordedTapeOptions {
  readonly venues: Readonly<Record<string, RecordedVenue>>;
  readonly bases: readonly string[];
  /** Calendar ms, whole range played. Quotes outside hold the nearest price; settlements outside do not exist. */
  readonly startAtMs: number;
  readonly endAtMs: number;
  /** Draws what recordings lack: spread and depth. */
  readonly seed: number;
}

interface RecordedMarket {
  readonly path: CandlePath;
  readonly settlements: readonly TapeSettlement[];
}

/** Throws TapeError when a market has no rows where the tape starts. */
export function recordedTape(options: RecordedTapeOptions): MarketTape {
  const { bases, startAtMs, endAtMs, seed } = options;
  const venues = Object.keys(options.venues);
  const markets = new Map<string, RecordedMarket>();
  for (const [venue, recorded] of Object.entries(options.venues)) {
    for (const base of bases) {
      const rows = recorded.except?.find((other) => other.bases.includes(base)) ?? recorded;
      markets.set(`${venue} ${base}`, recordedMarket(venue, base, rows, options));
    }
  }

  const marketOf = (venue: string, base: string): RecordedMarket => {
    const market = markets.get(`${venue} ${base}`);
    if (market === undefined) throw new RangeError(`the recorded tape has no market ${base} of ${venue}`);
    return market;
  };
  const indexAt = (base: string, calendarMs: number): number => {
    const prices = venues.map((venue) => priceAt(marketOf(venue, base).path, calendarMs));
    return prices.reduce((sum, price) => sum + price, 0) / prices.length;
  };

  return {
    startAtMs,
    endAtMs,
    bases: (venue) => (venues.includes(venue) ? bases : []),
    quote: (venue, base, calendarMs): TapeQuote => {
      const { path } = marketOf(venue, base);
      const mid = priceAt(path, calendarMs);
      const { spreadBps, depthQuote } = textureAt(seed, venue, base, calendarMs);
      const volume = volume24hQuote(path, calendarMs);
      return { mid, mark: mid, index: indexAt(base, calendarMs), spreadBps, depthQuote, volume24hQuote: volume };
    },
    nextSettlement: (venue, base, calendarMs) => {
      const { settlements } = marketOf(venue, base);
      return settlements[countAtOrBefore(settlements, calendarMs)];
    },
    lastSettlement: (venue, base, calendarMs) => {
      const { settlements } = marketOf(venue, base);
      return settlements[countAtOrBefore(settlements, calendarMs) - 1];
    },
  };
}

function recordedMarket(
  venue: string,
  base: string,
  recorded: RecordedRows,
  options: RecordedTapeOptions,
): RecordedMarket {
  const { startAtMs, endAtMs } = options;
  const { rows, series, intervalMs } = recorded.funding;
  const own = rowsOfOneMarket(rows.filter((row) => row.base === base && (row.venue ?? series) === series));
  if (own.length === 0)
    throw new TapeError(`funding of ${venue} ${base} must have rows of series "${series}", there are none`);
  const candles = recorded.candles.map((file) => file.filter((row) => row.base === base));
  const settlements = settlementsFromRows(own, { endAtMs, ...(intervalMs === undefined ? {} : { intervalMs }) });
  if (settlements.length === 0 || (own[0]?.settleAtMs ?? Infinity) > endAtMs) {
    throw new TapeError(`funding of ${venue} ${base} must have settlements before ${endAtMs} ms, there are none`);
  }
  return {
    path: candlePath(`${venue} ${base}`, candles, { startAtMs, endAtMs }),
    settlements: settlements.filter((settlement) => settlement.settleAtMs >= startAtMs),
  };
}

/** Of several markets of one base: the one quoted in USDT, as the recorded candles are; else the one with most rows. */
function rowsOfOneMarket(rows: readonly FundingRow[]): readonly FundingRow[] {
  const bySymbol = new Map<string, FundingRow[]>();
  for (const row of rows) {
    const own = bySymbol.get(row.venueSymbol);
    if (own === undefined) bySymbol.set(row.venueSymbol, [row]);
    else own.push(row);
  }
  const ranked = [...bySymbol].sort(
    ([a, rowsOfA], [b, rowsOfB]) =>
      Number(b.endsWith('USDT')) - Number(a.endsWith('USDT')) || rowsOfB.length - rowsOfA.length || (a < b ? -1 : 1),
  );
  return ranked[0]?.[1] ?? [];
}
