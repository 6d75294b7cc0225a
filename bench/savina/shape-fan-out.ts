/**
 * How many order events a second does one actor tell eight others, each event to all?
 *
 *   [source/0] --order-event--> [sink/0..7]     across: the source on one thread, the sinks on the other
 *
 * Realistic because an order event of eight fields is what connectors tell positions, in bursts as fast as a venue sends them.
 */
import { measuring } from './measuring.ts';
import { problemOf, type Program } from './program.ts';
import { streamKinds, streamProblem } from './stream.ts';

export const program: Program = {
  name: 'shape-fan-out',
  erlangModule: 'shape_stream',
  topology: '1 -> 8, as fast as it goes',
  unit: 'messages',
  kinds: streamKinds,
  problem: problemOf({ within: 15_000, across: 4_000, small: 300 }, (events) => streamProblem(1, 8, events)),
};

export const name = 'shape-fan-out';
export const run = measuring(program);
