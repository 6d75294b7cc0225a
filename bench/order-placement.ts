/**
 * How long does it take to place an order at a venue 20 ms away while its books come in at 5,000 frames a second?
 *
 *   trading thread         store thread      io thread              cpu pool        venue thread
 *   [trader] --intent----> [journal]
 *   [trader] <--durable--- (fsync)
 *   [trader] --order-----------------------> [connector]
 *                                            last gate --slow one-> signature
 *                                            request   <----------
 *                                                      --20 ms--------------------> checked, matched
 *                                            [connector] <--20 ms------------------ answer
 *   [trader] <--order-changed- [journal] <-- [connector]
 *   baseline: socket, adapter, decision, journal, signature and request as plain calls in one thread
 *
 * Two venues: one whose signature is an HMAC made on the io thread, one whose signature takes ms and is computed in the pool. The
 * harness is that of tick-to-order: connector, journal, adapter, gate, limits and threads are the engine's own, the venue checks
 * every signature, the flood comes over the very io thread that sends the orders.
 *
 * *Decision to the venue's word* is all of it: the intent durable, the order signed and sent, both ways, the answer durable and told. *Own
 * part* is what we add to a request that may leave: from the hand-over of an order whose intent is durable until the venue has read the whole
 * request, before the way to the venue begins. Due times are drawn, so that they fall evenly into everybody's timers; every order must be
 * sent once and answered, else there is no result.
 */
import { measure, type Measurement } from './order-placement/measure.ts';
import type { BenchOptions, BenchResult } from './result.ts';

export const name = 'order-placement';

/** Fewer than three in any second: more openings than that would wait for their share of Bybit's limit, which is not what is asked here. */
const SPACING = { spacingMinMs: 400, spacingMaxMs: 600 } as const;
const FRAMES_PER_SECOND = 5_000;

const FULL: Measurement = {
  rounds: 3,
  oneWayMs: 20,
  warmUp: { framesPerSecond: FRAMES_PER_SECOND, triggers: 40, ...SPACING },
  orders: { framesPerSecond: FRAMES_PER_SECOND, triggers: 100, ...SPACING },
};

export function run({ progress }: BenchOptions): AsyncIterable<BenchResult> {
  return measure(FULL, progress);
}
