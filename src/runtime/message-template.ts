/**
 * Fixed-shape messages as MessagePack arrays of their values: every thread knows the keys beforehand. Any thread.
 *
 * A shape is one function from a message to a message that names every field once:
 *
 *   (f, tick) => ({ type: 'tick', symbol: f.text(tick.symbol), bidTicks: f.number(tick.bidTicks) })
 *
 * It runs in three ways. When the table is built, with fields that note which keys there are. To encode, with fields that
 * write what they are given. To decode, with fields that return what they read and ignore what they are given. So each
 * shape is compiled by the engine as the plain object literal it is: nothing is looked up by name per message, and no code
 * is made from text. Numbers are float64, bigints int64, texts ASCII of at most 255 characters, pairs lists of two numbers;
 * a message that does not fit is encoded like any other.
 */
import type { MessageShape } from './actor.ts';

export type NumberPair = readonly [number, number];

/** What a shape calls for each field. Every function returns the field's value. */
export interface Fields {
  number<Value extends number>(value: Value): Value;
  bigint<Value extends bigint>(value: Value): Value;
  boolean(value: boolean): boolean;
  text<Value extends string>(value: Value): Value;
  /** At most 64 pairs. */
  pairs<Pair extends NumberPair>(value: readonly Pair[]): readonly Pair[];
}

/**
 * Returns the message with every field passed through `fields`, in any order, or undefined when this one message has another shape
 * (an optional field is there that is not named, or the other way round). Fields it does not name do not arrive.
 */
export type Shape<Message extends MessageShape> = (fields: Fields, message: Message) => Message | undefined;

/** A shape whose message type is no longer known: what tables are made of. */
export type AnyShape = (fields: Fields, message: never) => MessageShape | undefined;

type FieldKind = keyof Fields;

/**
 * The keys of a shape in order, as plain data: with a text where the value is always that text and is not written, with
 * null where a value stands in the array, with an outline where another array does.
 */
export type Outline = readonly (readonly [key: string, value: string | null | Outline])[];

const TEXT_LENGTH_MAX = 255;
const PAIRS_MAX = 64;
/** Value tags of MessagePack. */
const TAG = { float64: 0xcb, int64: 0xd3, true: 0xc3, false: 0xc2, text8: 0xd9, array16: 0xdc, pair: 0x92 } as const;
/** Bytes of a value after what is written before it. */
const VALUE_BYTES: Readonly<Record<FieldKind, number>> = { number: 8, bigint: 8, boolean: 1, text: 1, pairs: 2 };
const PAIR_BYTES = 19;
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;

/** Bytes that are the same in every message, as big-endian words; the last one may be longer than they are. */
interface Lead {
  /** The first word, which is nearly always the only one. */
  readonly word: number;
  readonly moreWords: Int32Array;
  readonly length: number;
  /** -1 when there is none. */
  readonly lastByte: number;
}

/** Room needed behind a message that is written word by word. */
const WORD_OVERRUN = 4;

/** A shape made ready to encode and decode. */
export class MessageTemplate {
  /** The keys and kinds in order: equal texts, equal bytes. */
  readonly fingerprint: string;
  readonly outline: Outline;
  /** What stands before each field's own bytes: array headers, and the value's tag where it has only one. */
  readonly leads: readonly Lead[];
  /** What stands after the last field. */
  readonly rest: Lead;
  /** Bytes of a message without the contents of its texts and lists. */
  readonly fixedBytes: number;
  /** Room that was always enough so far. */
  roomBytes: number;
  readonly #shape: (fields: Fields, message: MessageShape) => MessageShape | undefined;
  readonly #blank: MessageShape;

  /** Throws when the shape is no object literal of fields, texts and such literals. */
  constructor(name: string, shape: AnyShape) {
    // A table keeps shapes by the name of their message type: no other message comes here.
    this.#shape = shape as (fields: Fields, message: MessageShape) => MessageShape | undefined;
    const recorder = new FieldRecorder();
    const recorded = this.#shape(recorder, anything());
    if (recorded === undefined) throw new TypeError(`shape of "${name}" must give an object for a whole message`);
    const layout = layOut(name, recorded, recorder.kinds);
    this.leads = layout.leads;
    this.rest = layout.rest;
    this.fingerprint = layout.fingerprint;
    this.outline = layout.outline;
    this.fixedBytes = layout.leads.reduce((sum, lead) => sum + lead.length, layout.rest.length + layout.valueBytes);
    this.roomBytes = this.fixedBytes + 64;
    const blank = this.#shape(new FieldBlanks(), anything());
    if (blank === undefined) throw new TypeError(`shape of "${name}" must give an object for a whole message`);
    this.#blank = blank;
  }

