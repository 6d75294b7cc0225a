/**
 * The one SharedArrayBuffer all threads of a system share: who is asleep, who is alive, and the lanes between them.
 *
 *   offset 0    directory, 128 bytes: magic, version, threads, control lane bytes, data lane bytes, message table hash,
 *               number of the last trace begun, latest-value slots
 *   offset 128  one slot of 256 bytes per thread
 *   then        for every ordered pair of threads two banks of one control ring, one data ring and one latest-value table
 *
 * A pair uses bank (sum of the two threads' epochs) modulo 2: when a thread dies, its successor gets rings nobody touches,
 * while the survivors still read the old ones to their tails. Any thread; the layout is fixed at the start.
 */
import { latestTableBytes, resetLatestTable, type LatestPlace } from './latest-table.ts';
import { resetRing, RING_HEADER_BYTES, type RingPlace } from './ring-buffer.ts';

const DIRECTORY_BYTES = 128;
const SLOT_BYTES = 256;
const MAGIC = 0x54_41_4e_44;
const VERSION = 3;
/** Word of the directory. */
const LAST_TRACE = 6;
const LATEST_SLOTS = 7;

/** Words of a thread slot. The first line of 128 bytes is written by others, the second by the thread itself. */
export const SLOT = {
  /** 1 while the thread sleeps or is about to; whoever changes it to 0 wakes it. */
  sleep: 0,
  /** Counts calls posted to its control port, so that a thread that blocks knows to look. */
  controlPosts: 1,
  epoch: 2,
  heartbeat: 32,
  /** 0 starting, 1 running, 2 stopped. */
  state: 33,
  /** The thread number plus 1 from which the must-deliver message being handled came, 0 for none; and its sequence. */
  inFlightSource: 34,
  inFlightSequence: 35,
  lostWakeUps: 36,
  /** The kernel's number of the thread, 0 where it is not known. */
  kernelThread: 37,
} as const;
/** The place of a word within a thread's slot. */
export type SlotWord = (typeof SLOT)[keyof typeof SLOT];

/** The two lanes of an ordered pair of threads. */
export type LaneKind = 'control' | 'data';

/** The sizes a segment is made of; lanes in bytes, powers of two. */
export interface SegmentLayout {
  readonly threads: number;
  readonly controlLaneBytes: number;
  readonly dataLaneBytes: number;
  /** Of each latest-value table; a multiple of 32 up to 1,024, or 0 for none. */
  readonly latestSlots: number;
}

/** The shared memory of one system. Any thread may open it; who may write which word stands at the word. */
export class Segment {
  readonly buffer: SharedArrayBuffer;
  readonly layout: SegmentLayout;
  /** All words, for Atomics; index with `slotWord`. */
  readonly words: Int32Array;

  private constructor(buffer: SharedArrayBuffer, layout: SegmentLayout) {
    this.buffer = buffer;
    this.layout = layout;
    this.words = new Int32Array(buffer, 0, (DIRECTORY_BYTES + layout.threads * SLOT_BYTES) / 4);
  }

  /** Allocates a segment; the main thread does it once. */
  static allocate(layout: SegmentLayout, tableHash: number): Segment {
    const pairs = layout.threads * (layout.threads - 1);
    const bytes = DIRECTORY_BYTES + layout.threads * SLOT_BYTES + pairs * 2 * bankBytes(layout);
    const segment = new Segment(new SharedArrayBuffer(bytes), layout);
    segment.words.set([MAGIC, VERSION, layout.threads, layout.controlLaneBytes, layout.dataLaneBytes, tableHash | 0]);
    segment.words[LATEST_SLOTS] = layout.latestSlots;
    return segment;
  }

