/**
 * How long from a venue's book frame to the bytes of the order that answers it, through the whole engine?
 *
 *   venue thread         io thread              trading thread          store thread     cpu pool
 *   trigger frame --ws-> [connector] --book---> [trader] --intent-----> [journal]
 *                                               [trader] <--durable---- (fsync)
 *                        [connector] <--order-- [trader]
 *                        last gate   ----------------------------------------------------> signature
 *   order arrived <-http [connector] <----------------------------------------------------
 *   baseline: socket, adapter, decision, journal, signature and request as plain calls in one thread
 *
 * Realistic because connector, journal, adapter, gate, limits and threads are the engine's own, with the engine's own settings,
 * and the venue speaks Extended's wire format and checks every signature. Only the trader is the benchmark's: it decides in no
 * time. 5,000 book frames a second of four level changes each are a busy venue; a run without that flood is measured beside it.
 *
 * A latency counts from just before the trigger's write (it comes last in its burst) until the venue has read the whole order. Due
 * times are drawn, so that they fall evenly into everybody's timers. One trigger is in flight; due times that pass meanwhile are
 * answered by the next one, as a newer book replaces an older one, and count from when they were due. Every trigger must be
 * answered by exactly one order that the venue takes, else there is no result.
 */
import type { BenchOptions, BenchResult } from './result.ts';
import { measure, type Measurement } from './tick-to-order/measure.ts';

export const name = 'tick-to-order';

const SPACING = { spacingMinMs: 20, spacingMaxMs: 50 } as const;
const FLOOD_FRAMES_PER_SECOND = 5_000;
const IDLE_FRAMES_PER_SECOND = 10;

const FULL: Measurement = {
  rounds: 3,
  warmUp: { framesPerSecond: FLOOD_FRAMES_PER_SECOND, triggers: 50, ...SPACING },
  flood: { framesPerSecond: FLOOD_FRAMES_PER_SECOND, triggers: 100, ...SPACING },
  idle: { framesPerSecond: IDLE_FRAMES_PER_SECOND, triggers: 40, ...SPACING },
};

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measure(FULL, progress);
}
