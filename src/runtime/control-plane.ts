/**
 * What the main thread may ask of a worker thread, and how: comlink calls over a MessagePort, each behind a deadline and
 * the thread's death, because a call to a dead worker never settles by itself. Data never travels this way.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorPath } from './actor.ts';
import type { StartOutcome, StopOutcome } from './cell-host.ts';
import type { DeliveryByType } from './message-types.ts';
import type { Place } from './placement.ts';
import type { ActorInspection, ActorSnapshot, DeadLettersSnapshot, MailboxView, ThreadSnapshot } from './snapshot.ts';
import type { Calendar } from './system.ts';
import type { ThreadIdentity } from './thread-runtime.ts';
import type { TraceEvent } from './trace-store.ts';

/** Everything a worker needs to become a thread of a system. Plain data, and ports to be transferred. */
export interface AttachOptions {
  readonly segment: SharedArrayBuffer;
  /** Of the thread itself, over all its lives. */
  readonly metrics: SharedArrayBuffer;
  readonly threads: readonly ThreadIdentity[];
  readonly index: number;
  readonly incarnation: number;
  readonly data: unknown;
  readonly places: readonly Place[];
  readonly delivery: DeliveryByType;
  readonly tableHash: number;
  readonly calendar: Calendar;
  readonly anchorNs: bigint;
  readonly seed: number;
  readonly deadLettersMax: number | undefined;
  readonly checkIsolation: boolean;
  readonly measureDurations: boolean;
  readonly traceEvery: number;
  readonly spinUs: number;
  readonly heartbeatMs: number;
  /** Actors that ended for good before this life of the thread. */
  readonly retired: readonly ActorPath[];
  readonly paused: readonly ActorPath[];
}

/** Where to meet another thread: its number, the generation of the rings to use (see segment.ts), and a port for nudges. */
export interface PeerLink {
  readonly identity: ThreadIdentity;
  readonly index: number;
  readonly generation: number;
  readonly port: MessagePort;
}

/** What one thread says of itself and its actors. */
export interface ThreadReport {
  readonly thread: ThreadSnapshot;
  readonly actors: readonly ActorSnapshot[];
  readonly deadLetters: DeadLettersSnapshot;
}

/** The calls a worker thread answers. `attach` comes first and throws when the message tables differ. */
export interface ThreadControl {
  attach(options: AttachOptions): void;
  attachPeer(link: PeerLink): void;
  peerDied(
    name: string,
    reason: string,
    incarnations: ReadonlyMap<ActorPath, number>,
    inFlightSequence: number | undefined,
  ): void;
  /** Actors came or went, here or elsewhere. Places known already are replaced; strangers among `removed` are ignored. */
  updatePlaces(added: readonly Place[], removed: readonly Place[]): void;
  startActor(path: ActorPath, incarnation: number): StartOutcome;
  stopActor(path: ActorPath, incarnation: number, reason: string): StopOutcome;
  killActor(path: ActorPath, incarnation: number, reason: string): void;
  retireActor(path: ActorPath): void;
  /** The three steps of a move, see actor-moves.ts: on the old thread, the new one, and every other. */
  depart(path: ActorPath, to: string, peers: readonly string[]): void;
  expectArrival(place: Place, from: string): void;
  actorMoved(place: Place, from: string): void;
  report(): ThreadReport;
  inspect(path: ActorPath): ActorInspection | undefined;
  peek(path: ActorPath, limit: number): MailboxView | undefined;
  traceEvents(): readonly TraceEvent[];
  setPaused(path: ActorPath, isPaused: boolean): boolean;
  /** Ends the thread's loop; nothing is answered afterwards. */
  stop(): void;
}

/** A call to another thread that did not answer. */
export class ControlCallFailed extends Error {
  override readonly name = 'ControlCallFailed';
  readonly code: 'deadline' | 'thread-died';

  constructor(code: ControlCallFailed['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Returns the call's result. Rejects with ControlCallFailed at the deadline or when `death` settles, whichever is first. */
export function withinDeadline<Result>(
  call: Promise<Result>,
  what: string,
  deadlineMs: number,
  death: Promise<string>,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const timer = setTimeout(
    () => reject(new ControlCallFailed('deadline', `${what} must be answered within ${deadlineMs} ms`)),
    deadlineMs,
  );
  call.then(resolve, reject);
  const forget = onDeath(death, (reason) => reject(new ControlCallFailed('thread-died', `${what}: ${reason}`)));
  return promise.finally(() => {
    clearTimeout(timer);
    forget();
  });
}

/** Those who wait for one thread's death; `reason` once it died. */
interface DeathWatch {
  readonly waiting: Set<(reason: string) => void>;
  reason: string | undefined;
}

const deathWatches = new WeakMap<Promise<string>, DeathWatch>();

/**
 * Calls `react` when `death` settles; returns what makes it forget to. A `then` for each call could not be taken back: a
 * thread that lives for days would collect one for every question it was ever asked.
 */
function onDeath(death: Promise<string>, react: (reason: string) => void): () => void {
  const watch = deathWatches.get(death) ?? watchDeath(death);
  if (watch.reason !== undefined) react(watch.reason);
  else watch.waiting.add(react);
  return () => watch.waiting.delete(react);
}

function watchDeath(death: Promise<string>): DeathWatch {
  const watch: DeathWatch = { waiting: new Set(), reason: undefined };
  deathWatches.set(death, watch);
  void death.then((reason) => {
    watch.reason = reason;
    for (const react of watch.waiting) react(reason);
    watch.waiting.clear();
  });
  return watch;
}
