/**
 * The sending side towards one other thread: its two rings and its latest-value table, and what waits on this side while they are full or the thread
 * is away. The sending thread only.
 *
 * Control lane: system records and must-deliver messages, in order. What does not fit waits in a bounded queue; at its
 * bound must-deliver messages are refused. Must-deliver messages are kept until handled and told again, in order, to the
 * next life of a thread that died. Data lane: state messages; what does not fit waits, newest per key. Market messages go
 * into the slot of their key, or by the data lane when they have none, are too large for it, or others wait: the numbers that
 * data records and slots share let the receiver keep them in order.
 */
import type { ActorPath, MessageShape, TellOutcome } from './actor.ts';
import { CODEC, MessageRefused, type MessageCodec } from './codec.ts';
import { Deque } from './deque.ts';
import { LATEST_PAYLOAD_BYTES_MAX, LatestWriter, type LatestPlace } from './latest-table.ts';
import type { FieldWriter, MessageTemplate } from './message-template.ts';
import type { DeliveryClass } from './message-types.ts';
import { FLAG, RingProducer, type RecordHeader, type RingPlace } from './ring-buffer.ts';
import type { LaneSnapshot } from './snapshot.ts';

/** Must-deliver messages waiting or unhandled per lane; beyond it the sender is refused. */
export const OVERFLOW_MESSAGES_MAX = 65_536;
/** Conflated values waiting per lane; keys beyond it push the oldest out. */
const PENDING_KEYS_MAX = 65_536;
/** Type number of records between the threads themselves. */
export const SYSTEM_TYPE_ID = 1;
/** Lives of the receiver a message may end before it is set aside. */
const ATTEMPTS_MAX = 2;

/** A message on its way out, or a record between the threads themselves. One object per message: it is kept until handled. */
export interface Outgoing extends RecordHeader {
  readonly message: MessageShape;
  readonly type: OutgoingType;
  codec: number;
  /** Actor number and life as on the ring; 0 is the thread itself. */
  readonly destination: number;
  readonly to: ActorPath;
  readonly from: ActorPath;
  /** Lives of the receiving thread that ended while the message was being handled. */
  attempts: number;
  sequence: number;
}

/** What a lane must know of a message's type. */
export interface OutgoingType {
  readonly class: DeliveryClass | 'system';
  /** Writes the message without the general codec, when it fits. */
  readonly template: MessageTemplate | undefined;
}

export type DeadLetterSink = (path: ActorPath, typeName: string, reason: string, from: ActorPath) => void;

/** A ring and the message that is going through it in pieces. */
class LaneWriter {
  readonly capacityBytes: number;
  readonly #ring: RingProducer;
  readonly #codec: MessageCodec;
  readonly #fields: FieldWriter;
  #partial: { readonly outgoing: Outgoing; readonly bytes: Uint8Array; at: number } | undefined;

  constructor(place: RingPlace, codec: MessageCodec) {
    this.capacityBytes = place.capacityBytes;
    this.#ring = new RingProducer(place);
    this.#codec = codec;
    this.#fields = codec.writerOn(place.buffer);
  }

  get usedBytes(): number {
    return this.#ring.usedBytes;
  }

  get handledSequence(): number {
    return this.#ring.handledSequence;
  }

  get isMidMessage(): boolean {
    return this.#partial !== undefined;
  }

  /** Whether the consumer made room since a write found the ring full. */
  get hasNewRoom(): boolean {
    return !this.#ring.isWaitingForRoom;
  }

