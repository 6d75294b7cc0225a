/**
 * The curve ECgFp5, y^2 = x (x^2 + 2x + 263 z) over GF(p^5), in fractional coordinates x = X/Z and u = x/y = U/T. Pure; any thread.
 *
 * A base that is multiplied often (the generator, a registered key) gets a table of its multiples once; after that a
 * multiplication is 54 additions without doublings.
 */
import { inverse } from './goldilocks.ts';
import {
  addScaledQuintic,
  inverseQuintic,
  multiplyQuintic,
  QUINTIC_LIMBS,
  QuinticRegisters,
  scaleQuintic,
  squareRootQuintic,
} from './quintic.ts';
import type { Quintic } from './quintic.ts';

/** Prime order of the group. */
export const GROUP_ORDER =
  1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241n;

/** A point other than the neutral one. */
export interface CurvePoint {
  readonly x: Quintic;
  readonly u: Quintic;
}

const ONE: Quintic = [1n, 0n, 0n, 0n, 0n];
/** The curve's b, 263 z, as a factor of `scaleByZ`. */
const B = 263;

export const GENERATOR: CurvePoint = {
  x: [12883135586176881569n, 4356519642755055268n, 5248930565894896907n, 2165973894480315022n, 2448410071095648785n],
  u: [inverse(4n), 0n, 0n, 0n, 0n],
};

/** Reads a point from its encoding w = 1/u; undefined for the neutral point and for what encodes no point. */
export function decodePoint(w: Quintic): CurvePoint | undefined {
  const [w0, w1, w2, w3, w4] = multiplyQuintic(w, w);
  const sum: Quintic = [w0 - 2n, w1, w2, w3, w4];
  const discriminant = addScaledQuintic(multiplyQuintic(sum, sum), -4n * BigInt(B), [0n, 1n, 0n, 0n, 0n]);
  const root = squareRootQuintic(discriminant);
  if (root === undefined || w.every((coefficient) => coefficient === 0n)) return undefined;
  const first = scaleQuintic(addScaledQuintic(sum, 1n, root), inverse(2n));
  const x =
    squareRootQuintic(first) === undefined ? first : scaleQuintic(addScaledQuintic(sum, -1n, root), inverse(2n));
  return { x, u: inverseQuintic(w) };
}

const WINDOW_BITS = 6;
/** Digits run from -31 to 32; negative ones use the negated point. */
const ENTRIES_PER_WINDOW = 32;
/** 319 bits of scalar and one of carry. */
const WINDOWS = 54;
const ENTRIES = WINDOWS * ENTRIES_PER_WINDOW;
/** An entry is x and u. */
const ENTRY_DOUBLES = 2 * QUINTIC_LIMBS;

/**
 * Multiples of one base: entry [window][digit - 1] is digit x 64^window x base. About 0.4 MB, built in some 10 ms at its first use:
 * many threads load this code, few of them sign or verify.
 */
export class MultiplesTable {
  readonly #base: CurvePoint;
  #entries: Float64Array | undefined;

  constructor(base: CurvePoint) {
    this.#base = base;
  }

  get entries(): Float64Array {
    this.#entries ??= buildEntries(this.#base);
    return this.#entries;
  }
}

/** Returns the encoding of the sum of scalar x base over all terms; 0 for the neutral point. Scalars are 0 to GROUP_ORDER - 1. */
export function encodeSumOfMultiples(
  terms: readonly { readonly scalar: bigint; readonly table: MultiplesTable }[],
): Quintic {
  const curve = new CurveRegisters(2);
  const [sum, entry] = [curve.point(0), curve.point(1)];
  curve.registers.write(sum + Z, ONE);
  curve.registers.write(sum + T, ONE);
  for (const { scalar, table } of terms) {
    const { entries } = table;
    signedDigits(scalar).forEach((digit, window) => {
      if (digit === 0) return;
      const from = (window * ENTRIES_PER_WINDOW + Math.abs(digit) - 1) * ENTRY_DOUBLES;
      const { memory } = curve.registers;
      const sign = Math.sign(digit);
      for (let limb = 0; limb < QUINTIC_LIMBS; limb++) {
        memory[entry + X + limb] = entries[from + limb] ?? 0;
        memory[entry + U + limb] = sign * (entries[from + QUINTIC_LIMBS + limb] ?? 0);
      }
      curve.addAffine(sum, entry);
    });
  }
  return multiplyQuintic(curve.registers.read(sum + T), inverseQuintic(curve.registers.read(sum + U)));
}

