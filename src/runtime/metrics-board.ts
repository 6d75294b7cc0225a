/**
 * The metrics of one thread in memory that other threads can read: recording is a store, reading stops nobody.
 *
 *   offset 0   header, 32 bytes: magic, version, series, distributions among them, bytes of names used, series refused
 *   then       directory, 16 bytes per series: kind, offset of its name, bytes of its name, number among its own kind
 *   then       two float64 per series: value, when it was set (ms); of a distribution sum and largest value
 *   then       uint32 buckets of each distribution (see value-buckets.ts)
 *   then       names: UTF-8 text of the name, and of name and value of each label, with a unit separator before each
 *
 * The number of series is stored last, so a reader that sees it may read all before it. A series stays for good: the next
 * life of a thread takes over the board and goes on counting. One thread writes; any thread may read.
 */
import type { Counter, Distribution, Gauge, MetricLabels, Metrics } from './metrics.ts';
import { BUCKET_COUNT, bucketOf, LARGEST } from './value-buckets.ts';

const MAGIC = 0x4d_45_54_52;
const VERSION = 1;
const HEADER_WORDS = 8;
const SERIES = 2;
const DISTRIBUTIONS = 3;
const NAME_BYTES = 4;
const REFUSED = 5;
const DIRECTORY_WORDS = 4;

/** Places on one board. Memory that no series uses is not touched. */
const SERIES_MAX = 1_024;
const DISTRIBUTIONS_MAX = 256;
const NAME_BYTES_MAX = 131_072;

const DIRECTORY_AT = HEADER_WORDS * 4;
const VALUES_AT = DIRECTORY_AT + SERIES_MAX * DIRECTORY_WORDS * 4;
const BUCKETS_AT = VALUES_AT + SERIES_MAX * 16;
const NAMES_AT = BUCKETS_AT + DISTRIBUTIONS_MAX * BUCKET_COUNT * 4;
const BOARD_BYTES = NAMES_AT + NAME_BYTES_MAX;

/** What a series is, by the number in its directory entry. */
const KINDS = ['counter', 'gauge', 'distribution'] as const;
export type MetricKind = (typeof KINDS)[number];

/** One series as it stands. */
export type MetricReading =
  | {
      readonly kind: 'counter' | 'gauge';
      readonly name: string;
      readonly labels: MetricLabels;
      readonly value: number;
      /** When the value was set, monotonic ms of the system; of a counter 0. */
      readonly atMs: number;
    }
  | {
      readonly kind: 'distribution';
      readonly name: string;
      readonly labels: MetricLabels;
      readonly sum: number;
      readonly max: number;
      /** How many values each bucket holds. The board's own memory: it goes on counting. */
      readonly buckets: Uint32Array;
    };

/** All series of one thread. */
export interface ThreadMetrics {
  readonly thread: string;
  readonly series: readonly MetricReading[];
  /** Series that found no place since the board was made. */
  readonly refused: number;
}

/** Allocates the board of one thread. */
function allocateBoard(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(BOARD_BYTES);
  new Int32Array(buffer, 0, 2).set([MAGIC, VERSION]);
  return buffer;
}

/** Makes the board of one thread, and who reads it. */
export function newBoard(thread: string): { readonly buffer: SharedArrayBuffer; readonly reader: BoardReader } {
  const buffer = allocateBoard();
  return { buffer, reader: new BoardReader(thread, buffer) };
}

/** The views of a board. */
interface BoardViews {
  readonly words: Int32Array;
  readonly values: Float64Array;
  readonly buckets: Uint32Array;
  readonly names: Uint8Array;
}

function viewsOf(buffer: SharedArrayBuffer): BoardViews {
  const words = new Int32Array(buffer, 0, VALUES_AT / 4);
  if (words[0] !== MAGIC || words[1] !== VERSION)
    throw new Error(`a metrics board must be of version ${VERSION}, was ${words[1]}`);
  return {
    words,
    values: new Float64Array(buffer, VALUES_AT, SERIES_MAX * 2),
    buckets: new Uint32Array(buffer, BUCKETS_AT, DISTRIBUTIONS_MAX * BUCKET_COUNT),
    names: new Uint8Array(buffer, NAMES_AT, NAME_BYTES_MAX),
  };
}