  /**
   * Writes the message, or begins to. `written`: all of it is out. `begun`: the rest follows with `proceed`, and nothing
   * else may be written before. `full`: nothing was written. After the last two the consumer will say when there is room.
   * Throws MessageRefused when the message cannot be encoded.
   */
  write(outgoing: Outgoing): 'written' | 'begun' | 'full' {
    const { template } = outgoing.type;
    if (template !== undefined && this.#writeInPlace(outgoing, template)) return 'written';
    const bytes = this.#codec.encode(outgoing.message);
    outgoing.codec = this.#codec.lastCodec;
    if (bytes.byteLength <= this.#ring.payloadBytesMax)
      return this.#writePatiently(outgoing, bytes, 0, bytes.byteLength, 0) ? 'written' : 'full';
    // A copy of its own: the encoder's bytes are a Buffer over memory it uses again, and `slice` of a Buffer copies nothing.
    this.#partial = { outgoing, bytes: new Uint8Array(bytes), at: 0 };
    return this.proceed() ? 'written' : 'begun';
  }

  /** Writes a shaped message straight into the ring; returns false when there is no room or it does not fit its shape. */
  #writeInPlace(outgoing: Outgoing, template: MessageTemplate): boolean {
    const { roomBytes } = template;
    if (roomBytes > this.#ring.payloadBytesMax) return false;
    const at = this.#ring.reserve(roomBytes);
    if (at < 0) return false;
    const end = template.write(this.#fields, outgoing.message, at, at + roomBytes);
    if (end < 0) return false;
    outgoing.codec = CODEC.template;
    this.#ring.commit(outgoing, outgoing.attempts > 0 ? FLAG.retried : 0, at, end);
    return true;
  }

  /** Writes more of a begun message; returns true when none is left. */
  proceed(): boolean {
    const partial = this.#partial;
    if (partial === undefined) return true;
    while (partial.at < partial.bytes.byteLength) {
      const end = Math.min(partial.bytes.byteLength, partial.at + this.#ring.payloadBytesMax);
      const flags = end < partial.bytes.byteLength ? FLAG.moreFollows : 0;
      if (!this.#writePatiently(partial.outgoing, partial.bytes, partial.at, end, flags)) return false;
      partial.at = end;
    }
    this.#partial = undefined;
    return true;
  }

  /** Tries once more after asking for room: it may have been made in between, and then nobody would say so. */
  #writePatiently(outgoing: Outgoing, bytes: Uint8Array, start: number, end: number, flags: number): boolean {
    if (this.#writeRecord(outgoing, bytes, start, end, flags)) return true;
    this.#ring.askForRoom();
    return this.#writeRecord(outgoing, bytes, start, end, flags);
  }

  #writeRecord(outgoing: Outgoing, bytes: Uint8Array, start: number, end: number, flags: number): boolean {
    return this.#ring.tryWrite(outgoing, outgoing.attempts > 0 ? flags | FLAG.retried : flags, bytes, start, end);
  }
}

export class LaneSender {
  readonly #codec: MessageCodec;
  readonly #onDead: DeadLetterSink;
  #control: LaneWriter | undefined;
  #data: LaneWriter | undefined;
  /** Control messages that wait for room, oldest first; the first may be half written. */
  readonly #waiting = new Deque<Outgoing>();
  /** Must-deliver messages written and not yet known to be handled, oldest first. */
  readonly #unhandled = new Deque<Outgoing>();
  /** Newest value per key that waits for room on the data lane. */
  readonly #pending = new Map<string, Outgoing>();
  #sequence = 0;
  #latest: LatestWriter | undefined;
  /** Number of the last data record or slot written. */
  #dataSequence = 0;
  #fields: FieldWriter | undefined;
  #bytes: Uint8Array | undefined;
  readonly #counts = { controlSent: 0, dataSent: 0, merged: 0, controlRefused: 0, dataDropped: 0, redelivered: 0 };
  /** Set when something was published that the receiver may sleep through. */
  needsWake = false;

  constructor(codec: MessageCodec, onDead: DeadLetterSink) {
    this.#codec = codec;
    this.#onDead = onDead;
  }

  get isAttached(): boolean {
    return this.#control !== undefined;
  }

  /** Whether `flush` has something to do. */
  get hasBacklog(): boolean {
    return this.#waiting.length > 0 || this.#pending.size > 0 || this.#data?.isMidMessage === true;
  }

  /** Whether `flush` could get something out: waiting messages, and room made since the lane was found full. */
  get hasNewRoom(): boolean {
    const { length } = this.#waiting;
    if (length > 0 && this.#control?.hasNewRoom === true) return true;
    return (this.#pending.size > 0 || this.#data?.isMidMessage === true) && this.#data?.hasNewRoom === true;
  }

  attach(control: RingPlace, data: RingPlace, latest: LatestPlace): void {
    this.#latest = latest.slots > 0 ? new LatestWriter(latest) : undefined;
    this.#fields = this.#codec.writerOn(latest.buffer);
    this.#bytes = new Uint8Array(latest.buffer);
    this.#dataSequence = 0;
    this.#control = new LaneWriter(control, this.#codec);
    this.#data = new LaneWriter(data, this.#codec);
    this.#sequence = 0;
    this.flush();
  }

  /**
   * Lets go of the rings of a dead thread. What it had not handled waits for its successor, before everything newer; the
   * message it died over counts one more attempt, and is set aside when that was one too many.
   */
  detach(inFlightSequence: number | undefined): void {
    const handled = this.#control?.handledSequence;
    if (handled !== undefined) this.#forgetHandled(handled);
    this.#control = undefined;
    this.#data = undefined;
    this.#latest = undefined;
    const newer = this.#waiting.drain();
    for (const outgoing of this.#unhandled.drain()) {
      if (inFlightSequence !== undefined && outgoing.sequence === inFlightSequence) outgoing.attempts += 1;
      if (outgoing.attempts >= ATTEMPTS_MAX) {
        this.#onDead(outgoing.to, outgoing.message.type, 'poison', outgoing.from);
        continue;
      }
      this.#counts.redelivered += 1;
      this.#waiting.pushBack(outgoing);
    }
    // Records between the threads themselves concern the life that ended.
    for (const outgoing of newer) if (isMustDeliver(outgoing)) this.#waiting.pushBack(outgoing);
  }

  /** Sends on the control lane, behind everything that waits there. */
  sendControl(outgoing: Outgoing): TellOutcome {
    if (isMustDeliver(outgoing) && this.#waiting.length + this.#unhandled.length >= OVERFLOW_MESSAGES_MAX) {
      if (this.#control !== undefined) this.#forgetHandled(this.#control.handledSequence);
      if (this.#waiting.length + this.#unhandled.length >= OVERFLOW_MESSAGES_MAX) {
        this.#counts.controlRefused += 1;
        return 'refused';
      }
    }
    // A sender that never pauses would fill this queue beside an empty lane: what waits leaves as soon as there is room.
    if (this.#waiting.length > 0 && this.#control?.hasNewRoom === true) this.#flushControl();
    if (this.#control !== undefined && this.#waiting.length === 0) {
      const outcome = this.#writeControl(this.#control, outgoing);
      if (outcome !== 'full') return outcome;
    }
    this.#waiting.pushBack(outgoing);
    return 'sent';
  }

  /** Sends a market message: into the slot of its key where it has one. `actor` is its receiver's number. */
  sendMarket(actor: number, key: string, outgoing: Outgoing): TellOutcome {
    // What waits on this side is older, and may be of the same key.
    const canOvertake = this.#pending.size > 0 || this.#data?.isMidMessage === true;
    const slot = canOvertake ? -1 : (this.#latest?.slotOf(actor, key) ?? -1);
    if (slot < 0) return this.sendData(`${actor} ${key}`, outgoing);
    try {
      return this.#writeLatest(slot, outgoing) ?? this.sendData(`${actor} ${key}`, outgoing);
    } catch (error) {
      return this.#refuse(outgoing, error);
    }
  }

  /** Returns undefined when the message is too large for a slot. */
  #writeLatest(slot: number, outgoing: Outgoing): TellOutcome | undefined {
    const latest = this.#latest;
    const fields = this.#fields;
    if (latest === undefined || fields === undefined) return undefined;
    const at = latest.payloadAt(slot);
    let payloadBytes = -1;
    latest.begin(slot);
    try {
      const { template } = outgoing.type;
      if (template !== undefined) {
        const end = template.write(fields, outgoing.message, at, at + LATEST_PAYLOAD_BYTES_MAX);
        payloadBytes = end < 0 ? -1 : end - at;
        outgoing.codec = CODEC.template;
      }
      if (payloadBytes < 0) payloadBytes = this.#copyEncoded(outgoing, at);
    } finally {
      if (payloadBytes < 0) latest.abandon(slot);
    }
    if (payloadBytes < 0) return undefined;
    outgoing.sequence = this.#dataSequence = (this.#dataSequence + 1) | 0;
    this.needsWake = true;
    this.#counts.dataSent += 1;
    if (!latest.publish(slot, outgoing, payloadBytes)) return 'sent';
    this.#counts.merged += 1;
    return 'merged';
  }

  /** Copies the message's bytes to where the slot's payload is; returns how many, or -1 when they do not fit. */
  #copyEncoded(outgoing: Outgoing, at: number): number {
    const bytes = this.#codec.encode(outgoing.message);
    outgoing.codec = this.#codec.lastCodec;
    if (bytes.length > LATEST_PAYLOAD_BYTES_MAX) return -1;
    this.#bytes?.set(bytes, at);
    return bytes.length;
  }

  /** Forgets the slots of an actor that ended for good or lives elsewhere now. */
  releaseLatest(actor: number): void {
    this.#latest?.release(actor);
  }

  /** Sends on the data lane; a key that waits already gets the newer value in its place. */
  sendData(key: string, outgoing: Outgoing): TellOutcome {
    if (this.#pending.has(key)) {
      this.#pending.set(key, outgoing);
      this.#counts.merged += 1;
      return 'merged';
    }
    if (this.#data !== undefined && this.#pending.size === 0 && !this.#data.isMidMessage) {
      const outcome = this.#writeData(this.#data, outgoing);
      if (outcome !== 'full') return outcome;
    }
    if (this.#pending.size >= PENDING_KEYS_MAX) this.#dropOldestPending();
    this.#pending.set(key, outgoing);
    return 'sent';
  }

  /** Sends on the data lane or not at all; returns false when there is no room now. For logs. */
  sendIfRoom(outgoing: Outgoing): boolean {
    if (this.#data === undefined || this.#pending.size > 0 || this.#data.isMidMessage) return false;
    return this.#writeData(this.#data, outgoing) === 'sent';
  }

  /** Writes what waits, as far as there is room. */
  flush(): void {
    this.#flushControl();
    this.#flushData();
  }

  snapshot(to: string): LaneSnapshot[] {
    if (this.#control !== undefined) this.#forgetHandled(this.#control.handledSequence);
    const counts = this.#counts;
    return [
      {
        to,
        lane: 'control',
        usedBytes: this.#control?.usedBytes ?? 0,
        capacityBytes: this.#control?.capacityBytes ?? 0,
        sent: counts.controlSent,
        merged: 0,
        refused: counts.controlRefused,
        queued: this.#waiting.length,
        unhandled: this.#unhandled.length,
        redelivered: counts.redelivered,
      },
      {
        to,
        lane: 'data',
        usedBytes: this.#data?.usedBytes ?? 0,
        capacityBytes: this.#data?.capacityBytes ?? 0,
        sent: counts.dataSent,
        merged: counts.merged,
        refused: counts.dataDropped,
        queued: this.#pending.size,
        unhandled: 0,
        redelivered: 0,
      },
    ];
  }

  #flushControl(): void {
    const control = this.#control;
    if (control === undefined) return;
    for (let next = this.#waiting.front(); next !== undefined; next = this.#waiting.front()) {
      if (this.#continueControl(control, next) === 'full') return;
      this.#waiting.popFront();
    }
  }

  /** Writes the front of the queue or the rest of it. */
  #continueControl(control: LaneWriter, next: Outgoing): TellOutcome | 'full' {
    const begun = control.isMidMessage;
    if (!begun) return this.#writeControl(control, next, true);
    this.needsWake = true;
    if (!control.proceed()) return 'full';
    this.#noteControlWritten(next);
    return 'sent';
  }

  /** `isQueued`: the message stands in the queue and stays there while it is half written. */
  #writeControl(control: LaneWriter, outgoing: Outgoing, isQueued = false): TellOutcome | 'full' {
    outgoing.sequence = (this.#sequence + 1) | 0;
    try {
      const written = control.write(outgoing);
      if (written === 'full') return 'full';
      this.needsWake = true;
      this.#sequence = outgoing.sequence;
      if (written === 'begun') {
        if (!isQueued) this.#waiting.pushFront(outgoing);
        return isQueued ? 'full' : 'sent';
      }
      this.#noteControlWritten(outgoing);
      return 'sent';
    } catch (error) {
      return this.#refuse(outgoing, error);
    }
  }

  #noteControlWritten(outgoing: Outgoing): void {
    this.#counts.controlSent += 1;
    if (!isMustDeliver(outgoing)) return;
    this.#unhandled.pushBack(outgoing);
    if (this.#unhandled.length % 64 === 0 && this.#control !== undefined)
      this.#forgetHandled(this.#control.handledSequence);
  }

  #forgetHandled(handledSequence: number): void {
    for (let first = this.#unhandled.front(); first !== undefined; first = this.#unhandled.front()) {
      if (((handledSequence - first.sequence) | 0) < 0) return;
      this.#unhandled.popFront();
    }
  }

  #flushData(): void {
    const data = this.#data;
    if (data === undefined) return;
    if (data.isMidMessage) {
      this.needsWake = true;
      if (!data.proceed()) return;
    }
    for (const [key, outgoing] of this.#pending) {
      const outcome = this.#writeData(data, outgoing);
      if (outcome === 'full') return;
      this.#pending.delete(key);
      if (data.isMidMessage) return;
    }
  }

  #writeData(data: LaneWriter, outgoing: Outgoing): TellOutcome | 'full' {
    outgoing.sequence = (this.#dataSequence + 1) | 0;
    try {
      const written = data.write(outgoing);
      if (written === 'full') return 'full';
      this.#dataSequence = outgoing.sequence;
      this.needsWake = true;
      this.#counts.dataSent += 1;
      return 'sent';
    } catch (error) {
      return this.#refuse(outgoing, error);
    }
  }

  #dropOldestPending(): void {
    for (const key of this.#pending.keys()) {
      this.#pending.delete(key);
      this.#counts.dataDropped += 1;
      return;
    }
  }

  /** A message that can never cross is the sender's fault, not the lane's: it is counted, and what follows goes on. */
  #refuse(outgoing: Outgoing, error: unknown): TellOutcome {
    if (!(error instanceof MessageRefused)) throw error;
    if (isMustDeliver(outgoing)) this.#counts.controlRefused += 1;
    this.#onDead(outgoing.to, outgoing.message.type, error.code, outgoing.from);
    return 'refused';
  }
}

function isMustDeliver(outgoing: Outgoing): boolean {
  return outgoing.type.class === 'must-deliver';
}
