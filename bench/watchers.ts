/**
 * How many requests do 39 watchers in 13 groups cost a cycle?
 *
 *   39 watchers --reconcile-symbol--> 5 connectors (lighter, extended, bybit main and mirror, hyperliquid)
 *                                        --one comparison each--> 4 simulated venues, in virtual time
 *   baseline: every watcher asks for what it needs by itself
 *
 * Realistic because they are the real connectors and venues, and a watcher is what a position is to a connector: it wants fills,
 * funding payments, its position, the balance and the open orders, all from after its asking. A group is one symbol of one account.
 */
import { measure } from './edge/watchers.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'watchers';

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return Promise.resolve(measure({ cycles: 20, watchers: 39, groups: 13 }, progress));
}
