/**
 * What a restarted position actor does once its journal is folded and its venues are compared (domain 14.2). Pure, any thread.
 *
 * The first row that applies decides (a test holds this table and the code against each other). Undecided: a venue has not answered;
 * and of an entry besides, an order's outcome is open, or nothing is filled and yet the positions are not what they should be.
 * What a venue holds that is no pair's is not this table's: it is watched for at all times (`watchExternalExposure`).
 *
 * | phase | facts | action |
 * | ----- | ----- | ------ |
 * | PREFLIGHT, OPENING, OPEN, REBALANCING, CLOSING, UNWINDING, QUARANTINED | undecided, exposed too long | quarantine |
 * | PREFLIGHT, OPENING, OPEN, REBALANCING, CLOSING, UNWINDING, QUARANTINED | undecided, waited too long | quarantine |
 * | IDLE, PREFLIGHT, OPENING, OPEN, REBALANCING, CLOSING, UNWINDING, QUARANTINED, CLOSED, FAILED | undecided | wait |
 * | IDLE, CLOSED, FAILED | nothing of ours is open | idle |
 * | PREFLIGHT, OPENING | an order is lost | continue |
 * | PREFLIGHT, OPENING | nothing filled | fail |
 * | PREFLIGHT, OPENING | positions differ from fills | unwind |
 * | PREFLIGHT, OPENING | legs are equal | open |
 * | PREFLIGHT, OPENING | too old to complete | unwind |
 * | PREFLIGHT, OPENING | a gate refuses | unwind |
 * | PREFLIGHT, OPENING | one leg ahead | complete |
 * | OPEN, REBALANCING, CLOSING, UNWINDING, QUARANTINED | as journaled | continue |
 */
import type { PairPhase } from './pair.ts';

/** The facts of one restart. */
export interface RecoveryFacts {
  /** Phase of the newest pair; `IDLE` without one. */
  readonly phase: PairPhase;
  /** Every involved venue answered its comparison. */
  readonly compared: boolean;
  /** One venue gives no account and the other's leg may stand alone because of it. */
  readonly exposed: boolean;
  /** Monotonic ms since the venues were first asked; how long an exposure may wait for them, and anything at all. */
  readonly waitedMs: number;
  readonly exposedMsMax: number;
  readonly waitMsMax: number;
  /** Orders of the pair whose outcome is still open. */
  readonly unresolved: number;
  /** Orders of the pair that were given up without proof. */
  readonly lost: number;
  /** By our fills. */
  readonly filled: { readonly long: boolean; readonly short: boolean };
  /** Both legs hold the same amount of the underlying. */
  readonly balanced: boolean;
  /** The venues hold what our fills add up to. */
  readonly matches: boolean;
  /** Monotonic ms since the entry was decided, the time while dead included. */
  readonly ageMs: number;
  readonly completeMs: number;
  /** Why exposure may not be increased now; undefined when it may. */
  readonly increaseRefused: string | undefined;
}

export type RecoveryAction =
  /** Nothing may be concluded yet: ask again, send nothing. */
  | { readonly action: 'wait'; readonly reason: string }
  | { readonly action: 'idle' }
  | { readonly action: 'fail'; readonly reason: string }
  | { readonly action: 'open'; readonly reason: string }
  /** Go on opening: the state machine hedges what is missing. */
  | { readonly action: 'complete' }
  | { readonly action: 'unwind'; readonly reason: string }
  /** The venues were waited for long enough: act on what is known, and let the pair's quarantine find out the rest. */
  | { readonly action: 'quarantine'; readonly reason: string }
  /** Go on as journaled. */
  | { readonly action: 'continue' };

/** Returns the row of the table that applies. A failed query is never taken for a flat position. */
export function decideRecovery(facts: RecoveryFacts): RecoveryAction {
  const action = byTheTable(facts);
  const isEnded = facts.phase === 'IDLE' || facts.phase === 'CLOSED' || facts.phase === 'FAILED';
  if (action.action !== 'wait' || isEnded) return action;
  if (facts.exposed && facts.waitedMs >= facts.exposedMsMax)
    return { action: 'quarantine', reason: 'ONE_VENUE_SILENT' };
  if (facts.waitedMs >= facts.waitMsMax) return { action: 'quarantine', reason: 'RECOVERY_TOO_LONG' };
  return action;
}

function byTheTable(facts: RecoveryFacts): RecoveryAction {
  if (!facts.compared) return { action: 'wait', reason: 'a venue has not answered' };
  switch (facts.phase) {
    case 'IDLE':
    case 'CLOSED':
    case 'FAILED':
      return { action: 'idle' };
    case 'PREFLIGHT':
    case 'OPENING':
      return recoverOpening(facts);
    // An open pair whose legs changed meanwhile is handled like one that changes now.
    case 'OPEN':
    case 'REBALANCING':
    case 'CLOSING':
    case 'UNWINDING':
    case 'QUARANTINED':
      return { action: 'continue' };
  }
}

function recoverOpening(facts: RecoveryFacts): RecoveryAction {
  // The state machine quarantines a pair with a lost order.
  if (facts.lost > 0) return { action: 'continue' };
  if (facts.unresolved > 0) return { action: 'wait', reason: 'an order is unresolved' };
  if (!facts.filled.long && !facts.filled.short) {
    return facts.matches
      ? { action: 'fail', reason: 'NOT_FILLED' }
      : { action: 'wait', reason: 'positions differ from fills' };
  }
  // Whatever does not match is left to the state machine, which asks for positions until they are proven.
  if (!facts.matches) return { action: 'unwind', reason: 'RECOVERY_MISMATCH' };
  if (facts.balanced) return { action: 'open', reason: 'RECOVERED' };
  if (facts.ageMs >= facts.completeMs) return { action: 'unwind', reason: 'RECOVERY_TOO_LATE' };
  if (facts.increaseRefused !== undefined) return { action: 'unwind', reason: facts.increaseRefused };
  return { action: 'complete' };
}
