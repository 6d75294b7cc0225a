/**
 * One real thread of a system: its host, its lanes to the other threads, and when it works and sleeps. One per thread,
 * used by that thread only.
 *
 * A turn drains the lanes within a bound, lets actors work within a bound, and then either takes another turn after the
 * event loop had its own, or sleeps: it sets its sleep flag, looks at every lane once more, and only then sleeps *on the
 * flag*. A producer that changes the flag back owes the wake-up. Waiting on anything else loses wake-ups.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorPath, MessageShape, TellOutcome } from './actor.ts';
import type { LaneName } from './actor-moves.ts';
import { CellHost } from './cell-host.ts';
import type { HostEnvironment, RemoteLane } from './host-environment.ts';
import { CODEC, MessageCodec } from './codec.ts';
import type { KindRegistry } from './kind-registry.ts';
import { LaneReceiver, type Arrival, type ArrivalSink } from './lane-receiver.ts';
import { LaneSender, SYSTEM_TYPE_ID, type Outgoing, type OutgoingType } from './lane-sender.ts';
import { Linger } from './linger.ts';
import { conflationKey, newEnvelope, type Envelope } from './mailbox.ts';
import type { MessageType, MessageTypes } from './message-types.ts';
import { BoardRecorder } from './metrics-board.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import { MAIN_THREAD, type Place, type PlacementTable } from './placement.ts';
import type { LogRecord, PortsFactory } from './ports-context.ts';
import { SLOT, type Segment } from './segment.ts';
import type { LaneSnapshot } from './snapshot.ts';
import type { SystemRecord } from './system-record.ts';
import { kernelThread } from './thread-core-wait.ts';
import type { ThreadClock } from './thread-clock.ts';

/** How a thread sleeps; see `ThreadSpec.wake`. */
export type WakeMode = 'nudge' | 'wait';

/** A thread as all threads know it; its number is its place in the list. */
export interface ThreadIdentity {
  readonly name: string;
  readonly wake: WakeMode;
}

/** Records taken from lanes, and messages handled, before the event loop gets its turn. */
const TURN_RECORDS = 256;
const TURN_MESSAGES = 512;
const TURN_MS = 1;
/** Longest a thread with an event loop stays awake without work; see `Linger`. */
const LINGER_MS_MAX = 0.2;
/** Looks at the lanes between two looks at the clock while a blocking thread spins. */
const LOOKS_PER_CLOCK = 32;
/** A thread looks around at least this often, so that a lost wake-up costs a second and is counted. */
const CEILING_MS = 1_000;
/** How long records may lie unread beside an idle thread before the wake-up counts as lost: a nudge may be on its way. */
const LOST_AFTER_MS = 50;
/** A thread without work beats so many times within the limit, but not more often than this. */
const BEATS_PER_LIMIT = 5;
const HEARTBEAT_EVERY_MS_MAX = 200;
/** A blocking thread lets its event loop run at least this often while it is busy. */
const BLOCKING_STRETCH_MS = 10;
/**
 * An actor's number takes 20 bits of a word on the ring. The other 12 tell its lives apart (in the destination; 0 stands for
 * a named ref) and causal traces (in the source; 0 stands for none).
 */
const ACTOR_BITS = 20;
const ACTOR_MASK = (1 << ACTOR_BITS) - 1;
const WRAP_MODULUS = 4_095;
const BETWEEN_THREADS: OutgoingType = { class: 'system', template: undefined };

/** What one thread needs to work. */
export interface ThreadRuntimeOptions {
  readonly segment: Segment;
  readonly threads: readonly ThreadIdentity[];
  /** This thread's number. */
  readonly index: number;
  readonly data: unknown;
  readonly placement: PlacementTable;
  readonly types: MessageTypes;
  readonly kinds: KindRegistry;
  readonly portsFor: PortsFactory;
  readonly clock: ThreadClock;
  /** The thread's metrics board, see metrics-board.ts. */
  readonly metrics: SharedArrayBuffer;
  readonly seed: number;
  readonly deadLettersMax?: number;
  readonly checkIsolation: boolean;
  readonly measureDurations: boolean;
  readonly traceEvery: number;
  /** See `ThreadSystemOptions.spinUs`. */
  readonly spinUs: number;
  /** See `ThreadSystemOptions.heartbeatMs`. */
  readonly heartbeatMs: number;
  /** Main thread only: lives of any thread's actors that ended by themselves, and logs of all. */
  readonly onExited?: (path: ActorPath, incarnation: number, reason: ExitReason) => void;
  readonly onLog?: (record: LogRecord) => void;
  readonly onArrived?: (path: ActorPath) => void;
}

