/** The actor system on worker threads in real time: starts threads and tree, restarts both, answers questions. Main thread. */
import type { Remote } from 'comlink';
import { randomInt } from 'node:crypto';
import { refOf, type ActorPath, type ActorRef, type MessageShape, type TellOutcome } from './actor.ts';
import type { AskReplied } from './ask.ts';
import { AskTable } from './ask-table.ts';
import {
  asSupervisorRequest,
  type ChildCounts,
  type ChildOutcome,
  type ChildRequest,
  type ChildView,
} from './child-requests.ts';
import type { AttachOptions, ThreadControl, ThreadReport } from './control-plane.ts';
import { HeartbeatWatch, type Pulse } from './heartbeat-watch.ts';
import { KindRegistry } from './kind-registry.ts';
import { MessageTypes } from './message-types.ts';
import type { Metrics } from './metrics.ts';
import { newBoard, type BoardReader, type ThreadMetrics } from './metrics-board.ts';
import { PlaceNews } from './thread-place-news.ts';
import { ASKS_PATH, MAIN_THREAD, placeActors, PlacementTable, SUPERVISORS_PATH, type Place } from './placement.ts';
import type { LogLevel } from './ports-context.ts';
import { Segment, SLOT } from './segment.ts';
import type { ActorInspection, MailboxView, SystemSnapshot } from './snapshot.ts';
import { SupervisionTree, type TreeEnvironment } from './supervision-tree.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { ActorSystem, AskOptions, ThreadSpec, ThreadSystemOptions } from './system.ts';
import { anchorNow, ThreadClock } from './thread-clock.ts';
import { ActorOrders } from './thread-actor-orders.ts';
import { ThreadAttachments } from './thread-attachments.ts';
import { coreWaitMs } from './thread-core-wait.ts';
import { ThreadInspection } from './thread-inspection.ts';
import { ThreadMoves } from './thread-moves.ts';
import { ThreadReporter } from './thread-report.ts';
import { ThreadRuntime, type ThreadIdentity } from './thread-runtime.ts';
import type { Trace } from './trace-store.ts';
import { CALL_DEADLINE_MS, WorkerKeeper } from './worker-keeper.ts';

const MAIN_INDEX = 0;
/** How long a thread may be silent. */
const HEARTBEAT_MS = 1_000;
/** How often heartbeats are looked at: at least five times within the limit, or every look would seem late. */
const LOOKS_PER_LIMIT = 5;
const LOOK_EVERY_MS_MAX = 200;
/** Between two looks whether a thread to be removed still has messages to hand over. */
const DRAIN_LOOK_MS = 5;
/** A thread that keeps dying waits this long, doubled each time, at most as long as the second number. */
const THREAD_BACKOFF_MS = { first: 50, last: 2_000 } as const;
const UINT32 = 2 ** 32;

/**
 * Starts the threads, then the tree, and returns once the root is up. Rejects with the reason when a thread cannot be
 * attached or a child fails its first start; everything is down again then.
 */
export async function startThreads(options: ThreadSystemOptions): Promise<ActorSystem> {
  const system = new ThreadSystem(options);
  await system.start();
  return system;
}

class ThreadSystem implements ActorSystem {
  readonly failed: Promise<string>;
  readonly #options: ThreadSystemOptions;
  readonly #threads: ThreadIdentity[];
  readonly #placement: PlacementTable;
  readonly #types: MessageTypes;
  readonly #segment: Segment;
  readonly #anchorNs = anchorNow();
  readonly #clock: ThreadClock;
  readonly #seed: number;
  readonly #runtime: ThreadRuntime;
  readonly #reporter: ThreadReporter;
  readonly #inspection: ThreadInspection;
  readonly #attachments: ThreadAttachments;
  readonly #orders: ActorOrders;
  readonly #tree: SupervisionTree;
  readonly #moves: ThreadMoves;
  readonly #keepers = new Map<string, WorkerKeeper>();
  /** The metrics of each thread, by its number. */
  readonly #boards: { readonly buffer: SharedArrayBuffer; readonly reader: BoardReader }[];
  readonly #asks = new AskTable();
  readonly #watch: HeartbeatWatch;
  readonly #watchTimer: NodeJS.Timeout;
  readonly #paused = new Set<ActorPath>();
  readonly #deathTimesMs = new Map<string, number[]>();
  readonly #placeNews: PlaceNews;
  readonly #treeStarted = Promise.withResolvers<void>();
  readonly #treeEnded = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<string>();
  #phase: 'starting' | 'running' | 'stopping' | 'down' = 'starting';

