/** What a host of actors needs of the thread around it, real or virtual. */
import type { ActorPath, MessageShape, TellOutcome } from './actor.ts';
import type { LaneName } from './actor-moves.ts';
import type { Envelope } from './mailbox.ts';
import type { MessageType } from './message-types.ts';
import type { Place } from './placement.ts';
import type { LogRecord } from './ports-context.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { SystemRecord } from './system-record.ts';

/** The way to the actors of one other thread. */
export interface RemoteLane {
  /**
   * Sends a message to an actor there. `incarnation` 0: to whoever lives at the path; `sentAtMs` monotonic; `traceId` 0: none;
   * `attempts`: lives that ended over it.
   */
  send(
    place: Place,
    type: MessageType,
    message: MessageShape,
    from: ActorPath,
    incarnation: number,
    sentAtMs: number,
    traceId: number,
    attempts: number,
  ): TellOutcome;
}

/** Everything around a host that differs between real threads and virtual time. */
export interface HostEnvironment {
  readonly threadName: string;
  readonly threadData: unknown;
  nowMs(): number;
  /** Shared by all threads of the system. */
  monotonicMs(): number;
  /** Asks for a `runTurn` soon. Called whenever something became runnable; may be called often. */
  requestTurn(): void;
  /** Asks for a `runTurn` at that monotonic time; called when the earliest timer may have changed. */
  wakeAt(atMs: number): void;
  /** Returns the way to another thread's actors. */
  laneTo(thread: string): RemoteLane;
  sendSystem(thread: string, record: SystemRecord): void;
  /** Tells the supervisors that a life ended by itself: by a throw, a link, or in order. */
  exited(path: ActorPath, incarnation: number, reason: ExitReason): void;
  log(record: LogRecord): void;
  /** Called right before a message is handled. */
  handling(path: ActorPath, envelope: Envelope): void;
  /** Called right after, whatever came of it. */
  handled(): void;
  /** Sends a record behind everything that went to that thread before, on both of its lanes. Threads only. */
  sendMarks?(thread: string, mark: (lane: LaneName) => SystemRecord): void;
  /** Tells the main thread that an actor which moved here has its whole mailbox. Threads only. */
  arrived?(path: ActorPath): void;
  /** Returns a number for a new trace, unique in the system; needed where there are traces. */
  newTraceId?(): number;
  /** Has all other threads keep what they know of a trace. */
  keepTrace?(traceId: number): void;
}
