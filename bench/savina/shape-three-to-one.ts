/**
 * How many order events a second do three actors tell one?
 *
 *   [source/0..2] --order-event--> [sink/0]     across: the sources on one thread, the sink on the other
 *
 * Realistic because an order event of eight fields is what connectors tell positions, in bursts as fast as a venue sends them.
 */
import { measuring } from './measuring.ts';
import { problemOf, type Program } from './program.ts';
import { streamKinds, streamProblem } from './stream.ts';

export const program: Program = {
  name: 'shape-three-to-one',
  erlangModule: 'shape_stream',
  topology: '3 -> 1, as fast as it goes',
  unit: 'messages',
  kinds: streamKinds,
  problem: problemOf({ within: 40_000, across: 10_000, small: 700 }, (events) => streamProblem(3, 1, events)),
};

export const name = 'shape-three-to-one';
export const run = measuring(program);
