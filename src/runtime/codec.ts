/** Messages as MessagePack bytes and back. One codec per thread; bytes are only valid as said at each function. */
import { Packr, RESET_BUFFER_MODE } from 'msgpackr';
import type { MessageShape } from './actor.ts';

/** Which encoding a record's bytes have; stands in every record's header. */
export const CODEC = { map: 1 } as const;

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
   * Maps, not shared record structures: both sides need no agreement beyond MessagePack itself. Buffers are copied out
   * because the bytes they are read from are used again. 64-bit integers come back as bigint, so money stays exact.
   */
  readonly #packr = new Packr({ useRecords: false, copyBuffers: true });

  /**
   * Returns the message's bytes, valid until the next `encode` on this thread: copy them at once.
   * Throws MessageRefused for a bigint outside 64 bits and for more than 16 MiB.
   */
  encode(message: MessageShape): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = this.#packr.pack(message, RESET_BUFFER_MODE);
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

  /** Returns the message in `bytes[start..end)`, which must be private memory: decoding shared memory is slow and unsafe. */
  decode(bytes: Uint8Array, start: number, end: number): MessageShape {
    let value: unknown;
    try {
      value = this.#packr.unpack(bytes, { start, end });
    } catch (error) {
      throw new MessageRefused('not-decodable', 'unknown', `must be MessagePack: ${describe(error)}`, error);
    }
    if (!isMessage(value)) throw new MessageRefused('not-decodable', 'unknown', 'must be a map with a "type" text');
    return value;
  }

  /** Returns a frozen copy that went through the codec: what an actor of another thread would have received. */
  isolate(message: MessageShape): MessageShape {
    const bytes = this.encode(message).slice();
    const copy = this.decode(bytes, 0, bytes.length);
    freezeDeep(copy);
    return copy;
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
