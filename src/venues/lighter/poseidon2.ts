/** The Poseidon2 hash over Goldilocks elements, as Lighter signs with it. Pure; any thread. */
import { COLUMNS, LIMBS, multiplyElements, readElement, reduceColumns, writeElement } from './goldilocks.ts';
import {
  EXTERNAL_ROUND_CONSTANTS,
  FULL_ROUNDS,
  INTERNAL_DIAGONAL,
  INTERNAL_ROUND_CONSTANTS,
  PARTIAL_ROUNDS,
  RATE,
  WIDTH,
} from './poseidon2-constants.ts';

const STATE = WIDTH * LIMBS;
const externalConstants = elements(EXTERNAL_ROUND_CONSTANTS);
const internalConstants = elements(INTERNAL_ROUND_CONSTANTS);
const diagonal = elements(INTERNAL_DIAGONAL);

function elements(hexadecimal: readonly string[]): Float64Array {
  const limbs = new Float64Array(hexadecimal.length * LIMBS);
  hexadecimal.forEach((digits, index) => writeElement(limbs, index * LIMBS, BigInt(`0x${digits}`)));
  return limbs;
}

/**
 * Hashes integers (each taken mod p, below 2^64) to `count` elements, at most 8, canonical. The sponge overwrites the first
 * elements of its state with each chunk of up to 8 and has no padding: no input at all gives zeros.
 */
export function hashElements(input: readonly bigint[], count: number): bigint[] {
  const permutation = new Permutation();
  for (let start = 0; start < input.length; start += RATE) {
    input.slice(start, start + RATE).forEach((value, index) => permutation.set(index, value));
    permutation.run();
  }
  return Array.from({ length: count }, (_, index) => permutation.get(index));
}

/** One state of twelve elements and its scratch memory. */
export class Permutation {
  readonly #state = new Float64Array(STATE);
  readonly #next = new Float64Array(STATE);
  readonly #columns = new Float64Array(COLUMNS);
  readonly #powers = new Float64Array(2 * LIMBS);

  set(index: number, value: bigint): void {
    writeElement(this.#state, index * LIMBS, value);
  }

  get(index: number): bigint {
    return readElement(this.#state, index * LIMBS);
  }

  run(): void {
    this.#mixExternal();
    for (let round = 0; round < FULL_ROUNDS / 2; round++) this.#fullRound(round);
    for (let round = 0; round < PARTIAL_ROUNDS; round++) this.#partialRound(round);
    for (let round = FULL_ROUNDS / 2; round < FULL_ROUNDS; round++) this.#fullRound(round);
  }

  #fullRound(round: number): void {
    const state = this.#state;
    const from = round * STATE;
    for (let at = 0; at < STATE; at++) state[at] = (state[at] ?? 0) + (externalConstants[from + at] ?? 0);
    for (let at = 0; at < STATE; at += LIMBS) this.#seventhPower(at);
    this.#mixExternal();
  }

  #partialRound(round: number): void {
    const state = this.#state;
    for (let limb = 0; limb < LIMBS; limb++) {
      state[limb] = (state[limb] ?? 0) + (internalConstants[round * LIMBS + limb] ?? 0);
    }
    this.#seventhPower(0);
    this.#mixInternal();
  }

  #seventhPower(at: number): void {
    const state = this.#state;
    const columns = this.#columns;
    const powers = this.#powers;
    multiplyElements(columns, powers, 0, state, at, state, at);
    multiplyElements(columns, powers, LIMBS, powers, 0, state, at);
    multiplyElements(columns, powers, 0, powers, 0, powers, 0);
    multiplyElements(columns, state, at, powers, 0, powers, LIMBS);
  }

  /** Blocks of four are mixed by a fixed 4 x 4 matrix, then every element receives the sum of its place over all blocks. */
  #mixExternal(): void {
    const state = this.#state;
    const next = this.#next;
    for (let limb = 0; limb < LIMBS; limb++) {
      let sumA = 0;
      let sumB = 0;
      let sumC = 0;
      let sumD = 0;
      for (let at = limb; at < STATE; at += 4 * LIMBS) {
        const a = state[at] ?? 0;
        const b = state[at + LIMBS] ?? 0;
        const c = state[at + 2 * LIMBS] ?? 0;
        const d = state[at + 3 * LIMBS] ?? 0;
        const total = a + b + c + d;
        sumA += next[at] = total + a + 2 * b;
        sumB += next[at + LIMBS] = total + b + 2 * c;
        sumC += next[at + 2 * LIMBS] = total + c + 2 * d;
        sumD += next[at + 3 * LIMBS] = total + d + 2 * a;
      }
      for (let at = limb; at < STATE; at += 4 * LIMBS) {
        next[at] = (next[at] ?? 0) + sumA;
        next[at + LIMBS] = (next[at + LIMBS] ?? 0) + sumB;
        next[at + 2 * LIMBS] = (next[at + 2 * LIMBS] ?? 0) + sumC;
        next[at + 3 * LIMBS] = (next[at + 3 * LIMBS] ?? 0) + sumD;
      }
    }
    const columns = this.#columns;
    columns[3] = 0;
    columns[4] = 0;
    for (let at = 0; at < STATE; at += LIMBS) {
      columns[0] = next[at] ?? 0;
      columns[1] = next[at + 1] ?? 0;
      columns[2] = next[at + 2] ?? 0;
      reduceColumns(columns, 0, state, at);
    }
  }

  /** Every element becomes its diagonal factor times itself, plus the sum of all. */
  #mixInternal(): void {
    const state = this.#state;
    const columns = this.#columns;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    for (let at = 0; at < STATE; at += LIMBS) {
      sum0 += state[at] ?? 0;
      sum1 += state[at + 1] ?? 0;
      sum2 += state[at + 2] ?? 0;
    }
    for (let at = 0; at < STATE; at += LIMBS) {
      const s0 = state[at] ?? 0;
      const s1 = state[at + 1] ?? 0;
      const s2 = state[at + 2] ?? 0;
      const f0 = diagonal[at] ?? 0;
      const f1 = diagonal[at + 1] ?? 0;
      const f2 = diagonal[at + 2] ?? 0;
      columns[0] = s0 * f0 + sum0;
      columns[1] = s0 * f1 + s1 * f0 + sum1;
      columns[2] = s0 * f2 + s1 * f1 + s2 * f0 + sum2;
      columns[3] = s1 * f2 + s2 * f1;
      columns[4] = s2 * f2;
      reduceColumns(columns, 0, state, at);
    }
  }
}
