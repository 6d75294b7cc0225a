/**
 * How long does it take to learn everything about ten symbols that nothing is known of?
 *
 *   ten watchers, one a symbol --8 reads each--> [door: shared reads, 20 at a time] --> venue 20 ms away (40 ms there and back)
 *   baseline: the same 80 reads one after the other on one warm connection, in the same run
 *
 * Realistic because it is what a start asks of a venue: instruments, fees, positions, balance and open orders concern all symbols alike
 * and are read once, price, funding and leverage are each symbol's own. The venue's limits are left out here; they are what EX-16 of
 * the domain says: such a refresh may not be repeated more than a few times a minute.
 */
import { measure } from './edge/refresh.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'refresh';

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure({ runs: 5, symbols: 10 }, progress);
}
