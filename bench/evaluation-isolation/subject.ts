/** The engine whose io thread is measured: both venues streaming, all its actors at work, an evaluation on each of two threads. Main thread. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { observer, type TradingSummary } from '../../actors/observer.ts';
import { observerRef } from '../../actors/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { engineDelivery } from '../../src/composition/delivery.ts';
import { openAccounts } from '../../src/composition/live/accounts.ts';
import { placementOf, supervisionTree } from '../../src/composition/tree.ts';
import type { ConnectorThreadData } from '../../src/ports/live/connector-ports.ts';
import type { SchedulingThreadData } from '../../src/ports/live/scheduled-ports.ts';
import type { ActorSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startThreads } from '../../src/runtime/thread-system.ts';
import { openJournal } from '../../src/storage/live/journal-database.ts';
import type { JournalThreadData } from '../../src/storage/live/journal-ports.ts';
import { evaluation, type Span } from './evaluation.ts';
import { ioProbe, type IoWindow } from './io-probe.ts';

/** Real speed, default thresholds: five symbols streamed by two venues, and hardly an order. */
const CONFIG_FILE = join(import.meta.dirname, '..', '..', 'config', 'paper.yaml');
const WORKERS = new URL('../../workers/', import.meta.url);
const IO = 'io-0';
const TRADING = 'trading-0';
const STORE = 'store';
const PROBE = 'bench/io-probe';
const READY_MS = 30_000;
const LOOK_EVERY_MS = 50;
const ASK_MS = 5_000;
const STOP_MS = 5_000;

/** Where an evaluation runs: where the engine has it, or beside the sockets. */
export type EvaluationPlace = 'trading' | 'io';

export interface EvaluationSubject {
  /** Rejects as soon as something of it fails; never settles otherwise. */
  readonly failure: Promise<never>;
  openWindow(): Promise<void>;
  closeWindow(): Promise<IoWindow>;
  beginEvaluating(place: EvaluationPlace, plan: { readonly busyMs: number; readonly everyMs: number }): Promise<void>;
  /** Returns what was evaluated since. */
  endEvaluating(place: EvaluationPlace): Promise<readonly Span[]>;
  close(): Promise<void>;
}

/** Starts venues and engine; settles once every account streams. */
export async function startEvaluationSubject(journalDirectory: string): Promise<EvaluationSubject> {
  const config = loadConfig(CONFIG_FILE, { dataDir: journalDirectory, workers: { io: 1, trading: 1, cpu: 1 } });
  const journal = openJournal(journalDirectory);
  const boot = journal.allocateBoot(Date.now());
  journal.close();
  const accounts = await openAccounts(config, { sources: {} });
  const failed = Promise.withResolvers<never>();
  // Whoever waits hears of it; between windows nobody does.
  failed.promise.catch(() => undefined);
  const connectors: ConnectorThreadData = {
    cpuThreads: config.workers.cpu,
    isRealtime: config.workers.ioScheduling === 'realtime',
    http: config.http,
    calendarScale: config.calendar.scale,
    secrets: accounts.secrets,
  };
  const store: JournalThreadData = { journalDirectory, boot };
  const scheduling: SchedulingThreadData = { isRealtime: config.workers.tradingScheduling === 'realtime' };
  const placement = placementOf(config.workers);
  const system = await startThreads({
    tree: withBenchActors(supervisionTree({ config, accounts: accounts.endpoints, boot, placement })),
    kinds: [observer],
    delivery: [...engineDelivery, evaluation.delivery, ioProbe.delivery],
    portsFor: () => ({}),
    calendar: accounts.calendar(),
    log: (record) => {
      if (record.level === 'error' || record.event === 'actor-crashed')
        failed.reject(new Error(`${record.event} ${JSON.stringify(record.fields ?? {})}`));
    },
    threads: [
      { name: IO, entry: new URL('./io-worker.ts', import.meta.url), data: connectors },
      { name: TRADING, entry: new URL('./trading-worker.ts', import.meta.url), data: scheduling },
      { name: STORE, entry: new URL('store.ts', WORKERS), data: { ...store, ...scheduling } },
    ],
  }).catch(async (error: unknown) => {
    await accounts.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await system.stop({ deadlineMs: STOP_MS });
    await accounts.close();
  };
  try {
    await Promise.race([ready(system, accounts.endpoints.length), failed.promise]);
  } catch (error) {
    await close();
    throw error;
  }
  const ask = (path: string, message: { readonly type: string }): Promise<unknown> =>
    system.ask(path, message, { deadlineMs: ASK_MS });
  return {
    failure: failed.promise,
    openWindow: async () => void (await ask(PROBE, { type: 'open-io-window' })),
    // Both actors answer with what their message types say.
    closeWindow: async () => (await ask(PROBE, { type: 'close-io-window' })) as IoWindow,
    async beginEvaluating(place, plan) {
      const message = { type: 'begin-evaluating', ...plan };
      await ask(evaluationPath(place), message);
    },
    endEvaluating: async (place) => (await ask(evaluationPath(place), { type: 'end-evaluating' })) as readonly Span[],
    close,
  };
}

/** The engine's own tree, with the benchmark's actors on its threads. */
function withBenchActors(engine: SupervisorSpec): SupervisorSpec {
  const actor = (id: string, kind: string, thread: string): ActorSpec => ({
    type: 'actor',
    id,
    kind,
    args: {},
    thread,
  });
  return {
    ...engine,
    children: [
      ...engine.children,
      actor(PROBE, ioProbe.kind, IO),
      actor(evaluationPath('trading'), evaluation.kind, TRADING),
      actor(evaluationPath('io'), evaluation.kind, IO),
    ],
  };
}

function evaluationPath(place: EvaluationPlace): string {
  return `bench/evaluation-on-${place}`;
}

async function ready(system: ActorSystem, accounts: number): Promise<void> {
  const givenUpAtMs = performance.now() + READY_MS;
  while (performance.now() < givenUpAtMs) {
    // The observer's digest is the summary; inspection answers with plain data of unknown type.
    const summary = (await system.inspect(observerRef.path))?.digest as TradingSummary | undefined;
    if (summary?.venues.filter((venue) => venue.status === 'ready').length === accounts) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`both accounts must be ready within ${READY_MS} ms`);
}
