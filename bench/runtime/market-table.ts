/**
 * How many newest-value updates a second get from one thread to another, of 1,000 symbols?
 *
 *   producing thread                             consuming thread (event loop)
 *   [producer actor] --tell--> slot per symbol --> [mailbox, newest per symbol] --> [consumer actor]
 *   baseline: the same objects, port.postMessage --> port.on('message') keeps the newest per symbol
 *
 * Realistic because best prices change faster than anybody acts on them, and only the newest counts. An update counts when it
 * was told; the run is over when the consumer has seen the last value of every symbol, none of them going back in number.
 */
import type { BenchOptions, BenchResult } from '../result.ts';
import { median, runThroughPostMessage, runThroughRuntime, spreadOf, startLoadSystem } from './load-runs.ts';
import type { LoadPlan } from './load-actors.ts';

export const name = 'market-table';

const SYMBOLS = 1_000;
const PLAN: LoadPlan = { count: 600_000, ratePerSecond: 0, load: 'newest' };
const RUNS = 5;

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const system = await startLoadSystem({ latestSlots: 1_024 });
  const rates: number[] = [];
  const baselineRates: number[] = [];
  const received: number[] = [];
  await runThroughRuntime(system, PLAN);
  await runThroughPostMessage(PLAN);
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    const report = await runThroughRuntime(system, PLAN);
    rates.push((PLAN.count * 1_000) / report.elapsedMs);
    received.push((report.received * 1_000) / report.elapsedMs);
    baselineRates.push((PLAN.count * 1_000) / (await runThroughPostMessage(PLAN)).elapsedMs);
  }
  await system.stop({ deadlineMs: 2_000 });
  const topology = `1 producer -> 1 consumer, 2 worker threads, ${SYMBOLS} symbols`;
  const value = median(rates);
  const baseline = median(baselineRates);
  return [
    {
      metric: 'updates told',
      value,
      unit: '1/s',
      runs: RUNS,
      spread: spreadOf(rates),
      baseline: { name: 'postMessage', value: baseline },
      ratio: value / baseline,
      target: { of: 'ratio', is: 'at least', need: 10, aim: 20 },
      topology,
    },
    {
      metric: 'updates received, the rest merged into newer ones',
      value: median(received),
      unit: '1/s',
      runs: RUNS,
      spread: spreadOf(received),
      topology,
    },
  ];
}
