/**
 * A level that is told once it has lasted: what moves about a threshold crosses it many times a minute, and each crossing would be a
 * line in the log. Pure, immutable values, any thread.
 *
 * Levels are ranks from 0. What is told rises to the highest level that has been reached or surpassed for long enough without a pause,
 * and falls to the lowest one that has not been surpassed for as long: what trembles between two is told as the lower one, once.
 */

export interface LastingLevel {
  /** The rank that was told. */
  readonly told: number;
  /** The rank of the last moment. */
  readonly now: number;
  /** By rank: since when the level has been this high or higher without a pause, this low or lower; undefined: it is not. Monotonic ms. */
  readonly atLeastSinceMs: readonly (number | undefined)[];
  readonly atMostSinceMs: readonly (number | undefined)[];
}

/** Rank 0, of which nobody need be told. */
export const lowestLevel: LastingLevel = { told: 0, now: 0, atLeastSinceMs: [], atMostSinceMs: [] };

/** Takes up the rank of this moment, of `ranks` many. A level must last `lastsMs`, monotonic, before it is `told`. O(ranks). */
export function noteLevel(
  before: LastingLevel,
  rank: number,
  { ranks, lastsMs }: { readonly ranks: number; readonly lastsMs: number },
  monotonicMs: number,
): LastingLevel {
  const level = rank === before.now ? before : turned(before, rank, ranks, monotonicMs);
  const { told, atLeastSinceMs, atMostSinceMs } = level;
  const lasts = (sinceMs: number | undefined): boolean => sinceMs !== undefined && monotonicMs - sinceMs >= lastsMs;
  let next = told;
  for (let one = ranks - 1; one > told && next === told; one--) if (lasts(atLeastSinceMs[one])) next = one;
  for (let one = 0; one < told && next === told; one++) if (lasts(atMostSinceMs[one])) next = one;
  return next === told ? level : { ...level, told: next };
}

function turned(before: LastingLevel, rank: number, ranks: number, monotonicMs: number): LastingLevel {
  const all = Array.from({ length: ranks }, (_, one) => one);
  return {
    told: before.told,
    now: rank,
    atLeastSinceMs: all.map((one) => (rank >= one ? (before.atLeastSinceMs[one] ?? monotonicMs) : undefined)),
    atMostSinceMs: all.map((one) => (rank <= one ? (before.atMostSinceMs[one] ?? monotonicMs) : undefined)),
  };
}