  /** Writes the message at `at`, not past `limit`; returns where it ends, or -1 when it does not fit the shape or the room. */
  write(writer: FieldWriter, message: MessageShape, at: number, limit: number): number {
    writer.begin(this, at, limit);
    if (this.#shape(writer, message) === undefined) return -1;
    const end = writer.finish();
    if (end - at > this.roomBytes) this.roomBytes = end - at + 64;
    return end;
  }

  /** Returns the message in [at, end), or undefined when the bytes are of no such message. */
  read(reader: FieldReader, at: number, end: number): MessageShape | undefined {
    reader.begin(this, at, end);
    const message = this.#shape(reader, this.#blank);
    return reader.isWhole() ? message : undefined;
  }
}

/** Writes fields into memory; one per memory, made once. */
export class FieldWriter implements Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #template: MessageTemplate | undefined;
  #leads: readonly Lead[] = [];
  #field = 0;
  #at = 0;
  /** Room beyond the template's fixed bytes. */
  #spareBytes = 0;
  #fits = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  begin(template: MessageTemplate, at: number, limit: number): void {
    this.#template = template;
    this.#leads = template.leads;
    this.#field = 0;
    this.#at = at;
    this.#spareBytes = limit - at - template.fixedBytes - WORD_OVERRUN;
    this.#fits = this.#spareBytes >= 0;
  }

  /** Returns where the message ends, or -1 when it did not fit. */
  finish(): number {
    if (!this.#fits || this.#template === undefined) return -1;
    this.#lead(this.#template.rest);
    return this.#at;
  }

  number<Value extends number>(value: Value): Value {
    if (!this.#next() || typeof value !== 'number') this.#fits = false;
    else {
      // Negative zero is zero here as in every other encoding.
      this.#view.setFloat64(this.#at, value + 0);
      this.#at += 8;
    }
    return value;
  }

  bigint<Value extends bigint>(value: Value): Value {
    if (!this.#next() || typeof value !== 'bigint' || value < INT64.min || value > INT64.max) this.#fits = false;
    else {
      this.#view.setBigInt64(this.#at, value);
      this.#at += 8;
    }
    return value;
  }

  boolean(value: boolean): boolean {
    if (!this.#next() || typeof value !== 'boolean') this.#fits = false;
    else this.#bytes[this.#at++] = value ? TAG.true : TAG.false;
    return value;
  }

  text<Value extends string>(value: Value): Value {
    if (!this.#next() || typeof value !== 'string' || !this.#extend(value.length, TEXT_LENGTH_MAX)) {
      this.#fits = false;
      return value;
    }
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = value.length;
    let seen = 0;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      seen |= code;
      bytes[at++] = code;
    }
    if (seen > 0x7f) this.#fits = false;
    this.#at = at;
    return value;
  }

  pairs<Pair extends NumberPair>(value: readonly Pair[]): readonly Pair[] {
    if (!this.#next() || !Array.isArray(value) || !this.#extend(value.length * PAIR_BYTES, PAIRS_MAX * PAIR_BYTES)) {
      this.#fits = false;
      return value;
    }
    this.#view.setUint16(this.#at, value.length);
    this.#at += 2;
    for (const pair of value) {
      if (pair.length !== 2) this.#fits = false;
      this.#bytes[this.#at] = TAG.pair;
      this.#float(this.#at + 1, pair[0]);
      this.#float(this.#at + 10, pair[1]);
      this.#at += PAIR_BYTES;
    }
    return value;
  }

  #float(at: number, value: number): void {
    if (typeof value !== 'number') this.#fits = false;
    this.#bytes[at] = TAG.float64;
    this.#view.setFloat64(at + 1, value + 0);
  }

  /** Writes what stands before the next field; returns false once the message cannot fit any more. */
  #next(): boolean {
    const lead = this.#leads[this.#field];
    this.#field += 1;
    if (!this.#fits || lead === undefined) return false;
    this.#lead(lead);
    return true;
  }

  /** By words: a call to copy so few bytes takes longer than copying them. What the last word is too long is overwritten. */
  #lead(lead: Lead): void {
    const at = this.#at;
    const { moreWords, length } = lead;
    this.#view.setInt32(at, lead.word);
    if (length > 4)
      for (let word = 0; word < moreWords.length; word++)
        this.#view.setInt32(at + 4 + (word << 2), moreWords[word] ?? 0);
    this.#at = at + length;
  }

  /** Takes room for the contents of a text or list. */
  #extend(bytes: number, bytesMax: number): boolean {
    this.#spareBytes -= bytes;
    return bytes <= bytesMax && this.#spareBytes >= 0;
  }
}

