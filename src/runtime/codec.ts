/**
 * Messages as MessagePack bytes and back. One codec per thread; bytes are only valid as said at each function.
 *
 * Three encodings. `template`: an array of the values of the type's shape (message-template.ts). `record`: msgpackr with the
 * system's fixed list of keys, a number for the list and then the values one after the other. `map`: anything else.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { Packr, RESET_BUFFER_MODE } from 'msgpackr';
import type { MessageShape } from './actor.ts';
import { FieldReader, FieldWriter, fromOutline } from './message-template.ts';
import type { MessageType, MessageTypes } from './message-types.ts';

/** Which encoding a record's bytes have; stands in every record's header. */
export const CODEC = { map: 1, template: 2, record: 3 } as const;
/** One of CODEC, as records name it. */
export type CodecNumber = (typeof CODEC)[keyof typeof CODEC];

/** Lists of keys that can be shared: what msgpackr numbers with one byte. */
const SHARED_KEYS_MAX = 32;
/** Longest message `isolate` writes by template. */
const ISOLATED_BYTES_MAX = 64 * 1024;

/** Largest message that may cross threads. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** A message that cannot cross threads. `code` tells why. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused';
  readonly code: 'message-too-large' | 'not-encodable' | 'not-decodable';
  readonly messageType: string;

  constructor(code: MessageRefused['code'], messageType: string, detail: string, cause?: unknown) {
    super(`message "${messageType}" ${detail}`, { cause });
    this.code = code;
    this.messageType = messageType;
  }
}

/** The codec of one thread: messages to bytes and back. */
export class MessageCodec {
  /**
   * Maps: both sides need no agreement beyond MessagePack itself. Buffers are copied out because the bytes they are read
   * from are used again. 64-bit integers come back as bigint, so money stays exact.
   */
  readonly #maps = new Packr({ useRecords: false, copyBuffers: true });
  readonly #records: Packr | undefined;
  readonly #types: MessageTypes | undefined;
  readonly #recordTypes = new Set<string>();
  #memory: { readonly buffer: ArrayBufferLike; readonly writer: FieldWriter; readonly reader: FieldReader } | undefined;
  /** Which encoding the last `encode` chose. */
  lastCodec: CodecNumber = CODEC.map;

  /** Without `types` every message is a map. */
  constructor(types?: MessageTypes) {
    this.#types = types;
    const shared = (types?.all() ?? []).filter(({ keys, template }) => keys !== undefined && template === undefined);
    if (shared.length === 0) return;
    for (const { name } of shared.slice(0, SHARED_KEYS_MAX)) this.#recordTypes.add(name);
    this.#records = new Packr({
      structures: shared.slice(0, SHARED_KEYS_MAX).map(({ keys = [] }) => [...keys]),
      maxSharedStructures: SHARED_KEYS_MAX,
      // The list is the table's: an object with other keys takes its keys along, and no thread ever learns new ones.
      shouldShareStructure: () => false,
      // Only whole messages of these types: what is nested in them is maps.
      useRecords: ((object: Readonly<Record<string, unknown>>) =>
        typeof object['type'] === 'string' && this.#recordTypes.has(object['type'])) as unknown as boolean,
      mapsAsObjects: true,
      copyBuffers: true,
    });
  }

  /** Returns what writes shaped messages into that memory. One memory is remembered: the one all rings lie in. */
  writerOn(buffer: ArrayBufferLike): FieldWriter {
    return this.#on(buffer).writer;
  }

  readerOn(buffer: ArrayBufferLike): FieldReader {
    return this.#on(buffer).reader;
  }

  #on(buffer: ArrayBufferLike): { readonly writer: FieldWriter; readonly reader: FieldReader } {
    if (this.#memory?.buffer === buffer) return this.#memory;
    const bytes = new Uint8Array(buffer);
    this.#memory = { buffer, writer: new FieldWriter(bytes), reader: new FieldReader(bytes) };
    return this.#memory;
  }

  /**
   * Returns the message's bytes, valid until the next `encode` on this thread: copy them at once.
   * Throws MessageRefused for a bigint outside 64 bits and for more than 16 MiB.
   */
  encode(message: MessageShape): Uint8Array {
    const records = this.#recordTypes.has(message.type) ? this.#records : undefined;
    this.lastCodec = records === undefined ? CODEC.map : CODEC.record;
    let bytes: Uint8Array;
    try {
      bytes = (records ?? this.#maps).pack(message, RESET_BUFFER_MODE);
    } catch (error) {
      throw new MessageRefused(
        'not-encodable',
        message.type,
        `must be plain data with integers of at most 64 bits: ${describe(error)}`,
        error,
      );
    }
    if (bytes.byteLength > MESSAGE_BYTES_MAX) {
      throw new MessageRefused(
        'message-too-large',
        message.type,
        `must have at most ${MESSAGE_BYTES_MAX} bytes, has ${bytes.byteLength}`,
      );
    }
    return bytes;
  }

  /**
   * Returns the message in `bytes[start..end)`, which must be private memory: decoding shared memory is slow and unsafe.
   * `type` is needed for what a template wrote.
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    codec: number = this.lastCodec,
    type?: MessageType,
  ): MessageShape {
    let value: unknown;
    try {
      const packr = codec === CODEC.record ? this.#records : this.#maps;
      value = packr?.unpack(bytes, { start, end });
    } catch (error) {
      throw new MessageRefused('not-decodable', 'unknown', `must be MessagePack: ${describe(error)}`, error);
    }
    if (codec === CODEC.template) value = type?.outline === undefined ? undefined : fromOutline(type.outline, value);
    if (!isMessage(value))
      throw new MessageRefused(
        'not-decodable',
        'unknown',
        'must be a map with a "type" text, or the values of a known shape',
      );
    return value;
  }

  /** Returns a frozen copy that went through the codec: what an actor of another thread would have received. */
  isolate(message: MessageShape): MessageShape {
    const bytes = this.encode(message).slice();
    const copy = this.decode(bytes, 0, bytes.length);
    const shaped = this.#throughTemplate(message, this.#types?.byName(message.type));
    if (shaped !== undefined && !isDeepStrictEqual(shaped, copy))
      throw new Error(
        `shape of "${message.type}" must name all its fields, gave ${inspect(shaped)} of ${inspect(copy)}`,
      );
    freezeDeep(copy);
    return copy;
  }

  #throughTemplate(message: MessageShape, type: MessageType | undefined): MessageShape | undefined {
    if (type?.template === undefined) return undefined;
    const bytes = new Uint8Array(ISOLATED_BYTES_MAX);
    const end = type.template.write(new FieldWriter(bytes), message, 0, bytes.length);
    return end < 0 ? undefined : type.template.read(new FieldReader(bytes), 0, end);
  }
}

function isMessage(value: unknown): value is MessageShape {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const item of Object.values(value)) freezeDeep(item);
  Object.freeze(value);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
