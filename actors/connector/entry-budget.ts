/**
 * Whether one more entry fits into the budgets of this venue now, its worst unwinding included, beside the entries that are under
 * way (domain 7.2 step 2, gate 24). What an entry may need is kept for it while it is being opened. Connector thread.
 */
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import { instant, keepNewest, submissionLimiter } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Requests of one entry at one venue: an open; a cancel, an undoing and their repeats; questions about what became of them. */
const NEEDED: readonly (readonly [kind: 'submissions' | 'questions', count: number, priority: RequestPriority])[] = [
  ['submissions', 1, 3],
  ['submissions', 1 + 4, 0],
  ['questions', 4, 2],
];
/** An entry keeps its budget for as long as it may be half open, monotonic ms. */
const KEPT_MS = 15_000;
const KEPT_MAX = 256;

/** An opening order of this pair was taken: what its unwinding may need is its own from now on. */
export function keepEntryBudget(state: ConnectorState, self: ConnectorSelf, pairId: string): void {
  state.openingPairs.set(pairId, self.monotonicMs() + KEPT_MS);
  keepNewest(state.openingPairs, KEPT_MAX);
}

/** Returns whether another entry's requests are free now. */
export function isEntryBudgetFree(state: ConnectorState, self: ConnectorSelf): boolean {
  const now = self.monotonicMs();
  for (const [pairId, untilMs] of state.openingPairs) if (now >= untilMs) state.openingPairs.delete(pairId);
  const entries = state.openingPairs.size + 1;
  const questionWeight = weightOfQuestion(state, self);
  return NEEDED.every(([kind, count, priority]) => {
    const limiter = kind === 'submissions' ? submissionLimiter(state) : state.restLimiter;
    const weight = count * (kind === 'submissions' ? 1 : questionWeight);
    const { addressLimiter } = state;
    if (addressLimiter !== undefined && addressLimiter.room(priority, now) < entries * count) return false;
    // A profile too small for one entry would never be entered: half of what such requests may use must do then.
    return limiter.room(priority, now) >= entries * Math.min(weight, limiter.allowed(priority) / 2);
  });
}

/** What asking about one order costs here: the same for all, so it is reckoned once. */
function weightOfQuestion(state: ConnectorState, self: ConnectorSelf): number {
  if (state.questionWeight > 0) return state.questionWeight;
  const [symbol] = state.instruments.keys();
  if (symbol === undefined) return 1;
  state.questionWeight = state.adapter
    .findOrder(symbol, '1', instant(self))
    .reduce((sum, { weight }) => sum + weight, 0);
  return state.questionWeight;
}
