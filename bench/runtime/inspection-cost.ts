/**
 * How much slower do messages get when everything about them is looked at?
 *
 *   on:  queue and handler time of every message, one port answer in 100 traced, and 10 times a second a snapshot of all
 *        threads, the consumer's mailbox peeked into and all traces collected by the main thread
 *   off: none of these (counters of messages remain: they are how the runtime works)
 *
 *   [port] --frame--> [source actor] --tell--> [consumer actor], on two threads and on one
 *
 * Realistic because that is what the dashboard and the live view ask of a busy engine. Runs with and without alternate, and
 * each pair is compared with itself: the machine's moods come and go more slowly than that.
 */
import type { ActorSystem, ThreadSystemOptions } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import type { BenchOptions, BenchResult } from '../result.ts';
import { source, sourcePorts } from './inspection-actors.ts';
import { consumer, type LoadPlan } from './load-actors.ts';
import { median, runThroughRuntime, spreadOf } from './load-runs.ts';

export const name = 'inspection-cost';

const ENTRY = new URL('./inspection-worker.ts', import.meta.url);
const RUNS = 9;
const LOOK_EVERY_MS = 100;

const TOPOLOGIES = [
  { producing: 'a', consuming: 'b', count: 400_000, words: '1 source -> 1 consumer, 2 threads' },
  { producing: 'a', consuming: 'a', count: 2_000_000, words: '1 source -> 1 consumer, 1 thread' },
] as const;

export async function* run({ progress }: BenchOptions): AsyncGenerator<BenchResult> {
  for (const topology of TOPOLOGIES) {
    const rateOf = (system: ActorSystem): Promise<number> =>
      rateAt(system, { count: topology.count, ratePerSecond: 0 });
    const off = await start(topology, { measureDurations: false });
    const on = await start(topology, { measureDurations: true, traceEvery: 100 });
    const rates = { on: [] as number[], off: [] as number[] };
    const slowdowns: number[] = [];
    await rateOf(off);
    await watched(on, () => rateOf(on));
    for (let round = 1; round <= RUNS; round++) {
      progress(`${topology.words}: run ${round} of ${RUNS}`);
      // Whoever goes first meets the machine as the round before left it.
      const first = round % 2 === 0 ? await rateOf(off) : undefined;
      const onRate = await watched(on, () => rateOf(on));
      const offRate = first ?? (await rateOf(off));
      rates.on.push(onRate);
      rates.off.push(offRate);
      slowdowns.push((offRate / onRate - 1) * 100);
    }
    await Promise.all([off.stop({ deadlineMs: 2_000 }), on.stop({ deadlineMs: 2_000 })]);
    const value = median(rates.on);
    const baseline = median(rates.off);
    const shared = { runs: RUNS, topology: topology.words };
    yield {
      metric: 'messages, inspection on',
      value,
      unit: '1/s',
      spread: spreadOf(rates.on),
      baseline: { name: 'inspection off', value: baseline },
      ratio: value / baseline,
      ...shared,
    };
    yield {
      metric: 'slowdown',
      value: median(slowdowns),
      unit: '%',
      spread: spreadOf(slowdowns),
      target: { of: 'value', is: 'at most', need: 3, aim: 1 },
      ...shared,
    };
  }
}

function start(topology: (typeof TOPOLOGIES)[number], more: Partial<ThreadSystemOptions>): Promise<ActorSystem> {
  return startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [
        { type: 'actor', id: 'consumer', kind: 'consumer', args: null, thread: topology.consuming },
        { type: 'actor', id: 'producer', kind: 'source', args: null, thread: topology.producing },
      ],
    },
    kinds: [source, consumer],
    portsFor: sourcePorts,
    calendar: { type: 'live' },
    log: () => {},
    threads: [...new Set([topology.producing, topology.consuming])].map((thread) => ({ name: thread, entry: ENTRY })),
    ...more,
  });
}

async function rateAt(system: ActorSystem, plan: LoadPlan): Promise<number> {
  return (plan.count * 1_000) / (await runThroughRuntime(system, plan)).elapsedMs;
}

/** Looks at everything all the time while `action` runs. */
async function watched<Result>(system: ActorSystem, action: () => Promise<Result>): Promise<Result> {
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await Promise.all([system.snapshot(), system.peek('consumer', { limit: 100 }), system.traces()]);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  const result = await action();
  isOver = true;
  await watching;
  return result;
}
