/**
 * The receiving side of one other thread's two rings and latest-value table: takes records out, puts pieces together. The
 * receiving thread only.
 */
import type { MessageShape } from './actor.ts';
import { CODEC, type MessageCodec } from './codec.ts';
import { HandledTracker } from './handled-tracker.ts';
import { LatestReader, type LatestPlace } from './latest-table.ts';
import type { Origin } from './mailbox.ts';
import type { FieldReader } from './message-template.ts';
import type { MessageTypes } from './message-types.ts';
import { FLAG, RingConsumer, type RingPlace } from './ring-buffer.ts';

/** A message as it came out of a ring; valid only while it is being taken. */
export interface Arrival {
  readonly message: MessageShape;
  readonly typeId: number;
  readonly destination: number;
  readonly source: number;
  readonly sequence: number;
  readonly sentAtUs: number;
  /** A life of this thread ended over it before. */
  readonly isRetried: boolean;
  /** To be told when it was handled; absent on the data lane. */
  readonly origin: Origin | undefined;
}

/** Takes an arrival, or says `full`: then it and all behind it stay in the ring. */
export type ArrivalSink = (arrival: Arrival) => 'taken' | 'full';

const SCRATCH_BYTES = 64 * 1024;
/** Records between two moments at which the producer learns of the room made. */
const PUBLISH_EVERY = 64;
const NO_MESSAGE: MessageShape = { type: '' };

/** Stands in for the arrival it delivers: nothing is allocated per record but the message itself. */
class LaneReader implements Arrival {
  readonly origin: Origin | undefined;
  readonly #ring: RingConsumer;
  readonly #codec: MessageCodec;
  readonly #types: MessageTypes;
  readonly #fields: FieldReader;
  #message: MessageShape = NO_MESSAGE;
  #scratch = new Uint8Array(SCRATCH_BYTES);
  /** Bytes of a message whose last piece has not come yet. */
  #gatheredBytes = 0;
  /** The receiver had no room: not worth looking at before the next drain. */
  isStalled = false;

