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

/** Rebuilds the uncleared reductions from one symbol's rows in sequence order. */
export function foldReductions(rows: readonly FactRow[]): readonly LegReduction[] {
  let reductions: readonly LegReduction[] = [];
  for (const row of rows) {
    if (row.type !== 'leg-reduction') continue;
    // One writer: the position actor, in exactly this shape.
    const payload = row.payload as { readonly reduction?: LegReduction; readonly cleared?: string };
    if (payload.cleared !== undefined) reductions = [];
    else if (payload.reduction !== undefined) reductions = addReduction(reductions, payload.reduction);
  }
  return reductions;
}

/** Returns when a person last cleared what blocks entries, calendar ms; 0 when never. */
export function foldCleared(rows: readonly FactRow[]): number {
  return rows.reduce((last, { type, atMs, payload }) => {
    return type === 'leg-reduction' && payload['cleared'] !== undefined ? Math.max(last, atMs) : last;
  }, 0);
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