/** Digits from -31 to 32 of a scalar in base 64, least significant first. */
function signedDigits(scalar: bigint): number[] {
  const digits: number[] = [];
  let carry = 0;
  // Five windows at a time fit a small integer.
  for (let rest = scalar; digits.length < WINDOWS; rest >>= 30n) {
    let chunk = Number(rest & 0x3fff_ffffn);
    for (let index = 0; index < 5 && digits.length < WINDOWS; index++) {
      const digit = (chunk & 63) + carry;
      carry = digit > ENTRIES_PER_WINDOW ? 1 : 0;
      digits.push(digit - carry * 2 ** WINDOW_BITS);
      chunk >>>= WINDOW_BITS;
    }
  }
  return digits;
}

/** Places of the coordinates within a point. */
const X = 0;
const Z = QUINTIC_LIMBS;
const U = 2 * QUINTIC_LIMBS;
const T = 3 * QUINTIC_LIMBS;
const POINT_DOUBLES = 4 * QUINTIC_LIMBS;
const POINT_REGISTERS = 4;
const SCRATCH_REGISTERS = 10;

/** Points in registers, and the complete addition on them. */
class CurveRegisters {
  readonly registers: QuinticRegisters;
  readonly #scratch: number;

  constructor(points: number) {
    this.registers = new QuinticRegisters(points * POINT_REGISTERS + SCRATCH_REGISTERS);
    this.#scratch = points * POINT_DOUBLES;
  }

  point(index: number): number {
    return index * POINT_DOUBLES;
  }

  /** sum += other, where other has Z = T = 1 (they are not read). */
  addAffine(sum: number, other: number): void {
    const r = this.registers;
    const t1 = this.#scratch;
    const t3 = t1 + QUINTIC_LIMBS;
    const t5 = t3 + QUINTIC_LIMBS;
    const t6 = t5 + QUINTIC_LIMBS;
    r.multiply(t1, sum + X, other + X);
    r.multiply(t3, sum + U, other + U);
    r.multiply(t5, sum + Z, other + X);
    r.add(t5, t5, sum + X);
    r.multiply(t6, sum + T, other + U);
    r.add(t6, t6, sum + U);
    this.#finish(sum, sum + Z, sum + T);
  }

  /** to = left + right; `to` may be one of them. */
  add(to: number, left: number, right: number): void {
    const r = this.registers;
    const t1 = this.#scratch;
    const t3 = t1 + QUINTIC_LIMBS;
    const t5 = t3 + QUINTIC_LIMBS;
    const t6 = t5 + QUINTIC_LIMBS;
    const t2 = t6 + 4 * QUINTIC_LIMBS;
    const t4 = t2 + QUINTIC_LIMBS;
    r.multiply(t1, left + X, right + X);
    r.multiply(t2, left + Z, right + Z);
    r.multiply(t3, left + U, right + U);
    r.multiply(t4, left + T, right + T);
    // X1 Z2 + X2 Z1 and U1 T2 + U2 T1; four products cost less here than reducing the sums of the three-product form.
    r.multiply(t5, left + X, right + Z);
    r.multiply(t6, left + Z, right + X);
    r.add(t5, t5, t6);
    r.multiply(t6, left + U, right + T);
    r.multiply(to + X, left + T, right + U);
    r.add(t6, t6, to + X);
    this.#finish(to, t2, t4);
  }

