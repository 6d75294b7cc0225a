/**
 * How old are general messages when another thread's actor receives them, at 100,000 a second?
 *
 *   main thread (open loop: one message due every 10 us, sent when its event loop gets to it)
 *   [system.tell] --> control lane --nudge if asleep--> [consumer actor] on a worker's event loop
 *   baseline: the same objects from the same loop, port.postMessage --> port.on('message')
 *
 * The age counts from the time the message was due, not from when it was sent: a producer that falls behind shows. The
 * first tenth of each run is warm-up and left out.
 */
import type { BenchOptions, BenchResult, BenchTarget } from '../result.ts';
import type { LoadPlan, LoadReport } from './load-actors.ts';
import { median, paceThroughPostMessage, paceThroughRuntime, spreadOf, startLoadSystem } from './load-runs.ts';

export const name = 'mailbox-latency';

const PLAN: LoadPlan = { count: 200_000, ratePerSecond: 100_000 };
const RUNS = 5;

const P99_TARGET: BenchTarget = { of: 'ratio', is: 'at most', need: 0.5, aim: 0.25 };
const METRICS: readonly (readonly [string, (report: LoadReport) => number])[] = [
  ['one-way p50', (report) => report.p50Ms],
  ['one-way p95', (report) => report.p95Ms],
  ['one-way p99', (report) => report.p99Ms],
  ['one-way max', (report) => report.maxMs],
];

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const system = await startLoadSystem();
  const reports: LoadReport[] = [];
  const baselineReports: LoadReport[] = [];
  await paceThroughRuntime(system, PLAN);
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    reports.push(await paceThroughRuntime(system, PLAN));
    baselineReports.push(await paceThroughPostMessage(PLAN));
  }
  await system.stop({ deadlineMs: 2_000 });
  return METRICS.map(([metric, pick]) => {
    const values = reports.map((report) => pick(report) * 1_000);
    const value = median(values);
    const baseline = median(baselineReports.map((report) => pick(report) * 1_000));
    return {
      metric,
      value,
      unit: 'us',
      runs: RUNS,
      spread: spreadOf(values),
      baseline: { name: 'postMessage', value: baseline },
      ratio: value / baseline,
      ...(metric === 'one-way p99' ? { target: P99_TARGET } : {}),
      topology: `main -> 1 consumer on a worker, ${PLAN.ratePerSecond} messages/s, ${PLAN.count} per run`,
    };
  });
}
