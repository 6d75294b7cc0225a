/** Settlements of one market in time order, found by instant; made from recorded rows. Pure; any thread. */
import type { TapeSettlement } from './market-tape.ts';
import type { FundingRow } from './tape-rows.ts';

const HOUR_MS = 3_600_000;

/**
 * Turns recorded rows of one venue and base into settlements.
 *
 * Without `intervalMs` each row settles once, at its own interval. With it the market settles on that grid whatever the
 * recording did: a row's rate is scaled to the grid's interval and holds until the next row. In both cases a hole is
 * filled with the last known rate.
 */
export function settlementsFromRows(
  rows: readonly FundingRow[],
  range: { readonly endAtMs: number; readonly intervalMs?: number },
): TapeSettlement[] {
  const native = nativeIntervals(rows);
  const settlements: TapeSettlement[] = [];
  rows.forEach((row, index) => {
    const nativeMs = native[index] ?? HOUR_MS;
    const intervalMs = range.intervalMs ?? nativeMs;
    const ratePico = intervalMs === nativeMs ? row.ratePico : Math.round((row.ratePico * intervalMs) / nativeMs);
    const nextAtMs = rows[index + 1]?.settleAtMs;
    const first = range.intervalMs === undefined ? row.settleAtMs : Math.ceil(row.settleAtMs / intervalMs) * intervalMs;
    // The next row's own time is left to it, and so is the stretch of its own interval before it.
    const untilMs = nextAtMs ?? range.endAtMs + 1;
    const nextCoversMs = nextAtMs === undefined || range.intervalMs !== undefined ? 0 : (native[index + 1] ?? 0) - 1;
    settlements.push(...steps(first, Math.max(first + 1, untilMs - nextCoversMs), intervalMs, ratePico));
  });
  return settlements.filter(
    (settlement, index) =>
      settlement.settleAtMs !== settlements[index - 1]?.settleAtMs && settlement.settleAtMs <= range.endAtMs,
  );
}

function steps(firstAtMs: number, untilMs: number, intervalMs: number, ratePico: number): TapeSettlement[] {
  const found: TapeSettlement[] = [];
  for (let settleAtMs = firstAtMs; settleAtMs < untilMs; settleAtMs += intervalMs) {
    found.push({ settleAtMs, ratePico, intervalMs });
  }
  return found;
}

/**
 * The interval each row's rate is for. A stated interval counts when a neighbour has the same one; alone it is a hole in
 * the recording (an hourly series with a missing hour states 2), and the interval before it goes on.
 */
function nativeIntervals(rows: readonly FundingRow[]): number[] {
  const stated = rows.map((row, index) => {
    const hours = row.intervalHours;
    const agrees = hours === rows[index - 1]?.intervalHours || hours === rows[index + 1]?.intervalHours;
    return hours !== undefined && (agrees || rows.length < 3) ? hours * HOUR_MS : undefined;
  });
  let before = stated.find((interval) => interval !== undefined) ?? HOUR_MS;
  return stated.map((interval) => (before = interval ?? before));
}

/** Returns how many settlements are at or before an instant: the index of the first one after it. */
export function countAtOrBefore(settlements: readonly TapeSettlement[], calendarMs: number): number {
  let low = 0;
  let high = settlements.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((settlements[middle]?.settleAtMs ?? Infinity) <= calendarMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
