/**
 * How long does a message take to another thread's actor and back?
 *
 *   [player actor] --ball--> [player actor] --ball--> ...     2 worker threads, one ball
 *   baseline: the same object over a MessagePort between two workers
 *
 * Measured with threads that have no sockets and spin (up to 100 us, `spinUs`), with the same that block at once, and with
 * threads that sleep in their event loops. Realistic because a position and its journal answer each other one by one.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult, BenchTarget } from '../result.ts';
import { player } from './echo-actors.ts';
import type { EchoOrder } from './echo-worker.ts';
import { median, spreadOf } from './load-runs.ts';

export const name = 'ping-pong';

const ENTRY = new URL('./echo-worker.ts', import.meta.url);
const RUNS = 5;
const ROUNDS = 20_000;
/** Rounds of a run that are left out. */
const WARM_UP = 5_000;
const LOOK_EVERY_MS = 10;

const SPIN_TARGET: BenchTarget = { of: 'ratio', is: 'at most', need: 0.1, aim: 0.05 };

const SUBJECTS = [
  { words: 'spin', wake: 'wait', spinUs: 100 },
  { words: 'block', wake: 'wait', spinUs: 0 },
  { words: 'event loop', wake: 'nudge', spinUs: 0 },
] as const;

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  const runs = SUBJECTS.map((): Float64Array[] => []);
  const baselineRuns: Float64Array[] = [];
  for (let round = 1; round <= RUNS; round++) {
    progress(`run ${round} of ${RUNS}`);
    for (const [index, { wake, spinUs }] of SUBJECTS.entries())
      runs[index]?.push(await playThroughRuntime(wake, spinUs));
    baselineRuns.push(await playThroughPostMessage());
  }
  for (const [index, { words }] of SUBJECTS.entries()) {
    for (const [label, fraction] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const values = (runs[index] ?? []).map((rounds) => at(rounds, fraction) * 1_000);
      const value = median(values);
      const baseline = median(baselineRuns.map((rounds) => at(rounds, fraction) * 1_000));
      yield {
        metric: `round trip ${label}, ${words}`,
        value,
        unit: 'us',
        runs: RUNS,
        spread: spreadOf(values),
        baseline: { name: 'postMessage', value: baseline },
        ratio: value / baseline,
        ...(words === 'spin' && label === 'p50' ? { target: SPIN_TARGET } : {}),
        topology: `2 actors on 2 worker threads, ${ROUNDS - WARM_UP} rounds per run`,
      };
    }
  }
}

async function playThroughRuntime(wake: 'wait' | 'nudge', spinUs: number): Promise<Float64Array> {
  const { roundsMs, played } = newRounds();
  const threads: ThreadSystemOptions['threads'] = ['a', 'b'].map((thread) => ({ name: thread, entry: ENTRY, wake }));
  const system = await startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [
        { type: 'actor', id: 'server', kind: 'player', args: { other: 'returner', roundsMs, played }, thread: 'a' },
        { type: 'actor', id: 'returner', kind: 'player', args: { other: 'server' }, thread: 'b' },
      ],
    },
    kinds: [player],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads,
    spinUs,
  });
  system.tell('server', { type: 'serve-next' });
  await allPlayed(played);
  await system.stop({ deadlineMs: 2_000 });
  return roundsMs.slice(WARM_UP).sort();
}

async function playThroughPostMessage(): Promise<Float64Array> {
  const { roundsMs, played } = newRounds();
  const { port1, port2 } = new MessageChannel();
  const returner = new Worker(ENTRY, { workerData: { port: port2 } satisfies EchoOrder, transferList: [port2] });
  const order = { port: port1, roundsMs, played } satisfies EchoOrder;
  const server = new Worker(ENTRY, { workerData: order, transferList: [port1] });
  await allPlayed(played);
  await Promise.all([returner.terminate(), server.terminate()]);
  return roundsMs.slice(WARM_UP).sort();
}

function newRounds(): { readonly roundsMs: Float64Array; readonly played: Int32Array } {
  return {
    roundsMs: new Float64Array(new SharedArrayBuffer(8 * ROUNDS)),
    played: new Int32Array(new SharedArrayBuffer(4)),
  };
}

async function allPlayed(played: Int32Array): Promise<void> {
  while (Atomics.load(played, 0) < ROUNDS) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

function at(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
