/**
 * How much of a core does a system take that has nothing to do?
 *
 *   main thread, 2 threads asleep in their event loops, 2 asleep on their flags; 200 idle actors on each of the four
 *   baseline: 4 bare workers that sleep on a flag
 *
 * Realistic because an engine waits most of the day, and a thread that polled would take a core from whoever has work. Heartbeats,
 * the watch over them and the look for lost wake-ups are included. The bench's own main thread sleeps meanwhile.
 */
import { Worker } from 'node:worker_threads';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult } from '../result.ts';
import { idle } from './idle-actors.ts';
import { median, spreadOf } from './load-runs.ts';

export const name = 'idle-cpu';

const ENTRY = new URL('./idle-worker.ts', import.meta.url);
const RUNS = 5;
const SETTLE_MS = 1_000;
const WATCH_MS = 3_000;
const ACTORS = 200;
const THREADS = [
  { name: 'a', wake: 'nudge' },
  { name: 'b', wake: 'nudge' },
  { name: 'c', wake: 'wait' },
  { name: 'd', wake: 'wait' },
] as const;

export async function run({ progress }: BenchOptions): Promise<readonly BenchResult[]> {
  const shares: number[] = [];
  const baselineShares: number[] = [];
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    const system = await startIdle();
    shares.push(await shareOfCore());
    await system.stop({ deadlineMs: 2_000 });
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const workers = THREADS.map(
      () => new Worker('Atomics.wait(require("worker_threads").workerData, 0, 0)', { eval: true, workerData: flag }),
    );
    baselineShares.push(await shareOfCore());
    Atomics.notify(flag, 0);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const value = median(shares);
  const baseline = median(baselineShares);
  return [
    {
      metric: 'share of a core',
      value,
      unit: '%',
      runs: RUNS,
      spread: spreadOf(shares),
      baseline: { name: '4 bare workers', value: baseline },
      ratio: value / baseline,
      target: { of: 'value', is: 'at most', need: 1 },
      topology: `main and ${THREADS.length} worker threads, ${ACTORS} idle actors on each`,
    },
  ];
}

function startIdle(): Promise<ActorSystem> {
  return startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: THREADS.map(({ name: thread }) => ({
        type: 'supervisor' as const,
        id: `group/${thread}`,
        thread,
        children: Array.from({ length: ACTORS }, (_, index) => ({
          type: 'actor' as const,
          id: `${thread}/${index}`,
          kind: idle.kind,
          args: null,
        })),
      })),
    },
    kinds: [idle],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: THREADS.map(({ name: thread, wake }) => ({ name: thread, entry: ENTRY, wake })),
  });
}

/** Returns how much of a core this process takes while nothing happens, in percent. */
async function shareOfCore(): Promise<number> {
  await sleep(SETTLE_MS);
  const before = process.cpuUsage();
  const beganAtMs = performance.now();
  await sleep(WATCH_MS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1_000 / (performance.now() - beganAtMs)) * 100;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
