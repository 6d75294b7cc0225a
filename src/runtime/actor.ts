/** The actor contract: what an actor kind is made of and what it may do to the world. Any thread. */

import type { Fields } from './message-template.ts';
import type { Metrics } from './metrics.ts';

/** Names one actor for its whole life and across restarts, for example `position/BTC`. */
export type ActorPath = string;

/**
 * The only handle others hold. `incarnation` 0 is a *named* ref: it reaches whoever lives at the path now.
 * Any other incarnation reaches only that life; a message to an ended one becomes a counted dead letter.
 */
export interface ActorRef<Message = unknown> {
  readonly path: ActorPath;
  readonly incarnation: number;
  /** Phantom: carries the message type for the compiler, never present at run time. A method, so that refs can be kept untyped. */
  accepts?(message: Message): void;
}

/** Returns the named ref of a path. */
export function refOf<Message>(path: ActorPath): ActorRef<Message> {
  return { path, incarnation: 0 };
}

/** Every message is one member of its actor's union, told apart by `type`. Plain data: what msgpack can carry. */
export interface MessageShape {
  readonly type: string;
}

/**
 * How one message type is delivered (`market`: newest value per key, may be lost with its producer; `state`: latest per
 * key, must arrive; `must-deliver`: refused when full, never dropped). `keyFields` name the message fields that make the key.
 * `priority` of a state is `normal` unless it says otherwise.
 */
export type Delivery =
  | { readonly class: 'market'; readonly keyFields: readonly string[] }
  | { readonly class: 'state'; readonly keyFields: readonly string[]; readonly priority?: MessagePriority }
  | { readonly class: 'must-deliver'; readonly priority: MessagePriority };

/** How one message type is delivered, and its shape when all its messages have the same (see message-template.ts). */
export type ShapedDelivery<Message extends MessageShape> = Delivery & {
  /** A method, so that tables of all kinds can be kept in one list. */
  shape?(this: void, fields: Fields, message: Message): Message | undefined;
  /** Of messages without a shape: their keys in order, so that the keys themselves need not travel. */
  readonly keys?: readonly string[];
};

/** Order of service inside a mailbox; system messages overtake all of these, market data comes last. */
export type MessagePriority = 'risk' | 'order' | 'normal';

/** The delivery of every message type of a union. Tables of all kinds are merged; two meanings of one type stop the start. */
export type DeliveryTable<Message extends MessageShape> = {
  readonly [Type in Message['type']]: ShapedDelivery<Extract<Message, { readonly type: Type }>>;
};

/**
 * `sent`: accepted by the mailbox or the lane towards it. `merged`: replaced an older value of the same key.
 * `refused`: must-deliver and no room; the message is still the sender's. `dead`: nobody lives there, counted as dead letter.
 */
export type TellOutcome = 'sent' | 'merged' | 'refused' | 'dead';

/** The number of a pending timer of this life, from `self.after`; 0 is none. */
export type TimerRef = number;

/** A causal trace, kept as plain data; 0 for none. */
export type TraceRef = number;

/**
 * What an actor says about the causal trace its handler is part of. What it tells and asks of ports belongs to that trace by
 * itself; this is for what no message shows. Everything here does nothing where tracing is off.
 */
export interface Tracing {
  /** Returns the trace of what is being done now, to be continued later. */
  current(): TraceRef;
  /** Makes the message being handled the beginning of a trace unless it is in one already; returns the trace. */
  begin(): TraceRef;
  /** Notes a step of the current trace, now or at a monotonic time in the past. Nothing happens outside of a trace. */
  mark(step: string, about?: string, atMs?: number): void;
  /** Keeps the current trace longer than others, under a name by which it can be asked for. */
  keep(name: string): void;
  /**
   * Does something as part of an earlier trace, to which the message being handled then belongs as well; for work that
   * waited in the actor's state. Trace 0 changes nothing.
   */
  within<Result>(trace: TraceRef, action: () => Result): Result;
}

/** Traces nothing. For playing an actor without a system. */
export const noTracing: Tracing = {
  current: () => 0,
  begin: () => 0,
  mark: () => undefined,
  keep: () => undefined,
  within: (_trace, action) => action(),
};