/** Records on a board; the thread it belongs to only. */
export class BoardRecorder implements Metrics {
  readonly #views: BoardViews;
  readonly #monotonicMs: () => number;
  /** By name and labels. */
  readonly #series: Readonly<Record<MetricKind, Map<string, BoardSeries>>> = {
    counter: new Map(),
    gauge: new Map(),
    distribution: new Map(),
  };
  /** Distributions without labels by name: what `timed` asks for each time. */
  readonly #timings = new Map<string, BoardSeries>();

  /** Takes over what an earlier life of the thread left on the board. `monotonicMs` is the system's. */
  constructor(buffer: SharedArrayBuffer, monotonicMs: () => number) {
    this.#views = viewsOf(buffer);
    this.#monotonicMs = monotonicMs;
    for (let index = 0; index < this.#word(SERIES); index++) {
      const { kind, key } = entryAt(this.#views, index);
      this.#series[kind].set(key, this.#seriesAt(index));
    }
  }

  counter(name: string, labels?: MetricLabels): Counter {
    return this.#seriesOf('counter', name, labels);
  }

  gauge(name: string, labels?: MetricLabels): Gauge {
    return this.#seriesOf('gauge', name, labels);
  }

  distribution(name: string, labels?: MetricLabels): Distribution {
    return this.#seriesOf('distribution', name, labels);
  }

  timed<Result>(name: string, action: () => Result): Result {
    let series = this.#timings.get(name);
    if (series === undefined) {
      series = this.#seriesOf('distribution', name, undefined);
      this.#timings.set(name, series);
    }
    const beganAtMs = this.#monotonicMs();
    try {
      return action();
    } finally {
      series.record(this.#monotonicMs() - beganAtMs);
    }
  }

  #seriesOf(kind: MetricKind, name: string, labels: MetricLabels | undefined): BoardSeries {
    const key = keyOf(name, labels);
    const known = this.#series[kind].get(key);
    if (known !== undefined) return known;
    const index = this.#take(kind, key);
    // Whoever finds no place must not make the map grow either.
    if (index === undefined) return new BoardSeries(NOWHERE, 0, 0, this.#monotonicMs);
    const series = this.#seriesAt(index);
    this.#series[kind].set(key, series);
    return series;
  }

  /** Puts a series on the board; undefined when it is full. */
  #take(kind: MetricKind, key: string): number | undefined {
    const { words, names } = this.#views;
    const index = this.#word(SERIES);
    const distributions = this.#word(DISTRIBUTIONS);
    const nameAt = this.#word(NAME_BYTES);
    const name = new TextEncoder().encode(key);
    const isDistribution = kind === 'distribution';
    if (
      index >= SERIES_MAX ||
      nameAt + name.length > NAME_BYTES_MAX ||
      (isDistribution && distributions >= DISTRIBUTIONS_MAX)
    ) {
      words[REFUSED] = this.#word(REFUSED) + 1;
      return undefined;
    }
    names.set(name, nameAt);
    words.set(
      [KINDS.indexOf(kind), nameAt, name.length, isDistribution ? distributions : 0],
      HEADER_WORDS + index * DIRECTORY_WORDS,
    );
    words[NAME_BYTES] = nameAt + name.length;
    if (isDistribution) words[DISTRIBUTIONS] = distributions + 1;
    // Publishing comes last: a reader that sees the new number may read everything before it.
    Atomics.store(words, SERIES, index + 1);
    return index;
  }

  #seriesAt(index: number): BoardSeries {
    const number = this.#views.words[HEADER_WORDS + index * DIRECTORY_WORDS + 3] ?? 0;
    return new BoardSeries(this.#views, index * 2, number * BUCKET_COUNT, this.#monotonicMs);
  }

  #word(word: number): number {
    return this.#views.words[word] ?? 0;
  }
}

/** One series of any kind, where it lies on its board. */
class BoardSeries implements Counter, Gauge, Distribution {
  readonly #values: Float64Array;
  readonly #buckets: Uint32Array;
  readonly #valueAt: number;
  readonly #bucketsAt: number;
  readonly #monotonicMs: () => number;

