/**
 * Newest values from one thread to one other, in shared memory: one slot per key, overwritten in place. Nothing queues and
 * nobody blocks, however slow the reader is; a value that was overwritten before it was read is merged into the newer one.
 *
 *   offset 0    bit per word of the next line that may have bits set: what a reader without news looks at
 *   offset 128  bit per slot whose value was not read yet (32 words)
 *   offset 256  slots of 1,024 bytes
 *
 *   slot  word 0  version: odd while the slot is written
 *         word 1  payload bytes            word 2  type id | codec << 16
 *         word 3  destination   word 4  source   word 5  sequence   word 6  send time, us, wrapping
 *         byte 32 payload: the message as MessagePack
 *
 * The writer makes the version odd, writes, makes it even, then sets the bits. The reader clears the bits, reads, and looks
 * at the version again: when it changed, the writer is about to set the bit once more, and the torn value is dropped. All
 * version changes and the second look are read-modify-write operations, so that no plain access passes them on any machine.
 */
import type { RecordHeader } from './ring-buffer.ts';

export const LATEST_SLOT_BYTES = 1_024;
/** Slots a table may have: what the first word has bits for. */
export const LATEST_SLOTS_MAX = 1_024;
export const LATEST_PAYLOAD_BYTES_MAX = LATEST_SLOT_BYTES - 32;

const SUMMARY = 0;
const DIRTY = 32;
const SLOTS_AT_BYTES = 256;
const PAYLOAD_AT_BYTES = 32;
const SLOT_WORDS = LATEST_SLOT_BYTES / 4;

/** Words of a slot. */
const VERSION = 0;
const PAYLOAD_BYTES = 1;
const TYPE = 2;
const DESTINATION = 3;
const SOURCE = 4;
const SEQUENCE = 5;
const SENT_AT = 6;

/** Where a table lies. `byteOffset` is 8-byte aligned; `slots` a multiple of 32, at most 1,024. */
export interface LatestPlace {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly slots: number;
}

/** Returns how many bytes a table takes. */
export function latestTableBytes(slots: number): number {
  if (!Number.isInteger(slots / 32) || slots < 0 || slots > LATEST_SLOTS_MAX)
    throw new RangeError(`latest-value slots must be a multiple of 32 of at most ${LATEST_SLOTS_MAX}, were ${slots}`);
  return slots === 0 ? 0 : SLOTS_AT_BYTES + slots * LATEST_SLOT_BYTES;
}

/** Empties a table that neither side uses. */
export function resetLatestTable(place: LatestPlace): void {
  if (place.slots === 0) return;
  const words = wordsOf(place);
  words.fill(0, 0, SLOTS_AT_BYTES / 4);
  for (let slot = 0; slot < place.slots; slot++) Atomics.store(words, slotWord(slot) + VERSION, 0);
}

function wordsOf(place: LatestPlace): Int32Array {
  return new Int32Array(place.buffer, place.byteOffset, latestTableBytes(place.slots) / 4);
}

function slotWord(slot: number): number {
  return SLOTS_AT_BYTES / 4 + slot * SLOT_WORDS;
}

/** The writing end; the producer's thread only. */
export class LatestWriter {
  readonly #place: LatestPlace;
  readonly #words: Int32Array;
  readonly #slotByKey = new Map<number, Map<string, number>>();
  #free: number[] = [];
  #used = 0;
  /** To whom it was written last: the next value is often for the same actor. */
  #lastActor = -1;
  #ofLastActor: Map<string, number> | undefined;

  constructor(place: LatestPlace) {
    this.#place = place;
    this.#words = wordsOf(place);
  }

  /** Returns the slot of a key of an actor, a new one when it has none; -1 when all are in use. */
  slotOf(actor: number, key: string): number {
    if (actor !== this.#lastActor) {
      this.#lastActor = actor;
      this.#ofLastActor = this.#slotByKey.get(actor);
    }
    const known = this.#ofLastActor?.get(key);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? (this.#used < this.#place.slots ? this.#used++ : -1);
    if (slot < 0) return -1;
    if (this.#ofLastActor === undefined) {
      this.#ofLastActor = new Map();
      this.#slotByKey.set(actor, this.#ofLastActor);
    }
    this.#ofLastActor.set(key, slot);
    return slot;
  }

  /** Gives the slots of an actor to others; a value of it that was not read yet may be lost. */
  release(actor: number): void {
    this.#free.push(...(this.#slotByKey.get(actor)?.values() ?? []));
    this.#slotByKey.delete(actor);
    this.#lastActor = -1;
  }

