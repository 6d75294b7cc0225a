/** One thread of the virtual system: a host, its links to the others, and what it takes to die and come back. One thread. */
import type { ActorPath, MessageShape, TellOutcome } from './actor.ts';
import { CellHost } from './cell-host.ts';
import type { HostEnvironment } from './host-environment.ts';
import type { EventHash } from './event-hash.ts';
import type { KindRegistry } from './kind-registry.ts';
import { conflationKey, newEnvelope, type Envelope } from './mailbox.ts';
import type { MessageType, MessageTypes } from './message-types.ts';
import type { Place, PlacementTable } from './placement.ts';
import type { LogRecord, PortsFactory } from './ports-context.ts';
import { randomStream } from './random.ts';
import type { LaneSnapshot, ThreadSnapshot } from './snapshot.ts';
import { BoardRecorder, newBoard, type BoardReader, type ThreadMetrics } from './metrics-board.ts';
import type { ExitReason } from './supervisor-protocol.ts';
import type { SystemRecord } from './system-record.ts';
import { VirtualLink } from './virtual-link.ts';
import type { VirtualScheduler } from './virtual-scheduler.ts';

/** Messages one link may hold before must-deliver ones are refused, as on real lanes. */
const LINK_MESSAGES_MAX = 65_536;

/** What all virtual threads of a system share. */
export interface VirtualWorld {
  readonly scheduler: VirtualScheduler;
  readonly placement: PlacementTable;
  readonly types: MessageTypes;
  readonly kinds: KindRegistry;
  readonly portsFor: PortsFactory;
  readonly seed: number;
  readonly latencyMsMax: number;
  readonly deadLettersMax: number | undefined;
  readonly isolate: ((message: MessageShape) => MessageShape) | undefined;
  readonly hash: EventHash;
  readonly traceEvery: number;
  newTraceId(): number;
  /** On all threads at once, outside of time: looking must not change what happens. */
  keepTrace(traceId: number): void;
  nowMs(): number;
  log(record: LogRecord): void;
  thread(name: string): VirtualThread;
  exited(path: ActorPath, incarnation: number, reason: ExitReason): void;
  counted(): void;
}

/** Messages between one sender and one receiver, with what the receiver has not handled yet. */
interface MessageLink {
  readonly link: VirtualLink;
  readonly to: Place;
  /** Must-deliver messages told and not handled, by sequence: told again when the receiver's thread dies. */
  readonly unhandled: Map<number, Envelope>;
  sequence: number;
  redelivered: number;
}

/** One virtual thread, over all its lives. */
export class VirtualThread {
  readonly name: string;
  readonly #world: VirtualWorld;
  readonly #data: unknown;
  readonly #messageLinks = new Map<string, MessageLink>();
  readonly #systemLinks = new Map<string, VirtualLink>();
  readonly #commands: VirtualLink;
  /** Made when something is recorded: worlds are many and most have nothing to say. */
  #board: { readonly buffer: SharedArrayBuffer; readonly reader: BoardReader } | undefined;
  #host: CellHost;
  #isAlive = true;
  #incarnation = 1;
  #turnScheduled = false;
  #wakeAtMs = Infinity;

