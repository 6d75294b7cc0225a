/**
 * How long from a venue's word of a fill to the bytes of the order that hedges it, through the whole engine?
 *
 *   venue thread         io thread              store thread       trading thread
 *   fill frame --ws----> [connector] --fill---> [journal] fsync
 *                                               [journal] --fill-> [position]
 *                                               [journal] <------- intent of the hedge
 *                                               fsync -----------> [position]
 *                        [connector] <-----------order------------ [position]
 *                        last gate, signature
 *   order arrived <-http [connector]
 *   baseline: the same, no flood and no thread that computes
 *
 * Realistic because all of it is the engine's own: connectors, journal, guard and position with a pair that is entered by resting
 * on one book, each fill of which is hedged at once on the other; the benchmark only plays the strategy that asks for the entry and
 * the customer who takes from the quote. Meanwhile the maker's venue sends 5,000 book frames a second of another market, which
 * trading threads hear of as in life, and one more thread computes without a pause, as one of the CPU pool does. The hedge goes to
 * Bybit, whose signature is an HMAC made on the io thread; venues with slow signatures add theirs (see tick-to-order).
 *
 * A latency counts from just before the fill's frame is written until the venue has read the whole order. One fill is out at a time;
 * each must be hedged by exactly one order, else there is no result.
 */
import { measure, type Measurement } from './fill-to-hedge/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'fill-to-hedge';

const SPACING = { spacingMinMs: 60, spacingMaxMs: 120 } as const;
const FRAMES_PER_SECOND = 5_000;
const QUIET_FRAMES_PER_SECOND = 10;

const FULL: Measurement = {
  rounds: 3,
  warmUp: { framesPerSecond: FRAMES_PER_SECOND, fills: 100, ...SPACING },
  loaded: { framesPerSecond: FRAMES_PER_SECOND, fills: 150, ...SPACING },
  quiet: { framesPerSecond: QUIET_FRAMES_PER_SECOND, fills: 150, ...SPACING },
};

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
