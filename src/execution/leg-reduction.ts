/**
 * What was taken from a pair's leg without an order of ours: by the venue (liquidation, auto-deleveraging) or by somebody trading on
 * the same account. Folded from journal rows; the symbol is not entered again until a person has cleared it. Pure, any thread.
 */
import type { FactRow, LegKey, LegSide } from './facts.ts';

/** `external`: the venue gave no cause, and the leg was far from liquidation. */
export type ReductionCause = 'liquidation' | 'adl' | 'external';

export interface LegReduction extends LegKey {
  readonly pairId: string;
  readonly leg: LegSide;
  readonly cause: ReductionCause;
  /** Lots that were taken, above 0. */
  readonly takenLots: number;
  /** Signed lots the pair has left on this leg. */
  readonly leftLots: number;
  /** Calendar ms. */
  readonly atMs: number;
  /** What proves it, in words. */
  readonly evidence: string;
}

/** Uncleared reductions remembered: more of them say nothing that these do not. */
const REDUCTIONS_MAX = 64;

/** Adds one reduction; the newest are kept. */
export function addReduction(reductions: readonly LegReduction[], reduction: LegReduction): readonly LegReduction[] {
  return [...reductions, reduction].slice(-REDUCTIONS_MAX);
}

export interface ReductionFold {
  /** Uncleared. */
  readonly legReductions: readonly LegReduction[];
  /** When a person last cleared what blocks entries, calendar ms; 0 when never. */
  readonly clearedAtMs: number;
}

export const noReductions: ReductionFold = { legReductions: [], clearedAtMs: 0 };

/** Adds the next of one symbol's rows in sequence order. */
export function foldReductionRow(fold: ReductionFold, row: FactRow): ReductionFold {
  if (row.type !== 'leg-reduction') return fold;
  // One writer: the position actor, in exactly this shape.
  const payload = row.payload as { readonly reduction?: LegReduction; readonly cleared?: string };
  if (payload.cleared !== undefined) return { legReductions: [], clearedAtMs: Math.max(fold.clearedAtMs, row.atMs) };
  if (payload.reduction === undefined) return fold;
  return { ...fold, legReductions: addReduction(fold.legReductions, payload.reduction) };
}

/** What one pair suffered, as its state machine needs it. */
export interface PairReductions {
  /** So far; grows by one with each. */
  readonly count: number;
  /** At least one was a liquidation: the venue is taking the rest too. */
  readonly liquidated: boolean;
}

export function reductionsOfPair(reductions: readonly LegReduction[], pairId: string): PairReductions {
  const own = reductions.filter((reduction) => reduction.pairId === pairId);
  return { count: own.length, liquidated: own.some(({ cause }) => cause === 'liquidation') };
}

/** Returns why the symbol must not be entered, in words; empty when it may. */
export function entryBlockOf(reductions: readonly LegReduction[]): string {
  const last = reductions.at(-1);
  if (last === undefined) return '';
  return `${last.venue} took ${last.takenLots} lots of ${last.symbol} (${last.cause}) from pair ${last.pairId}; a person must clear it`;
}
