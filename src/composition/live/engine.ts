/** Starts one engine on threads: journal, venues, actors; stops it in order. Main thread. */
import { resolve } from 'node:path';
import { observer } from '../../../actors/observer.ts';
import type { TradingSummary } from '../../../actors/observer.ts';
import { connectorRef, guardRef, journalRef, observerRef, positionRef } from '../../../actors/addresses.ts';
import type { RowsPage } from '../../../actors/journal-messages.ts';
import type { GuardMessage } from '../../../actors/guard-messages.ts';
import type { PositionMessage } from '../../../actors/position-messages.ts';
import type { TandemConfig } from '../../../config/schema.ts';
import type { ConnectorThreadData } from '../../ports/live/connector-ports.ts';
import type { SchedulingThreadData } from '../../ports/live/scheduled-ports.ts';
import type { AnyActorKind } from '../../runtime/kind-registry.ts';
import type { LogRecord, PortsContext } from '../../runtime/ports-context.ts';
import type { ActorSystem, ThreadSpec } from '../../runtime/system.ts';
import { startThreads } from '../../runtime/thread-system.ts';
import { BootNumbersExhausted, JournalDamaged } from '../../storage/journal-errors.ts';
import { lockDataDirectory } from '../../storage/live/directory-lock.ts';
import { openJournal } from '../../storage/live/journal-database.ts';
import type { StoreQuery } from '../../storage/rows.ts';
import type { JournalVerdict } from '../../storage/verdict.ts';
import type { JournalThreadData } from '../../storage/live/journal-ports.ts';
import { engineDelivery } from '../delivery.ts';
import { killForVerdict } from '../journal-verdict.ts';
import { placementOf, supervisionTree } from '../tree.ts';
import { openKeys } from './account-keys.ts';
import type { AccountKeys } from './account-keys.ts';
import { openAccounts } from './accounts.ts';
import type { Accounts } from './accounts.ts';

export interface EngineOptions {
  readonly log: (record: LogRecord) => void;
  /** A thread that cannot be ended: the process must go (exit code 70). */
  readonly onUnkillable: (thread: string) => void;
  /** Of live accounts; absent where there are none, or none of their files is sealed. */
  readonly keys?: AccountKeys;
}