/** A deterministic stream of random numbers for one purpose. */
export interface RandomStream {
  /** Returns an unsigned 32-bit integer. */
  nextUint32(): number;
  /** Returns a number in [0, 1). */
  nextFraction(): number;
}

/** What an actor can do. Valid only inside `start`, `receive` and `stop` of the actor it was given to. */
export interface Self<Message extends MessageShape, Ports = unknown> {
  readonly path: ActorPath;
  /** This life's number, from 1. */
  readonly incarnation: number;
  readonly ref: ActorRef<Message>;
  /** The named doors to the outside given to this actor. Answers arrive later as messages. */
  readonly ports: Ports;
  /** Calendar time, epoch ms, scaled in compressed simulations. For dates, funding and order expiry; never for intervals. */
  nowMs(): number;
  /** Monotonic ms with a fraction. For ages, deadlines and durations. Comparable between threads of one process. */
  monotonicMs(): number;
  tell<Other extends MessageShape>(to: ActorRef<Other>, message: Other): TellOutcome;
  /** Delivers `message` to this actor after `delayMs` monotonic ms. Timers end with the incarnation. */
  after(delayMs: number, message: Message): TimerRef;
  cancel(timer: TimerRef): void;
  /** Asks to be told (`actor-down` as a must-deliver message, see ActorDown) when the target's current life ends. */
  watch(target: ActorRef): void;
  unwatch(target: ActorRef): void;
  /**
   * Ties two lives together, both ways: when one ends for any reason but `normal`, the other ends with the same kind of
   * reason, without its `stop`. A target that does not live ends this life at once. To be told instead, `watch`.
   */
  link(target: ActorRef): void;
  unlink(target: ActorRef): void;
  /**
   * Ends this life in order when the current `start` or `receive` returns: `stop` is called, then the supervisor told.
   * `normal` (default) is work done, `shutdown` a wish to go; neither restarts a transient actor. A throw wins over it.
   */
  stop(kind?: 'normal' | 'shutdown', detail?: string): void;
  /** Inside `start` only: there is nothing to do here. The supervisor keeps no life and does not call it a failure. */
  ignore(): never;
  /** Inside `start` only: plain data for whoever asked for this start (`startChild`, `restartChild`); nobody else sees it. */
  startInfo(info: unknown): void;
  random(purpose: string): RandomStream;
  readonly tracing: Tracing;
  /** The thread's recorder of counts, values and durations; recording is a store in memory that is read elsewhere. */
  readonly metrics: Metrics;
  /** Records a named event with fields; redaction and sinks are the host's business. Never in a hot loop. */
  log(level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Adds to a named counter of this actor, shown by inspection. */
  count(name: string, by?: number): void;
}

/** What a watcher receives, exactly once per watched life; add it to the message union of kinds that watch. */
export interface ActorDown {
  readonly type: 'actor-down';
  readonly path: ActorPath;
  readonly incarnation: number;
  readonly reason: string;
}

/**
 * An actor's behavior. All three functions are synchronous and free of ambient I/O, clocks and randomness.
 * State may be a mutable object owned by the actor; messages are never mutated. A throw is a crash: the supervisor decides.
 */
export interface ActorKind<Args, State, Message extends MessageShape, Ports = unknown> {
  readonly kind: string;
  readonly delivery: DeliveryTable<Message>;
  start(args: Args, self: Self<Message, Ports>): State;
  receive(state: State, message: Message, self: Self<Message, Ports>): State;
  /**
   * Asked to end (shutdown, not crash). Last messages may be told. Returning `later` keeps the life: it goes on receiving
   * until it calls `self.stop`, or is killed when its shutdown time is over.
   */
  stop?(state: State, reason: string, self: Self<Message, Ports>): 'later' | void;
  /** A small plain-data view of the state for inspection and event hashes; no secrets. */
  digest?(state: State): unknown;
}

/** What `self.ignore` throws. Only the runtime catches it. */
export class StartIgnored extends Error {
  override readonly name = 'StartIgnored';
}

/** Marks a switch over a union as complete; reaching it is a broken invariant. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