  /** The second half of the addition, from t1, t3, t5, t6 in the scratch registers and t2, t4 where they are. */
  #finish(to: number, t2: number, t4: number): void {
    const r = this.registers;
    const t1 = this.#scratch;
    const t3 = t1 + QUINTIC_LIMBS;
    const t5 = t3 + QUINTIC_LIMBS;
    const t6 = t5 + QUINTIC_LIMBS;
    const t7 = t6 + QUINTIC_LIMBS;
    const t8 = t7 + QUINTIC_LIMBS;
    const t9 = t8 + QUINTIC_LIMBS;
    const last = t9 + 3 * QUINTIC_LIMBS;
    r.scaleByZ(last, B, t2);
    r.subtract(to + U, last, t1);
    r.multiply(to + U, t6, to + U);
    r.add(t7, t1, last);
    r.multiply(t8, t4, t7);
    r.scaleByZ(t9, 2 * B, t5);
    r.combine(t9, 1, t9, 2, t7);
    r.multiply(t9, t3, t9);
    r.combine(t5, 1, t5, 1, t7);
    r.combine(t3, 1, t4, 2, t3);
    r.multiply(t5, t3, t5);
    r.subtract(t5, t5, t8);
    r.scaleByZ(to + X, B, t5);
    r.subtract(to + Z, t8, t9);
    r.add(to + T, t8, t9);
  }
}

function buildEntries(base: CurvePoint): Float64Array {
  const curve = new CurveRegisters(ENTRIES + 1);
  const r = curve.registers;
  const power = curve.point(ENTRIES);
  r.write(power + X, base.x);
  r.write(power + Z, ONE);
  r.write(power + U, base.u);
  r.write(power + T, ONE);
  for (let window = 0; window < WINDOWS; window++) {
    const first = curve.point(window * ENTRIES_PER_WINDOW);
    r.memory.copyWithin(first, power, power + POINT_DOUBLES);
    for (let index = 1; index < ENTRIES_PER_WINDOW; index++) {
      curve.add(first + index * POINT_DOUBLES, first + (index - 1) * POINT_DOUBLES, power);
    }
    const last = first + (ENTRIES_PER_WINDOW - 1) * POINT_DOUBLES;
    curve.add(power, last, last);
  }
  return affineEntries(r.memory);
}

/** Divides X by Z and U by T in every entry, with one inversion for all of them: no multiple of a base of prime order has T = 0. */
function affineEntries(points: Float64Array): Float64Array {
  const entries = new Float64Array(ENTRIES * ENTRY_DOUBLES);
  const r = new QuinticRegisters(ENTRIES + 8);
  const place = (index: number): number => (ENTRIES + index) * QUINTIC_LIMBS;
  const [x, z, u, t, product, rest, share] = [0, 1, 2, 3, 4, 5, 6].map(place);
  if (x === undefined || z === undefined || u === undefined || t === undefined)
    throw new Error('registers are laid out');
  if (product === undefined || rest === undefined || share === undefined) throw new Error('registers are laid out');
  const load = (index: number): void => {
    const from = index * POINT_DOUBLES;
    for (let limb = 0; limb < POINT_DOUBLES; limb++) r.memory[x + limb] = points[from + limb] ?? 0;
    r.multiply(product, z, t);
  };
  // Register i holds the product of Z T of all entries before i.
  r.write(0, ONE);
  for (let index = 0; index < ENTRIES; index++) {
    load(index);
    r.multiply(index + 1 < ENTRIES ? (index + 1) * QUINTIC_LIMBS : rest, index * QUINTIC_LIMBS, product);
  }
  r.write(rest, inverseQuintic(r.read(rest)));
  for (let index = ENTRIES - 1; index >= 0; index--) {
    load(index);
    r.multiply(share, rest, index * QUINTIC_LIMBS);
    r.multiply(rest, rest, product);
    r.multiply(x, x, t);
    r.multiply(x, x, share);
    r.multiply(u, u, z);
    r.multiply(u, u, share);
    const to = index * ENTRY_DOUBLES;
    for (let limb = 0; limb < QUINTIC_LIMBS; limb++) {
      entries[to + limb] = r.memory[x + limb] ?? 0;
      entries[to + QUINTIC_LIMBS + limb] = r.memory[u + limb] ?? 0;
    }
  }
  return entries;
}