  constructor(place: RingPlace, codec: MessageCodec, types: MessageTypes, trackedThreadIndex: number | undefined) {
    this.#ring = new RingConsumer(place);
    this.#codec = codec;
    this.#types = types;
    this.#fields = codec.readerOn(place.buffer);
    this.origin =
      trackedThreadIndex === undefined
        ? undefined
        : new HandledTracker(trackedThreadIndex, (sequence) => this.#ring.publishHandled(sequence));
  }

  get message(): MessageShape {
    return this.#message;
  }
  get typeId(): number {
    return this.#ring.typeId;
  }
  get destination(): number {
    return this.#ring.destination;
  }
  get source(): number {
    return this.#ring.source;
  }
  get sequence(): number {
    return this.#ring.sequence;
  }
  get sentAtUs(): number {
    return this.#ring.sentAtUs;
  }
  get isRetried(): boolean {
    return (this.#ring.flags & FLAG.retried) !== 0;
  }

  get hasRecords(): boolean {
    return !this.isStalled && !this.#ring.isEmpty;
  }

  /** Also true for records that wait for room at the receiver, and for the first pieces of one. */
  get mayHoldRecords(): boolean {
    return this.#gatheredBytes > 0 || !this.#ring.isEmpty;
  }

  /** Takes up to `recordsMax` records; returns how many. `onRoom` is called when the producer waits for the room made. */
  drain(recordsMax: number, take: ArrivalSink, onRoom: () => void): number {
    const ring = this.#ring;
    this.isStalled = false;
    let records = 0;
    while (records < recordsMax && ring.peek()) {
      if (!this.#takeRecord(take)) {
        this.isStalled = true;
        break;
      }
      ring.release();
      records += 1;
      if (records % PUBLISH_EVERY === 0 && ring.publishHead()) onRoom();
    }
    if (records > 0 && ring.publishHead()) onRoom();
    return records;
  }

  #takeRecord(take: ArrivalSink): boolean {
    const ring = this.#ring;
    const shaped = ring.codec === CODEC.template ? this.#readInPlace() : undefined;
    if (shaped !== undefined) {
      this.#message = shaped;
      return take(this) === 'taken';
    }
    const end = this.#gatheredBytes + ring.payloadBytes;
    this.#makeRoom(end);
    // Always a private copy: decoding shared memory is slow, and the bytes may change under the decoder's feet.
    ring.copyPayload(this.#scratch, this.#gatheredBytes);
    if ((ring.flags & FLAG.moreFollows) !== 0) {
      this.#gatheredBytes = end;
      return true;
    }
    this.#message = this.#codec.decode(this.#scratch, 0, end, ring.codec, this.#types.byId(ring.typeId));
    const outcome = take(this);
    this.#message = NO_MESSAGE;
    if (outcome === 'full') return false;
    this.#gatheredBytes = 0;
    if (this.#scratch.length > SCRATCH_BYTES) this.#scratch = new Uint8Array(SCRATCH_BYTES);
    return true;
  }

  /**
   * Reads a shaped message where it lies: numbers are read once each, and the producer leaves the bytes alone until they are
   * released. Undefined when this thread does not know the shape: then it is read as the array it is.
   */
  #readInPlace(): MessageShape | undefined {
    const ring = this.#ring;
    const at = ring.payloadAt;
    return this.#types.byId(ring.typeId)?.template?.read(this.#fields, at, at + ring.payloadBytes);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#scratch.length) return;
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
    larger.set(this.#scratch.subarray(0, this.#gatheredBytes));
    this.#scratch = larger;
  }
}

export class LaneReceiver {
  readonly #control: LaneReader;
  readonly #data: LaneReader;
  readonly #latest: LatestReader | undefined;
  readonly #codec: MessageCodec;
  readonly #types: MessageTypes;
  readonly #fields: FieldReader;
  readonly #bytes: Uint8Array;
  /** Values out of their slots by slot, waiting for their turn among the data records. */
  #values = new Map<number, Arrival>();

  /** `threadIndex`: the number of the sending thread. */
  constructor(
    threadIndex: number,
    control: RingPlace,
    data: RingPlace,
    latest: LatestPlace,
    codec: MessageCodec,
    types: MessageTypes,
  ) {
    this.#control = new LaneReader(control, codec, types, threadIndex);
    this.#data = new LaneReader(data, codec, types, undefined);
    this.#latest = latest.slots > 0 ? new LatestReader(latest) : undefined;
    this.#codec = codec;
    this.#types = types;
    this.#fields = codec.readerOn(latest.buffer);
    this.#bytes = new Uint8Array(latest.buffer);
  }

  /** Whether a drain would find something to do. */
  get hasRecords(): boolean {
    return this.#control.hasRecords || this.#data.hasRecords || this.#latest?.hasNews === true;
  }

  get isStalled(): boolean {
    return this.#control.isStalled || this.#data.isStalled;
  }

  /** Takes control records first, then data records and newest values, up to the bound; returns how many. */
  drain(recordsMax: number, take: ArrivalSink, onRoom: () => void): number {
    const records = this.#control.drain(recordsMax, take, onRoom);
    // Data gets a quarter of the bound even when control never ends.
    return records + this.#drainData(Math.max(recordsMax >> 2, recordsMax - records), take, onRoom);
  }

  /** Takes everything a dead thread published, whatever the bounds of the mailboxes. */
  drainToTail(take: (arrival: Arrival) => void): void {
    const takeAny: ArrivalSink = (arrival) => {
      take(arrival);
      return 'taken';
    };
    this.#control.drain(Infinity, takeAny, () => {});
    this.#drainData(Infinity, takeAny, () => {});
  }

  /**
   * Records and slots were written in the order of their numbers. So a record waits for the older values, which are in
   * their slots by the time it is seen; and values wait for the older records, which are in the ring by the time they are.
   */
  #drainData(recordsMax: number, take: ArrivalSink, onRoom: () => void): number {
    const latest = this.#latest;
    if (latest === undefined) return this.#data.drain(recordsMax, take, onRoom);
    const takeInOrder: ArrivalSink = (arrival) => {
      if (latest.hasNews) this.#sweep(latest, undefined);
      if (this.#values.size > 0) this.#takeValues(take, arrival.sequence);
      return take(arrival);
    };
    let records = 0;
    do {
      if (latest.hasNews) records += this.#sweep(latest, take);
      records += this.#data.drain(recordsMax - records, takeInOrder, onRoom);
    } while (records < recordsMax && this.#data.hasRecords);
    if (this.#values.size === 0 || this.#data.hasRecords || this.#data.isStalled) return records;
    const values = this.#values.size;
    this.#takeValues(take, undefined);
    return records + values;
  }

  /** Takes the values older than that number, oldest first; all of them when there is none. */
  #takeValues(take: ArrivalSink, before: number | undefined): void {
    const values = this.#values;
    if (before === undefined) {
      this.#values = new Map();
      // Of different keys, and no record between them: their order means nothing to anybody.
      for (const value of values.values()) take(value);
      return;
    }
    const older = [...values].filter(([, { sequence }]) => ((sequence - before) | 0) < 0);
    older.sort(([, left], [, right]) => (left.sequence - right.sequence) | 0);
    for (const [slot, value] of older) {
      values.delete(slot);
      take(value);
    }
  }

  /**
   * Reads the slots with news and keeps their values, or gives them to `take` where no record can be older: none was left in
   * the ring after the value was read, and no value waits. Returns how many it took.
   */
  #sweep(latest: LatestReader, take: ArrivalSink | undefined): number {
    let taken = 0;
    latest.sweep(() => {
      const message = this.#readSlot(latest);
      if (message === undefined) return;
      const { slot, typeId, destination, source, sequence, sentAtUs } = latest;
      const value = { message, typeId, destination, source, sequence, sentAtUs, isRetried: false, origin: undefined };
      if (take !== undefined && this.#values.size === 0 && !this.#data.mayHoldRecords) {
        take(value);
        taken += 1;
        return;
      }
      // A newer value comes later, also in the order in which this map is gone through.
      this.#values.delete(slot);
      this.#values.set(slot, value);
    });
    return taken;
  }

  /** Returns the message in the slot, or undefined when the slot was written meanwhile. */
  #readSlot(latest: LatestReader): MessageShape | undefined {
    const { payloadAt, payloadBytes, codec, typeId } = latest;
    const type = this.#types.byId(typeId);
    const template = codec === CODEC.template ? type?.template : undefined;
    if (template !== undefined) {
      const message = template.read(this.#fields, payloadAt, payloadAt + payloadBytes);
      return latest.isWhole() ? message : undefined;
    }
    const bytes = this.#bytes.slice(payloadAt, payloadAt + payloadBytes);
    return latest.isWhole() ? this.#codec.decode(bytes, 0, bytes.length, codec, type) : undefined;
  }
}
