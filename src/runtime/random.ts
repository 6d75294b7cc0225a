/** Deterministic random streams, one per purpose, from one seed. Any thread. */
import type { RandomStream } from './actor.ts';

/** Returns a 32-bit hash of a text (FNV-1a with a final mix), for seeds and checks, not for security. */
export function hashText(text: string, basis = 0x811c9dc5): number {
  let hash = basis | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash) >>> 0;
}

function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A xoshiro128** generator: period 2^128 - 1, 32-bit operations only. */
class Xoshiro implements RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number, purpose: string) {
    // Four words from a counter-based mix: never all zero because the mixes of four different inputs differ.
    const base = hashText(purpose, seed ^ 0x811c9dc5);
    this.#a = mix(base + 0x9e3779b9);
    this.#b = mix(base + 0x3c6ef372);
    this.#c = mix((seed | 0) + 0xdaa66d2b);
    this.#d = mix(base ^ 0x78dde6e4) | 1;
  }

  nextUint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return scrambled;
  }

  nextFraction(): number {
    return this.nextUint32() / 4_294_967_296;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Returns the stream of a purpose: same seed and purpose, same numbers. */
export function randomStream(seed: number, purpose: string): RandomStream {
  return new Xoshiro(seed, purpose);
}
