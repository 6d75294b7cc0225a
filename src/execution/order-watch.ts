/** When an order without news becomes unknown, is asked about, and is given up as lost. Pure, any thread. */
import { isLive, isSettled } from './order-state.ts';
import type { OrderState } from './order-state.ts';
import type { OrderWatchPolicy } from './policy.ts';

/** Monotonic times of one order in this life of its actor. */
export interface OrderWatch {
  /** Handed over, or taken over by recovery. */
  readonly sinceMs: number;
  readonly lastAskedAtMs: number;
  /** Questions asked since it became unknown. */
  readonly asked: number;
}

export type OrderWatchAction = 'wait' | 'unanswered' | 'resolve' | 'lost';

/** A request is proven dead at the earliest this long after its validity, ms: no number of questions counts before. */
const PROVABLE_MS = 3_000;
/** Repeats lose nothing: a connector that already resolves the order joins them; one that restarted forgot the first. */
const ASK_AGAIN_MS = 2_000;

/**
 * Returns what is due now. `validityLeftMs` is the monotonic time until the venue must refuse the request (negative once passed):
 * an order cannot be given up before its death could have been proven.
 */
export function watchOrder(
  order: OrderState,
  watch: OrderWatch,
  monotonicMs: number,
  validityLeftMs: number,
  policy: OrderWatchPolicy,
): OrderWatchAction {
  if (isSettled(order) || order.status === 'PLANNED') return 'wait';
  const age = monotonicMs - watch.sinceMs;
  if (age < policy.ackMs) return 'wait';
  if (isLive(order) && order.status !== 'UNKNOWN' && order.status !== 'LOST') return 'unanswered';
  if (order.status === 'UNKNOWN') {
    const isTimeSpent = age >= policy.ackMs + policy.resolveMs && -validityLeftMs >= policy.resolveMs;
    const areQuestionsSpent = watch.asked >= policy.resolveQueries && -validityLeftMs >= PROVABLE_MS;
    if (isTimeSpent || areQuestionsSpent) return 'lost';
  }
  return monotonicMs - watch.lastAskedAtMs >= ASK_AGAIN_MS ? 'resolve' : 'wait';
}
