/** Turns a worker into a thread of an actor system: the one call of a worker's entry module. Worker threads only. */
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { isMainThread, MessagePort, workerData } from 'node:worker_threads';
import type { AttachOptions, PeerLink, ThreadControl, ThreadReport } from './control-plane.ts';
import type { ActorPath } from './actor.ts';
import type { StartOutcome, StopOutcome } from './cell-host.ts';
import { KindRegistry, type AnyActorKind } from './kind-registry.ts';
import { MessageTypes, type DeliveryByType } from './message-types.ts';
import { PlacementTable, type Place } from './placement.ts';
import type { PortsFactory } from './ports-context.ts';
import { Segment } from './segment.ts';
import type { ActorInspection, MailboxView } from './snapshot.ts';
import { ThreadClock } from './thread-clock.ts';
import { ThreadReporter } from './thread-report.ts';
import { ThreadRuntime } from './thread-runtime.ts';
import type { TraceEvent } from './trace-store.ts';

/** What a worker thread can run. */
export interface HostActorsOptions {
  /** The kinds this thread can run. */
  readonly kinds: readonly AnyActorKind[];
  /** Makes the ports of one incarnation of one actor. */
  readonly portsFor: PortsFactory;
  /** Tables of messages that its actors tell to kinds of other threads: what has a shape there is then encoded by it. */
  readonly delivery?: readonly DeliveryByType[];
}

/** Name of the control port in a worker's data. */
export const CONTROL_PORT_KEY = 'actorSystemControl';

/**
 * Waits for the main thread's orders from here on: which system, which actors, when. A worker that was only started and
 * not yet attached is a warm spare. Throws outside of a worker started by `startThreads`.
 */
export function hostActors(options: HostActorsOptions): void {
  const data: unknown = workerData;
  const port =
    typeof data === 'object' && data !== null && CONTROL_PORT_KEY in data ? data[CONTROL_PORT_KEY] : undefined;
  if (isMainThread || !(port instanceof MessagePort))
    throw new Error('hostActors must be called in a worker started by startThreads');
  expose(new WorkerThread(options), nodeEndpoint(port));
}

class WorkerThread implements ThreadControl {
  readonly #options: HostActorsOptions;
  readonly #kinds: KindRegistry;
  #attached: { readonly runtime: ThreadRuntime; readonly reporter: ThreadReporter } | undefined;

  constructor(options: HostActorsOptions) {
    this.#options = options;
    this.#kinds = new KindRegistry(options.kinds);
  }

  attach(options: AttachOptions): void {
    if (this.#attached !== undefined) throw new Error('a worker must be attached once');
    const own = [...this.#options.kinds.map((kind) => kind.delivery), ...(this.#options.delivery ?? [])];
    new MessageTypes([options.delivery]).assertContains(own);
    // The same once more with the shapes, which cannot be handed from thread to thread.
    const types = new MessageTypes([options.delivery, ...own]);
    if (types.hash !== options.tableHash)
      throw new Error(`the message table must have hash ${options.tableHash}, has ${types.hash}`);
    const identity = options.threads[options.index];
    if (identity === undefined)
      throw new Error(`a thread's number must be below ${options.threads.length}, was ${options.index}`);
    const runtime = new ThreadRuntime({
      segment: Segment.open(options.segment, options.tableHash),
      threads: options.threads,
      index: options.index,
      data: options.data,
      placement: new PlacementTable(options.places),
      types,
      kinds: this.#kinds,
      portsFor: this.#options.portsFor,
      clock: new ThreadClock(options.calendar, options.anchorNs),
      metrics: options.metrics,
      seed: options.seed,
      ...(options.deadLettersMax === undefined ? {} : { deadLettersMax: options.deadLettersMax }),
      checkIsolation: options.checkIsolation,
      measureDurations: options.measureDurations,
      traceEvery: options.traceEvery,
      spinUs: options.spinUs,
      heartbeatMs: options.heartbeatMs,
    });
    for (const path of options.retired) runtime.host.retireActor(path);
    for (const path of options.paused) runtime.host.setPaused(path, true);
    this.#attached = { runtime, reporter: new ThreadReporter(identity.name, options.incarnation, runtime) };
    runtime.start();
  }

  attachPeer(link: PeerLink): void {
    this.#current().runtime.attachPeer(link.identity, link.index, link.generation, link.port);
  }

  peerDied(
    name: string,
    reason: string,
    incarnations: ReadonlyMap<ActorPath, number>,
    inFlightSequence: number | undefined,
  ): void {
    this.#current().runtime.peerDied(name, reason, incarnations, inFlightSequence);
  }

  updatePlaces(added: readonly Place[], removed: readonly Place[]): void {
    this.#current().runtime.updatePlaces(added, removed);
  }

  startActor(path: ActorPath, incarnation: number): StartOutcome {
    return this.#current().runtime.host.startActor(path, incarnation);
  }

  stopActor(path: ActorPath, incarnation: number, reason: string): StopOutcome {
    return this.#current().runtime.host.stopActor(path, incarnation, reason);
  }

  killActor(path: ActorPath, incarnation: number, reason: string): void {
    this.#current().runtime.host.killActor(path, incarnation, reason);
  }

  retireActor(path: ActorPath): void {
    this.#current().runtime.host.retireActor(path);
  }

  depart(path: ActorPath, to: string, peers: readonly string[]): void {
    this.#current().runtime.host.depart(path, to, peers);
  }

  expectArrival(place: Place, from: string): void {
    this.#current().runtime.host.expectArrival(place, from);
  }

  actorMoved(place: Place, from: string): void {
    this.#current().runtime.actorMoved(place, from);
  }

  report(): ThreadReport {
    return this.#current().reporter.report();
  }

  inspect(path: ActorPath): ActorInspection | undefined {
    return this.#current().runtime.host.inspect(path);
  }

  peek(path: ActorPath, limit: number): MailboxView | undefined {
    return this.#current().runtime.host.peek(path, limit);
  }

  traceEvents(): readonly TraceEvent[] {
    return this.#current().runtime.host.traceEvents();
  }

  setPaused(path: ActorPath, isPaused: boolean): boolean {
    return this.#current().runtime.host.setPaused(path, isPaused);
  }

  stop(): void {
    this.#current().runtime.stop();
    this.#current().reporter.stop();
  }

  #current(): { readonly runtime: ThreadRuntime; readonly reporter: ThreadReporter } {
    if (this.#attached === undefined) throw new Error('a worker must be attached before it takes other calls');
    return this.#attached;
  }
}
