/**
 * When an order without news becomes unknown, is asked about, and is given up as lost; when a cancel is repeated. Pure, any thread.
 *
 * An order that rests is no news by itself: it is looked after by the regular comparisons, and counts as unanswered only once its
 * end is due, because it was cancelled or its time is over.
 *
 * The first row that fits decides (a test holds this table and the code against each other):
 *
 * | order | time | action |
 * | ----- | ---- | ------ |
 * | not sent, settled | any | wait |
 * | rests, not cancelled | its end is not due | wait |
 * | any | no answer is due | wait |
 * | sent, open | any | unanswered |
 * | unknown, no stop | resolving took too long | lost |
 * | unknown, no stop | questions spent, death provable | lost |
 * | any | asked a moment ago | wait |
 * | any | any | resolve |
 */
import { isLive, isSettled, isUnresolved } from './order-state.ts';
import type { OrderState } from './order-state.ts';
import { isStop } from './protective-stop.ts';
import type { OrderWatchPolicy } from './policy.ts';

/** Monotonic times of one order in this life of its actor. */
export interface OrderWatch {
  /** Handed over, or taken over by recovery. */
  readonly sinceMs: number;
  readonly lastAskedAtMs: number;
  /** Questions asked since it became unknown. */
  readonly asked: number;
  /** Its cancel was asked for first, and last; absent before. */
  readonly cancelledAtMs?: number;
  readonly cancelSentAtMs?: number;
}

export type OrderWatchAction = 'wait' | 'unanswered' | 'resolve' | 'lost';

/** A request is proven dead at the earliest this long after its validity, ms: no number of questions counts before. */
const PROVABLE_MS = 3_000;
/** Repeats lose nothing: a connector that already resolves the order joins them; one that restarted forgot the first. */
const ASK_AGAIN_MS = 2_000;
/** A cancel without effect is sent again after this: a repeat costs one request, an order that rests on can be filled. */
const CANCEL_AGAIN_MS = 1_000;

/** True when the venue should be asked (again) to cancel the order. */
export function isCancelDue(order: OrderState, watch: OrderWatch, monotonicMs: number): boolean {
  if (!order.cancelRequested || !isLive(order)) return false;
  return monotonicMs - (watch.cancelSentAtMs ?? Number.NEGATIVE_INFINITY) >= CANCEL_AGAIN_MS;
}

/**
 * Returns what is due now. `validityLeftMs` is the monotonic time until the venue must refuse the request, and a resting order has
 * ended (negative once passed): an order cannot be given up before its death could have been proven.
 */
export function watchOrder(
  order: OrderState,
  watch: OrderWatch,
  monotonicMs: number,
  validityLeftMs: number,
  policy: OrderWatchPolicy,
): OrderWatchAction {
  if (isSettled(order) || order.status === 'PLANNED') return 'wait';
  const isResting = order.planned.restsUntilMs !== undefined && order.status === 'OPEN';
  if (isResting && !order.cancelRequested && validityLeftMs > 0) return 'wait';
  const age = monotonicMs - (isResting ? (watch.cancelledAtMs ?? watch.sinceMs) : watch.sinceMs);
  if (age < policy.ackMs) return 'wait';
  if (isLive(order) && !isUnresolved(order)) return 'unanswered';
  // A stop is asked about until its venue knows: nothing waits for it, and a second one beside it would be one too many.
  if (order.status === 'UNKNOWN' && !isStop(order)) {
    const isTimeSpent = age >= policy.ackMs + policy.resolveMs && -validityLeftMs >= policy.resolveMs;
    const areQuestionsSpent = watch.asked >= policy.resolveQueries && -validityLeftMs >= PROVABLE_MS;
    if (isTimeSpent || areQuestionsSpent) return 'lost';
  }
  return monotonicMs - watch.lastAskedAtMs >= ASK_AGAIN_MS ? 'resolve' : 'wait';
}
