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
import { median, runThroughPostMessage, runThroughRuntime, spreadOf, startLoadSystem } from './load-runs.ts';
import type { LoadPlan } from './load-actors.ts';

export const name = 'mailbox-throughput-general';

const PLAN: LoadPlan = { count: 200_000, ratePerSecond: 0 };
const RUNS = 5;

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const system = await startLoadSystem();
  const rates: number[] = [];
  const baselineRates: number[] = [];
  // One round of each first: what is measured is compiled code.
  await runThroughRuntime(system, PLAN);
  await runThroughPostMessage(PLAN);
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    rates.push((PLAN.count * 1_000) / (await runThroughRuntime(system, PLAN)).elapsedMs);
    baselineRates.push((PLAN.count * 1_000) / (await runThroughPostMessage(PLAN)).elapsedMs);
  }
  await system.stop({ deadlineMs: 2_000 });
  const value = median(rates);
  const baseline = median(baselineRates);
  return [
    {
      metric: 'messages',
      value,
      unit: '1/s',
      runs: RUNS,
      spread: spreadOf(rates),
      baseline: { name: 'postMessage', value: baseline },
      ratio: value / baseline,
      topology: '1 producer -> 1 consumer, 2 worker threads, batches of 500',
    },
  ];
}
