/**
 * A one-way byte ring in shared memory for one producer thread and one consumer thread; neither ever blocks.
 *
 *   offset 0    tail: position after the last published record (producer line of 128 bytes)
 *   offset 128  head: position of the first unread record (consumer line)
 *   offset 256  waiting: 1 when the producer has more than fits and wants to hear of room (both)
 *   offset 384  handled: sequence up to which all messages were handled (consumer line)
 *   offset 512  `capacityBytes` of records
 *
 * Positions are byte counters that wrap at 2^32 and are compared by subtraction; the place in the ring is position modulo
 * capacity. A record is 8-byte aligned and never split: what does not fit before the end is preceded by a padding record.
 *
 *   word 0  bytes of header and payload; alignment not included
 *   word 1  type id (16 bits) | codec (8 bits) | flags (8 bits)
 *   word 2  destination   word 3  source   word 4  sequence   word 5  send time, us, wrapping
 *
 * The tail is stored last, so a producer that dies in the middle of a record leaves nothing behind.
 */
export const RING_HEADER_BYTES = 512;
/** Bytes before each payload: six words. */
export const RECORD_HEADER_BYTES = 24;

const TAIL = 0;
const HEAD = 32;
const WAITING = 64;
const HANDLED = 96;

/** Bits of a record's flags: nothing but room; a piece that another follows; told again after a death. */
export const FLAG = { padding: 1, moreFollows: 2, retried: 4 } as const;

/** Where a ring lies. `byteOffset` is 8-byte aligned; `capacityBytes` a power of two from 256 to 2^28. */
export interface RingPlace {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly capacityBytes: number;
}

/** What a record says of itself, readable without decoding its payload. */
export interface RecordHeader {
  readonly typeId: number;
  readonly codec: number;
  readonly destination: number;
  readonly source: number;
  readonly sequence: number;
  readonly sentAtUs: number;
}

/** Returns how large a single record's payload may be: an eighth of the ring, header included. */
export function ringPayloadBytesMax(capacityBytes: number): number {
  return capacityBytes / 8 - RECORD_HEADER_BYTES;
}

/** Empties a ring that neither side uses. `position` is where its counters start. */
export function resetRing(place: RingPlace, position = 0): void {
  const control = controlWords(place);
  Atomics.store(control, TAIL, position | 0);
  Atomics.store(control, HEAD, position | 0);
  Atomics.store(control, WAITING, 0);
  Atomics.store(control, HANDLED, 0);
}

/** Returns bytes published and not yet read; any thread may look. */
export function ringUsedBytes(place: RingPlace): number {
  const control = controlWords(place);
  return (Atomics.load(control, TAIL) - Atomics.load(control, HEAD)) >>> 0;
}

function controlWords(place: RingPlace): Int32Array {
  if (!Number.isInteger(Math.log2(place.capacityBytes)) || place.capacityBytes < 256 || place.capacityBytes > 2 ** 28) {
    throw new RangeError(`ring capacity must be a power of two from 256 to 2^28 bytes, was ${place.capacityBytes}`);
  }
  return new Int32Array(place.buffer, place.byteOffset, RING_HEADER_BYTES / 4);
}

