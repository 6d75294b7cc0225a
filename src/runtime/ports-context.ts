/** How an actor's doors to the outside are made: once per incarnation, on the actor's own thread. Types only. */
import type { ActorPath, MessageShape, RandomStream, TraceRef } from './actor.ts';
import type { Metrics } from './metrics.ts';

/** What a port adapter may use. Everything in it ends with the incarnation: later calls do nothing. */
export interface PortsContext {
  readonly path: ActorPath;
  readonly kind: string;
  readonly incarnation: number;
  readonly threadName: string;
  /** The `data` of this thread's spec: plain, the same for all its actors. */
  readonly data: unknown;
  /**
   * Gives the actor a port's answer: must-deliver, served at `order` priority, never refused. More than eight times the
   * mailbox's bound of unread answers crashes the actor with `mailbox-overrun`. After the incarnation ended: a dead letter.
   * `cause`: what `calling` returned for the call this answers; absent for what nobody asked for.
   */
  deliver(message: MessageShape, cause?: TraceRef): void;
  /**
   * Notes in the current trace that the actor uses a door, for example `http-send`; to be called inside the port's function.
   * Returns what the answer is to be delivered with. Costs nothing outside of a trace.
   */
  calling(door: string, detail?: string): TraceRef;
  /** Calendar time, epoch ms; scaled when the system's calendar is. */
  nowMs(): number;
  /** Monotonic ms, the same origin on all threads of a system (virtual ms in the simulator). */
  monotonicMs(): number;
  /** Runs `action` after `delayMs` monotonic ms on this thread, or in virtual time; returns its cancel function. */
  schedule(delayMs: number, action: () => void): () => void;
  /** The incarnation's stream for a purpose; the same purpose continues the same stream. */
  random(purpose: string): RandomStream;
  log(level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The thread's recorder; its series outlast the incarnation. */
  readonly metrics: Metrics;
}

/** How much a log record matters, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Makes the ports of one incarnation. `dispose` runs when the incarnation ends, however it ends (not when its thread dies). */
export type PortsFactory = (context: PortsContext) => unknown;

/** One event told to the log sink, on the main thread. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly event: string;
  /** Calendar ms. */
  readonly atMs: number;
  readonly thread: string;
  /** Absent when the runtime itself speaks. */
  readonly path?: ActorPath;
  readonly incarnation?: number;
  readonly fields?: Readonly<Record<string, unknown>>;
}