interface Peer extends RemoteLane {
  readonly name: string;
  readonly index: number;
  readonly wake: WakeMode;
  readonly sender: LaneSender;
  /** What its receiver does with a record, and with the news that there is room again. */
  readonly take: ArrivalSink;
  readonly wakeForRoom: () => void;
  receiver: LaneReceiver | undefined;
  port: MessagePort | undefined;
}

/** One thread at work, from `start` to `stop`. */
export class ThreadRuntime {
  readonly host: CellHost;
  readonly #options: ThreadRuntimeOptions;
  readonly #segment: Segment;
  readonly #index: number;
  readonly #wake: WakeMode;
  /** Where this thread notes the message it handles: its source, and in the next word its sequence. */
  readonly #inFlightWord: number;
  readonly #clock: ThreadClock;
  readonly #codec: MessageCodec;
  readonly #peers: (Peer | undefined)[];
  readonly #peersByName = new Map<string, Peer>();
  readonly #timersOfLoop: NodeJS.Timeout[] = [];
  #isTurnAsked = false;
  #isInTurn = false;
  #isStopped = false;
  #hasInFlight = false;
  #hasWorked = false;
  readonly #linger: Linger;
  /** Something was published to a peer that may sleep through it. */
  #isWakeOwed = false;
  #wakeTimer: NodeJS.Timeout | undefined;
  #wakeTimerAtMs = Infinity;
  #controlPostsSeen = 0;
  #turns = 0;
  #lastTeller: Place | undefined;
  /** When the current turn began, monotonic ms. */
  #turnAtMs = 0;
  #lostWakeUps = 0;
  #wakeUpsSent = 0;
  #logRecordsDropped = 0;
  #marksSent = 0;