  /** Opens a segment that another thread allocated. Throws when it is of another version or for another message table. */
  static open(buffer: SharedArrayBuffer, tableHash: number): Segment {
    const [magic, version, threads = 0, controlLaneBytes = 0, dataLaneBytes = 0, hash] = new Int32Array(buffer, 0, 6);
    if (magic !== MAGIC || version !== VERSION)
      throw new Error(`the segment must be of version ${VERSION}, was ${version}`);
    if (hash !== (tableHash | 0))
      throw new Error(`the message table must be the same on all threads: hash ${tableHash | 0} against ${hash}`);
    const latestSlots = new Int32Array(buffer, 0, LATEST_SLOTS + 1)[LATEST_SLOTS] ?? 0;
    return new Segment(buffer, { threads, controlLaneBytes, dataLaneBytes, latestSlots });
  }

  slotWord(thread: number, word: SlotWord): number {
    return (DIRECTORY_BYTES + thread * SLOT_BYTES) / 4 + word;
  }

  load(thread: number, word: SlotWord): number {
    return Atomics.load(this.words, this.slotWord(thread, word));
  }

  store(thread: number, word: SlotWord, value: number): void {
    Atomics.store(this.words, this.slotWord(thread, word), value);
  }

  add(thread: number, word: SlotWord, value: number): void {
    Atomics.add(this.words, this.slotWord(thread, word), value);
  }

  /** Returns the number of a new trace, from 1; and of the newest one, 0 before the first. */
  newTraceId(): number {
    return (Atomics.add(this.words, LAST_TRACE, 1) + 1) | 0;
  }
  get lastTraceId(): number {
    return Atomics.load(this.words, LAST_TRACE);
  }

  /** Returns true when this call woke the thread's flag: the caller then owes it a notify or a nudge. */
  claimWake(thread: number): boolean {
    const index = this.slotWord(thread, SLOT.sleep);
    return Atomics.load(this.words, index) === 1 && Atomics.compareExchange(this.words, index, 1, 0) === 1;
  }

  /** Returns the ring of a pair in the bank of that generation. */
  lane(from: number, to: number, kind: LaneKind, generation: number): RingPlace {
    const { controlLaneBytes, dataLaneBytes } = this.layout;
    const bank = this.#bankAt(from, to, generation);
    return kind === 'control'
      ? { buffer: this.buffer, byteOffset: bank, capacityBytes: controlLaneBytes }
      : { buffer: this.buffer, byteOffset: bank + RING_HEADER_BYTES + controlLaneBytes, capacityBytes: dataLaneBytes };
  }

  /** Returns the latest-value table of a pair in the bank of that generation. */
  latest(from: number, to: number, generation: number): LatestPlace {
    const { controlLaneBytes, dataLaneBytes, latestSlots: slots } = this.layout;
    const byteOffset = this.#bankAt(from, to, generation) + 2 * RING_HEADER_BYTES + controlLaneBytes + dataLaneBytes;
    return { buffer: this.buffer, byteOffset, slots };
  }

  #bankAt(from: number, to: number, generation: number): number {
    const { threads } = this.layout;
    const pair = from * (threads - 1) + (to > from ? to - 1 : to);
    return DIRECTORY_BYTES + threads * SLOT_BYTES + (pair * 2 + (generation & 1)) * bankBytes(this.layout);
  }

  /** Prepares the four rings and two tables between two threads for a new generation; nobody may be using that bank. */
  resetPair(left: number, right: number, generation: number): void {
    for (const kind of ['control', 'data'] as const) {
      resetRing(this.lane(left, right, kind, generation));
      resetRing(this.lane(right, left, kind, generation));
    }
    resetLatestTable(this.latest(left, right, generation));
    resetLatestTable(this.latest(right, left, generation));
  }

  /** Prepares a thread's slot for its next life. */
  resetSlot(thread: number, epoch: number): void {
    for (const word of Object.values(SLOT)) if (word !== SLOT.lostWakeUps) this.store(thread, word, 0);
    this.store(thread, SLOT.epoch, epoch);
  }
}

function bankBytes(layout: SegmentLayout): number {
  return 2 * RING_HEADER_BYTES + layout.controlLaneBytes + layout.dataLaneBytes + latestTableBytes(layout.latestSlots);
}
