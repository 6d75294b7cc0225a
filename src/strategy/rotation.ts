/**
 * When a pair is closed to make room for a better one: domain section 10, row 10. The better pair is entered by the ordinary way once
 * the worse one is closed, so that never more than one of them is half done. Pure, any thread.
 */

export interface RotationPolicy {
  /** What a rotation must gain beyond all its costs, quote. */
  readonly marginQuote: number;
  /** Rotations within 24 calendar hours; 0 turns rotation off. */
  readonly perDay: number;
  /** How long one pair must have been worth leaving without a break, monotonic ms. */
  readonly confirmMs: number;
  /** Calendar hours a pair is held at least. */
  readonly minHoldHours: number;
}

/** An open pair as seen by what staying in it brings. Quote. */
export interface HeldPair {
  readonly base: string;
  readonly pairId: string;
  /** Calendar ms. */
  readonly openedAtMs: number;
  /** Conservative V_hold over the horizon of entries. */
  readonly holdQuote: number;
  /** Cost of closing now against mid, fees included. */
  readonly exitCostQuote: number;
}

/** The best that could be entered instead. */
export interface Replacement {
  /** For words, for example `ETH lighter/bybit`. */
  readonly name: string;
  /** EV over the same horizon: its own entry and exit are paid in it. */
  readonly expectedValueQuote: number;
}

export interface RotationWatch {
  /** The pair found worth leaving, and since when (monotonic ms). */
  readonly pairId: string;
  readonly sinceMs: number;
}

export const noRotation: RotationWatch = { pairId: '', sinceMs: 0 };

/** Calendar ms over which rotations are counted. */
export const ROTATION_DAY_MS = 24 * 3_600_000;

/** Returns what leaving one pair for another gains, quote: what is left over after every cost of both. */
export function rotationGain(held: HeldPair, replacement: Replacement): number {
  return replacement.expectedValueQuote - held.holdQuote - held.exitCostQuote;
}

/** Returns the pair whose leaving costs least: less to come, or less to pay on the way out. */
export function weakestPair(pairs: readonly HeldPair[], policy: RotationPolicy, nowMs: number): HeldPair | undefined {
  const old = pairs.filter((pair) => nowMs - pair.openedAtMs >= policy.minHoldHours * 3_600_000);
  return old.reduce<HeldPair | undefined>((weakest, pair) => {
    if (weakest === undefined) return pair;
    return pair.holdQuote + pair.exitCostQuote < weakest.holdQuote + weakest.exitCostQuote ? pair : weakest;
  }, undefined);
}

/**
 * Judges one pair against its best replacement. `rotatedAtMs` are the rotations of the past, calendar ms. Returns the watch to keep,
 * and why to leave, in words, once the gain has lasted.
 */
export function judgeRotation(
  watch: RotationWatch,
  offer: { readonly held: HeldPair; readonly replacement: Replacement } | undefined,
  policy: RotationPolicy,
  rotatedAtMs: readonly number[],
  at: { readonly nowMs: number; readonly monotonicMs: number },
): { readonly watch: RotationWatch; readonly detail?: string } {
  if (offer === undefined) return { watch: noRotation };
  const { held, replacement } = offer;
  const gain = rotationGain(held, replacement);
  if (!(gain > policy.marginQuote)) return { watch: noRotation };
  const kept = watch.pairId === held.pairId ? watch : { pairId: held.pairId, sinceMs: at.monotonicMs };
  const today = rotatedAtMs.filter((rotatedAt) => at.nowMs - rotatedAt < ROTATION_DAY_MS).length;
  if (today >= policy.perDay || at.monotonicMs - kept.sinceMs < policy.confirmMs) return { watch: kept };
  const words = [replacement.expectedValueQuote, held.holdQuote, held.exitCostQuote, policy.marginQuote].map((quote) =>
    quote.toFixed(3),
  );
  const detail = `${replacement.name} brings ${words[0]}, staying ${words[1]}, leaving costs ${words[2]}: more than ${words[3]} gained, ${today + 1} of ${policy.perDay} today`;
  return { watch: kept, detail };
}