  constructor(options: ThreadSystemOptions) {
    this.#options = options;
    this.failed = this.#failed.promise;
    const workers = options.threads.filter(isWorkerSpec);
    this.#threads = [
      { name: MAIN_THREAD, wake: 'nudge' },
      ...workers.map(({ name, wake }) => ({ name, wake: wake ?? 'nudge' }) as const),
    ];
    this.#placement = new PlacementTable(placeActors(options.tree));
    this.#types = new MessageTypes([...options.kinds.map((kind) => kind.delivery), ...(options.delivery ?? [])]);
    this.#assertThreads();
    this.#segment = Segment.allocate(
      {
        threads: Math.max(this.#threads.length, options.threadsMax ?? 0),
        controlLaneBytes: options.controlLaneBytes ?? 131_072,
        dataLaneBytes: options.dataLaneBytes ?? 524_288,
        latestSlots: options.latestSlots ?? 256,
      },
      this.#types.hash,
    );
    this.#clock = new ThreadClock(options.calendar, this.#anchorNs);
    this.#seed = options.seed ?? randomInt(UINT32);
    this.#boards = this.#threads.map(({ name }) => newBoard(name));
    this.#runtime = this.#newRuntime();
    this.#runtime.host.addEndpoint(ASKS_PATH, (message) => this.#asks.take(message));
    this.#runtime.host.addEndpoint(SUPERVISORS_PATH, (message) => this.#takeRequest(message));
    this.#placeNews = new PlaceNews((added, removed) => this.#tellPlaces(added, removed));
    this.#reporter = new ThreadReporter(MAIN_THREAD, 1, this.#runtime);
    this.#orders = new ActorOrders({
      ...{ placement: this.#placement, placeNews: this.#placeNews, keepers: this.#keepers, host: this.#runtime.host },
      ...{ tree: () => this.#tree, moves: () => this.#moves, isDown: () => this.#phase === 'down' },
      onExited: (path, incarnation, reason) => this.#actorExited(path, incarnation, reason),
      onCallFailed: (keeper, error) => this.#callFailed(keeper, error),
      log: (level, event, fields, path) => this.#log(level, event, fields, path),
    });
    this.#tree = new SupervisionTree(options.tree, this.#treeEnvironment());
    this.#inspection = new ThreadInspection({
      ...{ keepers: this.#keepers, placement: this.#placement, tree: this.#tree },
      ...{ host: this.#runtime.host, reporter: this.#reporter, isDown: () => this.#phase === 'down' },
    });
    this.#attachments = new ThreadAttachments({
      ...{ threads: this.#threads, keepers: this.#keepers, segment: this.#segment, runtime: this.#runtime },
      ...{ placement: this.#placement, placeNews: this.#placeNews },
      optionsFor: (keeper) => this.#attachOptions(keeper),
      onAttached: (keeper) => this.#attached(keeper),
      onCallFailed: (keeper, error) => this.#callFailed(keeper, error),
    });
    this.#moves = this.#newMoves();
    for (const [offset, spec] of workers.entries()) this.#keepers.set(spec.name, this.#newKeeper(spec, offset + 1));
    const heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.#watch = new HeartbeatWatch(heartbeatMs);
    this.#watchTimer = setInterval(() => this.#look(), Math.min(LOOK_EVERY_MS_MAX, heartbeatMs / LOOKS_PER_LIMIT));
  }

  #newKeeper(spec: ThreadSpec & { readonly entry: URL }, index: number): WorkerKeeper {
    return new WorkerKeeper(spec, index, {
      onDeath: (keeper, reason) => this.#threadDied(keeper, reason),
      onUnkillable: (name) => this.#unkillable(name),
      onCallPosted: (at) => this.#callPosted(at),
    });
  }

  #assertThreads(): void {
    const names = new Set(this.#threads.map((thread) => thread.name));
    if (names.size !== this.#threads.length)
      throw new Error(`thread names must be unique, were ${this.#threads.map((thread) => thread.name).join(', ')}`);
    for (const place of this.#placement.places) {
      if (!names.has(place.thread))
        throw new Error(`the thread of "${place.path}" must be one of ${[...names].join(', ')}, was "${place.thread}"`);
    }
  }

  #newRuntime(): ThreadRuntime {
    const options = this.#options;
    return new ThreadRuntime({
      segment: this.#segment,
      threads: this.#threads,
      index: MAIN_INDEX,
      data: options.threads.find((thread) => thread.name === MAIN_THREAD)?.data,
      placement: this.#placement,
      types: this.#types,
      kinds: new KindRegistry(options.kinds),
      portsFor: options.portsFor,
      clock: this.#clock,
      metrics: this.#boardOf(MAIN_INDEX),
      seed: this.#seed,
      ...(options.deadLettersMax === undefined ? {} : { deadLettersMax: options.deadLettersMax }),
      checkIsolation: options.checkIsolation ?? false,
      measureDurations: options.measureDurations ?? true,
      traceEvery: options.traceEvery ?? 0,
      spinUs: options.spinUs ?? 0,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      onExited: (path, incarnation, reason) => {
        // Never inside the host's own turn: the tree may start the next life at once.
        setImmediate(() => this.#orders.endedByItself(path, incarnation, reason));
      },
      onLog: options.log,
      onArrived: (path) => this.#moves.arrived(path),
    });
  }

  // --- start and stop ---

  async start(): Promise<void> {
    this.#runtime.start();
    try {
      for (const keeper of this.#keepers.values()) keeper.begin();
      for (const keeper of this.#keepers.values()) await this.#attachments.attach(keeper);
      this.#tree.start();
      await Promise.race([
        this.#treeStarted.promise,
        this.#failed.promise.then((reason) => Promise.reject(new Error(reason))),
      ]);
    } catch (error) {
      await this.#shutDown(error instanceof Error ? error.message : String(error));
      throw error;
    }
    this.#phase = 'running';
  }

  async stop({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    if (this.#phase === 'down') return;
    this.#phase = 'stopping';
    this.#tree.stop('system stopped');
    const kill = setTimeout(() => this.#tree.kill('the shutdown deadline passed'), deadlineMs);
    const giveUp = setTimeout(() => this.#treeEnded.resolve(), deadlineMs + 500);
    await this.#treeEnded.promise;
    clearTimeout(kill);
    clearTimeout(giveUp);
    await this.#shutDown('system stopped');
  }

  async #shutDown(reason: string): Promise<void> {
    this.#phase = 'down';
    clearInterval(this.#watchTimer);
    this.#asks.failAll(reason);
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
    // The last words of the threads are still in their lanes.
    for (const keeper of this.#keepers.values()) this.#runtime.peerDied(keeper.name, reason, new Map(), undefined);
    this.#runtime.stop();
    this.#reporter.stop();
  }

  #fail(reason: string): void {
    if (this.#phase === 'down' || this.#phase === 'stopping') return;
    const wasStarting = this.#phase === 'starting';
    this.#phase = 'stopping';
    this.#log('error', 'system-failed', { reason });
    this.#failed.resolve(reason);
    if (!wasStarting) void this.#shutDown(reason);
  }

  // --- the world of the tree ---

  #treeEnvironment(): TreeEnvironment {
    return {
      monotonicMs: () => this.#clock.monotonicMs(),
      jitter: () => randomInt(UINT32) / UINT32,
      after: (delayMs, action) => {
        const timer = setTimeout(action, delayMs);
        return () => clearTimeout(timer);
      },
      hasThread: (name) => this.#threads.some((thread) => thread.name === name),
      threadOf: (path) => this.#placement.byPath(path)?.thread,
      addActor: (spec, thread, firstIncarnation) =>
        this.#putPlace({ index: this.#placement.newIndex(), path: spec.id, thread, spec, firstIncarnation }, true),
      changeActor: (spec) => {
        const place = this.#placement.byPath(spec.id);
        if (place !== undefined) this.#putPlace({ ...place, spec }, false);
      },
      removeActor: (path) => this.#removePlace(path),
      startActor: (path, incarnation) => this.#orders.start(path, incarnation),
      stopActor: (path, incarnation, reason) => this.#orders.stop(path, incarnation, reason),
      killActor: (path, incarnation) => this.#orders.kill(path, incarnation),
      retireActor: (path) => this.#orders.retire(path),
      log: (level, event, path, fields) => this.#log(level, event, fields, path),
      treeStarted: () => this.#treeStarted.resolve(),
      treeEnded: (reason) => {
        this.#treeEnded.resolve();
        this.#fail(reason.detail);
      },
    };
  }

  /** A call that failed because the thread died is settled by that death; one that went unanswered makes it a hung thread. */
  #callFailed(keeper: WorkerKeeper | undefined, error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    if (keeper === undefined) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'thread-died') return;
    if (this.#phase === 'down') return;
    this.#log('error', 'control-call-failed', { thread: keeper.name, reason: detail });
    keeper.terminate(detail);
  }

  #actorExited(path: ActorPath, incarnation: number, reason: ExitReason): void {
    this.#asks.actorEnded(path, reason.detail);
    this.#tree.actorsExited([{ path, incarnation, reason }]);
  }

  // --- actors that come and go ---

  #putPlace(place: Place, isNew: boolean): void {
    this.#placement.put(place);
    this.#runtime.host.takePlace(place);
    this.#placeNews.add(place, isNew);
  }

  #removePlace(path: ActorPath): void {
    const place = this.#placement.byPath(path);
    if (place === undefined) return;
    this.#orders.forgetStart(path);
    this.#runtime.updatePlaces([], [place]);
    this.#placeNews.remove(place);
  }

  /** Settles when every thread knows, or is dead; threads being attached learn of it then. */
  async #tellPlaces(added: readonly Place[], removed: readonly Place[]): Promise<void> {
    if (this.#phase === 'down') return;
    const attached = [...this.#keepers.values()].filter((keeper) => keeper.life !== undefined);
    const told = attached.map((keeper) =>
      keeper
        .call('places', CALL_DEADLINE_MS, (control) => control.updatePlaces(added, removed))
        .catch((error: unknown) => this.#callFailed(keeper, error)),
    );
    await Promise.all([...told, this.#attachments.settled()]);
  }

  #takeRequest(message: MessageShape): void {
    const asked = asSupervisorRequest(message);
    if (asked === undefined) return;
    // Never inside the host's own turn: an actor of this thread may be the one that asks.
    setImmediate(() => {
      this.#tree.request(asked.supervisor, asked.request, (value) => {
        const reply: AskReplied = { type: 'ask-replied', askId: asked.askId, value };
        this.#runtime.host.tell(SUPERVISORS_PATH, asked.replyTo, reply);
      });
    });
  }

  request(supervisor: ActorPath, request: ChildRequest): Promise<ChildOutcome> {
    const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
    this.#tree.request(supervisor, request, resolve);
    return promise;
  }

  whichChildren(supervisor: ActorPath): readonly ChildView[] | undefined {
    return this.#tree.whichChildren(supervisor);
  }

  countChildren(supervisor: ActorPath): ChildCounts | undefined {
    return this.#tree.countChildren(supervisor);
  }

  whereIs(path: ActorPath): ActorRef | undefined {
    return this.#tree.whereIs(path);
  }

  kill(path: ActorPath): boolean {
    return this.#tree.killChild(path);
  }

  // --- threads ---

  #boardOf(index: number): SharedArrayBuffer {
    const board = this.#boards[index];
    if (board === undefined) throw new Error(`a thread's number must be below ${this.#boards.length}, was ${index}`);
    return board.buffer;
  }

  #attachOptions(keeper: WorkerKeeper): AttachOptions {
    const options = this.#options;
    this.#watch.forget(keeper.name);
    return {
      segment: this.#segment.buffer,
      metrics: this.#boardOf(keeper.index),
      threads: this.#threads,
      index: keeper.index,
      incarnation: keeper.incarnation,
      data: keeper.spec.data,
      places: this.#placement.places,
      delivery: this.#types.merged,
      tableHash: this.#types.hash,
      calendar: options.calendar,
      anchorNs: this.#anchorNs,
      seed: this.#seed,
      deadLettersMax: options.deadLettersMax,
      checkIsolation: options.checkIsolation ?? false,
      measureDurations: options.measureDurations ?? true,
      traceEvery: options.traceEvery ?? 0,
      spinUs: options.spinUs ?? 0,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      paused: [...this.#paused],
      retired: this.#placement
        .onThread(keeper.name)
        .flatMap((place) => (this.#tree.statusOf(place.path) === 'stopped' ? [place.path] : [])),
    };
  }

  #attached(keeper: WorkerKeeper): void {
    this.#log('info', 'thread-attached', { thread: keeper.name, incarnation: keeper.incarnation });
    this.#orders.threadAttached(keeper);
  }

  #threadDied(keeper: WorkerKeeper, reason: string): void {
    this.#orders.threadDied(keeper);
    // One that was removed ends as it was told to.
    if (this.#phase === 'down' || this.#keepers.get(keeper.name) !== keeper) return;
    this.#log('error', 'thread-died', { thread: keeper.name, incarnation: keeper.incarnation, reason });
    const places = this.#placement.onThread(keeper.name);
    const incarnations = new Map(places.map((place) => [place.path, this.#tree.incarnationOf(place.path)]));
    void this.#attachments.takeLeave(keeper, reason, incarnations);
    for (const path of incarnations.keys()) {
      this.#orders.forgetStart(path);
      this.#asks.actorEnded(path, reason);
    }
    this.#moves.threadDied(keeper.name);
    // The life of an actor on its way ended for the move, and the move starts the next one.
    const ended = [...incarnations].filter(([path]) => !this.#moves.isMoving(path));
    this.#tree.actorsExited(
      ended.map(([path, incarnation]) => ({ path, incarnation, reason: { kind: 'thread-died', detail: reason } })),
    );
    this.#reviveThread(keeper, reason);
  }

  #reviveThread(keeper: WorkerKeeper, reason: string): void {
    if (this.#phase !== 'running' && this.#phase !== 'starting') return;
    const nowMs = this.#clock.monotonicMs();
    const periodMs = this.#options.threadPeriodMs ?? 30_000;
    const intensity = this.#options.threadIntensity ?? 5;
    const deaths = [...(this.#deathTimesMs.get(keeper.name) ?? []).filter((atMs) => atMs > nowMs - periodMs), nowMs];
    this.#deathTimesMs.set(keeper.name, deaths);
    if (deaths.length > intensity || this.#phase === 'starting') {
      this.#fail(`thread "${keeper.name}" died ${deaths.length} times in ${periodMs} ms: ${reason}`);
      return;
    }
    const delayMs =
      deaths.length === 1 ? 0 : Math.min(THREAD_BACKOFF_MS.last, THREAD_BACKOFF_MS.first * 2 ** (deaths.length - 2));
    setTimeout(() => {
      if (this.#phase !== 'running') return;
      keeper.begin();
      this.#attachments.attach(keeper).catch((error: unknown) => this.#callFailed(keeper, error));
    }, delayMs);
  }

  #look(): void {
    const pulses: Pulse[] = [];
    for (const keeper of this.#keepers.values()) {
      if (keeper.life === undefined || keeper.isEnding) continue;
      const isAsleep = this.#segment.load(keeper.index, SLOT.sleep) === 1 && keeper.spec.wake === 'wait';
      pulses.push({
        name: keeper.name,
        heartbeat: this.#segment.load(keeper.index, SLOT.heartbeat),
        isAsleep,
        coreWaitMs: () => coreWaitMs(this.#segment.load(keeper.index, SLOT.kernelThread)),
      });
    }
    for (const name of this.#watch.look(pulses, this.#clock.monotonicMs())) {
      this.#watch.forget(name);
      this.#log('error', 'thread-hung', { thread: name, limitMs: this.#options.heartbeatMs ?? HEARTBEAT_MS });
      this.#keepers.get(name)?.terminate(`no heartbeat for ${this.#options.heartbeatMs ?? HEARTBEAT_MS} ms`);
    }
  }

  #unkillable(name: string): void {
    this.#log('error', 'thread-unkillable', { thread: name });
    this.#options.onUnkillable?.(name);
  }

  #callPosted(index: number): void {
    this.#segment.add(index, SLOT.controlPosts, 1);
    if (this.#threads[index]?.wake !== 'wait' || !this.#segment.claimWake(index)) return;
    Atomics.notify(this.#segment.words, this.#segment.slotWord(index, SLOT.sleep), 1);
  }

  // --- moving actors, adding and removing threads ---

  moveActor(path: ActorPath, thread: string): Promise<void> {
    return this.#attachments.alone(async () => {
      if (thread !== MAIN_THREAD && this.#keepers.get(thread)?.life === undefined)
        throw new Error(`a thread to move to must be attached, "${thread}" is not`);
      const place = this.#placement.byPath(path);
      const status = this.#tree.statusOf(path);
      if (place?.spec === undefined || status !== 'running')
        throw new Error(`an actor to move must be running, "${path}" is ${status}`);
      await this.#moves.run(path, thread);
      this.#log('info', 'actor-moved', { from: place.thread, to: thread }, path);
    });
  }

  async addThread(spec: ThreadSpec): Promise<void> {
    if (!isWorkerSpec(spec)) throw new Error('a thread to add must be a worker, was main');
    if (this.#threads.some((thread) => thread.name === spec.name))
      throw new Error(`thread names must be unique for ever, "${spec.name}" was there before`);
    const { threads: threadsMax } = this.#segment.layout;
    if (this.#threads.length >= threadsMax)
      throw new Error(
        `a system must have at most ${threadsMax} threads in its life (threadsMax), "${spec.name}" is one more`,
      );
    const keeper = this.#newKeeper(spec, this.#threads.length);
    this.#threads.push({ name: spec.name, wake: spec.wake ?? 'nudge' });
    this.#boards.push(newBoard(spec.name));
    this.#keepers.set(spec.name, keeper);
    keeper.begin();
    await this.#attachments.attach(keeper);
  }

  async removeThread(name: string, { to }: { readonly to: string }): Promise<void> {
    const keeper = this.#keepers.get(name);
    if (keeper === undefined) throw new Error(`a thread to remove must be a worker, was "${name}"`);
    if (to === name) throw new Error(`the actors of a thread to remove must go to another, not to "${to}"`);
    for (const place of this.#placement.onThread(name)) {
      if (this.#tree.statusOf(place.path) !== 'stopped') await this.moveActor(place.path, to);
    }
    await this.#attachments.alone(async () => {
      // Its rings are read to the end by everybody; what waits behind them would die with it.
      while (keeper.life !== undefined && !isDrained(await this.#inspection.reportOf(keeper)))
        await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
      this.#keepers.delete(name);
      await keeper.close();
      await this.#attachments.takeLeave(keeper, 'removed', new Map());
      this.#log('info', 'thread-removed', { thread: name });
    });
  }

  #newMoves(): ThreadMoves {
    const onThread = async (
      thread: string,
      what: string,
      onMain: () => void,
      onWorker: (control: Remote<ThreadControl>) => Promise<void>,
    ): Promise<void> => {
      const keeper = this.#keepers.get(thread);
      if (keeper === undefined) onMain();
      // A thread that is gone by now learns of the new place when its next life is attached.
      else if (keeper.life !== undefined)
        await keeper.call(what, CALL_DEADLINE_MS, onWorker).catch((error: unknown) => this.#callFailed(keeper, error));
    };
    return new ThreadMoves({
      place: (path) => this.#placement.byPath(path),
      attachedThreads: () => [
        MAIN_THREAD,
        ...[...this.#keepers.values()].filter((keeper) => keeper.life !== undefined).map((keeper) => keeper.name),
      ],
      depart: (thread, path, to, peers) =>
        onThread(
          thread,
          'depart',
          () => this.#runtime.host.depart(path, to, peers),
          (control) => control.depart(path, to, peers),
        ),
      expectArrival: (thread, place, from) =>
        onThread(
          thread,
          'expectArrival',
          () => this.#runtime.host.expectArrival(place, from),
          (control) => control.expectArrival(place, from),
        ),
      actorMoved: (thread, place, from) => {
        if (thread === MAIN_THREAD) this.#placement.put(place);
        return onThread(
          thread,
          'actorMoved',
          () => this.#runtime.actorMoved(place, from),
          (control) => control.actorMoved(place, from),
        );
      },
      moved: (path) => {
        if (this.#paused.has(path)) void this.#setPaused(path, true);
        this.#orders.start(path, this.#tree.nextIncarnation(path));
      },
    });
  }

  killThread(name: string): void {
    const keeper = this.#keepers.get(name);
    if (keeper === undefined) throw new Error(`a thread to kill must be a worker, was "${name}"`);
    keeper.terminate('killed on purpose');
  }

  // --- messages ---

  tell(path: ActorPath, message: MessageShape): TellOutcome {
    if (this.#placeNews.isUnknown(path)) {
      // It does not live yet, and its thread might not know what to do with the message.
      this.#runtime.host.deadLetter(path, message.type, 'no-such-actor', '');
      return 'dead';
    }
    return this.#runtime.host.tell('', refOf(path), message);
  }

  ask(path: ActorPath, message: MessageShape, { deadlineMs }: AskOptions): Promise<unknown> {
    return this.#asks.ask(path, message, deadlineMs, (asked) => {
      const outcome = this.tell(path, asked);
      return outcome === 'sent' || outcome === 'merged';
    });
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  // --- inspection ---

  get metrics(): Metrics {
    return this.#runtime.host.metrics;
  }

  readMetrics(): readonly ThreadMetrics[] {
    return this.#boards.map(({ reader }) => reader.read());
  }

  snapshot(): Promise<SystemSnapshot> {
    return this.#inspection.snapshot();
  }

  inspect(path: ActorPath): Promise<ActorInspection | undefined> {
    return this.#inspection.inspect(path);
  }

  peek(path: ActorPath, options: { readonly limit?: number } = {}): Promise<MailboxView | undefined> {
    return this.#inspection.peek(path, options);
  }

  traces(): Promise<readonly Trace[]> {
    return this.#inspection.traces();
  }

  // --- steering one actor ---

  pauseActor(path: ActorPath): Promise<boolean> {
    return this.#setPaused(path, true);
  }

  resumeActor(path: ActorPath): Promise<boolean> {
    return this.#setPaused(path, false);
  }

  async #setPaused(path: ActorPath, isPaused: boolean): Promise<boolean> {
    if (this.#placement.byPath(path)?.spec === undefined || this.#tree.statusOf(path) === 'stopped') return false;
    // Remembered first: a thread that dies over the call comes back with the actor as it was wanted.
    if (isPaused) this.#paused.add(path);
    else this.#paused.delete(path);
    const isSet = await this.#inspection.askThreadOf(
      path,
      'setPaused',
      (host) => host.setPaused(path, isPaused),
      (control) => control.setPaused(path, isPaused),
    );
    this.#log('warn', isPaused ? 'actor-paused' : 'actor-resumed', { isSet: isSet === true }, path);
    return isSet === true;
  }

  restartActor(path: ActorPath): Promise<boolean> {
    if (this.#placement.byPath(path)?.spec === undefined || this.#tree.statusOf(path) !== 'running')
      return Promise.resolve(false);
    const incarnation = this.#tree.incarnationOf(path);
    this.#log('warn', 'actor-restart-requested', { incarnation }, path);
    return this.#orders.restart(path, incarnation);
  }

  #log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>, path?: ActorPath): void {
    this.#options.log({
      level,
      event,
      atMs: this.#clock.nowMs(),
      thread: MAIN_THREAD,
      ...(path === undefined ? {} : { path }),
      fields,
    });
  }
}

function isDrained({ thread }: ThreadReport): boolean {
  return thread.lanes.every(({ queued, unhandled }) => queued === 0 && unhandled === 0);
}

function isWorkerSpec(spec: ThreadSpec): spec is ThreadSpec & { readonly entry: URL } {
  return spec.entry !== 'main';
}
