/** How much unhedged notional times time a UTC day has seen, all pairs together (domain 7.5, 12.2). Pure functions, any thread. */

export interface ExposureDay {
  /** UTC day number since the epoch. */
  readonly day: number;
  /** Quote x seconds of that day. */
  readonly quoteSec: number;
  /** What each base's pair had told when last heard. Its count starts with the pair and goes on, from its journal, in every life. */
  readonly heard: ReadonlyMap<string, { readonly pairId: string; readonly quoteSec: number }>;
}

export const emptyExposureDay: ExposureDay = { day: 0, quoteSec: 0, heard: new Map() };

const DAY_MS = 86_400_000;

/** Adds what a pair has gathered since it was last heard. `nowMs` is calendar time; a new day starts from nothing. */
export function observeExposureDay(
  before: ExposureDay,
  pair: { readonly base: string; readonly pairId: string; readonly exposureQuoteSec: number },
  nowMs: number,
): ExposureDay {
  const today = exposureOn(before, nowMs);
  const known = today.heard.get(pair.base);
  const counted = known?.pairId === pair.pairId ? known.quoteSec : 0;
  // Less than was heard: a new life that begins at the last row. What it lacks was counted already.
  const added = Math.max(0, pair.exposureQuoteSec - counted);
  const heard = new Map(today.heard).set(pair.base, { pairId: pair.pairId, quoteSec: pair.exposureQuoteSec });
  return { ...today, quoteSec: today.quoteSec + added, heard };
}

/** Returns the sums of the day that `nowMs` falls in. */
export function exposureOn(before: ExposureDay, nowMs: number): ExposureDay {
  const day = Math.floor(nowMs / DAY_MS);
  return day === before.day ? before : { ...before, day, quoteSec: 0 };
}

/** Returns the broken budget with its value, or undefined while there is some left. */
export function spentExposureBudget(day: ExposureDay, maxQuoteSec: number): string | undefined {
  if (day.quoteSec < maxQuoteSec) return undefined;
  return `EXPOSURE_BUDGET: ${day.quoteSec.toFixed(0)} of ${maxQuoteSec} quote x s unhedged today`;
}
