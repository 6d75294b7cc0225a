/**
 * Does a long evaluation on the trading thread delay the thread that serves the sockets?
 *
 *   venue thread          io thread                    trading thread            store, main
 *   2 venues, 5 symbols --ws-> [2 connectors] --books--> [strategy, positions, guard]
 *                              [probe]                   [evaluation: busy 100 ms in every 300]
 *   without isolation:         [the same evaluation here]
 *   the machine's own share:                                                          the same loop in a process apart
 *
 * Realistic because the engine is whole: its own connectors, trading actors, journal and observer with the settings of paper.yaml,
 * both venues streaming over loopback. A strategy that computes for 100 ms without a pause is what isolation has to stand. The
 * trading thread reads nothing meanwhile, so the io thread also meets full lanes and a reader that does not answer its wake-ups.
 *
 * A delay is what a timer of the io thread's event loop is late by, sampled every 10 ms: the number that `/debug/threads` shows.
 * Windows without evaluations, with them on the trading thread, on the io thread and in a process apart take turns in one run. A
 * computing neighbour takes a core from whoever wants it, however well threads are isolated: where cores are scarce, what it does
 * from another process is the machine's share, and only what the trading thread does beyond that is the engine's.
 */
import { measure, type Measurement } from './evaluation-isolation/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'evaluation-isolation';

const FULL: Measurement = { rounds: 5, windowMs: 8_000, warmUpMs: 4_000, busyMs: 100, everyMs: 300 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
