/**
 * How long does one evaluation cycle take with 200 symbols at 4 venues?
 *
 *   one thread
 *   [market: 4 venues x 200 instruments] --every book, mark and rate anew--> [strategy] --scan--> profile: health, risk, strategy, intent
 *                                                                            |--enter-pair--> [position: answers that it failed]
 *   baseline: the same facts, every candidate judged in every cycle
 *
 * Realistic because the strategy is the engine's own actor with the thresholds of paper.yaml and everything changes between two
 * cycles: 800 books of 2 x 20 levels, 800 marks and predictions, four accounts. One symbol in ten pays 70 % a year at one venue, so
 * that 60 of the 12 x 200 candidates carry enough to be entered; four pairs are open, and every cycle asks for an entry, which its
 * position refuses again. Garbage of the market's own making is part of what the cycle meets, as in life.
 *
 * A cycle is one `scan-opportunities` from receipt to return. The parts are what the actor itself notes as its profile.
 */
import { measure, type Measurement } from './evaluation/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'evaluation';

const FULL: Measurement = { runs: 5, symbols: 200, warmUpCycles: 200, cycles: 400 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
