/** The runtime as its user sees it: what starts it, what a running one can do. Types only. */
import type { ResourceLimits } from 'node:worker_threads';
import type { ActorPath, ActorRef, DeliveryTable, MessageShape, TellOutcome } from './actor.ts';
import type { ChildCounts, ChildOutcome, ChildRequest, ChildView } from './child-requests.ts';
import type { SupervisorSpec } from './child-spec.ts';
import type { AnyActorKind } from './kind-registry.ts';
import type { Metrics } from './metrics.ts';
import type { ThreadMetrics } from './metrics-board.ts';
import type { LogRecord, PortsFactory } from './ports-context.ts';
import type { ActorInspection, MailboxView, SystemSnapshot } from './snapshot.ts';
import type { Trace } from './trace-store.ts';

/** Calendar time as actors see it: the real one, or one that starts at a chosen instant and runs `scale` times as fast. */
export type Calendar =
  { readonly type: 'live' } | { readonly type: 'scaled'; readonly startAtMs: number; readonly scale: number };

/** One worker thread. The thread `main` always exists and need not be listed. */
export interface ThreadSpec {
  readonly name: string;
  /** A module that calls `hostActors`, or `main` for the thread that calls `startThreads`. */
  readonly entry: URL | 'main';
  /**
   * How the thread sleeps: `nudge` (default) returns to the event loop, for threads with sockets; `wait` blocks on its
   * sleep flag between messages and timers, for threads without any (its promises and port callbacks then run only when it wakes).
   */
  readonly wake?: 'nudge' | 'wait';
  readonly resourceLimits?: ResourceLimits;
  /** Plain data for the thread's ports factory. */
  readonly data?: unknown;
  /** Keeps one started worker of this entry ready to take over (its memory is the price). Default false. */
  readonly spare?: boolean;
}

/** What every system is made of, on threads and in virtual time. */
export interface SystemOptions {
  /** The root supervisor. Ids of actors and supervisors are their paths and unique in the whole tree. */
  readonly tree: SupervisorSpec;
  /** Kinds the calling thread can run; their delivery tables describe the messages of the system. */
  readonly kinds: readonly AnyActorKind[];
  /** Tables of kinds that only other threads run. */
  readonly delivery?: readonly DeliveryTable<MessageShape>[];
  /** Ports of actors on the calling thread (all actors in virtual time). */
  readonly portsFor: PortsFactory;
  readonly calendar: Calendar;
  readonly log: (record: LogRecord) => void;
  /** Same seed, same random streams. Default in threads: drawn from the operating system. */
  readonly seed?: number;
  /** Dead letters kept per thread. Default 256. */
  readonly deadLettersMax?: number;
  /** Development aid: freezes each message told and hands over a codec copy, so that shared mutable state shows. Default false. */
  readonly checkIsolation?: boolean;
  /** Keeps histograms of queue and handler time per actor. Default true. */
  readonly measureDurations?: boolean;
  /** Of so many answers of ports one begins a causal trace, at most 100 a second per thread; 0 for no traces. Default 0. */
  readonly traceEvery?: number;
}

/** What `startThreads` takes. */
export interface ThreadSystemOptions extends SystemOptions {
  readonly threads: readonly ThreadSpec[];
  /** A thread whose heartbeat stood still this long is terminated and started again. Default 1,000 ms. */
  readonly heartbeatMs?: number;
  /** Restarts of one thread allowed per period before the system fails. Defaults 5 in 30,000 ms. */
  readonly threadIntensity?: number;
  readonly threadPeriodMs?: number;
  /** Called when `terminate` did not end a thread within 2 s (native code): nothing inside the process can help. */
  readonly onUnkillable?: (threadName: string) => void;
  /** Threads there can ever be, main and those that were removed included. Default: as many as there are at the start. */
  readonly threadsMax?: number;
  /**
   * How long, at most, a thread with wake `wait` goes on looking for messages before it blocks, in us. It does so only while
   * messages come that fast. Worth it with fewer threads than cores. Default 0: it blocks at once.
   */
  readonly spinUs?: number;
  /** Ring sizes in bytes, powers of two. Defaults 131,072 and 524,288. */
  readonly controlLaneBytes?: number;
  readonly dataLaneBytes?: number;
  /**
   * Keys of market messages per ordered pair of threads whose newest value travels through a slot instead of a lane; keys
   * beyond it, and values of more than 992 bytes, take the lane. A multiple of 32, at most 1,024, or 0. Default 256.
   */
  readonly latestSlots?: number;
}

/** An ask always ends: `deadlineMs` ms after it was told at the latest. */
export interface AskOptions {
  readonly deadlineMs: number;
}

/** What can be asked about the tree at any time, also of supervisors that are busy. */
export interface TreeQuestions {
  /** The children of a supervisor in start order; undefined when the path is no supervisor's. */
  whichChildren(supervisor: ActorPath): readonly ChildView[] | undefined;
  countChildren(supervisor: ActorPath): ChildCounts | undefined;
  /** Returns the life at a path now, an actor's or a supervisor's: its ref reaches no later life. Undefined between lives. */
  whereIs(path: ActorPath): ActorRef | undefined;
  /**
   * Ends the life of one actor or supervisor at once, as if it had been killed from outside: its supervisor decides what
   * follows. Returns false when the path is neither's.
   */
  kill(path: ActorPath): boolean;
}