  constructor(name: string, data: unknown, world: VirtualWorld) {
    this.name = name;
    this.#data = data;
    this.#world = world;
    this.#commands = new VirtualLink(
      world.scheduler,
      randomStream(world.seed, `commands ${name}`),
      0,
      () => this.#isAlive,
    );
    this.#host = this.#newHost();
  }

  get host(): CellHost {
    return this.#host;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Runs `action` on this thread, in order, once it is alive. */
  command(action: (host: CellHost) => void): void {
    this.#commands.send(() => {
      action(this.#host);
      return 'taken';
    });
  }

  /** Ends everything on this thread at once; messages not handled go back to their senders' side. */
  die(reason: string): void {
    this.#isAlive = false;
    this.#commands.clear();
    this.#host.abandon();
    this.#messageLinks.clear();
    this.#systemLinks.clear();
    this.#world.log({
      level: 'error',
      event: 'thread-died',
      atMs: this.#world.nowMs(),
      thread: this.name,
      fields: { reason },
    });
  }

  /** Starts the thread's next life with empty actors' places. */
  revive(): void {
    this.#incarnation += 1;
    this.#turnScheduled = false;
    this.#wakeAtMs = Infinity;
    this.#host = this.#newHost();
    this.#isAlive = true;
    this.#commands.reopen();
  }

  /** Drops what was under way to a dead thread, keeping what must be delivered. */
  peerDied(peer: VirtualThread): void {
    this.#systemLinks.get(peer.name)?.clear();
    for (const messageLink of this.#messageLinks.values()) {
      if (messageLink.to.thread !== peer.name) continue;
      messageLink.link.clear();
      for (const envelope of messageLink.unhandled.values()) {
        messageLink.redelivered += 1;
        this.#put(messageLink, envelope);
      }
    }
  }

  peerRevived(peer: VirtualThread): void {
    this.#systemLinks.get(peer.name)?.reopen();
    for (const messageLink of this.#messageLinks.values())
      if (messageLink.to.thread === peer.name) messageLink.link.reopen();
  }

  readMetrics(): ThreadMetrics {
    return this.#board?.reader.read() ?? { thread: this.name, series: [], refused: 0 };
  }

  snapshot(): ThreadSnapshot {
    const lanes: LaneSnapshot[] = [...this.#messageLinks.values()].map((messageLink) => ({
      to: messageLink.to.path,
      lane: 'control',
      usedBytes: 0,
      capacityBytes: 0,
      sent: messageLink.sequence,
      merged: 0,
      refused: 0,
      queued: messageLink.link.length,
      unhandled: messageLink.unhandled.size,
      redelivered: messageLink.redelivered,
    }));
    return {
      name: this.name,
      incarnation: this.#incarnation,
      status: this.#isAlive ? 'running' : 'dead',
      lanes,
      lostWakeUps: 0,
      wakeUpsSent: 0,
      turns: this.#host.turns,
      logRecordsDropped: 0,
      stale: false,
    };
  }

  #newHost(): CellHost {
    const world = this.#world;
    return new CellHost({
      environment: this.#environment(),
      placement: world.placement,
      types: world.types,
      kinds: world.kinds,
      portsFor: world.portsFor,
      metrics: () => {
        this.#board ??= newBoard(this.name);
        return new BoardRecorder(this.#board.buffer, () => world.scheduler.nowMs);
      },
      // Each life of a thread restarts its actors from life numbers that go on, so their streams differ by themselves.
      seed: world.seed,
      ...(world.deadLettersMax === undefined ? {} : { deadLettersMax: world.deadLettersMax }),
      ...(world.isolate === undefined ? {} : { isolate: world.isolate }),
      traceEvery: world.traceEvery,
    });
  }

  #environment(): HostEnvironment {
    const world = this.#world;
    const incarnation = this.#incarnation;
    const isCurrent = (): boolean => this.#isAlive && this.#incarnation === incarnation;
    return {
      threadName: this.name,
      threadData: this.#data,
      nowMs: () => world.nowMs(),
      monotonicMs: () => world.scheduler.nowMs,
      requestTurn: () => {
        if (isCurrent()) this.#requestTurn();
      },
      wakeAt: (atMs) => {
        if (isCurrent()) this.#wakeAt(atMs);
      },
      laneTo: () => ({
        send: (place, type, message, from, incarnation, sentAtMs, traceId, attempts) => {
          const key = conflationKey(type, message);
          const envelope = newEnvelope(
            type,
            message,
            key,
            from,
            sentAtMs,
            incarnation,
            traceId,
            undefined,
            0,
            attempts,
          );
          return this.#sendRemote(place, envelope, type);
        },
      }),
      sendSystem: (thread, record) => this.#sendSystem(thread, record),
      exited: (path, life, reason) => world.exited(path, life, reason),
      log: (record) => world.log(record),
      handling: (path, envelope) => {
        world.hash.addNumber(world.scheduler.nowMs);
        world.hash.addText(path);
        world.hash.addValue(envelope.message);
        world.counted();
      },
      handled: () => {},
      newTraceId: () => world.newTraceId(),
      keepTrace: (traceId) => world.keepTrace(traceId),
    };
  }

  /** One event of the scheduler is one message to one actor. */
  #requestTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    const incarnation = this.#incarnation;
    this.#world.scheduler.at(this.#world.scheduler.nowMs, () => {
      if (!this.#isAlive || this.#incarnation !== incarnation) return;
      this.#turnScheduled = false;
      this.#host.runTurn(1, Infinity);
      if (this.#isAlive && this.#host.busy) this.#requestTurn();
    });
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    const incarnation = this.#incarnation;
    this.#world.scheduler.at(atMs, () => {
      if (!this.#isAlive || this.#incarnation !== incarnation || this.#wakeAtMs !== atMs) return;
      this.#wakeAtMs = Infinity;
      this.#host.runTurn(1, Infinity);
      if (!this.#isAlive) return;
      if (this.#host.busy) this.#requestTurn();
      const nextAtMs = this.#host.nextTimerAtMs();
      if (nextAtMs !== Infinity) this.#wakeAt(nextAtMs);
    });
  }

  #sendRemote(place: Place, envelope: Envelope, type: MessageType): TellOutcome {
    const messageLink = this.#linkTo(envelope.from, place);
    if (messageLink.link.length >= LINK_MESSAGES_MAX && type.class === 'must-deliver') return 'refused';
    messageLink.sequence += 1;
    const sent: Envelope = {
      ...envelope,
      sequence: messageLink.sequence,
      origin: { threadIndex: 0, handled: (sequence) => messageLink.unhandled.delete(sequence) },
    };
    if (type.class === 'must-deliver') messageLink.unhandled.set(sent.sequence, sent);
    this.#put(messageLink, sent);
    return 'sent';
  }

  #put(messageLink: MessageLink, envelope: Envelope): void {
    const receiver = this.#world.thread(messageLink.to.thread);
    messageLink.link.send(() => receiver.host.arrive(messageLink.to, envelope));
  }

  #linkTo(from: ActorPath, place: Place): MessageLink {
    const key = `${from} to ${place.path}`;
    const known = this.#messageLinks.get(key);
    if (known !== undefined) return known;
    const receiver = this.#world.thread(place.thread);
    const messageLink: MessageLink = {
      link: this.#newLink(`link ${key}`, receiver),
      to: place,
      unhandled: new Map(),
      sequence: 0,
      redelivered: 0,
    };
    this.#messageLinks.set(key, messageLink);
    return messageLink;
  }

  #sendSystem(thread: string, record: SystemRecord): void {
    const receiver = this.#world.thread(thread);
    let link = this.#systemLinks.get(thread);
    if (link === undefined) {
      link = this.#newLink(`system ${this.name} to ${thread}`, receiver);
      this.#systemLinks.set(thread, link);
    }
    link.send(() => {
      receiver.host.receiveSystem(record);
      return 'taken';
    });
  }

  #newLink(purpose: string, receiver: VirtualThread): VirtualLink {
    const { scheduler, seed, latencyMsMax } = this.#world;
    return new VirtualLink(
      scheduler,
      randomStream(seed, `${purpose} ${this.#incarnation}`),
      latencyMsMax,
      () => receiver.isAlive,
    );
  }
}
