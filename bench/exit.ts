/**
 * How long does the exit evaluation of one open position take, with 10, 100 and 1,000 of them open?
 *
 *   one thread
 *   [market] --book-changed, one position after the other--> [position 1] [position 2] ... [position n]   hold, every time
 *   baseline: the exit rules alone, by plain calls, their facts at hand
 *
 * Realistic because each is the engine's own position actor with the settings of demo.yaml, recovered from the journal rows that an
 * engine in virtual time wrote while it opened a pair: its books, orders and ledger are those of a held pair. A position looks at its exit
 * when its market moves, so what is measured is the whole handling of a book frame that leads to a look: the frame is taken, the
 * facts are gathered, every rule is judged, and now and then the picture is told. All positions are visited in turn, so that none
 * finds its memory warm because there are few. A position that does not look, or that leaves, is a failure.
 */
import { measure, type Measurement } from './exit/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'exit';

const FULL: Measurement = { runs: 5, positions: [10, 100, 1_000], looksPerRun: 20_000 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return Promise.resolve(measure(FULL, progress));
}
