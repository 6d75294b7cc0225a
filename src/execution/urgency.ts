/**
 * How closely a pair's orders and positions are watched: the nearer it is to danger, the more often venues are asked. Pure, any thread.
 *
 * The first row that fits decides (a test holds this table and the code against each other):
 *
 * | pair | urgency |
 * | ---- | ------- |
 * | something of it stands alone | urgent |
 * | open, in danger | urgent |
 * | open, danger nearing | busy |
 * | open | calm |
 * | under way | busy |
 */
import type { Pair } from './pair.ts';
import type { ExecutionPolicy } from './policy.ts';

/** urgent: something stands alone, or is about to end the pair. busy: orders are under way, or halfway there. calm: open and whole. */
export type Urgency = 'urgent' | 'busy' | 'calm';

/** `danger`: how near an open pair is to its liquidation, its stop and its profit to take. */
export function urgencyOf(pair: Pair, danger: Urgency): Urgency {
  if (pair.timing.exposure.sinceMs !== undefined) return 'urgent';
  return pair.record.phase === 'OPEN' ? danger : 'busy';
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
