/** Questions to the threads of a system and what is shown while one does not answer. Changes nothing. Main thread. */
import type { Remote } from 'comlink';
import type { ActorPath } from './actor.ts';
import type { CellHost } from './cell-host.ts';
import type { ThreadControl, ThreadReport } from './control-plane.ts';
import { mergeDeadLetters } from './dead-letters.ts';
import type { PlacementTable } from './placement.ts';
import type { ActorInspection, ActorSnapshot, MailboxView, SystemSnapshot, ThreadSnapshot } from './snapshot.ts';
import type { SupervisionTree } from './supervision-tree.ts';
import type { ThreadReporter } from './thread-report.ts';
import { tracesOf, type Trace } from './trace-store.ts';
import type { WorkerKeeper } from './worker-keeper.ts';

/** An answer that comes later is not worth waiting for. */
const ANSWER_DEADLINE_MS = 500;
/** Messages shown of one mailbox. */
const PEEK_LIMIT = { usual: 20, most: 100 } as const;

/** What is asked; all of it belongs to the system. */
export interface InspectedSystem {
  /** Workers by name. */
  readonly keepers: ReadonlyMap<string, WorkerKeeper>;
  readonly placement: PlacementTable;
  readonly tree: SupervisionTree;
  /** The actors of the main thread. */
  readonly host: CellHost;
  readonly reporter: ThreadReporter;
  readonly isDown: () => boolean;
}

export class ThreadInspection {
  readonly #system: InspectedSystem;
  /** What each worker last told, for the time it tells nothing. */
  readonly #lastReports = new Map<string, ThreadReport>();

  constructor(system: InspectedSystem) {
    this.#system = system;
  }

  async snapshot(): Promise<SystemSnapshot> {
    const { keepers, reporter, tree } = this.#system;
    const reports = [
      reporter.report(),
      ...(await Promise.all([...keepers.values()].map((keeper) => this.reportOf(keeper)))),
    ];
    return {
      actors: reports.flatMap((report) => report.actors.map((actor) => this.#asSupervised(actor, report.thread))),
      supervisors: tree.snapshot(),
      threads: reports.map((report) => report.thread),
      deadLetters: mergeDeadLetters(reports.map((report) => report.deadLetters)),
    };
  }

  /** Returns what a worker says of itself, or what it last said where it does not answer. */
  async reportOf(keeper: WorkerKeeper): Promise<ThreadReport> {
    if (keeper.life !== undefined) {
      try {
        const report = await keeper.call('report', ANSWER_DEADLINE_MS, (control) => control.report());
        const withFailure =
          keeper.lastFailure === undefined
            ? report
            : { ...report, thread: { ...report.thread, lastFailure: keeper.lastFailure } };
        this.#lastReports.set(keeper.name, withFailure);
        return withFailure;
      } catch {
        // A thread that is busy or just died is shown as it last was: a question must not fail the one who asks.
      }
    }
    return this.#staleReport(keeper);
  }

  #staleReport(keeper: WorkerKeeper): ThreadReport {
    const last = this.#lastReports.get(keeper.name);
    const isDead = keeper.life === undefined;
    const thread: ThreadSnapshot = {
      ...(last?.thread ?? {
        name: keeper.name,
        lanes: [],
        lostWakeUps: 0,
        wakeUpsSent: 0,
        turns: 0,
        logRecordsDropped: 0,
      }),
      incarnation: keeper.incarnation,
      status: this.#system.isDown() ? 'stopped' : isDead ? 'dead' : 'running',
      stale: true,
      ...(keeper.lastFailure === undefined ? {} : { lastFailure: keeper.lastFailure }),
    };
    return {
      thread,
      actors: last?.actors ?? [],
      deadLetters: last?.deadLetters ?? { total: 0, byReason: {}, latest: [] },
    };
  }

  /** A thread knows of its actors' lives only; that one waits for its restart or was given up is known to the tree. */
  #asSupervised<Snapshot extends ActorSnapshot>(actor: Snapshot, thread?: ThreadSnapshot): Snapshot {
    const { tree } = this.#system;
    if ((actor.status === 'running' || actor.status === 'paused') && thread?.status !== 'dead') return actor;
    return { ...actor, status: tree.statusOf(actor.path), incarnation: tree.incarnationOf(actor.path) };
  }

  async inspect(path: ActorPath): Promise<ActorInspection | undefined> {
    const inspection = await this.askThreadOf(
      path,
      'inspect',
      (host) => host.inspect(path),
      (control) => control.inspect(path),
    );
    return inspection === undefined ? undefined : this.#asSupervised(inspection);
  }

  peek(path: ActorPath, options: { readonly limit?: number } = {}): Promise<MailboxView | undefined> {
    const limit = Math.min(PEEK_LIMIT.most, Math.max(0, options.limit ?? PEEK_LIMIT.usual));
    return this.askThreadOf(
      path,
      'peek',
      (host) => host.peek(path, limit),
      (control) => control.peek(path, limit),
    );
  }

  async traces(): Promise<readonly Trace[]> {
    const { keepers, host } = this.#system;
    const asked = [...keepers.values()].map(async (keeper) => {
      if (keeper.life === undefined) return [];
      // What a silent or dying thread knows of a trace is missing from it: a question must not fail the one who asks.
      return await keeper.call('traceEvents', ANSWER_DEADLINE_MS, (control) => control.traceEvents()).catch(() => []);
    });
    return tracesOf([...host.traceEvents(), ...(await Promise.all(asked)).flat()]);
  }

  /** Returns the answer of the actor's thread; undefined when no actor lives at the path, or the thread does not answer. */
  async askThreadOf<Answer>(
    path: ActorPath,
    what: string,
    onMain: (host: CellHost) => Answer,
    onWorker: (control: Remote<ThreadControl>) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { placement, keepers, host } = this.#system;
    const place = placement.byPath(path);
    if (place?.spec === undefined) return undefined;
    const keeper = keepers.get(place.thread);
    if (keeper === undefined) return onMain(host);
    if (keeper.life === undefined) return undefined;
    try {
      return await keeper.call(what, ANSWER_DEADLINE_MS, onWorker);
    } catch {
      return undefined;
    }
  }
}
