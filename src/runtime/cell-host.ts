/** Runs the actors of one thread: mailboxes, lives, timers, death watch. One per thread, used by that thread only. */
import {
  StartIgnored,
  type ActorPath,
  type ActorRef,
  type MessageShape,
  type RandomStream,
  type TellOutcome,
  type TimerRef,
  type TraceRef,
} from './actor.ts';
import { ActorCell, type Life } from './actor-cell.ts';
import { ActorMoves, type LaneName } from './actor-moves.ts';
import { ActorSelf } from './actor-self.ts';
import { ActorTies } from './actor-ties.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deque } from './deque.ts';
import type { HostEnvironment, RemoteLane } from './host-environment.ts';
import type { KindRegistry } from './kind-registry.ts';
import { afterCrash, conflationKey, newEnvelope, type Envelope, type EnvelopeType } from './mailbox.ts';
import { LEVEL, type MessageType, type MessageTypes } from './message-types.ts';
import type { Place, PlacementTable } from './placement.ts';
import type { Metrics } from './metrics.ts';
import type { LogLevel, PortsContext, PortsFactory } from './ports-context.ts';
import { hashText, randomStream } from './random.ts';
import type { ActorInspection, ActorSnapshot, DeadLettersSnapshot, MailboxView } from './snapshot.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { SystemRecord } from './system-record.ts';
import { TimerQueue } from './timer-queue.ts';
import type { TraceEvent } from './trace-store.ts';
import { ThreadTracing } from './tracing.ts';

/** Messages one actor may take before the next one gets its turn. */
const ACTOR_BATCH = 64;
/**
 * Reading the clock costs as much as handling a small message. So all messages of a quiet turn are timed; of a busy one the
 * first few, and then one in so many (a power of two).
 */
const TIMED_FIRST = 4;
const TIMED_EVERY = 128;
/**
 * In a busy turn this many messages told one after the other share one look at the clock, the one between two batches too.
 * Not in the batch of an actor that once took longer than this for one: what it tells would seem to have waited that long.
 */
const TELLS_PER_LOOK = 8;
const SLOW_BATCH_MS = 0.2;
/** Lives a must-deliver message may end before it is set aside. */
const ATTEMPTS_MAX = 2;

/** What a host knows of a path to which something is told. */
export interface Route {
  readonly path: ActorPath;
  /** Valid as long as this is the host's `routesVersion`. */
  readonly version: number;
  /** Undefined when nobody has that path. */
  readonly place: Place | undefined;
  /** Undefined when the place is on this thread. */
  readonly lane: RemoteLane | undefined;
  readonly cell: ActorCell | undefined;
  readonly endpoint: ((message: MessageShape) => void) | undefined;
  /** The type told last: the next one is often the same. */
  lastType: MessageType | undefined;
}

export interface CellHostOptions {
  readonly environment: HostEnvironment;
  readonly placement: PlacementTable;
  readonly types: MessageTypes;
  readonly kinds: KindRegistry;
  readonly portsFor: PortsFactory;
  /** Makes the thread's recorder, when something is recorded for the first time. */
  readonly metrics: () => Metrics;
  readonly seed: number;
  readonly deadLettersMax?: number;
  /** Replaces a message by an isolated copy when isolation is checked. */
  readonly isolate?: (message: MessageShape) => MessageShape;
  /** See `SystemOptions.measureDurations` and `traceEvery`; defaults true and 0. */
  readonly measureDurations?: boolean;
  readonly traceEvery?: number;
}

/** `info`: what the actor's start handed over, absent when nothing. */
export type StartOutcome =
  | { readonly type: 'started'; readonly info?: unknown }
  | { readonly type: 'ignored' }
  | { readonly type: 'failed'; readonly reason: string };

/** `failed`: it is over, its `stop` threw. `later`: it lives on; `exited` tells when it is over. */
export type StopOutcome =
  { readonly type: 'stopped' } | { readonly type: 'failed'; readonly reason: string } | { readonly type: 'later' };

/** What became of a message that came over a lane. `full`: it must stay in the lane. */
export type ArrivalOutcome = 'taken' | 'full';

export class CellHost {
  readonly deadLetters: DeadLetters;
  readonly #environment: HostEnvironment;
  readonly #placement: PlacementTable;
  readonly #types: MessageTypes;
  readonly #kinds: KindRegistry;
  readonly #portsFor: PortsFactory;
  readonly #seed: number;
  readonly #isolate: ((message: MessageShape) => MessageShape) | undefined;
  readonly #cells = new Map<ActorPath, ActorCell>();
  /** What was looked up for paths that were told to; valid for one `routesVersion`. */
  readonly #routes = new Map<ActorPath, Route>();
  #routesVersion = 0;
  #cellsVersion = 0;
  /** By name: port answers have a level of their own. */
  readonly #answerTypes = new Map<string, EnvelopeType>();
  #isInTurn = false;
  /** What the `start` that runs, or ran last, handed over for whoever asked for it. */
  #startInfo: unknown;
  readonly #endpoints = new Map<ActorPath, (message: MessageShape) => void>();
  readonly #runQueue = new Deque<ActorCell>();
  /** The actor whose own code runs now. */
  #active: ActorCell | undefined;
  readonly #timers = new TimerQueue<(timer: TimerRef) => void>();
  readonly #measuresDurations: boolean;
  readonly tracing: ThreadTracing;
  readonly #newMetrics: () => Metrics;
  #metrics: Metrics | undefined;
  readonly #isTraced: boolean;
  readonly #moves = new ActorMoves();
  readonly #ties: ActorTies;
  #handledInTurn = 0;
  #turns = 0;
  /** When the clock was last looked at for a message told, and how many more may use that. */
  #toldAtMs = 0;
  #tellsLeft = 0;

