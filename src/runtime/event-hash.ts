/** A running hash over decoded content, for comparing two runs: independent of key order, of encodings and of history. Any thread. */
import { hashText } from './random.ts';

const KEY_WORDS_MAX = 4_096;

export class EventHash {
  #high = 0x6a09e667;
  #low = 0x3c6ef372;
  readonly #float = new DataView(new ArrayBuffer(8));
  /** Names of fields, of which there are few. */
  readonly #keyWords = new Map<string, number>();

  addWord(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x85ebca6b);
    this.#low = (this.#low << 13) | (this.#low >>> 19);
    this.#high = Math.imul(this.#high ^ (word + (this.#low | 0)), 0xc2b2ae35);
    this.#high = (this.#high << 17) | (this.#high >>> 15);
  }

  addNumber(value: number): void {
    // -0 and 0 are the same content; every NaN has one bit pattern here.
    this.#float.setFloat64(0, value === 0 ? 0 : value);
    this.addWord(this.#float.getInt32(0));
    this.addWord(this.#float.getInt32(4));
  }

  addText(text: string): void {
    this.addWord(text.length);
    for (let index = 0; index < text.length; index++) this.addWord(text.charCodeAt(index));
  }

  /** Adds plain data: what a message may carry. Keys with undefined values count as absent. */
  addValue(value: unknown): void {
    if (typeof value === 'string') {
      this.addWord(1);
      this.addText(value);
    } else if (typeof value === 'number') {
      this.addWord(2);
      this.addNumber(value);
    } else if (typeof value === 'bigint') {
      this.addWord(3);
      this.addText(value.toString(16));
    } else if (typeof value === 'boolean') this.addWord(value ? 4 : 5);
    else if (value === null || value === undefined) this.addWord(6);
    else if (typeof value === 'object') this.#addObject(value);
    else throw new Error(`a message must be plain data, found a ${typeof value} in one`);
  }

  #addObject(value: object): void {
    if (Array.isArray(value)) {
      this.addWord(7);
      this.addWord(value.length);
      for (const item of value) this.addValue(item);
      return;
    }
    if (ArrayBuffer.isView(value)) {
      this.addWord(8);
      this.addWord(value.byteLength);
      for (const byte of new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) this.addWord(byte);
      return;
    }
    if (value instanceof Map || value instanceof Set) {
      this.addWord(9);
      for (const item of value) this.addValue(item);
      return;
    }
    this.addWord(10);
    const fields = value as Readonly<Record<string, unknown>>;
    // Without a comparison of our own: by code units, as text compares.
    for (const key of Object.keys(fields).sort()) {
      const item = fields[key];
      if (item === undefined) continue;
      this.#addKey(key);
      this.addValue(item);
    }
  }

  /** Keys come again in every message: each is read once. */
  #addKey(key: string): void {
    let word = this.#keyWords.get(key);
    if (word === undefined) {
      word = hashText(key);
      if (this.#keyWords.size < KEY_WORDS_MAX) this.#keyWords.set(key, word);
    }
    this.addWord(key.length);
    this.addWord(word);
  }

  /** Returns 16 hexadecimal digits. */
  digest(): string {
    return hexadecimal(this.#high) + hexadecimal(this.#low);
  }
}

function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
