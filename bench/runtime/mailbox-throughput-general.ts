/**
 * How many general messages a second get from `tell` on one thread to `receive` on another?
 *
 *   producing thread                          consuming thread (event loop)
 *   [producer actor] --tell--> control lane --> [mailbox] --> [consumer actor]
 *   baseline: the same objects, port.postMessage --> port.on('message')
 *
 * Realistic because order and fill events are must-deliver messages of eight fields, a bigint among them, and come in
 * bursts as fast as a venue sends them. Every run is verified: a run that lost or repeated a message counts for nothing.
 * The runtime's side is bounded (the producer is refused and tries again); postMessage's is not.
 */
import type { BenchOptions, BenchResult } from '../result.ts';
import type { LoadPlan } from './load-actors.ts';
import { measureThroughput } from './load-runs.ts';

export const name = 'mailbox-throughput-general';

const PLAN: LoadPlan = { count: 200_000, ratePerSecond: 0, load: 'general' };

export function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  return measureThroughput(PLAN, progress, { of: 'ratio', is: 'at least', need: 2, aim: 3 });
}
