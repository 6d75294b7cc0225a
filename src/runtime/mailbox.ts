/** An actor's bounded inbound queue with priorities and conflation by key. The hosting thread only. */
import type { ActorPath, MessageShape } from './actor.ts';
import { Deque } from './deque.ts';
import { LEVEL, type DeliveryClass, type Level, type MessageType } from './message-types.ts';
import type { MailboxDepth, MailboxSnapshot } from './snapshot.ts';

/** Where a message from another thread came from, so that its sender can learn that it was handled. */
export interface Origin {
  /** The number of the thread it came from. */
  readonly threadIndex: number;
  handled(sequence: number): void;
}

/** What a mailbox must know of a message's type. */
export interface EnvelopeType {
  readonly name: string;
  readonly class: DeliveryClass | 'system';
  readonly level: Level;
}

/** A message on its way to one actor. Made by `newEnvelope` only, so that all have one hidden class: every message is one. */
export interface Envelope {
  readonly type: EnvelopeType;
  readonly message: MessageShape;
  /** Conflation key; empty for must-deliver and system. */
  readonly key: string;
  readonly from: ActorPath;
  /** The life it is meant for; 0 for whoever lives at the path. */
  readonly incarnation: number;
  /** Monotonic ms of the send. */
  readonly sentAtMs: number;
  readonly origin: Origin | undefined;
  readonly sequence: number;
  /** How many lives of the actor ended while handling it. */
  readonly attempts: number;
  /** The causal trace it belongs to; 0 for none. */
  readonly traceId: number;
}

/** Returns an envelope; what is left out stands for a message told within the thread to whoever lives at the path. */
export function newEnvelope(
  type: EnvelopeType,
  message: MessageShape,
  key: string,
  from: ActorPath,
  sentAtMs: number,
  incarnation = 0,
  traceId = 0,
  origin?: Origin,
  sequence = 0,
  attempts = 0,
): Envelope {
  return { type, message, key, from, incarnation, sentAtMs, origin, sequence, attempts, traceId };
}

/** Returns the same message after one more life ended over it. */
export function afterCrash(envelope: Envelope): Envelope {
  return { ...envelope, attempts: envelope.attempts + 1 };
}

/** Messages a mailbox holds unless `mailboxMessagesMax` of its spec says otherwise. */
export const MAILBOX_MESSAGES_MAX_DEFAULT = 10_000;
/** Unread port answers and timers may exceed the bound by this factor before the actor is failed. */
const OVERRUN_FACTOR = 8;
/** At most this many messages in a row overtake a waiting lower level. */
const OVERTAKES_MAX = 64;

/** What became of a message offered to a mailbox: `merged` replaced an unread value of its key, `refused` was not taken. */
export type AcceptOutcome = 'sent' | 'merged' | 'refused';

/** The mailbox of one actor; it outlasts the actor's lives. See docs of `accept` and `take` for bound and order. */
export class Mailbox {
  /** One queue per level, made when the level sees its first message: an idle actor is small. */
  #levels: (Deque<Envelope> | undefined)[] | undefined;
  /** Bit per level: something waits there. */
  #waitingLevels = 0;
  /** Where in its level's queue the unread value of a key waits; see `Deque.position`. */
  #byKey: Map<string, number> | undefined;
  readonly #messagesMax: number;
  #stateDepth = 0;
  #depth = 0;
  #overtakes = 0;
  #starvedLevel: Level = LEVEL.system;
  #highWaterMark = 0;
  #accepted = 0;
  #processed = 0;
  #merged = 0;
  #evicted = 0;
  #refused = 0;

  constructor(messagesMax: number = MAILBOX_MESSAGES_MAX_DEFAULT) {
    if (!Number.isSafeInteger(messagesMax) || messagesMax < 1)
      throw new RangeError(`mailboxMessagesMax must be a positive integer, was ${messagesMax}`);
    this.#messagesMax = messagesMax;
  }

