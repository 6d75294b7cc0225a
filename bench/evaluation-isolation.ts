/**
 * Does a long evaluation on the trading thread delay the thread that serves the sockets?
 *
 *   venue thread          io thread                    trading thread            store, main
 *   2 venues, 5 symbols --ws-> [2 connectors] --books--> [strategy, positions, guard]
 *                              [probe]                   [evaluation: busy 100 ms in every 300]
 *   harm shown by:             [the same evaluation here]
 *
 * Realistic because the engine is whole: its own connectors, trading actors, journal and observer with the settings of paper.yaml,
 * both venues streaming over loopback. A strategy that computes for 100 ms without a pause is what isolation has to stand. The
 * trading thread reads nothing meanwhile, so the io thread also meets full lanes and a reader that does not answer its wake-ups.
 *
 * A delay is what a timer of the io thread's event loop is late by, sampled every 10 ms: the number that `/debug/threads` shows.
 * Windows without evaluations, with them on the trading thread and with them on the io thread take turns in one run.
 */
import { measure, type Measurement } from './evaluation-isolation/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'evaluation-isolation';

const FULL: Measurement = { rounds: 7, windowMs: 6_000, warmUpMs: 4_000, busyMs: 100, everyMs: 300 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
