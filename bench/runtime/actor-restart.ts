/**
 * How long from an actor's crash to the first message its next life handles?
 *
 *   [actor] throws --crash report--> [its supervisor, main thread] --start order--> [next life] --> waiting message
 *   baseline: a bare postMessage round trip from a worker to the main thread and back: what asking anybody costs
 *
 * Realistic because mailboxes outlive lives: what waited is what the next life begins with. Crashes are 1 ms apart.
 */
import { Worker } from 'node:worker_threads';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult, BenchTarget } from '../result.ts';
import { median, spreadOf } from './load-runs.ts';
import { phoenix } from './restart-actors.ts';

export const name = 'actor-restart';

const ENTRY = new URL('./restart-worker.ts', import.meta.url);
const RUNS = 5;
const CRASHES = 500;
/** Crashes of a run that are left out: code is compiled, pages are touched. */
const WARM_UP = 100;
/** What is asked of the p99 bounds the p50 as well. */
const TARGETS: Readonly<Record<string, BenchTarget>> = {
  p50: { of: 'value', is: 'at most', need: 5_000, aim: 50 },
  p99: { of: 'value', is: 'at most', need: 5_000, aim: 400 },
};

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const runs: Float64Array[] = [];
  const baselineRuns: Float64Array[] = [];
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    runs.push(await restartDurations());
    baselineRuns.push(await roundTripDurations());
  }
  return (
    [
      ['p50', 0.5],
      ['p99', 0.99],
      ['max', 1],
    ] as const
  ).map(([label, fraction]) => {
    const values = runs.map((durations) => at(durations, fraction) * 1_000);
    const value = median(values);
    const baseline = median(baselineRuns.map((durations) => at(durations, fraction) * 1_000));
    const target = TARGETS[label];
    return {
      metric: `crash to first message ${label}`,
      value,
      unit: 'us',
      runs: RUNS,
      spread: spreadOf(values),
      baseline: { name: 'postMessage round trip', value: baseline },
      ratio: value / baseline,
      ...(target === undefined ? {} : { target }),
      topology: `1 actor on a worker, its supervisor on main, ${CRASHES - WARM_UP} crashes per run`,
    };
  });
}

async function restartDurations(): Promise<Float64Array> {
  const durationsMs = new Float64Array(new SharedArrayBuffer(8 * CRASHES));
  const next = new Int32Array(new SharedArrayBuffer(4));
  const system = await startThreads({
    // Without backoff: the benchmark is about the work of a restart, not about waiting before it.
    tree: {
      type: 'supervisor',
      id: 'bench',
      intensity: CRASHES * 2,
      backoffMinMs: 0,
      backoffMaxMs: 0,
      children: [{ type: 'actor', id: 'phoenix', kind: 'phoenix', args: { durationsMs, next }, thread: 'a' }],
    },
    kinds: [phoenix],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [{ name: 'a', entry: ENTRY }],
  });
  system.tell('phoenix', { type: 'crash-again' });
  while (Atomics.load(next, 0) < CRASHES) await new Promise((resolve) => setTimeout(resolve, 20));
  await system.stop({ deadlineMs: 2_000 });
  return Float64Array.from(durationsMs.subarray(WARM_UP)).sort();
}

async function roundTripDurations(): Promise<Float64Array> {
  const worker = new Worker(ENTRY);
  await new Promise((resolve) => worker.once('message', resolve));
  const durationsMs = new Float64Array(CRASHES);
  for (let number = 0; number < CRASHES; number++) {
    const sentAtMs = performance.now();
    worker.postMessage(number);
    await new Promise((resolve) => worker.once('message', resolve));
    durationsMs[number] = performance.now() - sentAtMs;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await worker.terminate();
  return durationsMs.slice(WARM_UP).sort();
}

function at(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
