/** The kinds of reads that can serve more than one asker, and how many of them did. Any thread. */
import type { ReadSource, ReadStatistics } from '../ports/ports.ts';

export const READ_SOURCES: readonly ReadSource[] = ['metadata', 'balances', 'positions', 'tickers'];

/** Returns which part of all that was asked was answered without a request of its own, 0 to 1; 1 where nothing was asked. */
export function hitRate(statistics: Readonly<Record<ReadSource, ReadStatistics>>): number {
  let served = 0;
  let asked = 0;
  for (const source of READ_SOURCES) {
    const { hits, shared, misses } = statistics[source];
    served += hits + shared;
    asked += hits + shared + misses;
  }
  return asked === 0 ? 1 : served / asked;
}
