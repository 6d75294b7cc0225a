/** Hourly candles of one market as a gapless price path. Pure; any thread. */
import type { CandleRow } from './tape-rows.ts';
import { TapeError } from './tape-rows.ts';

const HOUR_MS = 3_600_000;

/** Gapless hourly candles from `startAtMs` (a whole hour) on. */
export interface CandlePath {
  readonly startAtMs: number;
  readonly candles: readonly CandleRow[];
}

/**
 * Joins candle series in order of preference into one gapless path. A hole in the first is filled from the next, scaled by
 * the price ratio of the two at the hole's edges (interpolated between them); what no series has holds the last price with
 * no volume. Throws TapeError when the first hour is in no series.
 */
export function candlePath(
  market: string,
  series: readonly (readonly CandleRow[])[],
  range: { readonly startAtMs: number; readonly endAtMs: number },
): CandlePath {
  const startAtMs = Math.floor(range.startAtMs / HOUR_MS) * HOUR_MS;
  const hours = Math.floor((range.endAtMs - startAtMs) / HOUR_MS) + 1;
  let path: (CandleRow | undefined)[] = new Array<CandleRow | undefined>(hours).fill(undefined);
  for (const rows of series) path = fillHoles(path, byHour(rows, startAtMs, hours));

  const candles: CandleRow[] = [];
  for (let hour = 0; hour < hours; hour++) {
    const candle = path[hour];
    const before = candles[hour - 1];
    if (candle !== undefined) candles.push(candle);
    else if (before !== undefined) candles.push(flat(before, startAtMs + hour * HOUR_MS));
    else {
      const first = path.find((known) => known !== undefined)?.openAtMs;
      throw new TapeError(
        `candles of ${market} must cover the start of the tape (${startAtMs} ms), ` +
          (first === undefined ? 'there are none in its range' : `began at ${first} ms`),
      );
    }
  }
  return { startAtMs, candles };
}

/** Price at an instant: open, then the nearer extreme against the candle's direction, the other one, close; straight lines. */
export function priceAt(path: CandlePath, calendarMs: number): number {
  const { candle, fraction } = locate(path, calendarMs);
  const rising = candle.close >= candle.open;
  const points = rising
    ? [candle.open, candle.low, candle.high, candle.close]
    : [candle.open, candle.high, candle.low, candle.close];
  const place = fraction * 3;
  const index = Math.min(2, Math.floor(place));
  const from = points[index] ?? candle.open;
  const to = points[index + 1] ?? candle.close;
  return from + (to - from) * (place - index);
}

/** Quote value traded in the 24 hours up to an instant, at each hour's close. */
export function volume24hQuote(path: CandlePath, calendarMs: number): number {
  const hour = Math.min(path.candles.length, Math.max(1, Math.floor((calendarMs - path.startAtMs) / HOUR_MS)));
  let sum = 0;
  for (const candle of path.candles.slice(Math.max(0, hour - 24), hour)) sum += candle.volume * candle.close;
  return sum;
}

function locate(path: CandlePath, calendarMs: number): { readonly candle: CandleRow; readonly fraction: number } {
  const offset = (calendarMs - path.startAtMs) / HOUR_MS;
  const hour = Math.min(path.candles.length - 1, Math.max(0, Math.floor(offset)));
  const candle = path.candles[hour];
  if (candle === undefined) throw new RangeError('a candle path has at least one candle');
  return { candle, fraction: Math.min(1, Math.max(0, offset - hour)) };
}

function byHour(rows: readonly CandleRow[], startAtMs: number, hours: number): (CandleRow | undefined)[] {
  const found = new Array<CandleRow | undefined>(hours).fill(undefined);
  for (const row of rows) {
    const hour = (row.openAtMs - startAtMs) / HOUR_MS;
    if (hour >= 0 && hour < hours) found[hour] = row;
  }
  return found;
}

function fillHoles(
  first: readonly (CandleRow | undefined)[],
  second: readonly (CandleRow | undefined)[],
): (CandleRow | undefined)[] {
  const filled = [...first];
  for (let hour = 0; hour < filled.length; hour++) {
    if (first[hour] !== undefined) continue;
    let end = hour;
    while (end < first.length && first[end] === undefined) end += 1;
    const ratioBefore = ratio(first[hour - 1]?.close, second[hour - 1]?.close);
    const ratioAfter = ratio(first[end]?.open, second[end]?.open);
    for (let hole = hour; hole < end; hole++) {
      const candle = second[hole];
      if (candle === undefined) continue;
      const weight = (hole - hour + 1) / (end - hour + 1);
      const before = ratioBefore ?? ratioAfter ?? 1;
      const after = ratioAfter ?? ratioBefore ?? 1;
      filled[hole] = scaled(candle, before + (after - before) * weight);
    }
    hour = end;
  }
  return filled;
}

function ratio(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? undefined : first / second;
}

function scaled(candle: CandleRow, factor: number): CandleRow {
  const { open, high, low, close } = candle;
  return { ...candle, open: open * factor, high: high * factor, low: low * factor, close: close * factor };
}

function flat(before: CandleRow, openAtMs: number): CandleRow {
  const price = before.close;
  return { base: before.base, openAtMs, open: price, high: price, low: price, close: price, volume: 0 };
}
