/**
 * How many hot messages a second get from `tell` on one thread to `receive` on another?
 *
 *   producing thread                          consuming thread (event loop)
 *   [producer actor] --tell--> control lane --> [mailbox] --> [consumer actor]
 *   baseline: the same objects, port.postMessage --> port.on('message')
 *
 * Hot messages have a shape in their delivery table: they are written into the ring field by field. Realistic because the
 * best prices of books are what threads tell each other most. They are must-deliver here so that every run can be verified:
 * a run that lost or repeated a message counts for nothing. The runtime's side is bounded, postMessage's is not.
 */
import type { BenchOptions, BenchResult } from '../result.ts';
import type { LoadPlan } from './load-actors.ts';
import { measureThroughput } from './load-runs.ts';

export const name = 'mailbox-throughput-hot';

const PLAN: LoadPlan = { count: 400_000, ratePerSecond: 0, load: 'hot' };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measureThroughput(PLAN, progress, { of: 'ratio', is: 'at least', need: 5, aim: 10 });
}