  constructor({ values, buckets }: BoardViews, valueAt: number, bucketsAt: number, monotonicMs: () => number) {
    this.#values = values;
    this.#buckets = buckets;
    this.#valueAt = valueAt;
    this.#bucketsAt = bucketsAt;
    this.#monotonicMs = monotonicMs;
  }

  add(by = 1): void {
    // A counter that went back, or became no number, would be of no use ever after.
    if (by > 0) this.#values[this.#valueAt] = (this.#values[this.#valueAt] ?? 0) + by;
  }

  set(value: number): void {
    this.#values[this.#valueAt] = value;
    this.#values[this.#valueAt + 1] = this.#monotonicMs();
  }

  record(given: number): void {
    // What is no number counts as nothing: a sum that became none would stay none.
    const value = given > 0 ? Math.min(given, LARGEST) : 0;
    const at = this.#bucketsAt + bucketOf(value);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.#values[this.#valueAt] = (this.#values[this.#valueAt] ?? 0) + value;
    if (value > (this.#values[this.#valueAt + 1] ?? 0)) this.#values[this.#valueAt + 1] = value;
  }
}

/** Memory of no size: what is stored there is nowhere. */
const NOWHERE: BoardViews = {
  words: new Int32Array(0),
  values: new Float64Array(0),
  buckets: new Uint32Array(0),
  names: new Uint8Array(0),
};

/** Reads a board; any thread. */
export class BoardReader {
  readonly #thread: string;
  readonly #views: BoardViews;
  /** What was read of the directory so far: it only grows. */
  readonly #entries: (BoardEntry & { readonly name: string; readonly labels: MetricLabels })[] = [];

  constructor(thread: string, buffer: SharedArrayBuffer) {
    this.#thread = thread;
    this.#views = viewsOf(buffer);
  }

  read(): ThreadMetrics {
    const { words, values, buckets } = this.#views;
    const count = Atomics.load(words, SERIES);
    while (this.#entries.length < count) {
      const entry = entryAt(this.#views, this.#entries.length);
      this.#entries.push({ ...entry, ...namedBy(entry.key) });
    }
    const series = this.#entries.map(({ kind, name, labels, number }, index): MetricReading => {
      const value = values[index * 2] ?? 0;
      const second = values[index * 2 + 1] ?? 0;
      if (kind !== 'distribution') return { kind, name, labels, value, atMs: second };
      const own = buckets.subarray(number * BUCKET_COUNT, (number + 1) * BUCKET_COUNT);
      return { kind, name, labels, sum: value, max: second, buckets: own };
    });
    return { thread: this.#thread, series, refused: words[REFUSED] ?? 0 };
  }
}

interface BoardEntry {
  readonly kind: MetricKind;
  readonly key: string;
  readonly number: number;
}

function entryAt({ words, names }: BoardViews, index: number): BoardEntry {
  const at = HEADER_WORDS + index * DIRECTORY_WORDS;
  const [kindNumber = 0, nameAt = 0, nameBytes = 0, number = 0] = words.subarray(at, at + DIRECTORY_WORDS);
  const kind = KINDS[kindNumber];
  if (kind === undefined) throw new Error(`the kind of a series must be below ${KINDS.length}, was ${kindNumber}`);
  // A decoder does not read shared memory.
  const key = new TextDecoder().decode(names.slice(nameAt, nameAt + nameBytes));
  return { kind, key, number };
}

/** Between the parts of a key: no name or value of ours holds it. */
const SEPARATOR = '\u001f';

/** The text a series goes by on its board. Asked for often: joined by hand. */
function keyOf(name: string, labels: MetricLabels | undefined): string {
  let key = name;
  for (const label in labels) key += SEPARATOR + label + SEPARATOR + labels[label];
  return key;
}

function namedBy(key: string): { readonly name: string; readonly labels: MetricLabels } {
  const [name = '', ...parts] = key.split(SEPARATOR);
  const labels: Record<string, string> = {};
  for (let at = 0; at + 1 < parts.length; at += 2) labels[parts[at] ?? ''] = parts[at + 1] ?? '';
  return { name, labels };
}
