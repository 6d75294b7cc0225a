/** The actor system on one thread in virtual time: deterministic by its seed, same actors and supervisors as on threads. */
import { type ActorPath, type MessageShape, refOf } from './actor.ts';
import { MessageCodec } from './codec.ts';
import { mergeDeadLetters } from './dead-letters.ts';
import { EventHash } from './event-hash.ts';
import { KindRegistry } from './kind-registry.ts';
import { MessageTypes } from './message-types.ts';
import { MAIN_THREAD, placeActors, PlacementTable } from './placement.ts';
import { randomStream } from './random.ts';
import type { ActorInspection, ActorSnapshot, SystemSnapshot } from './snapshot.ts';
import { SupervisionTree } from './supervision-tree.ts';
import type { ExitReason } from './supervisor.ts';
import type { VirtualSystem, VirtualSystemOptions } from './system.ts';
import { VirtualScheduler } from './virtual-scheduler.ts';
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
  #stopRequested = false;
  #ended: { readonly reason: ExitReason; readonly startFailed: boolean } | undefined;

  constructor(options: VirtualSystemOptions) {
    if (options.calendar.type !== 'scaled') throw new Error('the calendar of a virtual system must be "scaled", was "live"');
    this.#startAtMs = options.calendar.startAtMs;
    this.#scale = options.calendar.scale;
    this.#scheduler = new VirtualScheduler(randomStream(options.seed, 'ties'));
    this.#placement = new PlacementTable(placeActors(options.tree));
    const world = this.#world(options);
    this.#threads.set(MAIN_THREAD, new VirtualThread(MAIN_THREAD, undefined, world));
    for (const { name, data } of options.threads ?? []) this.#threads.set(name, new VirtualThread(name, data, world));
    for (const place of this.#placement.places) this.#thread(place.thread);
    this.#tree = this.#newTree(options);
    this.#scheduler.at(0, () => this.#tree.start());
  }

  #world(options: VirtualSystemOptions): VirtualWorld {
    const codec = new MessageCodec();
    return {
      scheduler: this.#scheduler,
      placement: this.#placement,
      types: new MessageTypes([...options.kinds.map((kind) => kind.delivery), ...(options.delivery ?? [])]),
      kinds: new KindRegistry(options.kinds),
      portsFor: options.portsFor,
      seed: options.seed,
      latencyMsMax: options.latencyMsMax ?? LATENCY_MS_MAX_DEFAULT,
      deadLettersMax: options.deadLettersMax,
      isolate: options.checkIsolation === true ? (message) => codec.isolate(message) : undefined,
      hash: this.#hash,
      nowMs: () => this.nowMs(),
      log: options.log,
      thread: (name) => this.#thread(name),
      crashed: (path, incarnation, reason) => {
        this.#scheduler.at(this.#scheduler.nowMs, () => this.#tree.actorsExited([{ path, incarnation, reason: { kind: 'crashed', detail: reason } }]));
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
      startActor: (path, incarnation) => {
        this.#threadOf(path).command((host) => {
          const outcome = host.startActor(path, incarnation);
          if (outcome.type === 'started') this.#tree.actorStarted(path, incarnation);
          else this.#tree.actorStartFailed(path, incarnation, { kind: 'crashed', detail: outcome.reason });
        });
      },
      stopActor: (path, incarnation, reason) => {
        this.#threadOf(path).command((host) => {
          const failure = host.stopActor(path, incarnation, reason);
          const exit: ExitReason = failure === undefined ? { kind: 'shutdown', detail: reason } : { kind: 'crashed', detail: failure };
          this.#tree.actorsExited([{ path, incarnation, reason: exit }]);
        });
      },
      killActor: (path, incarnation) => {
        this.#threadOf(path).command((host) => {
          host.killActor(path, incarnation, 'killed');
          this.#tree.actorsExited([{ path, incarnation, reason: { kind: 'killed', detail: 'killed by its supervisor' } }]);
        });
      },
      retireActor: (path) => this.#threadOf(path).command((host) => host.retireActor(path)),
      log: (level, event, path, fields) => options.log({ level, event, atMs: this.nowMs(), thread: MAIN_THREAD, path, fields }),
      treeStarted: () => options.log({ level: 'info', event: 'tree-started', atMs: this.nowMs(), thread: MAIN_THREAD }),
      treeEnded: (reason, startFailed) => {
        this.#ended = { reason, startFailed };
      },
    });
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
      [...incarnations].map(([path, incarnation]) => ({ path, incarnation, reason: { kind: 'thread-died', detail: reason } })),
    );
    this.#scheduler.at(this.#scheduler.nowMs + THREAD_RESTART_MS, () => this.#revive(thread));
  }

  #revive(thread: VirtualThread): void {
    thread.revive();
    for (const place of this.#placement.onThread(thread.name)) {
      if (this.#tree.statusOf(place.path) === 'stopped') thread.host.retireActor(place.path);
    }
    for (const peer of this.#threads.values()) if (peer !== thread) peer.peerRevived(thread);
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
    if (thread === undefined) throw new Error(`thread must be listed in the options, "${name}" is not one of ${[...this.#threads.keys()].join(', ')}`);
    return thread;
  }

  #threadOf(path: ActorPath): VirtualThread {
    const place = this.#placement.byPath(path);
    if (place === undefined) throw new Error(`an actor of the tree must have a place, "${path}" has none`);
    return this.#thread(place.thread);
  }
}