/** Texts seen lately, by their bytes: symbols and venues come again with every message. */
const TEXTS_KEPT = 1_024;
const TEXT_KEPT_LENGTH_MAX = 24;

/** Reads fields out of memory; one per memory, made once. */
export class FieldReader implements Fields {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #view: DataView;
  readonly #texts = new Array<string>(TEXTS_KEPT).fill('');
  #leads: readonly Lead[] = [];
  #restBytes = 0;
  #field = 0;
  #at = 0;
  #end = 0;
  #isGood = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  begin(template: MessageTemplate, at: number, end: number): void {
    this.#leads = template.leads;
    this.#restBytes = template.rest.length;
    this.#field = 0;
    this.#at = at;
    this.#end = end;
    this.#isGood = at + template.fixedBytes <= end && end <= this.#bytes.length;
  }

  /** Whether all fields were read and nothing is left. */
  isWhole(): boolean {
    return this.#isGood && this.#field === this.#leads.length && this.#at + this.#restBytes === this.#end;
  }

  number<Value extends number>(blank: Value): Value {
    const at = this.#take(8);
    // The shape's author declared the field's type: what was written under that type is read under it.
    return at < 0 ? blank : (this.#view.getFloat64(at) as Value);
  }

  bigint<Value extends bigint>(blank: Value): Value {
    const at = this.#take(8);
    return at < 0 ? blank : (this.#view.getBigInt64(at) as Value);
  }

  boolean(blank: boolean): boolean {
    const at = this.#take(1);
    if (at < 0) return blank;
    const tag = this.#bytes[at];
    if (tag !== TAG.true && tag !== TAG.false) this.#isGood = false;
    return tag === TAG.true;
  }

  text<Value extends string>(blank: Value): Value {
    const lengthAt = this.#take(1);
    if (lengthAt < 0) return blank;
    const length = this.#bytes[lengthAt] ?? 0;
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.#end) {
      this.#isGood = false;
      return blank;
    }
    return this.#textAt(at, length) as Value;
  }

  pairs<Pair extends NumberPair>(blank: readonly Pair[]): readonly Pair[] {
    const at = this.#take(2);
    if (at < 0) return blank;
    const length = this.#view.getUint16(at);
    if (this.#at + length * PAIR_BYTES > this.#end) {
      this.#isGood = false;
      return blank;
    }
    const pairs: NumberPair[] = [];
    for (let index = 0; index < length; index++) {
      pairs.push([this.#view.getFloat64(this.#at + 2), this.#view.getFloat64(this.#at + 11)]);
      this.#at += PAIR_BYTES;
    }
    return pairs as unknown as readonly Pair[];
  }

  /** Passes what stands before the next field and so many bytes of it; returns where these are, or -1. */
  #take(bytes: number): number {
    const lead = this.#leads[this.#field];
    this.#field += 1;
    if (!this.#isGood || lead === undefined) return -1;
    const at = this.#at + lead.length;
    // One byte of each lead tells messages apart that were not written by this shape; the table's hash rules them out.
    if ((lead.lastByte >= 0 && this.#bytes[at - 1] !== lead.lastByte) || at + bytes > this.#end) {
      this.#isGood = false;
      return -1;
    }
    this.#at = at + bytes;
    return at;
  }

  #textAt(at: number, length: number): string {
    if (length > TEXT_KEPT_LENGTH_MAX) return this.#buffer.toString('latin1', at, at + length);
    const bytes = this.#bytes;
    let hash = length;
    for (let index = at; index < at + length; index++) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0;
    const place = (hash ^ (hash >>> 10)) & (TEXTS_KEPT - 1);
    const known = this.#texts[place] ?? '';
    if (known.length === length) {
      let same = 0;
      while (same < length && known.charCodeAt(same) === bytes[at + same]) same += 1;
      if (same === length) return known;
    }
    const text = this.#buffer.toString('latin1', at, at + length);
    this.#texts[place] = text;
    return text;
  }
}

/** Stands for a field while a shape is learned. */
class FieldMark {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** Notes the kind of each field in the order in which the shape calls for them. */
class FieldRecorder implements Fields {
  readonly kinds: FieldKind[] = [];

  number = <Value>(): Value => this.#mark('number');
  bigint = <Value>(): Value => this.#mark('bigint');
  boolean = <Value>(): Value => this.#mark('boolean');
  text = <Value>(): Value => this.#mark('text');
  pairs = <Value>(): Value => this.#mark('pairs');

  #mark<Value>(kind: FieldKind): Value {
    this.kinds.push(kind);
    // Only `layOut` ever looks at it.
    return new FieldMark(this.kinds.length - 1) as Value;
  }
}

/** Gives every field a value of its type, so that a message of the right shape is there to be handed to the shape. */
class FieldBlanks implements Fields {
  number = <Value extends number>(): Value => 0.5 as Value;
  bigint = <Value extends bigint>(): Value => 0n as Value;
  boolean = (): boolean => false;
  text = <Value extends string>(): Value => '' as Value;
  pairs = <Pair>(): readonly Pair[] => [];
}

interface Layout {
  readonly leads: readonly Lead[];
  readonly rest: Lead;
  readonly fingerprint: string;
  readonly outline: Outline;
  readonly valueBytes: number;
}

/** Returns a value in whose place any message can stand while a shape is learned: every property of it is there. */
function anything(): MessageShape {
  return new Proxy(() => {}, {
    get: (_target, key) => (key === Symbol.toPrimitive ? () => '' : anything()),
  }) as unknown as MessageShape;
}

function layOut(name: string, recorded: MessageShape, kinds: readonly FieldKind[]): Layout {
  const leads: Lead[] = [];
  let open: number[] = [];
  let fingerprint = '';
  let valueBytes = 0;
  const visit = (value: unknown): string | null | Outline => {
    if (value instanceof FieldMark) {
      const kind = kinds[value.index];
      // The order in which fields are written and read is that of the calls: it must be that of the keys too.
      if (kind === undefined || value.index !== leads.length)
        throw new TypeError(`shape of "${name}" must name its fields once each, in place`);
      open.push(...TAGS_BEFORE[kind]);
      leads.push(leadOf(open));
      open = [];
      valueBytes += VALUE_BYTES[kind];
      fingerprint += kind;
      return null;
    }
    if (typeof value === 'string') {
      fingerprint += JSON.stringify(value);
      return value;
    }
    if (!isLiteral(value)) throw new TypeError(`shape of "${name}" must be made of fields, texts and objects of them`);
    const entries = Object.entries(value);
    const written = entries.filter(([, item]) => typeof item !== 'string').length;
    if (written > 15) throw new TypeError(`shape of "${name}" must have at most 15 fields per object`);
    open.push(0x90 | written);
    fingerprint += '{';
    const outline = entries.map(([key, item]) => {
      fingerprint += `${key}:`;
      const inner = visit(item);
      fingerprint += ',';
      return [key, inner] as const;
    });
    fingerprint += '}';
    return outline;
  };
  const outline = visit(recorded);
  if (outline === null || typeof outline === 'string' || leads.length !== kinds.length)
    throw new TypeError(`shape of "${name}" must use every field it calls for`);
  return { leads, rest: leadOf(open), fingerprint, outline, valueBytes };
}

/** Returns the object whose values were written as that array, or undefined when it is no such array. */
export function fromOutline(outline: Outline, values: unknown): Record<string, unknown> | undefined {
  if (!Array.isArray(values)) return undefined;
  const object: Record<string, unknown> = {};
  let taken = 0;
  for (const [key, inner] of outline) {
    if (typeof inner === 'string') {
      object[key] = inner;
      continue;
    }
    const value: unknown = values[taken];
    taken += 1;
    object[key] = inner === null ? value : fromOutline(inner, value);
    if (object[key] === undefined) return undefined;
  }
  return taken === values.length ? object : undefined;
}

const TAGS_BEFORE: Readonly<Record<FieldKind, readonly number[]>> = {
  number: [TAG.float64],
  bigint: [TAG.int64],
  // Its one byte is the tag.
  boolean: [],
  text: [TAG.text8],
  pairs: [TAG.array16],
};

function leadOf(bytes: readonly number[]): Lead {
  const words = new Int32Array(Math.max(1, Math.ceil(bytes.length / 4)));
  const view = new DataView(words.buffer);
  for (const [index, byte] of bytes.entries()) view.setUint8(index, byte);
  for (let word = 0; word < words.length; word++) words[word] = view.getInt32(word * 4);
  return { word: words[0] ?? 0, moreWords: words.slice(1), length: bytes.length, lastByte: bytes.at(-1) ?? -1 };
}

function isLiteral(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