/** A running engine. */
export interface Engine {
  readonly system: ActorSystem;
  readonly boot: number;
  readonly journal: JournalVerdict;
  readonly dataDirectory: string;
  /** Addresses of simulated venues started for this engine. */
  readonly accounts: Accounts;
  /** The latest public picture; undefined while the observer does not answer. */
  summary(): Promise<TradingSummary | undefined>;
  readiness(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
  /** Asks the journal's actor for a page. Rejects with AskFailed. */
  readRows(query: StoreQuery): Promise<RowsPage>;
  /** Stops entries, lets orders end, stops the tree. True when nothing was left in between. `hurry` cuts the wait to 3 s. */
  stop(): Promise<boolean>;
  hurry(): void;
  /** After kill level 4: waits until the connectors are gone, then stops without waiting for anybody. Returns where orders may be left. */
  leave(): Promise<readonly string[]>;
}

const DRAIN_MS = 15_000;
const HURRY_MS = 3_000;
const TREE_STOP_MS = 10_000;
/** Connectors go after 8 s whatever their venues say; a guard that cannot answer is not waited for longer. */
const LEAVE_MS = 10_000;
const LOOK_MS = 50;
/** The journal answers between two commits. */
const READ_MS = 5_000;

/**
 * Starts everything; settles once the tree runs (venues connect after that). Rejects, with all released again, when the data
 * directory is in use, the journal is damaged, or a first start fails.
 */
export async function startEngine(config: TandemConfig, options: EngineOptions): Promise<Engine> {
  const dataDirectory = resolve(config.dataDir);
  const keys = options.keys ?? (await openKeys(config, {}));
  if (keys.problems.length > 0) throw new Error(keys.problems.join('; '));
  const lock = lockDataDirectory(dataDirectory);
  let accounts: Accounts | undefined;
  try {
    const { boot, verdict } = allocateBoot(dataDirectory);
    accounts = await openAccounts(config, keys);
    const placement = placementOf(config.workers);
    const system = await startThreads({
      tree: supervisionTree({ config, accounts: accounts.endpoints, boot, placement }),
      kinds: await mainKinds(config),
      delivery: engineDelivery,
      portsFor: await mainPorts(config, accounts, { journalDirectory: dataDirectory, boot }),
      calendar: accounts.calendar(),
      log: options.log,
      threads: threadSpecs(config, accounts, { journalDirectory: dataDirectory, boot }),
      onUnkillable: options.onUnkillable,
      traceEvery: config.runtime.traceEvery,
      spinUs: config.runtime.spinUs,
    });
    const kill = killForVerdict(verdict);
    if (kill !== undefined) system.tell(guardRef.path, kill);
    return new RunningEngine(config, system, boot, verdict, dataDirectory, accounts, () => lock.release());
  } catch (error) {
    await accounts?.close();
    lock.release();
    throw error;
  }
}

/** Checks the journal and makes this life's number durable; the store thread opens the journal again afterwards. */
function allocateBoot(directory: string): { readonly boot: number; readonly verdict: JournalVerdict } {
  try {
    const journal = openJournal(directory);
    try {
      return { verdict: journal.verdict, boot: journal.allocateBoot(Date.now()) };
    } finally {
      journal.close();
    }
  } catch (error) {
    // These name their file and rule; what the disk or SQLite says does not.
    if (error instanceof JournalDamaged || error instanceof BootNumbersExhausted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the journal in ${directory} must be writable: ${reason}`, { cause: error });
  }
}

function threadSpecs(config: TandemConfig, accounts: Accounts, store: JournalThreadData): readonly ThreadSpec[] {
  const placement = placementOf(config.workers);
  const entry = (name: string): URL => new URL(`../../../workers/${name}.ts`, import.meta.url);
  const connectors: ConnectorThreadData = {
    cpuThreads: config.workers.cpu,
    isRealtime: config.workers.ioScheduling === 'realtime',
    http: config.http,
    calendarScale: config.calendar.scale,
    secrets: accounts.secrets,
  };
  const trading: SchedulingThreadData = { isRealtime: config.workers.tradingScheduling === 'realtime' };
  // Threads without sockets that are to spin block in between; all others sleep in their event loops.
  const wake = config.runtime.spinUs > 0 ? 'wait' : 'nudge';
  const named = (
    names: readonly string[],
    role: string,
    data: unknown,
    more: Partial<ThreadSpec> = {},
  ): readonly ThreadSpec[] =>
    names.filter((name) => name !== 'main').map((name) => ({ name, entry: entry(role), data, ...more }));
  return [
    ...named(placement.io, 'io', connectors),
    ...named(placement.trading, 'trading', trading, { spare: true, wake }),
    ...named([placement.store], 'store', { ...store, ...trading }),
  ];
}

/** Kinds the main thread runs: the observer, and whatever the configuration gives no thread of its own. */
async function mainKinds(config: TandemConfig): Promise<readonly AnyActorKind[]> {
  const kinds: AnyActorKind[] = [observer];
  if (config.workers.io === 0) kinds.push((await import('../../../actors/connector.ts')).connector);
  if (config.workers.trading === 0) {
    kinds.push(
      (await import('../../../actors/guard.ts')).guard,
      (await import('../../../actors/position.ts')).position,
    );
    kinds.push((await import('../../../actors/strategy.ts')).strategy);
  }
  if (placementOf(config.workers).store === 'main') {
    kinds.push(
      (await import('../../../actors/journal.ts')).journal,
      (await import('../../../actors/monitor.ts')).monitor,
    );
  }
  return kinds;
}

async function mainPorts(
  config: TandemConfig,
  accounts: Accounts,
  store: JournalThreadData,
): Promise<(context: PortsContext) => unknown> {
  const connectors: ConnectorThreadData = {
    cpuThreads: config.workers.cpu,
    isRealtime: config.workers.ioScheduling === 'realtime',
    http: config.http,
    calendarScale: config.calendar.scale,
    secrets: accounts.secrets,
  };
  const connectorPorts =
    config.workers.io === 0 ? (await import('../../ports/live/connector-ports.ts')).connectorPortsFactory() : undefined;
  const journalPorts =
    placementOf(config.workers).store === 'main'
      ? (await import('../../storage/live/journal-ports.ts')).journalPortsFactory()
      : undefined;
  return (context) => {
    if (context.kind === 'connector') return connectorPorts?.({ ...context, data: connectors });
    if (context.kind === 'journal') return journalPorts?.({ ...context, data: store });
    return {};
  };
}

class RunningEngine implements Engine {
  readonly system: ActorSystem;
  readonly boot: number;
  readonly journal: JournalVerdict;
  readonly dataDirectory: string;
  readonly accounts: Accounts;
  readonly #config: TandemConfig;
  readonly #release: () => void;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(
    config: TandemConfig,
    system: ActorSystem,
    boot: number,
    journal: JournalVerdict,
    dataDirectory: string,
    accounts: Accounts,
    release: () => void,
  ) {
    this.#config = config;
    this.system = system;
    this.boot = boot;
    this.journal = journal;
    this.dataDirectory = dataDirectory;
    this.accounts = accounts;
    this.#release = release;
  }

  async summary(): Promise<TradingSummary | undefined> {
    // The observer's digest is the summary; inspection answers with plain data of unknown type.
    return (await this.system.inspect(observerRef.path))?.digest as TradingSummary | undefined;
  }

  async readiness(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }> {
    const summary = await this.summary();
    if (summary === undefined) return { ready: false, reasons: ['the observer does not answer'] };
    const reasons: string[] = [];
    for (const { venue, account } of this.accounts.endpoints) {
      const status = summary.venues.find((candidate) => candidate.venue === venue && candidate.account === account);
      if (status?.status !== 'ready')
        reasons.push(
          `${venue}:${account} is ${status?.status ?? 'unknown'}${status === undefined || status.reason === '' ? '' : ` (${status.reason})`}`,
        );
    }
    for (const base of this.#config.symbols) {
      const pair = summary.pairs.find((candidate) => candidate.base === base);
      if (pair === undefined || pair.phase === 'RECOVERING') reasons.push(`position/${base} is recovering`);
    }
    return { ready: reasons.length === 0, reasons };
  }

  async readRows(query: StoreQuery): Promise<RowsPage> {
    const message = { type: 'ask-rows', query };
    // What the journal's actor answers this question with.
    return (await this.system.ask(journalRef.path, message, { deadlineMs: READ_MS })) as RowsPage;
  }

  hurry(): void {
    this.#deadlineMs = Math.min(this.#deadlineMs, performance.now() + HURRY_MS);
  }

  async stop(): Promise<boolean> {
    this.#deadlineMs = Math.min(this.#deadlineMs, performance.now() + DRAIN_MS);
    const standDown: GuardMessage = { type: 'stand-down', reason: 'stopping' };
    this.system.tell(guardRef.path, standDown);
    const drain: PositionMessage = { type: 'drain-position' };
    for (const base of this.#config.symbols) this.system.tell(positionRef(base).path, drain);
    const quiet = await this.#quiet();
    await this.system.stop({ deadlineMs: TREE_STOP_MS });
    await this.accounts.close();
    this.#release();
    return quiet;
  }

  async leave(): Promise<readonly string[]> {
    const endMs = performance.now() + LEAVE_MS;
    const paths = this.accounts.endpoints.map(({ venue, account }) => connectorRef(venue, account).path);
    let remaining = await this.#remaining(paths);
    while (remaining.isWaiting && performance.now() < endMs) {
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
      remaining = await this.#remaining(paths);
    }
    await this.system.stop({ deadlineMs: TREE_STOP_MS });
    await this.accounts.close();
    this.#release();
    return remaining.orders;
  }

  async #remaining(
    paths: readonly string[],
  ): Promise<{ readonly isWaiting: boolean; readonly orders: readonly string[] }> {
    // Inspection answers with plain data of unknown type; this is what the guard's digest holds.
    const digest = (await this.system.inspect(guardRef.path))?.digest as
      | { readonly connectorsLeft?: readonly { readonly path: string; readonly openOrders: number | string }[] }
      | undefined;
    const left = new Map((digest?.connectorsLeft ?? []).map(({ path, openOrders }) => [path, openOrders]));
    return {
      isWaiting: paths.some((path) => !left.has(path)),
      orders: paths.flatMap((path) => {
        const openOrders = left.get(path) ?? 'unknown';
        return openOrders === 0 ? [] : [`${path}: ${openOrders} open orders`];
      }),
    };
  }

  /** Waits until every position has said that nothing of it is on its way, or the deadline. */
  async #quiet(): Promise<boolean> {
    while (performance.now() < this.#deadlineMs) {
      const summary = await this.summary();
      if (
        summary !== undefined &&
        summary.pairs.length === this.#config.symbols.length &&
        summary.pairs.every((pair) => pair.drained)
      )
        return true;
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
    return false;
  }
}
