/** The settled rates of one instrument over the lookback, with their median kept ready. Immutable values, any thread. */

/** One settlement; `hourly` in pico units per hour, signed. */
export interface SettledRate {
  readonly settleAtMs: number;
  readonly hourly: number;
}

export interface FundingHistory {
  /** Oldest first, one per settlement. */
  readonly settled: readonly SettledRate[];
  /** The same hourly rates in rising order: the median is its middle. */
  readonly sortedHourly: readonly number[];
}

export const emptyFundingHistory: FundingHistory = { settled: [], sortedHourly: [] };

/** More settlements than any lookback needs (a month of hours); the oldest leave first. */
const SETTLEMENTS_MAX = 744;

/** Adds one settlement and lets those older than the lookback go. A settlement known already keeps its first value. */
export function addSettledRate(history: FundingHistory, rate: SettledRate, lookbackMs: number): FundingHistory {
  const at = firstIndex(
    history.settled.length,
    (index) => (history.settled[index]?.settleAtMs ?? 0) >= rate.settleAtMs,
  );
  if (history.settled[at]?.settleAtMs === rate.settleAtMs) return history;

  const settled = history.settled.toSpliced(at, 0, rate);
  const newestAtMs = settled.at(-1)?.settleAtMs ?? rate.settleAtMs;
  const keptFrom = Math.max(
    firstIndex(settled.length, (index) => (settled[index]?.settleAtMs ?? 0) > newestAtMs - lookbackMs),
    settled.length - SETTLEMENTS_MAX,
  );
  const sortedHourly = inserted(history.sortedHourly, rate.hourly);
  for (const gone of settled.slice(0, keptFrom)) removeOne(sortedHourly, gone.hourly);
  return { settled: settled.slice(keptFrom), sortedHourly };
}

/** Returns the median hourly rate in pico units; undefined without settlements. */
export function medianHourly(history: FundingHistory): number | undefined {
  const { sortedHourly } = history;
  const upper = sortedHourly[sortedHourly.length >> 1];
  const lower = sortedHourly[(sortedHourly.length - 1) >> 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/**
 * Returns how many settlements in a row, counted back from the newest, paid a pair that is long `long` and short `short`;
 * at most `max`. Intervals may differ: at each settlement of either leg the other's latest rate counts.
 */
export function favourableSettlements(long: FundingHistory, short: FundingHistory, max: number): number {
  let [one, other] = [long.settled.length - 1, short.settled.length - 1];
  let streak = 0;
  // Both lists backwards, together: at the newer of two settlements the older one's rate is the one in force.
  while (streak < max && (one >= 0 || other >= 0)) {
    const oneAtMs = long.settled[one]?.settleAtMs ?? -Infinity;
    const otherAtMs = short.settled[other]?.settleAtMs ?? -Infinity;
    const paid = long.settled[one]?.hourly;
    const received = short.settled[other]?.hourly;
    if (received === undefined || paid === undefined || received - paid <= 0) break;
    streak += 1;
    if (oneAtMs >= otherAtMs) one -= 1;
    if (otherAtMs >= oneAtMs) other -= 1;
  }
  return streak;
}

/** Returns the first index in 0..length for which `isPast` holds; it must hold for all after it. */
function firstIndex(length: number, isPast: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isPast(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function inserted(sorted: readonly number[], value: number): number[] {
  return sorted.toSpliced(
    firstIndex(sorted.length, (index) => (sorted[index] ?? 0) >= value),
    0,
    value,
  );
}

function removeOne(sorted: number[], value: number): void {
  sorted.splice(
    firstIndex(sorted.length, (index) => (sorted[index] ?? 0) >= value),
    1,
  );
}
