/**
 * How long from a thread's death to the moment all its actors are READY again?
 *
 *   main: terminate() -> 'exit' event -> [warm spare, or a new worker] attached -> 10 actors started -> each answers an ask
 *   baseline: a bare new Worker of the same module, until its first message arrives
 *
 * Counted from the death as main hears of it. Realistic because ten positions per trading thread are usual, and READY means
 * that an actor handles messages, not that a thread exists.
 */
import { Worker } from 'node:worker_threads';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult, BenchTarget } from '../result.ts';
import { spreadOf } from './load-runs.ts';
import { phoenix } from './restart-actors.ts';

export const name = 'worker-restart';

const ENTRY = new URL('./restart-worker.ts', import.meta.url);
const DEATHS = 25;
const ACTORS = 10;
/** Between two deaths: time for the next spare to load. */
const PAUSE_MS = 250;
const P99_TARGET: BenchTarget = { of: 'value', is: 'at most', need: 1_000, aim: 50 };

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  progress('a new Worker');
  const baseline = await newWorkerDurations();
  for (const spare of [true, false]) {
    const words = spare ? 'warm spare' : 'no spare';
    progress(words);
    const durations = await deathDurations(spare);
    for (const [label, fraction] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const value = at(durations, fraction);
      yield {
        metric: `death to READY, ${words}, ${label}`,
        value,
        unit: 'ms',
        runs: durations.length,
        spread: spreadOf(durations),
        baseline: { name: 'new Worker', value: at(baseline, fraction) },
        ratio: value / at(baseline, fraction),
        ...(label === 'p99' ? { target: P99_TARGET } : {}),
        topology: `1 worker with ${ACTORS} actors, killed ${DEATHS} times`,
      };
    }
  }
}

async function deathDurations(spare: boolean): Promise<readonly number[]> {
  let died = Promise.withResolvers<number>();
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      intensity: DEATHS * 2,
      // Every death is the first of its period, for the actors and for the thread: without backoff.
      backoffMinMs: 0,
      backoffMaxMs: 0,
      children: Array.from({ length: ACTORS }, (_, index) => ({
        type: 'actor' as const,
        id: `actor/${index}`,
        kind: 'phoenix',
        args: null,
        thread: 'a',
      })),
    },
    kinds: [phoenix],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: ({ event }) => {
      if (event === 'thread-died') died.resolve(performance.now());
    },
    threads: [{ name: 'a', entry: ENTRY, spare }],
    threadPeriodMs: PAUSE_MS / 2,
  });
  const durations: number[] = [];
  for (let death = 1; death <= DEATHS; death++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    died = Promise.withResolvers();
    system.killThread('a');
    const diedAtMs = await died.promise;
    await Promise.all(Array.from({ length: ACTORS }, (_, index) => ready(system, `actor/${index}`, death + 1)));
    durations.push(performance.now() - diedAtMs);
  }
  await system.stop({ deadlineMs: 2_000 });
  return durations;
}

/** Asks as soon as the death is known: the question waits for the next life. */
async function ready(system: ActorSystem, path: string, incarnation: number): Promise<void> {
  const answer = (await system.ask(path, { type: 'say-ready' }, { deadlineMs: 10_000 })) as {
    readonly incarnation: number;
  };
  if (answer.incarnation !== incarnation)
    throw new Error(`${path} must answer in life ${incarnation}, did in ${answer.incarnation}`);
}

async function newWorkerDurations(): Promise<readonly number[]> {
  const durations: number[] = [];
  for (let count = 0; count < DEATHS; count++) {
    const startedAtMs = performance.now();
    const worker = new Worker(ENTRY);
    await new Promise((resolve) => worker.once('message', resolve));
    durations.push(performance.now() - startedAtMs);
    await worker.terminate();
  }
  return durations;
}

function at(durations: readonly number[], fraction: number): number {
  const sorted = [...durations].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