function alignedBytes(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** The writing end; the producer's thread only. */
export class RingProducer {
  readonly payloadBytesMax: number;
  readonly #place: RingPlace;
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacityBytes: number;
  #tail: number;
  /** The head as last seen: an old one only makes the ring look fuller than it is. */
  #head: number;

  constructor(place: RingPlace) {
    this.#place = place;
    this.#control = controlWords(place);
    this.#words = new Int32Array(place.buffer, place.byteOffset + RING_HEADER_BYTES, place.capacityBytes / 4);
    this.#bytes = new Uint8Array(place.buffer, place.byteOffset + RING_HEADER_BYTES, place.capacityBytes);
    this.#capacityBytes = place.capacityBytes;
    this.payloadBytesMax = ringPayloadBytesMax(place.capacityBytes);
    this.#tail = Atomics.load(this.#control, TAIL);
    this.#head = Atomics.load(this.#control, HEAD);
  }

  get usedBytes(): number {
    return ringUsedBytes(this.#place);
  }

  /** Sequence up to which the consumer has handled everything. */
  get handledSequence(): number {
    return Atomics.load(this.#control, HANDLED);
  }

  /**
   * Appends one record with `payload[start..end)` (at most `payloadBytesMax` bytes) and publishes it; `flags` are of FLAG.
   * Returns false when the ring is too full right now.
   */
  tryWrite(header: RecordHeader, flags: number, payload: Uint8Array, start: number, end: number): boolean {
    const payloadBytes = end - start;
    if (payloadBytes > this.payloadBytesMax)
      throw new RangeError(`record payload must have at most ${this.payloadBytesMax} bytes, has ${payloadBytes}`);
    const recordBytes = alignedBytes(RECORD_HEADER_BYTES + payloadBytes);
    const offset = this.#tail & (this.#capacityBytes - 1);
    const bytesToEnd = this.#capacityBytes - offset;
    const paddingBytes = recordBytes > bytesToEnd ? bytesToEnd : 0;
    if (!this.#hasRoom(paddingBytes + recordBytes)) return false;

    if (paddingBytes > 0) this.#writePadding(offset, paddingBytes);
    const recordOffset = paddingBytes > 0 ? 0 : offset;
    this.#writeHeader(recordOffset, header, flags, payloadBytes);
    this.#bytes.set(
      start === 0 && end === payload.length ? payload : payload.subarray(start, end),
      recordOffset + RECORD_HEADER_BYTES,
    );
    this.#tail = (this.#tail + paddingBytes + recordBytes) | 0;
    // Publishing comes last: a consumer that sees the new tail may read every byte before it.
    Atomics.store(this.#control, TAIL, this.#tail);
    return true;
  }

  /**
   * Looks for room for a record with a payload of up to that many bytes (at most `payloadBytesMax`). Returns where in
   * the buffer the payload goes, or -1 when the ring is too full; nothing is written before `commit`.
   */
  reserve(payloadBytes: number): number {
    const recordBytes = alignedBytes(RECORD_HEADER_BYTES + payloadBytes);
    const offset = this.#tail & (this.#capacityBytes - 1);
    const bytesToEnd = this.#capacityBytes - offset;
    const paddingBytes = recordBytes > bytesToEnd ? bytesToEnd : 0;
    if (!this.#hasRoom(paddingBytes + recordBytes)) return -1;
    return this.#place.byteOffset + RING_HEADER_BYTES + (paddingBytes > 0 ? 0 : offset) + RECORD_HEADER_BYTES;
  }

  /** Publishes the record whose payload was written at `payloadAt`, where `reserve` said, up to `payloadEnd`. */
  commit(header: RecordHeader, flags: number, payloadAt: number, payloadEnd: number): void {
    const recordOffset = payloadAt - RECORD_HEADER_BYTES - RING_HEADER_BYTES - this.#place.byteOffset;
    const offset = this.#tail & (this.#capacityBytes - 1);
    const paddingBytes = recordOffset === offset ? 0 : this.#capacityBytes - offset;
    if (paddingBytes > 0) this.#writePadding(offset, paddingBytes);
    this.#writeHeader(recordOffset, header, flags, payloadEnd - payloadAt);
    this.#tail = (this.#tail + paddingBytes + alignedBytes(RECORD_HEADER_BYTES + payloadEnd - payloadAt)) | 0;
    // Publishing comes last: a consumer that sees the new tail may read every byte before it.
    Atomics.store(this.#control, TAIL, this.#tail);
  }

  /** Asks the consumer to wake this thread when it made room. Try once more afterwards: the room may be there already. */
  askForRoom(): void {
    Atomics.store(this.#control, WAITING, 1);
  }

  /** Whether the request for room still stands; false once the consumer answered it. */
  get isWaitingForRoom(): boolean {
    return Atomics.load(this.#control, WAITING) === 1;
  }

  #hasRoom(bytes: number): boolean {
    if (((this.#tail - this.#head) >>> 0) + bytes <= this.#capacityBytes) return true;
    this.#head = Atomics.load(this.#control, HEAD);
    return ((this.#tail - this.#head) >>> 0) + bytes <= this.#capacityBytes;
  }

  #writePadding(offset: number, bytes: number): void {
    this.#words[offset >> 2] = bytes;
    this.#words[(offset >> 2) + 1] = FLAG.padding << 24;
  }

  #writeHeader(offset: number, header: RecordHeader, flags: number, payloadBytes: number): void {
    const word = offset >> 2;
    const words = this.#words;
    words[word] = RECORD_HEADER_BYTES + payloadBytes;
    words[word + 1] = header.typeId | (header.codec << 16) | (flags << 24);
    words[word + 2] = header.destination;
    words[word + 3] = header.source;
    words[word + 4] = header.sequence;
    words[word + 5] = header.sentAtUs;
  }
}

/** The reading end; the consumer's thread only. */
export class RingConsumer {
  readonly #place: RingPlace;
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacityBytes: number;
  #head: number;
  /** Where the current record starts in the ring, after `peek`. */
  #offset = 0;

  constructor(place: RingPlace) {
    this.#place = place;
    this.#control = controlWords(place);
    this.#words = new Int32Array(place.buffer, place.byteOffset + RING_HEADER_BYTES, place.capacityBytes / 4);
    this.#bytes = new Uint8Array(place.buffer, place.byteOffset + RING_HEADER_BYTES, place.capacityBytes);
    this.#capacityBytes = place.capacityBytes;
    this.#head = Atomics.load(this.#control, HEAD);
  }

  get usedBytes(): number {
    return ringUsedBytes(this.#place);
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#control, TAIL) === this.#head;
  }

  /** Moves to the next unread record, past padding; returns false when there is none. Repeating it changes nothing. */
  peek(): boolean {
    const tail = Atomics.load(this.#control, TAIL);
    while (this.#head !== tail) {
      this.#offset = this.#head & (this.#capacityBytes - 1);
      if ((this.#flagsWord() & FLAG.padding) === 0) return true;
      this.#head = (this.#head + this.#word(0)) | 0;
    }
    return false;
  }

  /** Header fields and payload size of the current record; valid after `peek` returned true, until `release`. */
  get typeId(): number {
    return this.#word(1) & 0xffff;
  }
  get codec(): number {
    return (this.#word(1) >>> 16) & 0xff;
  }
  get flags(): number {
    return this.#flagsWord();
  }
  get destination(): number {
    return this.#word(2);
  }
  get source(): number {
    return this.#word(3);
  }
  get sequence(): number {
    return this.#word(4);
  }
  get sentAtUs(): number {
    return this.#word(5);
  }
  get payloadBytes(): number {
    return this.#word(0) - RECORD_HEADER_BYTES;
  }

  /** Where the current payload begins in the buffer that all rings share. */
  get payloadAt(): number {
    return this.#place.byteOffset + RING_HEADER_BYTES + this.#offset + RECORD_HEADER_BYTES;
  }

  /** Copies the current payload to private memory; `target` must have room for `payloadBytes` from `at`. */
  copyPayload(target: Uint8Array, at: number): void {
    const start = this.#offset + RECORD_HEADER_BYTES;
    target.set(this.#bytes.subarray(start, start + this.payloadBytes), at);
  }

  /** Leaves the current record behind; the producer sees the room after `publishHead`. */
  release(): void {
    this.#head = (this.#head + alignedBytes(this.#word(0))) | 0;
  }

  /**
   * Gives the room of released records back. Returns true when the producer waits for it and must be woken: only once
   * half of the ring is free, so that the two do not wake each other for every few records.
   */
  publishHead(): boolean {
    Atomics.store(this.#control, HEAD, this.#head);
    if (((Atomics.load(this.#control, TAIL) - this.#head) >>> 0) * 2 > this.#capacityBytes) return false;
    return Atomics.load(this.#control, WAITING) === 1 && Atomics.compareExchange(this.#control, WAITING, 1, 0) === 1;
  }

  /**
   * Tells the producer that everything up to `sequence` was handled. A plain store: it may be seen late, and what is seen
   * late is told again to the next life at worst. A full barrier per message would cost more than many a handler.
   */
  publishHandled(sequence: number): void {
    this.#control[HANDLED] = sequence;
  }

  #flagsWord(): number {
    return this.#word(1) >>> 24;
  }

  #word(index: number): number {
    return this.#words[(this.#offset >> 2) + index] ?? 0;
  }
}
