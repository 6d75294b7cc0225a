/** Runs one load plan through the runtime and through postMessage. Main thread. */
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { ActorSystem, ThreadSystemOptions } from '../../src/runtime/system.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { anchorNow, ThreadClock } from '../../src/runtime/thread-clock.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import {
  consumer,
  type AnyLoad,
  dueAtMs,
  dueCount,
  MESSAGES,
  producer,
  type LoadPlan,
  type LoadReport,
} from './load-actors.ts';
import type { BaselineOrder } from './post-message-worker.ts';

const ENTRY = new URL('./load-worker.ts', import.meta.url);
const BASELINE_ENTRY = new URL('./post-message-worker.ts', import.meta.url);
/** How often main looks whether a run is over: rare enough not to disturb it. */
const LOOK_EVERY_MS = 50;
const RUN_DEADLINE_MS = 60_000;

/** Starts a system with `producer` on one worker thread and `consumer` on another, both with event loops. */
export function startLoadSystem(more: Partial<ThreadSystemOptions> = {}): Promise<ActorSystem> {
  return startThreads({
    tree: {
      type: 'supervisor',
      id: 'bench',
      children: [
        { type: 'actor', id: 'consumer', kind: 'consumer', args: null, thread: 'consuming' },
        { type: 'actor', id: 'producer', kind: 'producer', args: null, thread: 'producing' },
      ],
    },
    kinds: [producer, consumer],
    portsFor: () => ({}),
    calendar: { type: 'live' },
    log: () => {},
    threads: [
      { name: 'producing', entry: ENTRY },
      { name: 'consuming', entry: ENTRY },
    ],
    ...more,
  });
}

const THROUGHPUT_RUNS = 5;

/** Measures a plan without a rate through the runtime and through postMessage, in turns. */
export async function measureThroughput(
  plan: LoadPlan,
  progress: (text: string) => void,
  target: BenchTarget,
): Promise<readonly BenchResult[]> {
  const system = await startLoadSystem();
  const rates: number[] = [];
  const baselineRates: number[] = [];
  // One round of each first: what is measured is compiled code.
  await runThroughRuntime(system, plan);
  await runThroughPostMessage(plan);
  for (let round = 1; round <= THROUGHPUT_RUNS; round++) {
    progress(`run ${round} of ${THROUGHPUT_RUNS}`);
    rates.push((plan.count * 1_000) / (await runThroughRuntime(system, plan)).elapsedMs);
    baselineRates.push((plan.count * 1_000) / (await runThroughPostMessage(plan)).elapsedMs);
  }
  await system.stop({ deadlineMs: 2_000 });
  const value = median(rates);
  const baseline = median(baselineRates);
  return [
    {
      metric: 'messages',
      value,
      unit: '1/s',
      runs: THROUGHPUT_RUNS,
      spread: spreadOf(rates),
      baseline: { name: 'postMessage', value: baseline },
      ratio: value / baseline,
      target,
      topology: '1 producer -> 1 consumer, 2 worker threads, batches of 500',
    },
  ];
}

/** Plays the plan from actor to actor; throws unless every message arrived exactly once. */
export async function runThroughRuntime(system: ActorSystem, plan: LoadPlan): Promise<LoadReport> {
  expectLoad(system, plan);
  system.tell('producer', { type: 'produce', to: 'consumer', ...plan } as { readonly type: string });
  return settledReport(system, plan);
}

/** Plays the plan from the main thread, paced by its event loop, to an actor; throws unless every message arrived once. */
export async function paceThroughRuntime(system: ActorSystem, plan: LoadPlan): Promise<LoadReport> {
  expectLoad(system, plan);
  await pace(
    plan,
    () => system.monotonicMs(),
    (message) => {
      if (system.tell('consumer', message) === 'refused') throw new Error('a paced message must find room');
    },
  );
  return settledReport(system, plan);
}

function expectLoad(system: ActorSystem, plan: LoadPlan): void {
  system.tell('consumer', {
    type: 'expect',
    count: plan.count,
    ...(plan.load === undefined ? {} : { load: plan.load }),
  } as { readonly type: string });
}

async function settledReport(system: ActorSystem, plan: LoadPlan): Promise<LoadReport> {
  const givenUpAtMs = system.monotonicMs() + RUN_DEADLINE_MS;
  for (;;) {
    const report = (await system.ask(
      'consumer',
      { type: 'report-load' },
      { deadlineMs: RUN_DEADLINE_MS },
    )) as LoadReport;
    if (report.isComplete && report.received <= plan.count) return report;
    if (report.received > plan.count || system.monotonicMs() > givenUpAtMs)
      throw new Error(`${plan.count} messages must arrive once, ${report.received} did`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Plays the plan over a MessagePort between two fresh workers. */
export async function runThroughPostMessage(plan: LoadPlan): Promise<LoadReport> {
  const anchorNs = anchorNow();
  const consuming = await startBaselineWorker();
  const producing = await startBaselineWorker();
  const { port1, port2 } = new MessageChannel();
  const done = reportOf(consuming);
  consuming.postMessage({ role: 'consume', port: port2, anchorNs, ...plan } satisfies BaselineOrder, [port2]);
  producing.postMessage({ role: 'produce', port: port1, anchorNs, ...plan } satisfies BaselineOrder, [port1]);
  const report = await done;
  await Promise.all([consuming.terminate(), producing.terminate()]);
  return report;
}

/** Plays the plan from the main thread, paced by its event loop, over a MessagePort to a fresh worker. */
export async function paceThroughPostMessage(plan: LoadPlan): Promise<LoadReport> {
  const anchorNs = anchorNow();
  const clock = new ThreadClock({ type: 'live' }, anchorNs);
  const consuming = await startBaselineWorker();
  const { port1, port2 }: { readonly port1: MessagePort; readonly port2: MessagePort } = new MessageChannel();
  const done = reportOf(consuming);
  consuming.postMessage({ role: 'consume', port: port2, anchorNs, ...plan } satisfies BaselineOrder, [port2]);
  await pace(
    plan,
    () => clock.monotonicMs(),
    (message) => port1.postMessage(message),
  );
  const report = await done;
  await consuming.terminate();
  return report;
}

async function startBaselineWorker(): Promise<Worker> {
  const worker = new Worker(BASELINE_ENTRY);
  await new Promise((resolve) => worker.once('online', resolve));
  return worker;
}

function reportOf(worker: Worker): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Sends every message as soon as it is due and the event loop came round. */
function pace(plan: LoadPlan, monotonicMs: () => number, send: (message: AnyLoad) => void): Promise<void> {
  const startedAtMs = monotonicMs();
  const makeMessage = MESSAGES[plan.load ?? 'general'];
  let sent = 0;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      try {
        const due = dueCount(plan, sent, startedAtMs, monotonicMs());
        for (; sent < due; sent++) send(makeMessage(sent, dueAtMs(plan, sent, startedAtMs, monotonicMs())));
      } catch (error) {
        reject(error);
        return;
      }
      if (sent < plan.count) setImmediate(next);
      else resolve();
    };
    next();
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function spreadOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
