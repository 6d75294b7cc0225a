/** The actor system on one thread in virtual time: deterministic by its seed, same actors and supervisors as on threads. */
import { type ActorPath, type ActorRef, type MessageShape, refOf } from './actor.ts';
import type { AskReplied } from './ask.ts';
import {
  asSupervisorRequest,
  type ChildCounts,
  type ChildOutcome,
  type ChildRequest,
  type ChildView,
} from './child-requests.ts';
import { MessageCodec } from './codec.ts';
import { mergeDeadLetters } from './dead-letters.ts';
import { EventHash } from './event-hash.ts';
import { KindRegistry } from './kind-registry.ts';
import { MessageTypes } from './message-types.ts';
import type { ThreadMetrics } from './metrics-board.ts';
import { MAIN_THREAD, placeActors, PlacementTable, SUPERVISORS_PATH, type Place } from './placement.ts';
import { randomStream } from './random.ts';
import type { ActorInspection, ActorSnapshot, SystemSnapshot } from './snapshot.ts';
import { SupervisionTree } from './supervision-tree.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { VirtualSystem, VirtualSystemOptions } from './system.ts';
import { VirtualScheduler } from './virtual-scheduler.ts';
import { tracesOf, type Trace } from './trace-store.ts';
import { VirtualThread, type VirtualWorld } from './virtual-thread.ts';

/** How long a crashed virtual thread stays away: about what starting a worker takes. */
const THREAD_RESTART_MS = 40;
const LATENCY_MS_MAX_DEFAULT = 2;

/** Returns a system whose tree starts with the first events run. Throws on faulty specs, tables or an unknown thread. */
export function startVirtual(options: VirtualSystemOptions): VirtualSystem {
  return new VirtualTime(options);
}

class VirtualTime implements VirtualSystem {
  readonly #scheduler: VirtualScheduler;
  readonly #placement: PlacementTable;
  readonly #threads = new Map<string, VirtualThread>();
  readonly #tree: SupervisionTree;
  readonly #hash = new EventHash();
  readonly #startAtMs: number;
  readonly #scale: number;
  #events = 0;
  #lastTraceId = 0;
  #stopRequested = false;
  #ended: { readonly reason: ExitReason; readonly startFailed: boolean } | undefined;

