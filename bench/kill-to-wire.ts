/**
 * How long from a person's kill to the bytes that carry it out, with a flood and a busy core beside it?
 *
 *   main          trading thread     io thread                  venue thread
 *   kill 2 -----> [guard] ---------> [connector] cancel --http-> arrived: the quote that rests is cancelled
 *   kill 3 -----> [guard] -> [position] -> intent on the disk
 *                            [position] -> [connector] --http--> arrived: the first order that closes the pair
 *   baseline: the same, no flood and no thread that computes
 *
 * Realistic because all of it is the engine's own: a pair that is being entered by resting on one book (2), or open on both venues
 * (3), and the guard's word on the roads it has in life. Meanwhile one venue sends 5,000 book frames a second, which trading threads
 * hear of, and one more thread computes without a pause. Closing writes to the disk before it sends; cancelling does not. Level 1
 * sends nothing, and level 4 is level 2's cancel with the process ended after it.
 *
 * A latency counts from the command on main until the venue has read the whole request.
 */
import { measure, type Measurement } from './kill-to-wire/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'kill-to-wire';

const FULL: Measurement = { rounds: 3, killsPerRun: 5, framesPerSecond: 5_000, quietFramesPerSecond: 10 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