  get depth(): number {
    return this.#depth;
  }

  /** True when port answers and timers have piled up so far that only a fresh life helps. */
  get overrun(): boolean {
    return this.#depth > this.#messagesMax * OVERRUN_FACTOR;
  }

  /** Whether `accept` would refuse it now; lanes ask first so that a refused message stays in the lane. */
  hasRoomFor(envelope: Envelope): boolean {
    if (this.#depth < this.#messagesMax || envelope.type.class === 'system') return true;
    return envelope.key !== '' && this.#byKey?.has(envelope.key) === true;
  }

  /**
   * Queues a message. A newer value of a key replaces the older one in its place (`merged`). At the bound, must-deliver
   * and state messages are `refused`; a market value of a new key pushes the oldest waiting market value out.
   */
  accept(envelope: Envelope): AcceptOutcome {
    if (envelope.key !== '' && this.#mergedInto(envelope)) return 'merged';
    if (this.#depth >= this.#messagesMax && !this.#makesRoomFor(envelope)) {
      this.#refused += 1;
      return 'refused';
    }
    this.#push(envelope);
    return 'sent';
  }

  /** Queues a timer's or a port's message whatever the bound: the actor itself asked for it. See `overrun`. */
  acceptOwed(envelope: Envelope): void {
    if (envelope.key === '' || !this.#mergedInto(envelope)) this.#push(envelope);
  }

  /** Puts a message back in front of its level, for its one retry after a crash. */
  putBack(envelope: Envelope): void {
    this.#queueOf(envelope.type.level).pushFront(envelope);
    this.#noteDepth(1);
  }

  /**
   * Takes the next message: the best level first, but after 64 in a row overtook a waiting lower level, the next lower
   * waiting level is served once.
   */
  take(): Envelope | undefined {
    const waiting = this.#waitingLevels;
    if (waiting === 0) return undefined;
    const best = firstLevelOf(waiting);
    const lower = waiting & ~(1 << best);
    let level = best;
    if (lower === 0) {
      this.#overtakes = 0;
    } else if (this.#overtakes >= OVERTAKES_MAX) {
      level = this.#nextStarvedLevel(lower);
      this.#overtakes = 0;
    } else {
      this.#overtakes += 1;
    }
    const envelope = this.#takeFrom(level);
    if (envelope !== undefined) this.#processed += 1;
    return envelope;
  }

  /** Removes and returns everything, in order of service level. */
  drain(): Envelope[] {
    const envelopes = (this.#levels ?? []).flatMap((level) => level?.drain() ?? []);
    this.#byKey?.clear();
    this.#waitingLevels = 0;
    this.#depth = 0;
    this.#stateDepth = 0;
    return envelopes;
  }

  /** Returns up to `limit` waiting messages, best level first, and leaves them where they are. */
  peek(limit: number): Envelope[] {
    const envelopes: Envelope[] = [];
    for (const level of this.#levels ?? []) {
      for (let index = 0; index < (level?.length ?? 0) && envelopes.length < limit; index++) {
        const envelope = level?.at(index);
        if (envelope !== undefined) envelopes.push(envelope);
      }
    }
    return envelopes;
  }

  /** Returns a view for inspection; `nowMs` is monotonic. */
  snapshot(nowMs: number): MailboxSnapshot {
    return {
      depth: this.#depthByClass(),
      depthTotal: this.#depth,
      highWaterMark: this.#highWaterMark,
      oldestAgeMs: this.#oldestAgeMs(nowMs),
      accepted: this.#accepted,
      processed: this.#processed,
      merged: this.#merged,
      evicted: this.#evicted,
      refused: this.#refused,
    };
  }

  #mergedInto(envelope: Envelope): boolean {
    const position = this.#byKey?.get(envelope.key);
    if (position === undefined) return false;
    this.#levels?.[envelope.type.level]?.replace(position, envelope);
    this.#merged += 1;
    return true;
  }

  #makesRoomFor(envelope: Envelope): boolean {
    const { class: deliveryClass } = envelope.type;
    return deliveryClass === 'system' || (deliveryClass === 'market' && this.#dropOldestMarket());
  }

  #push(envelope: Envelope): void {
    const queue = this.#queueOf(envelope.type.level);
    if (envelope.key !== '') {
      (this.#byKey ??= new Map<string, number>()).set(envelope.key, queue.endPosition);
      if (envelope.type.class === 'state') this.#stateDepth += 1;
    }
    queue.pushBack(envelope);
    this.#accepted += 1;
    this.#noteDepth(1);
  }

  #noteDepth(change: number): void {
    this.#depth += change;
    if (this.#depth > this.#highWaterMark) this.#highWaterMark = this.#depth;
  }

  /** Returns the level's queue for a message to be put in. */
  #queueOf(level: Level): Deque<Envelope> {
    this.#waitingLevels |= 1 << level;
    const levels = (this.#levels ??= [undefined, undefined, undefined, undefined, undefined]);
    return (levels[level] ??= new Deque());
  }

  #takeFrom(level: Level): Envelope | undefined {
    const queue = this.#levels?.[level];
    const envelope = queue?.popFront();
    if (queue === undefined || envelope === undefined) return undefined;
    if (queue.length === 0) this.#waitingLevels &= ~(1 << level);
    this.#depth -= 1;
    if (envelope.key !== '') {
      this.#byKey?.delete(envelope.key);
      if (envelope.type.class === 'state') this.#stateDepth -= 1;
    }
    return envelope;
  }

  #dropOldestMarket(): boolean {
    if (this.#takeFrom(LEVEL.market) === undefined) return false;
    this.#evicted += 1;
    return true;
  }

  /** Returns the waiting level after the one served last this way, in a circle, so that no level starves behind another. */
  #nextStarvedLevel(lower: number): Level {
    const next = lower & ~((2 << this.#starvedLevel) - 1);
    this.#starvedLevel = firstLevelOf(next === 0 ? lower : next);
    return this.#starvedLevel;
  }

  #depthByClass(): MailboxDepth {
    const lengthOf = (level: Level): number => this.#levels?.[level]?.length ?? 0;
    const [risk, order] = [this.#statesAt(LEVEL.risk), this.#statesAt(LEVEL.order)];
    return {
      system: lengthOf(LEVEL.system),
      risk: lengthOf(LEVEL.risk) - risk,
      order: lengthOf(LEVEL.order) - order,
      normal: lengthOf(LEVEL.normal) - (this.#stateDepth - risk - order),
      state: this.#stateDepth,
      market: lengthOf(LEVEL.market),
    };
  }

  /** Counted for whoever looks: few types of state stand above the others, and a number kept for them would make every idle actor larger. */
  #statesAt(level: Level): number {
    const queue = this.#stateDepth === 0 ? undefined : this.#levels?.[level];
    let states = 0;
    for (let index = 0; index < (queue?.length ?? 0); index++)
      if (queue?.at(index)?.type.class === 'state') states += 1;
    return states;
  }

  #oldestAgeMs(nowMs: number): number {
    let oldestAgeMs = 0;
    for (const level of this.#levels ?? []) {
      const envelope = level?.front();
      if (envelope !== undefined) oldestAgeMs = Math.max(oldestAgeMs, nowMs - envelope.sentAtMs);
    }
    return oldestAgeMs;
  }
}

/** Returns the best level of a set that is not empty; bit numbers are levels. */
function firstLevelOf(levels: number): Level {
  return (31 - Math.clz32(levels & -levels)) as Level;
}

/** Returns the conflation key of a message of this type; empty when its type is not conflated. */
export function conflationKey(type: MessageType, message: MessageShape): string {
  return type.class === 'must-deliver' ? '' : type.keyOf(message);
}
