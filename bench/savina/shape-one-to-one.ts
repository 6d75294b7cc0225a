/**
 * How many order events a second does one actor tell another?
 *
 *   [source/0] --order-event--> [sink/0]     across: one actor a thread
 *
 * Realistic because an order event of eight fields is what connectors tell positions, in bursts as fast as a venue sends them.
 */
import { measuring } from './measuring.ts';
import { problemOf, type Program } from './program.ts';
import { streamKinds, streamProblem } from './stream.ts';

export const program: Program = {
  name: 'shape-one-to-one',
  erlangModule: 'shape_stream',
  topology: '1 -> 1, as fast as it goes',
  unit: 'messages',
  kinds: streamKinds,
  problem: problemOf({ within: 120_000, across: 30_000, small: 2_000 }, (events) => streamProblem(1, 1, events)),
};

export const name = 'shape-one-to-one';
export const run = measuring(program);
