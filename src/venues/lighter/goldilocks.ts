/**
 * Arithmetic modulo p = 2^64 - 2^32 + 1 on doubles, for signing and hashing. Any thread.
 *
 * An element is three limbs in a Float64Array, least significant first, in base 2^22 (the last one holds 20 bits):
 *
 *     limbs[at] + limbs[at + 1] * 2^22 + limbs[at + 2] * 2^44
 *
 * Products of limbs stay below 2^53 even when dozens are summed, so a whole product of polynomials is accumulated in plain
 * floating-point additions and reduced once. Limbs may be negative and a little too large: sums and differences are taken limb
 * by limb without reducing. With BigInt one signature took 4 ms, this way 0.2 ms.
 */

export const GOLDILOCKS_PRIME = 0xffff_ffff_0000_0001n;
/** Doubles per element. */
export const LIMBS = 3;
/** Doubles per unreduced product: weights 1, 2^22, 2^44, 2^66, 2^88. */
export const COLUMNS = 5;

const BASE = 2 ** 22;
const TOP = 2 ** 20;

/** Writes an integer from 0 to 2^64 - 1. */
export function writeElement(limbs: Float64Array, at: number, value: bigint): void {
  limbs[at] = Number(value & 0x3f_ffffn);
  limbs[at + 1] = Number((value >> 22n) & 0x3f_ffffn);
  limbs[at + 2] = Number(value >> 44n);
}

/** Returns the canonical value, 0 to p - 1, of limbs in any range an operation leaves or a sum of them has. */
export function readElement(limbs: Float64Array, at: number): bigint {
  const value = BigInt(limbs[at] ?? 0) + (BigInt(limbs[at + 1] ?? 0) << 22n) + (BigInt(limbs[at + 2] ?? 0) << 44n);
  return modulo(value);
}

/**
 * Reduces five columns to an element. Columns may be negative and must be below 2^51.5 in size (the third 2^50.5, the last 2^49).
 * The element's limbs are at most 2^13 outside their range.
 */
export function reduceColumns(columns: Float64Array, from: number, limbs: Float64Array, to: number): void {
  const c3 = columns[from + 3] ?? 0;
  const c4 = columns[from + 4] ?? 0;
  // 2^66 = 2^34 - 4 and 2^88 = 2^56 - 2^24 mod p; high parts are split off where they would leave their column.
  const c3High = Math.floor(c3 * (1 / 1024));
  const c4High = Math.floor(c4 * (1 / 256));
  const e0 = (columns[from] ?? 0) - 4 * c3 - c4High;
  let e1 = (columns[from + 1] ?? 0) + (c3 - c3High * 1024) * 4096 - 4 * c4 + c4High * 1024;
  let e2 = (columns[from + 2] ?? 0) + c3High + (c4 - c4High * 256) * 4096;

  let carry = Math.floor(e0 * (1 / BASE));
  let d0 = e0 - carry * BASE;
  e1 += carry;
  carry = Math.floor(e1 * (1 / BASE));
  let d1 = e1 - carry * BASE;
  e2 += carry;
  // What passes 2^64 returns as 2^32 - 1.
  carry = Math.floor(e2 * (1 / TOP));
  let d2 = e2 - carry * TOP;
  d0 -= carry;
  d1 += carry * 1024;

  carry = Math.floor(d0 * (1 / BASE));
  d0 -= carry * BASE;
  d1 += carry;
  carry = Math.floor(d1 * (1 / BASE));
  d1 -= carry * BASE;
  d2 += carry;
  // Now only a few units are left to fold: they stay in the lower limbs as their slack.
  carry = Math.floor(d2 * (1 / TOP));
  limbs[to] = d0 - carry;
  limbs[to + 1] = d1 + carry * 1024;
  limbs[to + 2] = d2 - carry * TOP;
}

/** Multiplies two elements; operands may be sums or differences of two. `columns` is scratch. */
export function multiplyElements(
  columns: Float64Array,
  result: Float64Array,
  to: number,
  left: Float64Array,
  i: number,
  right: Float64Array,
  j: number,
): void {
  const a0 = left[i] ?? 0;
  const a1 = left[i + 1] ?? 0;
  const a2 = left[i + 2] ?? 0;
  const b0 = right[j] ?? 0;
  const b1 = right[j + 1] ?? 0;
  const b2 = right[j + 2] ?? 0;
  columns[0] = a0 * b0;
  columns[1] = a0 * b1 + a1 * b0;
  columns[2] = a0 * b2 + a1 * b1 + a2 * b0;
  columns[3] = a1 * b2 + a2 * b1;
  columns[4] = a2 * b2;
  reduceColumns(columns, 0, result, to);
}

/** Returns the remainder from 0 to p - 1. */
export function modulo(value: bigint): bigint {
  const rest = value % GOLDILOCKS_PRIME;
  return rest < 0n ? rest + GOLDILOCKS_PRIME : rest;
}

/** Returns base^exponent mod p, for the few places where speed does not matter. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % GOLDILOCKS_PRIME;
    square = (square * square) % GOLDILOCKS_PRIME;
  }
  return result;
}

/** Returns 1 / value mod p; 0 for 0. */
export function inverse(value: bigint): bigint {
  let [above, below] = [GOLDILOCKS_PRIME, modulo(value)];
  let [previous, current] = [0n, 1n];
  if (below === 0n) return 0n;
  while (below !== 1n) {
    const quotient = above / below;
    [above, below] = [below, above - quotient * below];
    [previous, current] = [current, previous - quotient * current];
  }
  return modulo(current);
}

/** Returns a square root mod p, or undefined when there is none (Tonelli-Shanks; p - 1 is divisible by 2^32). */
export function squareRoot(value: bigint): bigint | undefined {
  const square = modulo(value);
  if (square === 0n) return 0n;
  if (power(square, (GOLDILOCKS_PRIME - 1n) / 2n) !== 1n) return undefined;
  const odd = (GOLDILOCKS_PRIME - 1n) >> 32n;
  let order = 32;
  // 7 generates the multiplicative group.
  let factor = power(7n, odd);
  let root = power(square, (odd + 1n) / 2n);
  let rest = power(square, odd);
  while (rest !== 1n) {
    let steps = 0;
    for (let probe = rest; probe !== 1n; probe = (probe * probe) % GOLDILOCKS_PRIME) steps += 1;
    const correction = power(factor, 1n << BigInt(order - steps - 1));
    root = (root * correction) % GOLDILOCKS_PRIME;
    factor = (correction * correction) % GOLDILOCKS_PRIME;
    rest = (rest * factor) % GOLDILOCKS_PRIME;
    order = steps;
  }
  return root;
}