  constructor(options: CellHostOptions) {
    this.#environment = options.environment;
    this.#placement = options.placement;
    this.#types = options.types;
    this.#kinds = options.kinds;
    this.#portsFor = options.portsFor;
    this.#seed = options.seed;
    this.#newMetrics = options.metrics;
    this.#isolate = options.isolate;
    this.#measuresDurations = options.measureDurations ?? true;
    this.tracing = new ThreadTracing(options.environment, options.traceEvery ?? 0);
    this.#isTraced = this.tracing.isOn;
    this.#ties = new ActorTies(this.#cells, options.placement, options.environment, {
      owe: (cell, envelope) => {
        cell.mailbox.acceptOwed(envelope);
        this.#schedule(cell);
      },
      endByLink: (cell, life, reason) => {
        if (reason.kind !== 'shutdown') this.#noteFailure(cell, reason.detail, 'link');
        this.endAfterCall(cell, life, reason, false);
      },
    });
    this.deadLetters = new DeadLetters(options.deadLettersMax);
    // Cells exist before their first life: what is told early waits in the mailbox instead of being lost.
    for (const place of options.placement.onThread(options.environment.threadName)) {
      this.takePlace(place);
    }
  }

  /** Makes room for an actor of this thread, or gives the one that is there the spec of its next life. */
  takePlace(place: Place): void {
    if (place.spec === undefined || place.thread !== this.#environment.threadName) return;
    const cell = this.#cells.get(place.path);
    if (cell === undefined) this.#putCell(new ActorCell(place.path, place.spec, place.firstIncarnation));
    else cell.spec = place.spec;
  }

  #putCell(cell: ActorCell): void {
    this.#cells.set(cell.path, cell);
    this.#cellsVersion += 1;
  }

  #removeCell(path: ActorPath): void {
    this.#cells.delete(path);
    this.#cellsVersion += 1;
  }

  get metrics(): Metrics {
    return (this.#metrics ??= this.#newMetrics());
  }

  get turns(): number {
    return this.#turns;
  }

  nowMs(): number {
    return this.#environment.nowMs();
  }

  monotonicMs(): number {
    return this.#environment.monotonicMs();
  }

  /** Takes what is told to a path that is no actor. */
  addEndpoint(path: ActorPath, take: (message: MessageShape) => void): void {
    this.#endpoints.set(path, take);
    this.#cellsVersion += 1;
  }

  // --- sending ---

  tell(from: ActorPath, to: ActorRef, message: MessageShape): TellOutcome {
    return this.tellBy(this.routeTo(to.path), from, to, message);
  }

  /** Changes whenever a route may have become wrong. */
  get routesVersion(): number {
    return this.#placement.version + this.#cellsVersion;
  }

  /** To be called when the way to another thread is a new one. */
  forgetRoutes(): void {
    this.#cellsVersion += 1;
  }

  /** Returns what is to be known of a path to tell to it. To be asked for again when `routesVersion` has changed. */
  routeTo(path: ActorPath): Route {
    const version = this.routesVersion;
    if (version !== this.#routesVersion) {
      this.#routes.clear();
      this.#routesVersion = version;
    }
    let route = this.#routes.get(path);
    if (route === undefined) {
      const place = this.#placement.byPath(path);
      const isHere = place?.thread === this.#environment.threadName;
      route = {
        path,
        version,
        place,
        cell: isHere ? this.#cells.get(path) : undefined,
        endpoint: isHere ? this.#endpoints.get(path) : undefined,
        lane: place === undefined || isHere ? undefined : this.#environment.laneTo(place.thread),
        lastType: undefined,
      };
      // Whoever is told to by made-up names must not fill the memory.
      if (place !== undefined) this.#routes.set(path, route);
    }
    return route;
  }

  /** Tells by a route of the current version. */
  tellBy(route: Route, from: ActorPath, to: ActorRef, message: MessageShape): TellOutcome {
    let type = route.lastType;
    if (type === undefined || type.name !== message.type) {
      type = this.#types.byName(message.type);
      if (type === undefined) return this.#dead(to.path, message.type, 'unknown-type', from);
      route.lastType = type;
    }
    if (route.place === undefined) return this.#dead(to.path, message.type, 'no-such-actor', from);
    const sent = this.#isolate === undefined ? message : this.#isolate(message);
    if (route.endpoint !== undefined) {
      route.endpoint(sent);
      return 'sent';
    }
    const sentAtMs = this.#tellTimeMs();
    const traceId = this.tracing.current();
    if (route.lane !== undefined)
      return route.lane.send(route.place, type, sent, from, to.incarnation, sentAtMs, traceId, 0);
    const { cell } = route;
    if (cell === undefined) return this.#dead(route.path, type.name, 'no-such-actor', from);
    const envelope = newEnvelope(type, sent, conflationKey(type, sent), from, sentAtMs, to.incarnation, traceId);
    const refusal = this.#whyDead(cell, envelope);
    if (refusal !== undefined) return this.#dead(cell.path, type.name, refusal, from);
    if (this.#moves.arrivals.size > 0 && this.#moves.hold(cell.path, envelope, this.#environment.threadName))
      return 'sent';
    const outcome = cell.mailbox.accept(envelope);
    if (!cell.queued && outcome !== 'refused') this.#schedule(cell);
    return outcome;
  }

  /** Returns the monotonic time for a message told now. Exact unless the thread is so busy that looking would slow it down. */
  #tellTimeMs(): number {
    const isShared = this.#active !== undefined && this.#handledInTurn > TIMED_FIRST && this.tracing.current() === 0;
    if (isShared && this.#tellsLeft > 0) {
      this.#tellsLeft -= 1;
      return this.#toldAtMs;
    }
    this.#tellsLeft = TELLS_PER_LOOK - 1;
    this.#toldAtMs = this.#environment.monotonicMs();
    return this.#toldAtMs;
  }

  /** Takes a message that came from another thread, or leaves it in its lane when the mailbox is full. */
  arrive(place: Place, envelope: Envelope, fromThread = ''): ArrivalOutcome {
    const cell = this.#cells.get(place.path);
    if (cell !== undefined && envelope.incarnation === 0 && cell.status !== 'stopped' && this.#moves.isIdle) {
      if (envelope.type.class !== 'market') {
        if (!cell.mailbox.hasRoomFor(envelope)) return 'full';
        cell.mailbox.acceptOwed(envelope);
      } else cell.mailbox.accept(envelope);
      this.#schedule(cell);
      return 'taken';
    }
    // Marks lie behind the messages to an actor that moves: none of its lanes may stand still.
    const isMoving = this.#moves.departures.has(place.path) || this.#moves.arrivals.has(place.path);
    if (
      !isMoving &&
      cell !== undefined &&
      envelope.type.class !== 'market' &&
      !cell.mailbox.hasRoomFor(envelope) &&
      this.#whyDead(cell, envelope) === undefined
    )
      return 'full';
    this.arriveAnyway(place, envelope, fromThread);
    return 'taken';
  }

  /** Takes a message from a lane that will not be read again, beyond the mailbox's bound if need be. */
  arriveAnyway(place: Place, envelope: Envelope, fromThread = ''): void {
    if (this.#moves.arrivals.size > 0 && this.#moves.hold(place.path, envelope, fromThread)) return;
    const endpoint = this.#endpoints.get(place.path);
    if (endpoint !== undefined) {
      endpoint(envelope.message);
      envelope.origin?.handled(envelope.sequence);
      return;
    }
    const cell = this.#cells.get(place.path);
    // Told while the actor lived here; a dead thread's messages are told again to where they were told before.
    if (
      cell === undefined &&
      place.spec !== undefined &&
      place.thread !== this.#environment.threadName &&
      this.#forward(place, envelope)
    )
      return;
    const refusal = cell === undefined ? 'no-such-actor' : this.#whyDead(cell, envelope);
    if (cell === undefined || refusal !== undefined) {
      this.#dead(place.path, envelope.type.name, refusal ?? 'no-such-actor', envelope.from);
      envelope.origin?.handled(envelope.sequence);
      return;
    }
    if (envelope.type.class === 'market') cell.mailbox.accept(envelope);
    else cell.mailbox.acceptOwed(envelope);
    this.#schedule(cell);
  }

  /** Sends a message on to where its actor lives now. Returns false when that thread's lane has no room for it. */
  #forward(place: Place, envelope: Envelope): boolean {
    const type = this.#types.byName(envelope.type.name);
    if (type === undefined) return false;
    const { message, from, incarnation, sentAtMs, traceId, attempts } = envelope;
    const lane = this.#environment.laneTo(place.thread);
    if (lane.send(place, type, message, from, incarnation, sentAtMs, traceId, attempts) === 'refused') return false;
    envelope.origin?.handled(envelope.sequence);
    return true;
  }

  /** Returns why nobody can ever take the message, or undefined when somebody may. */
  #whyDead(cell: ActorCell, envelope: Envelope): string | undefined {
    if (cell.status === 'stopped') return 'stopped';
    if (envelope.incarnation === 0 || envelope.incarnation > cell.incarnation) return undefined;
    return cell.life !== undefined && cell.life.incarnation === envelope.incarnation ? undefined : 'ended-incarnation';
  }

  #dead(path: ActorPath, typeName: string, reason: string, from: ActorPath): 'dead' {
    this.deadLetters.add({ path, type: typeName, reason, from, atMs: this.#environment.nowMs() });
    return 'dead';
  }

  /** Returns the number of the actor's current or last life; 0 before the first and for strangers. */
  incarnationOf(path: ActorPath): number {
    return this.#cells.get(path)?.incarnation ?? 0;
  }

  /** Counts a message that could not leave this thread. */
  deadLetter(path: ActorPath, typeName: string, reason: string, from: ActorPath): void {
    this.#dead(path, typeName, reason, from);
  }

  // --- running ---

  #schedule(cell: ActorCell): void {
    if (cell.queued || !cell.runnable) return;
    cell.queued = true;
    this.#runQueue.pushBack(cell);
    if (!this.#isInTurn) this.#environment.requestTurn();
  }

  /** Whether a turn would find work now, timers aside. */
  get busy(): boolean {
    return this.#runQueue.length > 0;
  }

  /** Returns the monotonic time of the earliest timer, or Infinity. */
  nextTimerAtMs(): number {
    return this.#timers.nextAtMs();
  }

  /**
   * Delivers due timers, then lets actors handle messages, in order of arrival of the actors' work, until either bound is
   * reached or nothing is left. Returns the number of messages handled.
   */
  runTurn(messagesMax: number, untilMs: number): number {
    this.#turns += 1;
    this.#handledInTurn = 0;
    this.#isInTurn = true;
    try {
      if (this.#moves.departures.size > 0) this.#continueDepartures();
      this.#fireTimers();
      return this.#runActors(messagesMax, untilMs);
    } finally {
      this.#isInTurn = false;
    }
  }

  #runActors(messagesMax: number, untilMs: number): number {
    let handled = 0;
    let beganAtMs = Infinity;
    this.#tellsLeft = 0;
    while (handled < messagesMax) {
      const cell = this.#runQueue.popFront();
      if (cell === undefined) break;
      cell.queued = false;
      if (cell.isSlow) this.#tellsLeft = 0;
      handled += this.#runBatch(cell, Math.min(ACTOR_BATCH, messagesMax - handled));
      this.#schedule(cell);
      const nowMs = this.#environment.monotonicMs();
      if (nowMs - beganAtMs > SLOW_BATCH_MS) cell.isSlow = true;
      this.#toldAtMs = beganAtMs = nowMs;
      this.#tellsLeft = TELLS_PER_LOOK;
      if (nowMs >= untilMs) break;
    }
    return handled;
  }

  #runBatch(cell: ActorCell, messagesMax: number): number {
    let handled = 0;
    while (handled < messagesMax && cell.status === 'running' && !cell.paused) {
      const envelope = cell.mailbox.take();
      if (envelope === undefined) break;
      this.#handle(cell, envelope);
      handled += 1;
    }
    return handled;
  }

  #handle(cell: ActorCell, envelope: Envelope): void {
    const { life, kind } = cell;
    if (life === undefined || kind === undefined) throw new Error(`${cell.path} must have a life while it is running`);
    if (envelope.incarnation !== 0 && envelope.incarnation !== life.incarnation) {
      this.#dead(cell.path, envelope.type.name, 'ended-incarnation', envelope.from);
      envelope.origin?.handled(envelope.sequence);
      return;
    }
    this.#environment.handling(cell.path, envelope);
    const { traceId } = envelope;
    const number = this.#handledInTurn++;
    const isTimed = (this.#measuresDurations && (number < TIMED_FIRST || number % TIMED_EVERY === 0)) || traceId !== 0;
    const startedAtMs = isTimed ? this.#environment.monotonicMs() : 0;
    if (this.#isTraced) this.tracing.handling(cell, envelope);
    cell.noteHandled(envelope.type.name);
    this.#active = cell;
    try {
      life.state = kind.receive(life.state, envelope.message, life.self);
      envelope.origin?.handled(envelope.sequence);
      this.#active = undefined;
    } catch (error) {
      this.#active = undefined;
      this.#crash(cell, life, envelope, error);
    }
    if (this.#isTraced) this.tracing.handled(cell, envelope, life.incarnation, startedAtMs);
    if (isTimed) this.#noteTimes(cell, envelope, startedAtMs);
    if (life.end !== undefined) this.#leave(cell, life);
    this.#environment.handled();
    if (cell.mailbox.overrun) this.#overrun(cell);
  }

  #noteTimes(cell: ActorCell, envelope: Envelope, startedAtMs: number): void {
    const endedAtMs = this.#environment.monotonicMs();
    cell.noteTimes(startedAtMs - envelope.sentAtMs, endedAtMs - startedAtMs);
  }

  #crash(cell: ActorCell, life: Life, envelope: Envelope, error: unknown): void {
    const reason = this.#noteFailure(cell, error, envelope.type.name);
    this.#settleInFlight(cell, envelope);
    this.#endByItself(cell, life, { kind: 'crashed', detail: reason });
  }

  /** A must-deliver message gets one more life; whatever ended two lives, or may be lost, is a dead letter. */
  #settleInFlight(cell: ActorCell, envelope: Envelope): void {
    const owedAgain =
      envelope.incarnation === 0 && (envelope.type.class === 'must-deliver' || envelope.type.class === 'system');
    const again = afterCrash(envelope);
    const { attempts } = again;
    if (owedAgain && attempts < ATTEMPTS_MAX) {
      cell.mailbox.putBack(again);
      return;
    }
    this.#dead(cell.path, envelope.type.name, owedAgain ? 'poison' : 'crashed', envelope.from);
    envelope.origin?.handled(envelope.sequence);
    if (owedAgain)
      this.log('error', 'message-set-aside', { messageType: envelope.type.name, attempts }, cell, cell.incarnation);
  }

  #overrun(cell: ActorCell): void {
    const { life } = cell;
    if (life === undefined || cell.status !== 'running') return;
    const reason = this.#noteFailure(
      cell,
      new Error(
        `mailbox-overrun: ${cell.mailbox.depth} messages wait, most of them the actor's own port answers or timers`,
      ),
      'mailbox',
    );
    this.#endByItself(cell, life, { kind: 'crashed', detail: reason });
  }

  #endByItself(cell: ActorCell, life: Life, reason: ExitReason): void {
    cell.status = isOrderly(reason) ? 'restarting' : 'crashed';
    this.#endLife(cell, life, reason);
    this.#environment.exited(cell.path, life.incarnation, reason);
  }

  /** Ends a life when its actor's current call returns, or now when none of its code runs. The first reason counts. */
  endAfterCall(cell: ActorCell, life: Life, reason: ExitReason, callsStop: boolean): void {
    if (life.end !== undefined) return;
    life.end = { reason, callsStop };
    if (this.#active !== cell && cell.status !== 'starting') this.#leave(cell, life);
  }

  /** Ends a life that is to end. A throw of its `stop` is a crash. */
  #leave(cell: ActorCell, life: Life): void {
    const { end } = life;
    if (end === undefined || cell.life !== life) return;
    const failure = end.callsStop ? this.#callStop(cell, life, end.reason.detail) : undefined;
    this.#endByItself(
      cell,
      life,
      failure?.type === 'failed' ? { kind: 'crashed', detail: failure.reason } : end.reason,
    );
  }

  /** A life may have asked to end in its very start. */
  #leaveIfAsked(cell: ActorCell): void {
    const { life } = cell;
    if (life?.end !== undefined) this.#leave(cell, life);
  }

  #callStop(cell: ActorCell, life: Life, reason: string): StopOutcome {
    this.#active = cell;
    try {
      const answer = cell.kind?.stop?.(life.state, reason, life.self);
      return { type: answer === 'later' ? 'later' : 'stopped' };
    } catch (error) {
      return { type: 'failed', reason: this.#noteFailure(cell, error, 'stop') };
    } finally {
      this.#active = undefined;
    }
  }

  #noteFailure(cell: ActorCell, error: unknown, during: string): string {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    cell.failure = {
      reason,
      stack: error instanceof Error && error.stack !== undefined ? error.stack : reason,
      during,
      incarnation: cell.incarnation,
      atMs: this.#environment.nowMs(),
    };
    return reason;
  }

  // --- lives ---

  /** Starts a life. The mailbox is the one of the life before. */
  startActor(path: ActorPath, incarnation: number): StartOutcome {
    const cell = this.#cells.get(path);
    if (cell === undefined)
      return { type: 'failed', reason: `no place for ${path} on thread ${this.#environment.threadName}` };
    if (cell.life !== undefined)
      return {
        type: 'failed',
        reason: `${path} must end its life ${cell.incarnation} before life ${incarnation} starts`,
      };
    cell.status = 'starting';
    cell.incarnation = incarnation;
    const outcome = this.#begin(cell, incarnation);
    if (outcome.type === 'started') {
      cell.status = 'running';
      this.#leaveIfAsked(cell);
      this.#schedule(cell);
    } else {
      cell.status = outcome.type === 'failed' ? 'crashed' : 'restarting';
    }
    return outcome;
  }

  #begin(cell: ActorCell, incarnation: number): StartOutcome {
    const startedAtMs = this.#environment.monotonicMs();
    const self = new ActorSelf(cell, this);
    const life: Life = {
      incarnation,
      self,
      ports: undefined,
      state: undefined,
      timers: undefined,
      watching: undefined,
      streams: undefined,
      links: undefined,
      end: undefined,
      isStopping: false,
    };
    // Ports may answer while they are made, and `start` may set timers: the life is current before either.
    cell.life = life;
    self.bind(life);
    try {
      const kind = this.#kinds.get(cell.spec.kind);
      cell.kind = kind;
      life.ports = this.#portsFor(this.#portsContext(cell, life));
      this.#startInfo = undefined;
      life.state = kind.start(cell.spec.args, self);
      cell.noteStart(this.#environment.monotonicMs() - startedAtMs);
      if (life.end !== undefined && !isOrderly(life.end.reason)) throw new Error(life.end.reason.detail);
      const info = this.#startInfo;
      return info === undefined ? { type: 'started' } : { type: 'started', info };
    } catch (error) {
      if (error instanceof StartIgnored) {
        this.#endLife(cell, life, { kind: 'normal', detail: 'ignored' });
        return { type: 'ignored' };
      }
      const reason = this.#noteFailure(cell, error, 'start');
      this.#endLife(cell, life, { kind: 'crashed', detail: reason });
      return { type: 'failed', reason };
    } finally {
      this.#environment.handled();
    }
  }

  /** Takes what an actor's `start` hands over; of no use to anybody later. */
  noteStartInfo(cell: ActorCell, info: unknown): void {
    if (cell.status === 'starting') this.#startInfo = info;
  }

  #portsContext(cell: ActorCell, life: Life): PortsContext {
    const environment = this.#environment;
    const isCurrent = (): boolean => cell.life === life;
    const metrics = (): Metrics => this.metrics;
    return {
      path: cell.path,
      kind: cell.spec.kind,
      incarnation: life.incarnation,
      threadName: environment.threadName,
      data: environment.threadData,
      deliver: (message, cause) => {
        if (isCurrent()) this.#owe(cell, life, message, cause ?? 0);
        else this.#dead(cell.path, message.type, 'ended-incarnation', '$port');
      },
      calling: (door, detail) => this.tracing.calling(cell.path, door, detail ?? ''),
      nowMs: () => environment.nowMs(),
      monotonicMs: () => environment.monotonicMs(),
      schedule: (delayMs, action) => {
        const timer = this.#addTimer(life, delayMs, () => {
          if (isCurrent()) action();
        });
        return () => this.cancelTimer(life, timer);
      },
      random: (purpose) => this.randomOf(cell, life, purpose),
      log: (level, event, fields) => this.log(level, event, fields, cell, life.incarnation),
      get metrics() {
        return metrics();
      },
    };
  }

  /** Queues what the actor itself asked for: a port's answer at `order` level, whatever the table says of its type. */
  #owe(cell: ActorCell, life: Life, message: MessageShape, cause: TraceRef): void {
    cell.mailbox.acceptOwed(
      newEnvelope(
        this.#answerType(message.type),
        this.#isolate === undefined ? message : this.#isolate(message),
        '',
        '$port',
        this.#environment.monotonicMs(),
        life.incarnation,
        this.tracing.ofAnswer(cause),
      ),
    );
    this.#schedule(cell);
  }

  #answerType(name: string): EnvelopeType {
    let type = this.#answerTypes.get(name);
    if (type === undefined) {
      type = { name, class: 'must-deliver', level: LEVEL.order };
      this.#answerTypes.set(name, type);
    }
    return type;
  }

  /** Ends a life in order: the actor's own `stop` first, which may ask for time. Does nothing when that life is over. */
  stopActor(path: ActorPath, incarnation: number, reason: string): StopOutcome {
    const cell = this.#cells.get(path);
    const life = cell?.life;
    if (cell === undefined || life === undefined || life.incarnation !== incarnation) return { type: 'stopped' };
    if (life.isStopping) return { type: 'later' };
    const outcome = this.#callStop(cell, life, reason);
    this.#environment.handled();
    if (outcome.type === 'later' && life.end === undefined) {
      life.isStopping = true;
      return outcome;
    }
    cell.status = 'restarting';
    const isFailed = outcome.type === 'failed';
    this.#endLife(
      cell,
      life,
      isFailed ? { kind: 'crashed', detail: outcome.reason } : { kind: 'shutdown', detail: reason },
    );
    return isFailed ? outcome : { type: 'stopped' };
  }

  /** Ends a life at once, without its `stop`. */
  killActor(path: ActorPath, incarnation: number, reason: string): void {
    const cell = this.#cells.get(path);
    const life = cell?.life;
    if (cell === undefined || life === undefined || life.incarnation !== incarnation) return;
    cell.status = 'restarting';
    this.#endLife(cell, life, { kind: 'killed', detail: reason });
    this.#environment.handled();
  }

  /** Retires an actor and forgets that it ever had a place here. */
  removeActor(path: ActorPath): void {
    this.retireActor(path);
    this.#removeCell(path);
  }

  /** Closes a mailbox until the actor is started again, if ever. What waits in it becomes dead letters. */
  retireActor(path: ActorPath): void {
    const cell = this.#cells.get(path);
    if (cell === undefined || cell.status === 'stopped') return;
    if (cell.life !== undefined) this.killActor(path, cell.incarnation, 'retired');
    cell.status = 'stopped';
    for (const envelope of cell.mailbox.drain()) {
      this.#dead(path, envelope.type.name, 'stopped', envelope.from);
      envelope.origin?.handled(envelope.sequence);
    }
    this.#ties.tellWatchers(cell, 'stopped');
    // A lane may have waited for room in this mailbox.
    this.#environment.requestTurn();
  }

  #endLife(cell: ActorCell, life: Life, reason: ExitReason): void {
    cell.life = undefined;
    for (const timer of life.timers ?? []) this.#timers.cancel(timer);
    this.#disposePorts(cell, life);
    this.#ties.lifeEnded(cell, life, reason);
  }

  #disposePorts(cell: ActorCell, life: Life): void {
    const { ports } = life;
    if (typeof ports !== 'object' || ports === null || !('dispose' in ports) || typeof ports.dispose !== 'function')
      return;
    try {
      ports.dispose();
    } catch (error) {
      this.log(
        'error',
        'ports-dispose-failed',
        { reason: error instanceof Error ? error.message : String(error) },
        cell,
        life.incarnation,
      );
    }
  }

  // --- ties to other actors ---

  watch(cell: ActorCell, life: Life, target: ActorRef): void {
    this.#ties.watch(cell, life, target);
  }

  unwatch(cell: ActorCell, life: Life, target: ActorPath): void {
    this.#ties.unwatch(cell, life, target);
  }

  link(cell: ActorCell, life: Life, target: ActorRef): void {
    this.#ties.link(cell, life, target);
  }

  unlink(cell: ActorCell, life: Life, target: ActorPath): void {
    this.#ties.unlink(cell, life, target);
  }

  /** Takes a record of another thread that is about actors here. */
  receiveSystem(record: SystemRecord): void {
    switch (record.type) {
      case 'watch':
      case 'unwatch':
      case 'down':
      case 'link':
      case 'unlink':
      case 'linked-ended':
        this.#ties.receive(record);
        return;
      case 'move-finished':
        if (this.#moves.finishSeen(record.path, record.lane)) this.#completeArrival(record.path);
        return;
      case 'trace-kept':
        this.tracing.keepHere(record.traceId);
        return;
      case 'move-mark':
      case 'arrived':
      case 'exited':
      case 'log':
        throw new Error(`a ${record.type} record must go to its thread's runtime, not to the host`);
    }
  }

  // --- moving to other threads ---

  /** Ends the actor's life and keeps its mailbox open until every peer has said its last word; then all of it is forwarded. */
  depart(path: ActorPath, to: string, peers: readonly string[]): void {
    const cell = this.#cells.get(path);
    if (cell === undefined) return;
    if (cell.life !== undefined) this.stopActor(path, cell.incarnation, `moved to thread ${to}`);
    cell.status = 'waiting';
    this.#moves.depart(path, to, peers);
    this.#environment.requestTurn();
  }

  /** Makes room for an actor that comes from another thread. */
  expectArrival(place: Place, from: string): void {
    this.#placement.put(place);
    if (place.spec === undefined) throw new Error(`a place to move to must be an actor's, "${place.path}" is not`);
    this.#putCell(new ActorCell(place.path, place.spec));
    this.#moves.expect(place.path, from);
  }

  /** Takes a peer's last word to an actor that departs. */
  moveMark(path: ActorPath, peer: string, lane: LaneName): void {
    this.#moves.markSeen(path, peer, lane);
    this.#environment.requestTurn();
  }

  #continueDepartures(): void {
    for (const [path, departure] of this.#moves.departures) {
      const cell = this.#cells.get(path);
      const place = this.#placement.byPath(path);
      if (departure.awaited.size > 0 || cell === undefined || place === undefined) continue;
      const next = { ...place, thread: departure.to };
      // What was told since the last try goes behind what could not leave then.
      const { backlog } = departure;
      for (const envelope of cell.mailbox.drain()) backlog.pushBack(envelope);
      for (
        let first = backlog.front();
        first !== undefined && this.#departed(cell, next, first);
        first = backlog.front()
      )
        backlog.popFront();
      if (backlog.length > 0) {
        this.#environment.requestTurn();
        continue;
      }
      this.#placement.put(next);
      this.#moves.departures.delete(path);
      this.#removeCell(path);
      this.#ties.tellWatchers(cell, 'moved');
      this.#environment.sendMarks?.(departure.to, (lane) => ({ type: 'move-finished', path, lane }));
    }
  }

  /** Forwards one message, or counts one that was meant for an ended life; returns false when it has to wait. */
  #departed(cell: ActorCell, next: Place, envelope: Envelope): boolean {
    const refusal = this.#whyDead(cell, envelope);
    const deadLetters = this.deadLetters.total;
    if (refusal === undefined && this.#forward(next, envelope)) return true;
    // Refused for now, unless it became a dead letter: what is too large for a lane will never leave.
    if (refusal === undefined && this.deadLetters.total === deadLetters) return false;
    if (refusal !== undefined) this.#dead(cell.path, envelope.type.name, refusal, envelope.from);
    envelope.origin?.handled(envelope.sequence);
    return true;
  }

  #completeArrival(path: ActorPath): void {
    const arrival = this.#moves.arrivals.get(path);
    const cell = this.#cells.get(path);
    this.#moves.arrivals.delete(path);
    if (arrival === undefined || cell === undefined) return;
    for (const envelope of arrival.held) {
      if (envelope.type.class === 'market') cell.mailbox.accept(envelope);
      else cell.mailbox.acceptOwed(envelope);
    }
    this.#environment.arrived?.(path);
  }

  /** Ends all watches between this thread and one that died. `incarnations`: the last lives of the dead thread's actors. */
  threadDied(threadName: string, reason: string, incarnations: ReadonlyMap<ActorPath, number>): void {
    // What it had forwarded was read to the tail; what it had not is told again by those who told it.
    for (const path of this.#moves.threadDied(threadName)) this.#completeArrival(path);
    this.#ties.threadDied(threadName, reason, incarnations);
  }

  // --- timers, randomness, log ---

  /**
   * Delivers `message` to the life after `delayMs`, at the level its type has, as part of the trace in which the timer was
   * set: once, because a timer that winds itself up again would go on for ever.
   */
  addTimer(cell: ActorCell, life: Life, delayMs: number, message: MessageShape): TimerRef {
    const type = this.#types.byName(message.type);
    if (type === undefined)
      throw new Error(`a timer's message type must be in its actor's delivery table, was "${message.type}"`);
    const traceId = this.tracing.ofTimer();
    return this.#addTimer(life, delayMs, () => {
      cell.mailbox.acceptOwed(
        newEnvelope(
          type,
          message,
          conflationKey(type, message),
          cell.path,
          this.#environment.monotonicMs(),
          life.incarnation,
          traceId,
        ),
      );
      this.#schedule(cell);
    });
  }

  #addTimer(life: Life, delayMs: number, run: () => void): TimerRef {
    if (!(delayMs >= 0)) throw new RangeError(`delayMs must be 0 or more, was ${delayMs}`);
    const atMs = this.#environment.monotonicMs() + delayMs;
    const timer = this.#timers.add(atMs, (id) => {
      life.timers?.delete(id);
      run();
    });
    (life.timers ??= new Set<number>()).add(timer);
    this.#environment.wakeAt(atMs);
    return timer;
  }

  cancelTimer(life: Life, timer: TimerRef): void {
    if (life.timers?.delete(timer) === true) this.#timers.cancel(timer);
  }

  #fireTimers(): void {
    const nowMs = this.#environment.monotonicMs();
    for (let due = this.#timers.takeDue(nowMs); due !== undefined; due = this.#timers.takeDue(nowMs))
      due.payload(due.id);
  }

  randomOf(cell: ActorCell, life: Life, purpose: string): RandomStream {
    const known = life.streams?.get(purpose);
    if (known !== undefined) return known;
    const stream = randomStream(hashText(`${cell.path}#${life.incarnation}`, this.#seed), purpose);
    (life.streams ??= new Map<string, RandomStream>()).set(purpose, stream);
    return stream;
  }

  log(
    level: LogLevel,
    event: string,
    fields: Readonly<Record<string, unknown>> | undefined,
    cell?: ActorCell,
    incarnation?: number,
  ): void {
    this.#environment.log({
      level,
      event,
      atMs: this.#environment.nowMs(),
      thread: this.#environment.threadName,
      ...(cell === undefined ? {} : { path: cell.path }),
      ...(incarnation === undefined ? {} : { incarnation }),
      ...(fields === undefined ? {} : { fields }),
    });
  }

  // --- inspection ---

  actorSnapshots(): ActorSnapshot[] {
    const nowMs = this.#environment.monotonicMs();
    return [...this.#cells.values()].map((cell) =>
      cell.snapshot(this.#environment.threadName, nowMs, this.deadLetters.countFor(cell.path)),
    );
  }

  deadLettersSnapshot(): DeadLettersSnapshot {
    return this.deadLetters.snapshot();
  }

  inspect(path: ActorPath): ActorInspection | undefined {
    return this.#cells
      .get(path)
      ?.inspect(this.#environment.threadName, this.#environment.monotonicMs(), this.deadLetters.countFor(path));
  }

  /** Shows up to `limit` messages that wait for the actor. */
  peek(path: ActorPath, limit: number): MailboxView | undefined {
    return this.#cells.get(path)?.peek(this.#environment.monotonicMs(), limit);
  }

  /** Returns what is still kept of this thread's part in traces. */
  traceEvents(): TraceEvent[] {
    return this.tracing.events();
  }

  /** Lets the actor leave its mailbox alone, or look at it again. Returns false when it does not live here. */
  setPaused(path: ActorPath, isPaused: boolean): boolean {
    const cell = this.#cells.get(path);
    if (cell === undefined) return false;
    cell.paused = isPaused;
    this.#schedule(cell);
    return true;
  }

  /** Removes and returns everything unhandled on this host, per actor in service order, when a virtual thread dies. */
  abandon(): readonly { readonly path: ActorPath; readonly envelopes: readonly Envelope[] }[] {
    const left = [...this.#cells.values()].map((cell) => ({ path: cell.path, envelopes: cell.mailbox.drain() }));
    for (const cell of this.#cells.values()) {
      if (cell.life !== undefined) this.#disposePorts(cell, cell.life);
      cell.life = undefined;
    }
    return left;
  }
}

function isOrderly(reason: ExitReason): boolean {
  return reason.kind === 'normal' || reason.kind === 'shutdown';
}