  constructor(options: VirtualSystemOptions) {
    if (options.calendar.type !== 'scaled')
      throw new Error('the calendar of a virtual system must be "scaled", was "live"');
    this.#startAtMs = options.calendar.startAtMs;
    this.#scale = options.calendar.scale;
    this.#scheduler = new VirtualScheduler(randomStream(options.seed, 'ties'));
    this.#placement = new PlacementTable(placeActors(options.tree));
    const world = this.#world(options);
    this.#threads.set(MAIN_THREAD, new VirtualThread(MAIN_THREAD, undefined, world));
    for (const { name, data } of options.threads ?? []) this.#threads.set(name, new VirtualThread(name, data, world));
    for (const place of this.#placement.places) this.#thread(place.thread);
    this.#tree = this.#newTree(options);
    this.#thread(MAIN_THREAD).host.addEndpoint(SUPERVISORS_PATH, (message) => this.#takeRequest(message));
    this.#scheduler.at(0, () => this.#tree.start());
  }

  #world(options: VirtualSystemOptions): VirtualWorld {
    const types = new MessageTypes([...options.kinds.map((kind) => kind.delivery), ...(options.delivery ?? [])]);
    const codec = new MessageCodec(types);
    return {
      scheduler: this.#scheduler,
      placement: this.#placement,
      types,
      kinds: new KindRegistry(options.kinds),
      portsFor: options.portsFor,
      seed: options.seed,
      latencyMsMax: options.latencyMsMax ?? LATENCY_MS_MAX_DEFAULT,
      deadLettersMax: options.deadLettersMax,
      isolate: options.checkIsolation === true ? (message) => codec.isolate(message) : undefined,
      hash: this.#hash,
      traceEvery: options.traceEvery ?? 0,
      newTraceId: () => (this.#lastTraceId += 1),
      keepTrace: (traceId) => {
        for (const thread of this.#threads.values()) thread.host.tracing.keepHere(traceId);
      },
      nowMs: () => this.nowMs(),
      log: options.log,
      thread: (name) => this.#thread(name),
      exited: (path, incarnation, reason) => {
        this.#scheduler.at(this.#scheduler.nowMs, () => this.#tree.actorsExited([{ path, incarnation, reason }]));
      },
      counted: () => {
        this.#events += 1;
      },
    };
  }

  #newTree(options: VirtualSystemOptions): SupervisionTree {
    const jitter = randomStream(options.seed, 'backoff');
    return new SupervisionTree(options.tree, {
      monotonicMs: () => this.#scheduler.nowMs,
      jitter: () => jitter.nextFraction(),
      after: (delayMs, action) => this.#scheduler.at(this.#scheduler.nowMs + delayMs, action),
      hasThread: (name) => this.#threads.has(name),
      threadOf: (path) => this.#placement.byPath(path)?.thread,
      addActor: (spec, thread, firstIncarnation) =>
        this.#putPlace({ index: this.#placement.newIndex(), path: spec.id, thread, spec, firstIncarnation }),
      changeActor: (spec) => {
        const place = this.#placement.byPath(spec.id);
        if (place !== undefined) this.#putPlace({ ...place, spec });
      },
      removeActor: (path) => {
        const place = this.#placement.byPath(path);
        if (place === undefined) return;
        this.#placement.remove(place);
        this.#thread(place.thread).command((host) => host.removeActor(path));
      },
      startActor: (path, incarnation) => {
        this.#threadOf(path).command((host) => {
          const outcome = host.startActor(path, incarnation);
          if (outcome.type === 'started') this.#tree.actorStarted(path, incarnation, outcome.info);
          else if (outcome.type === 'ignored') this.#tree.actorIgnored(path, incarnation);
          else this.#tree.actorStartFailed(path, incarnation, { kind: 'crashed', detail: outcome.reason });
        });
      },
      stopActor: (path, incarnation, reason) => {
        this.#threadOf(path).command((host) => {
          const outcome = host.stopActor(path, incarnation, reason);
          if (outcome.type === 'later') return;
          const exit: ExitReason =
            outcome.type === 'stopped'
              ? { kind: 'shutdown', detail: reason }
              : { kind: 'crashed', detail: outcome.reason };
          this.#tree.actorsExited([{ path, incarnation, reason: exit }]);
        });
      },
      killActor: (path, incarnation) => {
        this.#threadOf(path).command((host) => {
          host.killActor(path, incarnation, 'killed by its supervisor');
          this.#tree.actorsExited([
            { path, incarnation, reason: { kind: 'killed', detail: 'killed by its supervisor' } },
          ]);
        });
      },
      retireActor: (path) => this.#threadOf(path).command((host) => host.retireActor(path)),
      log: (level, event, path, fields) =>
        options.log({ level, event, atMs: this.nowMs(), thread: MAIN_THREAD, path, fields }),
      treeStarted: () => options.log({ level: 'info', event: 'tree-started', atMs: this.nowMs(), thread: MAIN_THREAD }),
      treeEnded: (reason, startFailed) => {
        this.#ended = { reason, startFailed };
      },
    });
  }

  /** The table is the same for all virtual threads; the actor's own makes room for it. */
  #putPlace(place: Place): void {
    this.#placement.put(place);
    this.#thread(place.thread).command((host) => host.takePlace(place));
  }

  #takeRequest(message: MessageShape): void {
    const asked = asSupervisorRequest(message);
    if (asked === undefined) return;
    this.request(asked.supervisor, asked.request, (value) => {
      const reply: AskReplied = { type: 'ask-replied', askId: asked.askId, value };
      this.#thread(MAIN_THREAD).host.tell(SUPERVISORS_PATH, asked.replyTo, reply);
    });
  }

  request(supervisor: ActorPath, request: ChildRequest, settled: (outcome: ChildOutcome) => void = () => {}): void {
    // As an event of its own: whoever asks may stand inside a handler.
    this.#scheduler.at(this.#scheduler.nowMs, () => this.#tree.request(supervisor, request, settled));
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

  monotonicMs(): number {
    return this.#scheduler.nowMs;
  }

  nowMs(): number {
    return Math.floor(this.#startAtMs + this.#scheduler.nowMs * this.#scale);
  }

  tell(path: ActorPath, message: MessageShape): ReturnType<VirtualSystem['tell']> {
    return this.#thread(MAIN_THREAD).host.tell('', refOf(path), message);
  }

  schedule(delayMs: number, action: () => void): () => void {
    return this.#scheduler.at(this.#scheduler.nowMs + delayMs, action);
  }

  runUntil(monotonicMs: number): void {
    while (this.#scheduler.nextAtMs() <= monotonicMs) this.#scheduler.runOne();
    this.#scheduler.advanceTo(monotonicMs);
  }

  runWhile(predicate: () => boolean): boolean {
    while (predicate()) if (!this.#scheduler.runOne()) return false;
    return true;
  }

  runOne(): boolean {
    return this.#scheduler.runOne();
  }

  eventHash(): string {
    return this.#hash.digest();
  }

  eventCount(): number {
    return this.#events;
  }

  crashThread(name: string): void {
    // As an event of its own: the caller may stand inside a handler of that very thread.
    const thread = this.#thread(name);
    this.#scheduler.at(this.#scheduler.nowMs, () => this.#crash(thread));
  }

  #crash(thread: VirtualThread): void {
    if (!thread.isAlive) return;
    const reason = `thread ${thread.name} died: crashed on purpose`;
    const places = this.#placement.onThread(thread.name);
    const incarnations = new Map(places.map((place) => [place.path, this.#tree.incarnationOf(place.path)]));
    thread.die(reason);
    for (const peer of this.#threads.values()) {
      if (peer === thread || !peer.isAlive) continue;
      peer.host.threadDied(thread.name, reason, incarnations);
      peer.peerDied(thread);
    }
    this.#tree.actorsExited(
      [...incarnations].map(([path, incarnation]) => ({
        path,
        incarnation,
        reason: { kind: 'thread-died', detail: reason },
      })),
    );
    this.#scheduler.at(this.#scheduler.nowMs + THREAD_RESTART_MS, () => this.#revive(thread));
  }

  #revive(thread: VirtualThread): void {
    thread.revive();
    if (thread.name === MAIN_THREAD) thread.host.addEndpoint(SUPERVISORS_PATH, (message) => this.#takeRequest(message));
    for (const place of this.#placement.onThread(thread.name)) {
      if (this.#tree.statusOf(place.path) === 'stopped') thread.host.retireActor(place.path);
    }
    for (const peer of this.#threads.values()) if (peer !== thread) peer.peerRevived(thread);
  }

  readMetrics(): readonly ThreadMetrics[] {
    return [...this.#threads.values()].map((thread) => thread.readMetrics());
  }

  snapshot(): SystemSnapshot {
    const threads = [...this.#threads.values()];
    return {
      actors: threads.flatMap((thread) => thread.host.actorSnapshots().map((actor) => this.#asSupervised(actor))),
      supervisors: this.#tree.snapshot(),
      threads: threads.map((thread) => thread.snapshot()),
      deadLetters: mergeDeadLetters(threads.map((thread) => thread.host.deadLettersSnapshot())),
    };
  }

  inspect(path: ActorPath): ActorInspection | undefined {
    const place = this.#placement.byPath(path);
    const inspection = place === undefined ? undefined : this.#thread(place.thread).host.inspect(path);
    return inspection === undefined ? undefined : this.#asSupervised(inspection);
  }

  traces(): readonly Trace[] {
    return tracesOf([...this.#threads.values()].flatMap((thread) => thread.host.traceEvents()));
  }

  #asSupervised<Snapshot extends ActorSnapshot>(actor: Snapshot): Snapshot {
    return actor.status === 'running' ? actor : { ...actor, status: this.#tree.statusOf(actor.path) };
  }

  stop(): void {
    if (this.#stopRequested) return;
    this.#stopRequested = true;
    this.#scheduler.at(this.#scheduler.nowMs, () => this.#tree.stop('system stopped'));
  }

  stopped(): boolean {
    return this.#ended !== undefined;
  }

  failure(): string | undefined {
    if (this.#ended === undefined || (this.#stopRequested && !this.#ended.startFailed)) return undefined;
    return this.#ended.reason.detail;
  }

  #thread(name: string): VirtualThread {
    const thread = this.#threads.get(name);
    if (thread === undefined)
      throw new Error(
        `thread must be listed in the options, "${name}" is not one of ${[...this.#threads.keys()].join(', ')}`,
      );
    return thread;
  }

  #threadOf(path: ActorPath): VirtualThread {
    const place = this.#placement.byPath(path);
    if (place === undefined) throw new Error(`an actor of the tree must have a place, "${path}" has none`);
    return this.#thread(place.thread);
  }
}