  /** Where in the buffer the payload of a slot begins; at most LATEST_PAYLOAD_BYTES_MAX go there, between `begin` and an end. */
  payloadAt(slot: number): number {
    return this.#place.byteOffset + SLOTS_AT_BYTES + slot * LATEST_SLOT_BYTES + PAYLOAD_AT_BYTES;
  }

  /** Tells readers that the slot is being written. `publish` or `abandon` must follow. */
  begin(slot: number): void {
    Atomics.add(this.#words, slotWord(slot) + VERSION, 1);
  }

  /** Ends a write of which nothing is worth reading; the slot's value is gone. */
  abandon(slot: number): void {
    const at = slotWord(slot);
    this.#words[at + PAYLOAD_BYTES] = 0;
    Atomics.add(this.#words, at + VERSION, 1);
  }

  /** Ends a write and offers the value. Returns true when it replaced one that was not read yet. */
  publish(slot: number, header: RecordHeader, payloadBytes: number): boolean {
    const words = this.#words;
    const at = slotWord(slot);
    words[at + PAYLOAD_BYTES] = payloadBytes;
    words[at + TYPE] = header.typeId | (header.codec << 16);
    words[at + DESTINATION] = header.destination;
    words[at + SOURCE] = header.source;
    words[at + SEQUENCE] = header.sequence;
    words[at + SENT_AT] = header.sentAtUs;
    Atomics.add(words, at + VERSION, 1);
    const word = slot >> 5;
    const bit = 1 << (slot & 31);
    if ((Atomics.or(words, DIRTY + word, bit) & bit) !== 0) return true;
    Atomics.or(words, SUMMARY, 1 << word);
    return false;
  }
}

/** The reading end; the consumer's thread only. */
export class LatestReader {
  readonly #place: LatestPlace;
  readonly #words: Int32Array;
  /** Version last read of each slot: a value read between its writing and the setting of its bit is there twice. */
  readonly #seen: Int32Array;
  #at = 0;
  #slot = 0;
  #version = 0;

  constructor(place: LatestPlace) {
    this.#place = place;
    this.#words = wordsOf(place);
    this.#seen = new Int32Array(place.slots);
  }

  /** Whether a value was written that nobody read yet. */
  get hasNews(): boolean {
    return Atomics.load(this.#words, SUMMARY) !== 0;
  }

  /** Calls `read` once for each slot with news; in it the fields below are those of the slot. */
  sweep(read: () => void): void {
    const words = this.#words;
    for (let summary = Atomics.exchange(words, SUMMARY, 0); summary !== 0; summary &= summary - 1) {
      const word = 31 - Math.clz32(summary & -summary);
      for (let dirty = Atomics.exchange(words, DIRTY + word, 0); dirty !== 0; dirty &= dirty - 1) {
        this.#slot = (word << 5) + 31 - Math.clz32(dirty & -dirty);
        this.#at = slotWord(this.#slot);
        this.#version = Atomics.load(words, this.#at + VERSION);
        // Odd: whoever writes it sets the bit again when it is whole; a writer that died never will, and has nothing to say.
        const isNew = this.#version !== this.#seen[this.#slot];
        if ((this.#version & 1) === 0 && isNew && this.payloadBytes > 0) read();
      }
    }
  }

  get slot(): number {
    return this.#slot;
  }

  /** Whether everything read of the slot so far belongs together; then this value is not read again. */
  isWhole(): boolean {
    const version = this.#version;
    if (Atomics.compareExchange(this.#words, this.#at + VERSION, version, version) !== version) return false;
    this.#seen[this.#slot] = version;
    return true;
  }

  /** Never more than fits the slot, whatever a torn header says. */
  get payloadBytes(): number {
    return Math.min(LATEST_PAYLOAD_BYTES_MAX, Math.max(0, this.#word(PAYLOAD_BYTES)));
  }
  /** Where in the buffer the payload begins. */
  get payloadAt(): number {
    return this.#place.byteOffset + SLOTS_AT_BYTES + this.#slot * LATEST_SLOT_BYTES + PAYLOAD_AT_BYTES;
  }
  get typeId(): number {
    return this.#word(TYPE) & 0xffff;
  }
  get codec(): number {
    return this.#word(TYPE) >>> 16;
  }
  get destination(): number {
    return this.#word(DESTINATION);
  }
  get source(): number {
    return this.#word(SOURCE);
  }
  get sequence(): number {
    return this.#word(SEQUENCE);
  }
  get sentAtUs(): number {
    return this.#word(SENT_AT);
  }

  #word(word: number): number {
    return this.#words[this.#at + word] ?? 0;
  }
}
