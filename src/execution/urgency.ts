/** How closely a pair's orders and positions are watched: the nearer it is to danger, the more often venues are asked. Pure, any thread. */
import type { Pair } from './pair.ts';
import type { ExecutionPolicy } from './policy.ts';

/** urgent: something stands alone. busy: orders are under way, or a leg is near its liquidation. calm: open and whole. */
export type Urgency = 'urgent' | 'busy' | 'calm';

/** `isNearLiquidation`: a leg is within the warning distance. */
export function urgencyOf(pair: Pair, isNearLiquidation: boolean): Urgency {
  if (pair.timing.exposure.sinceMs !== undefined) return 'urgent';
  return pair.record.phase === 'OPEN' && !isNearLiquidation ? 'calm' : 'busy';
}

/** Returns the pause between two looks at what is unsettled, monotonic ms. */
export function watchPauseMs(urgency: Urgency, { reconcile }: Pick<ExecutionPolicy, 'reconcile'>): number {
  switch (urgency) {
    case 'urgent':
      return reconcile.urgentIntervalMs;
    case 'busy':
      return reconcile.busyIntervalMs;
    case 'calm':
      return reconcile.intervalMs;
  }
}
