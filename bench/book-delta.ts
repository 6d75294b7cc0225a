/**
 * How long from the text of a book frame to the validated best prices of that book, and how many such frames does one thread take?
 *
 *   one thread
 *   frame text --> [stream: decode, check, continuity, apply] --> best prices
 *   baseline: JSON.parse of the same texts, and nothing else
 *
 * Realistic because frames are those of each venue's own simulated feed, with an order book that moves twenty times a second, and, where the
 * recordings are at hand, of the real venues; the stream is the connector's, with every check it always makes: a book that is lost in
 * between, or a frame that changes nothing, is no result. The first frame of a book is not measured, it is a picture and no change.
 */
import { measure, type Measurement } from './book-delta/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'book-delta';

const FULL: Measurement = { runs: 5, framesPerRun: 60_000, frames: 4_000 };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return Promise.resolve(measure(FULL, progress));
}