/** A running system of actors on threads. All functions belong to the main thread. */
export interface ActorSystem extends TreeQuestions {
  tell(path: ActorPath, message: MessageShape): TellOutcome;
  /**
   * Tells `message` with `replyTo` and `askId` added (see ask.ts) and settles with the reply. Rejects with AskFailed when
   * the deadline passes or the actor's life ends first.
   */
  ask(path: ActorPath, message: MessageShape, options: AskOptions): Promise<unknown>;
  /** Monotonic ms since the start, the same on all threads: what actors see as `self.monotonicMs()`. */
  monotonicMs(): number;
  /** Calendar time as actors see it. */
  nowMs(): number;
  /**
   * Asks a supervisor to start, stop, restart or forget a child, or to change. Never rejects: a refusal is an outcome. A
   * child started this way is known on all threads before it lives.
   */
  request(supervisor: ActorPath, request: ChildRequest): Promise<ChildOutcome>;
  /** Asks every thread; one that does not answer within 500 ms is shown with its last answer, marked stale. */
  snapshot(): Promise<SystemSnapshot>;
  /** The main thread's own recorder. */
  readonly metrics: Metrics;
  /** Reads what all threads recorded; stops none of them and waits for none. */
  readMetrics(): readonly ThreadMetrics[];
  /** Returns undefined when the path is no actor's, or its thread does not answer. */
  inspect(path: ActorPath): Promise<ActorInspection | undefined>;
  /** Shows up to `limit` (default 20, at most 100) messages waiting for the actor, and takes none. Undefined as for `inspect`. */
  peek(path: ActorPath, options?: { readonly limit?: number }): Promise<MailboxView | undefined>;
  /** Returns the causal traces still kept, newest first. */
  traces(): Promise<readonly Trace[]>;
  /**
   * Pausing lets an actor leave its mailbox alone until it is resumed, restarts of it and of its thread included: what it is
   * told waits, and is refused at the mailbox's bound. Returns false when no such actor lives or its thread does not answer.
   */
  pauseActor(path: ActorPath): Promise<boolean>;
  resumeActor(path: ActorPath): Promise<boolean>;
  /**
   * Ends the actor's life in order, `stop` included, as a death its supervisor decides about: strategy, intensity and
   * backoff apply, and its mailbox is kept. Returns false when it has no life to end now.
   */
  restartActor(path: ActorPath): Promise<boolean>;
  /**
   * Moves an actor with its mailbox to another thread that can run its kind: its life ends in order, the next one starts
   * there. No must-deliver message is lost, and each sender's stay in order. Rejects when the actor does not run, or the
   * thread does not exist.
   */
  moveActor(path: ActorPath, thread: string): Promise<void>;
  /** Adds a worker thread; actors come to it by `moveActor`. Rejects when `threadsMax` are there already. */
  addThread(spec: ThreadSpec): Promise<void>;
  /** Moves all actors of a worker thread to another one, waits for its last messages to be handled, and ends it for good. */
  removeThread(name: string, options: { readonly to: string }): Promise<void>;
  /** Terminates a worker thread as if it had crashed; its actors come back. For tests and fault injection. */
  killThread(name: string): void;
  /** Stops the tree in reverse start order, then the threads. Settles at the latest shortly after `deadlineMs`. */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
  /** Settles with the reason when the root supervisor or a thread gave up; never before that. The system is then down. */
  readonly failed: Promise<string>;
}

/** What `startVirtual` takes; the calendar must be `scaled`. */
export interface VirtualSystemOptions extends SystemOptions {
  readonly seed: number;
  /** Names of the virtual threads used by the tree; `main` always exists. Actors of different threads have latency between them. */
  readonly threads?: readonly { readonly name: string; readonly data?: unknown }[];
  /** Largest latency between virtual threads. Default 2 ms. */
  readonly latencyMsMax?: number;
}

/** The same actors on one thread in virtual time: same options and seed, same events in the same order. */
export interface VirtualSystem extends TreeQuestions {
  /** Virtual monotonic ms since the start. */
  monotonicMs(): number;
  nowMs(): number;
  tell(path: ActorPath, message: MessageShape): TellOutcome;
  /** Asks a supervisor about its children (see child-requests.ts); `settled` is called once, when time comes to it. */
  request(supervisor: ActorPath, request: ChildRequest, settled?: (outcome: ChildOutcome) => void): void;
  /** Runs `action` in the world outside after `delayMs`; returns its cancel function. A throw surfaces in `run...`. */
  schedule(delayMs: number, action: () => void): () => void;
  /** Runs every event up to and including that virtual time. */
  runUntil(monotonicMs: number): void;
  /** Runs events while the predicate holds and events remain; returns false when events ran out first. */
  runWhile(predicate: () => boolean): boolean;
  /** Runs the next event; returns false when there is none. */
  runOne(): boolean;
  /** Hash over (time, path, content) of every message handled so far, 16 hexadecimal digits. */
  eventHash(): string;
  eventCount(): number;
  /** Kills a virtual thread: its actors, timers and ports end; must-deliver messages not handled are told again. */
  crashThread(name: string): void;
  snapshot(): SystemSnapshot;
  /** Durations are those of virtual time: what only computes takes none. */
  readMetrics(): readonly ThreadMetrics[];
  inspect(path: ActorPath): ActorInspection | undefined;
  /** Returns the causal traces still kept, newest first. Tracing changes nothing of what happens. */
  traces(): readonly Trace[];
  /** Asks the tree to stop; run on until `stopped()`. */
  stop(): void;
  stopped(): boolean;
  /** The reason when the root supervisor gave up. */
  failure(): string | undefined;
}