  constructor(options: ThreadRuntimeOptions) {
    this.#options = options;
    this.#segment = options.segment;
    this.#index = options.index;
    this.#clock = options.clock;
    this.#codec = new MessageCodec(options.types);
    this.#wake = this.#identity(options.index).wake;
    // A blocking thread would take a whole core from the others: only when it was told to.
    this.#linger = new Linger(this.#wake === 'wait' ? options.spinUs / 1_000 : LINGER_MS_MAX);
    this.#inFlightWord = options.segment.slotWord(options.index, SLOT.inFlightSource);
    this.#peers = options.threads.map(({ name, wake }, index) =>
      index === options.index ? undefined : this.#newPeer({ name, wake }, index),
    );
    this.host = new CellHost({
      environment: this.#environment(),
      placement: options.placement,
      types: options.types,
      kinds: options.kinds,
      portsFor: options.portsFor,
      metrics: () => new BoardRecorder(options.metrics, () => options.clock.monotonicMs()),
      seed: options.seed,
      ...(options.deadLettersMax === undefined ? {} : { deadLettersMax: options.deadLettersMax }),
      measureDurations: options.measureDurations,
      traceEvery: options.traceEvery,
      ...(options.checkIsolation ? { isolate: (message: MessageShape) => this.#codec.isolate(message) } : {}),
    });
  }

  get lostWakeUps(): number {
    return this.#lostWakeUps;
  }

  get wakeUpsSent(): number {
    return this.#wakeUpsSent;
  }

  get turns(): number {
    return this.#turns;
  }

  get logRecordsDropped(): number {
    return this.#logRecordsDropped;
  }

  /** Begins to work. */
  start(): void {
    this.#segment.store(this.#index, SLOT.kernelThread, kernelThread());
    this.#segment.store(this.#index, SLOT.state, 1);
    if (this.#wake === 'nudge') {
      const beatEveryMs = Math.min(HEARTBEAT_EVERY_MS_MAX, this.#options.heartbeatMs / BEATS_PER_LIMIT);
      this.#timersOfLoop.push(setInterval(() => this.#beat(), beatEveryMs).unref());
      this.#timersOfLoop.push(setInterval(() => this.#lookForLostWakeUp(), CEILING_MS).unref());
    }
    this.#askTurn();
  }

  /** Stops working for good; lanes and timers are left alone from here on. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timersOfLoop) clearInterval(timer);
    clearTimeout(this.#wakeTimer);
    for (const peer of this.#peers) peer?.port?.close();
    this.#segment.store(this.#index, SLOT.state, 2);
  }

  // --- peers ---

  /** Connects with a thread's current life over the rings of that generation. `port` carries nothing but nudges. */
  attachPeer(identity: ThreadIdentity, index: number, generation: number, port: MessagePort): void {
    // A thread that was added later is met here for the first time.
    const peer = (this.#peers[index] ??= this.#newPeer(identity, index));
    this.host.forgetRoutes();
    const self = this.#index;
    // A life of it that died before this thread was attached has nobody else to take leave of it.
    if (peer.sender.isAttached) this.#leave(peer, undefined);
    peer.port = port;
    port.on('message', () => this.#turn());
    // Nudges must not keep a finished process alive; whatever keeps a thread alive is its control port or its sockets.
    port.unref();
    peer.receiver = new LaneReceiver(
      index,
      this.#segment.lane(index, self, 'control', generation),
      this.#segment.lane(index, self, 'data', generation),
      this.#segment.latest(index, self, generation),
      this.#codec,
      this.#options.types,
    );
    peer.sender.attach(
      this.#segment.lane(self, index, 'control', generation),
      this.#segment.lane(self, index, 'data', generation),
      this.#segment.latest(self, index, generation),
    );
    this.#wakePeers();
    this.#askTurn();
  }

  /**
   * Takes leave of a dead thread: reads all it published, keeps what it had not handled for its successor, ends watches.
   * `inFlightSequence` is the message from this thread it was handling when it died, if any.
   */
  peerDied(
    name: string,
    reason: string,
    incarnations: ReadonlyMap<ActorPath, number>,
    inFlightSequence: number | undefined,
  ): void {
    this.#leave(this.#peer(name), inFlightSequence);
    this.host.threadDied(name, reason, incarnations);
    this.#askTurn();
  }

  /** Actors came or went, on this thread or another. */
  updatePlaces(added: readonly Place[], removed: readonly Place[]): void {
    const { placement } = this.#options;
    for (const place of removed) {
      if (placement.byPath(place.path)?.index !== place.index) continue;
      this.host.removeActor(place.path);
      placement.remove(place);
      for (const peer of this.#peers) peer?.sender.releaseLatest(place.index);
    }
    for (const place of added) {
      placement.put(place);
      this.host.takePlace(place);
    }
  }

  #leave(peer: Peer, inFlightSequence: number | undefined): void {
    this.#turnAtMs = this.#clock.monotonicMs();
    peer.receiver?.drainToTail((arrival) => this.#take(peer, arrival, true));
    peer.receiver = undefined;
    peer.port?.close();
    peer.port = undefined;
    peer.sender.detach(inFlightSequence);
  }

  laneSnapshots(): LaneSnapshot[] {
    return this.#peers.flatMap((peer) => (peer === undefined ? [] : peer.sender.snapshot(peer.name)));
  }

  // --- turns ---

  /** Asks for a turn soon; safe to call from anywhere on this thread. */
  #askTurn(): void {
    if (this.#isTurnAsked || this.#isInTurn || this.#isStopped) return;
    this.#isTurnAsked = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    if (this.#isStopped || this.#isInTurn) return;
    this.#isTurnAsked = false;
    if (this.#wake === 'wait') {
      this.#blockingStretch();
      return;
    }
    this.#segment.store(this.#index, SLOT.sleep, 0);
    const isBusy = this.#work();
    if (isBusy || this.#isLingering() || !this.#fallAsleep()) this.#askTurn();
  }

  /** Whether the thread should look for work again instead of falling asleep. */
  #isLingering(): boolean {
    const staysAwake = this.#linger.staysAwake(this.#clock.monotonicMs(), this.#hasWorked);
    // An event loop has its own turn after work; what comes in it needs no wake-up.
    return staysAwake || (this.#hasWorked && this.#wake === 'nudge');
  }

  /** Looks for news again and again as long as that pays; returns whether there is something to do. Blocking threads only. */
  #spin(controlPosts: number): boolean {
    while (this.#isLingering()) {
      this.#hasWorked = false;
      for (let look = 0; look < LOOKS_PER_CLOCK; look++) {
        if (this.#hasNews() || this.#segment.load(this.#index, SLOT.controlPosts) !== controlPosts) return true;
      }
      if (this.host.nextTimerAtMs() <= this.#clock.monotonicMs()) return true;
    }
    return false;
  }

  /** Does one bounded round of work; returns whether more is waiting. */
  #work(): boolean {
    this.#isInTurn = true;
    this.#turns += 1;
    this.#turnAtMs = this.#clock.monotonicMs();
    this.#beat();
    let isFull = false;
    let recordsTotal = 0;
    let hasStalled = false;
    for (const peer of this.#peers) {
      if (peer?.receiver === undefined) continue;
      const records = peer.receiver.drain(TURN_RECORDS, peer.take, peer.wakeForRoom);
      recordsTotal += records;
      if (records >= TURN_RECORDS) isFull = true;
      if (peer.receiver.isStalled) hasStalled = true;
      if (peer.sender.hasBacklog) peer.sender.flush();
    }
    const handled = this.host.runTurn(TURN_MESSAGES, this.#clock.monotonicMs() + TURN_MS);
    this.#wakePeers();
    this.#isInTurn = false;
    this.#hasWorked = recordsTotal + handled > 0;
    // A stalled lane waits for room in a mailbox, which only handling makes.
    return isFull || this.host.busy || (hasStalled && handled > 0);
  }

  /** Prepares to return to the event loop; returns false when something came in between. */
  #fallAsleep(): boolean {
    const nextTimerAtMs = this.host.nextTimerAtMs();
    if (nextTimerAtMs <= this.#clock.monotonicMs()) return false;
    this.#wakeAt(nextTimerAtMs);
    this.#segment.store(this.#index, SLOT.sleep, 1);
    if (!this.#hasNews()) return true;
    // Whoever takes the flag back owes the next turn: this thread, or the producer whose nudge is on its way.
    return !this.#segment.claimWake(this.#index);
  }

  /** Works and blocks on the sleep flag in turns, until the control port or the event loop needs a look. */
  #blockingStretch(): void {
    const sleepWord = this.#segment.slotWord(this.#index, SLOT.sleep);
    const untilMs = this.#clock.monotonicMs() + BLOCKING_STRETCH_MS;
    for (;;) {
      const isBusy = this.#work();
      if (this.#isStopped) return;
      const controlPosts = this.#segment.load(this.#index, SLOT.controlPosts);
      if (controlPosts !== this.#controlPostsSeen || this.#clock.monotonicMs() >= untilMs) {
        this.#controlPostsSeen = controlPosts;
        break;
      }
      if (isBusy || this.#spin(controlPosts)) continue;
      this.#segment.store(this.#index, SLOT.sleep, 1);
      const sleepMs = Math.min(CEILING_MS, this.host.nextTimerAtMs() - this.#clock.monotonicMs());
      if (this.#hasNews() || this.#segment.load(this.#index, SLOT.controlPosts) !== controlPosts || sleepMs <= 0) {
        this.#segment.store(this.#index, SLOT.sleep, 0);
        continue;
      }
      const outcome = Atomics.wait(this.#segment.words, sleepWord, 1, sleepMs);
      this.#segment.store(this.#index, SLOT.sleep, 0);
      if (outcome === 'timed-out') {
        if (sleepMs === CEILING_MS && this.#hasNews()) this.#countLostWakeUp();
        break;
      }
    }
    this.#askTurn();
  }

  /** Whether another thread did something for this one: published records, or made room for what waits here. */
  #hasNews(): boolean {
    for (const peer of this.#peers)
      if (peer?.receiver?.hasRecords === true || peer?.sender.hasNewRoom === true) return true;
    return false;
  }

  #wakeAt(atMs: number): void {
    if (this.#wake === 'wait' || atMs >= this.#wakeTimerAtMs) return;
    clearTimeout(this.#wakeTimer);
    this.#wakeTimerAtMs = atMs;
    this.#wakeTimer = setTimeout(
      () => {
        this.#wakeTimerAtMs = Infinity;
        this.#turn();
      },
      Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(atMs - this.#clock.monotonicMs()))),
    );
  }

  #beat(): void {
    this.#segment.add(this.#index, SLOT.heartbeat, 1);
  }

  #lookForLostWakeUp(): void {
    if (this.#isTurnAsked || !this.#hasNews()) return;
    const turns = this.#turns;
    setTimeout(() => {
      if (this.#isStopped || this.#isTurnAsked || turns !== this.#turns || !this.#hasNews()) return;
      this.#countLostWakeUp();
      this.#turn();
    }, LOST_AFTER_MS).unref();
  }

  #countLostWakeUp(): void {
    this.#lostWakeUps += 1;
    this.#segment.add(this.#index, SLOT.lostWakeUps, 1);
  }

  // --- sending ---

  #environment(): HostEnvironment {
    return {
      threadName: this.#identity(this.#index).name,
      threadData: this.#options.data,
      nowMs: () => this.#clock.nowMs(),
      monotonicMs: () => this.#clock.monotonicMs(),
      requestTurn: () => this.#askTurn(),
      wakeAt: (atMs) => this.#wakeAt(atMs),
      laneTo: (thread) => this.#peer(thread),
      sendSystem: (thread, record) => this.#sendSystem(thread, record),
      exited: (path, incarnation, reason) => this.#reportExit(path, incarnation, reason),
      log: (record) => this.#log(record),
      handling: (_path, envelope) => this.#noteInFlight(envelope),
      handled: () => this.#noteHandled(),
      newTraceId: () => this.#segment.newTraceId(),
      keepTrace: (traceId) => {
        for (const peer of this.#peers)
          if (peer?.port !== undefined) this.#sendSystem(peer.name, { type: 'trace-kept', traceId });
      },
      sendMarks: (thread, mark) => this.#sendMarks(thread, mark),
      arrived: (path) => {
        if (this.#options.onArrived === undefined) this.#sendSystem(MAIN_THREAD, { type: 'arrived', path });
        else this.#options.onArrived(path);
      },
    };
  }

  #send(
    peer: Peer,
    place: Place,
    type: MessageType,
    message: MessageShape,
    from: ActorPath,
    incarnation: number,
    sentAtMs: number,
    traceId: number,
    attempts: number,
  ): TellOutcome {
    const outgoing: Outgoing = {
      message,
      type,
      typeId: type.id,
      codec: CODEC.map,
      destination: place.index | (wrappedBits(incarnation) << ACTOR_BITS),
      source: this.#indexOf(from) | (this.#traceBits(traceId) << ACTOR_BITS),
      to: place.path,
      from,
      sentAtUs: (sentAtMs * 1_000) | 0,
      attempts,
      sequence: 0,
    };
    const { sender } = peer;
    const outcome =
      type.class === 'must-deliver'
        ? sender.sendControl(outgoing)
        : type.class === 'market'
          ? sender.sendMarket(place.index, type.keyOf(message), outgoing)
          : sender.sendData(`${place.index} ${type.keyOf(message)}`, outgoing);
    // At once, not at the end of the handler: a receiver that sleeps through a long handler would find its lane full.
    if (sender.needsWake) this.#wakePeer(peer);
    return outcome;
  }

  /** A trace too old to be told by its bits from a newer one goes no further. */
  #traceBits(traceId: number): number {
    if (traceId === 0) return 0;
    return this.#segment.lastTraceId - traceId < WRAP_MODULUS ? wrappedBits(traceId) : 0;
  }

  /** Returns the number of the actor that tells; the same one usually tells many messages in a row. */
  #indexOf(from: ActorPath): number {
    const { placement } = this.#options;
    const last = this.#lastTeller;
    if (last !== undefined && last.path === from && placement.byIndex(last.index) === last) return last.index;
    this.#lastTeller = placement.byPath(from);
    return this.#lastTeller?.index ?? 0;
  }

  #sendSystem(thread: string, record: SystemRecord): void {
    const peer = this.#peer(thread);
    peer.sender.sendControl(this.#systemOutgoing(record));
    if (this.#isInTurn) this.#isWakeOwed = true;
    else this.#wakePeer(peer);
  }

  #sendMarks(thread: string, mark: (lane: LaneName) => SystemRecord): void {
    const peer = this.#peer(thread);
    peer.sender.sendControl(this.#systemOutgoing(mark('control')));
    // A key of its own: it merges with nothing and leaves behind everything that waits.
    this.#marksSent += 1;
    peer.sender.sendData(`mark ${this.#marksSent}`, this.#systemOutgoing(mark('data')));
    this.#wakePeer(peer);
  }

  /** Tells the actor's messages to its new thread from now on, and says so to the old one. */
  actorMoved(place: Place, from: string): void {
    this.#options.placement.put(place);
    this.#sendMarks(from, (lane) => ({ type: 'move-mark', path: place.path, lane }));
  }

  #systemOutgoing(record: SystemRecord): Outgoing {
    return {
      message: record,
      type: BETWEEN_THREADS,
      typeId: SYSTEM_TYPE_ID,
      codec: CODEC.map,
      destination: 0,
      source: 0,
      to: '',
      from: '',
      sentAtUs: (this.#clock.monotonicMs() * 1_000) | 0,
      attempts: 0,
      sequence: 0,
    };
  }

  #reportExit(path: ActorPath, incarnation: number, reason: ExitReason): void {
    if (this.#options.onExited === undefined)
      this.#sendSystem(MAIN_THREAD, { type: 'exited', path, incarnation, reason });
    else this.#options.onExited(path, incarnation, reason);
  }

  /** Logs go to the main thread as long as there is room: a slow sink must never slow an actor. */
  #log(record: LogRecord): void {
    if (this.#options.onLog !== undefined) {
      this.#options.onLog(record);
      return;
    }
    const peer = this.#peer(MAIN_THREAD);
    if (!peer.sender.sendIfRoom(this.#systemOutgoing({ type: 'log', record }))) this.#logRecordsDropped += 1;
    if (this.#isInTurn) this.#isWakeOwed = true;
    else this.#wakePeer(peer);
  }

  #noteInFlight(envelope: Envelope): void {
    if (envelope.origin === undefined) return;
    this.#hasInFlight = true;
    // Plain stores: nobody reads them before this thread is dead, and that is news enough to see them all.
    const { words } = this.#segment;
    words[this.#inFlightWord + 1] = envelope.sequence;
    words[this.#inFlightWord] = envelope.origin.threadIndex + 1;
  }

  #noteHandled(): void {
    if (this.#hasInFlight) this.#segment.words[this.#inFlightWord] = 0;
    this.#hasInFlight = false;
    if (this.#isWakeOwed) this.#wakePeers();
  }

  #wakePeers(): void {
    this.#isWakeOwed = false;
    for (const peer of this.#peers) if (peer?.sender.needsWake === true) this.#wakePeer(peer);
  }

  #wakePeer(peer: Peer): void {
    peer.sender.needsWake = false;
    if (!this.#segment.claimWake(peer.index)) return;
    this.#wakeUpsSent += 1;
    if (peer.wake === 'wait') Atomics.notify(this.#segment.words, this.#segment.slotWord(peer.index, SLOT.sleep), 1);
    else peer.port?.postMessage(0);
  }

  // --- receiving ---

  #take(peer: Peer, arrival: Arrival, isLast: boolean): 'taken' | 'full' {
    if (arrival.typeId === SYSTEM_TYPE_ID) {
      this.#takeSystem(peer, arrival);
      return 'taken';
    }
    const type = this.#options.types.byId(arrival.typeId);
    const place = this.#options.placement.byIndex(arrival.destination & ACTOR_MASK);
    if (type === undefined) throw new Error(`a record from ${peer.name} must name a known type, was ${arrival.typeId}`);
    if (place === undefined) {
      // It was on its way when its actor ended for good and lost its place.
      this.host.deadLetter(
        `#${arrival.destination & ACTOR_MASK}`,
        type.name,
        'no-such-actor',
        this.#options.placement.byIndex(arrival.source)?.path ?? '',
      );
      arrival.origin?.handled(arrival.sequence);
      return 'taken';
    }
    const envelope = this.#envelopeOf(arrival, type, place);
    if (!isLast) return this.host.arrive(place, envelope, peer.name);
    this.host.arriveAnyway(place, envelope, peer.name);
    return 'taken';
  }

  #envelopeOf(arrival: Arrival, type: MessageType, place: Place): Envelope {
    // Whichever moment it is taken at, subtracting the age gives the same: a recent one will do.
    const nowUs = Math.floor(this.#turnAtMs * 1_000);
    const ageUs = ((nowUs | 0) - arrival.sentAtUs) | 0;
    const incarnationBits = arrival.destination >>> ACTOR_BITS;
    const traceBits = arrival.source >>> ACTOR_BITS;
    return newEnvelope(
      type,
      arrival.message,
      conflationKey(type, arrival.message),
      this.#options.placement.byIndex(arrival.source & ACTOR_MASK)?.path ?? '',
      (nowUs - ageUs) / 1_000,
      incarnationBits === 0 ? 0 : unwrapped(incarnationBits, this.host.incarnationOf(place.path)),
      traceBits === 0 ? 0 : unwrapped(traceBits, this.#segment.lastTraceId),
      arrival.origin,
      arrival.sequence,
      arrival.isRetried ? 1 : 0,
    );
  }

  #takeSystem(peer: Peer, arrival: Arrival): void {
    // Written by a thread of this very system under the same table: the one place where bytes become records again.
    const record = arrival.message as unknown as SystemRecord;
    if (record.type === 'exited') this.#options.onExited?.(record.path, record.incarnation, record.reason);
    else if (record.type === 'log') this.#options.onLog?.(record.record);
    else if (record.type === 'arrived') this.#options.onArrived?.(record.path);
    else if (record.type === 'move-mark') this.host.moveMark(record.path, peer.name, record.lane);
    else this.host.receiveSystem(record);
    arrival.origin?.handled(arrival.sequence);
  }

  #newPeer({ name, wake }: ThreadIdentity, index: number): Peer {
    const peer: Peer = {
      name,
      index,
      wake,
      sender: this.#newSender(),
      take: (arrival) => this.#take(peer, arrival, false),
      wakeForRoom: () => this.#wakePeer(peer),
      send: (place, type, message, from, incarnation, sentAtMs, traceId, attempts) =>
        this.#send(peer, place, type, message, from, incarnation, sentAtMs, traceId, attempts),
      receiver: undefined,
      port: undefined,
    };
    this.#peersByName.set(name, peer);
    return peer;
  }

  #newSender(): LaneSender {
    return new LaneSender(this.#codec, (path, typeName, reason, from) => {
      this.host.deadLetter(path, typeName, reason, from);
      this.host.log('error', 'message-not-delivered', { to: path, messageType: typeName, reason, from });
    });
  }

  #peer(name: string): Peer {
    const peer = this.#peersByName.get(name);
    if (peer === undefined) throw new Error(`thread must be one of the system's others, was "${name}"`);
    return peer;
  }

  #identity(index: number): ThreadIdentity {
    const identity = this.#options.threads[index];
    if (identity === undefined)
      throw new Error(`a thread's number must be below ${this.#options.threads.length}, was ${index}`);
    return identity;
  }
}

/** Returns a number from 1 as 12 bits from 1; 0 stays 0. */
function wrappedBits(number: number): number {
  return number === 0 ? 0 : ((number - 1) % WRAP_MODULUS) + 1;
}

/** Returns the newest number up to the current one that has these bits. */
function unwrapped(bits: number, current: number): number {
  if (bits === 0) return 0;
  const back = (((wrappedBits(current) - bits) % WRAP_MODULUS) + WRAP_MODULUS) % WRAP_MODULUS;
  return current >= back && current - back > 0 ? current - back : bits;
}
