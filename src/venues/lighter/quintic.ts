/**
 * The field GF(p^5) over Goldilocks, z^5 = 3, on doubles. Any thread.
 *
 * A computation owns one memory of registers; an element is five Goldilocks elements, 15 doubles, the coefficient of z^0 first.
 * Operations name registers by their place, so that nothing is allocated and one optimised loop serves all of them.
 */
import {
  COLUMNS,
  GOLDILOCKS_PRIME,
  inverse,
  LIMBS,
  modulo,
  power,
  readElement,
  reduceColumns,
  squareRoot,
  writeElement,
} from './goldilocks.ts';

/** Five canonical integers: coefficients of z^0 to z^4. */
export type Quintic = readonly [bigint, bigint, bigint, bigint, bigint];

const DEGREE = 5;
/** Doubles per element. */
export const QUINTIC_LIMBS = DEGREE * LIMBS;
/** 3^((p-1)/5): x -> x^p multiplies the coefficient of z^i by its i-th power. */
const FROBENIUS_ROOT = 1_041_288_259_238_279_555n;

/** Registers of one computation and the operations on them. Places are multiples of QUINTIC_LIMBS. */
export class QuinticRegisters {
  readonly memory: Float64Array;
  readonly #columns = new Float64Array(DEGREE * COLUMNS);

  constructor(count: number) {
    this.memory = new Float64Array(count * QUINTIC_LIMBS);
  }

  write(to: number, value: Quintic): void {
    for (let index = 0; index < DEGREE; index++) writeElement(this.memory, to + index * LIMBS, value[index] ?? 0n);
  }

  read(from: number): Quintic {
    const coefficient = (index: number): bigint => readElement(this.memory, from + index * LIMBS);
    return [coefficient(0), coefficient(1), coefficient(2), coefficient(3), coefficient(4)];
  }

  copy(to: number, from: number): void {
    this.memory.copyWithin(to, from, from + QUINTIC_LIMBS);
  }

  /** Limb by limb, not reduced: the result may be an operand of `multiply` or `scale` but not of another `add` or `subtract`. */
  add(to: number, left: number, right: number): void {
    const m = this.memory;
    for (let limb = 0; limb < QUINTIC_LIMBS; limb++) m[to + limb] = (m[left + limb] ?? 0) + (m[right + limb] ?? 0);
  }

  /** As `add`. */
  subtract(to: number, left: number, right: number): void {
    const m = this.memory;
    for (let limb = 0; limb < QUINTIC_LIMBS; limb++) m[to + limb] = (m[left + limb] ?? 0) - (m[right + limb] ?? 0);
  }

  /** Writes x * left + y * right, reduced; factors are whole numbers below 2^20 in size. */
  combine(to: number, x: number, left: number, y: number, right: number): void {
    const m = this.memory;
    const columns = this.#columns;
    columns[3] = 0;
    columns[4] = 0;
    for (let at = 0; at < QUINTIC_LIMBS; at += LIMBS) {
      columns[0] = x * (m[left + at] ?? 0) + y * (m[right + at] ?? 0);
      columns[1] = x * (m[left + at + 1] ?? 0) + y * (m[right + at + 1] ?? 0);
      columns[2] = x * (m[left + at + 2] ?? 0) + y * (m[right + at + 2] ?? 0);
      reduceColumns(columns, 0, m, to + at);
    }
  }

  /** Writes factor * z * from, reduced: multiplying by z rotates the coefficients, the last returns threefold. */
  scaleByZ(to: number, factor: number, from: number): void {
    const m = this.memory;
    const columns = this.#columns;
    for (let index = 0; index < DEGREE; index++) {
      const source = index === 0 ? from + (DEGREE - 1) * LIMBS : from + (index - 1) * LIMBS;
      const times = index === 0 ? 3 * factor : factor;
      const at = index * COLUMNS;
      columns[at] = times * (m[source] ?? 0);
      columns[at + 1] = times * (m[source + 1] ?? 0);
      columns[at + 2] = times * (m[source + 2] ?? 0);
      columns[at + 3] = 0;
      columns[at + 4] = 0;
    }
    this.#reduce(to);
  }

  /** Operands may be sums or differences of two reduced elements. Unrolled: as loops it takes three times as long. */
  multiply(to: number, left: number, right: number): void {
    const m = this.memory;
    const columns = this.#columns;
    const a00 = m[left] ?? 0;
    const a01 = m[left + 1] ?? 0;
    const a02 = m[left + 2] ?? 0;
    const a10 = m[left + 3] ?? 0;
    const a11 = m[left + 4] ?? 0;
    const a12 = m[left + 5] ?? 0;
    const a20 = m[left + 6] ?? 0;
    const a21 = m[left + 7] ?? 0;
    const a22 = m[left + 8] ?? 0;
    const a30 = m[left + 9] ?? 0;
    const a31 = m[left + 10] ?? 0;
    const a32 = m[left + 11] ?? 0;
    const a40 = m[left + 12] ?? 0;
    const a41 = m[left + 13] ?? 0;
    const a42 = m[left + 14] ?? 0;
    const b00 = m[right] ?? 0;
    const b01 = m[right + 1] ?? 0;
    const b02 = m[right + 2] ?? 0;
    const b10 = m[right + 3] ?? 0;
    const b11 = m[right + 4] ?? 0;
    const b12 = m[right + 5] ?? 0;
    const b20 = m[right + 6] ?? 0;
    const b21 = m[right + 7] ?? 0;
    const b22 = m[right + 8] ?? 0;
    const b30 = m[right + 9] ?? 0;
    const b31 = m[right + 10] ?? 0;
    const b32 = m[right + 11] ?? 0;
    const b40 = m[right + 12] ?? 0;
    const b41 = m[right + 13] ?? 0;
    const b42 = m[right + 14] ?? 0;
    columns[0] = a00 * b00 + 3 * (a10 * b40 + a20 * b30 + a30 * b20 + a40 * b10);
    columns[1] =
      a00 * b01 +
      a01 * b00 +
      3 * (a10 * b41 + a11 * b40 + a20 * b31 + a21 * b30 + a30 * b21 + a31 * b20 + a40 * b11 + a41 * b10);
    columns[2] =
      a00 * b02 +
      a01 * b01 +
      a02 * b00 +
      3 *
        (a10 * b42 +
          a11 * b41 +
          a12 * b40 +
          a20 * b32 +
          a21 * b31 +
          a22 * b30 +
          a30 * b22 +
          a31 * b21 +
          a32 * b20 +
          a40 * b12 +
          a41 * b11 +
          a42 * b10);
    columns[3] =
      a01 * b02 +
      a02 * b01 +
      3 * (a11 * b42 + a12 * b41 + a21 * b32 + a22 * b31 + a31 * b22 + a32 * b21 + a41 * b12 + a42 * b11);
    columns[4] = a02 * b02 + 3 * (a12 * b42 + a22 * b32 + a32 * b22 + a42 * b12);
    columns[5] = a00 * b10 + a10 * b00 + 3 * (a20 * b40 + a30 * b30 + a40 * b20);
    columns[6] =
      a00 * b11 +
      a01 * b10 +
      a10 * b01 +
      a11 * b00 +
      3 * (a20 * b41 + a21 * b40 + a30 * b31 + a31 * b30 + a40 * b21 + a41 * b20);
    columns[7] =
      a00 * b12 +
      a01 * b11 +
      a02 * b10 +
      a10 * b02 +
      a11 * b01 +
      a12 * b00 +
      3 * (a20 * b42 + a21 * b41 + a22 * b40 + a30 * b32 + a31 * b31 + a32 * b30 + a40 * b22 + a41 * b21 + a42 * b20);
    columns[8] =
      a01 * b12 +
      a02 * b11 +
      a11 * b02 +
      a12 * b01 +
      3 * (a21 * b42 + a22 * b41 + a31 * b32 + a32 * b31 + a41 * b22 + a42 * b21);
    columns[9] = a02 * b12 + a12 * b02 + 3 * (a22 * b42 + a32 * b32 + a42 * b22);
    columns[10] = a00 * b20 + a10 * b10 + a20 * b00 + 3 * (a30 * b40 + a40 * b30);
    columns[11] =
      a00 * b21 +
      a01 * b20 +
      a10 * b11 +
      a11 * b10 +
      a20 * b01 +
      a21 * b00 +
      3 * (a30 * b41 + a31 * b40 + a40 * b31 + a41 * b30);
    columns[12] =
      a00 * b22 +
      a01 * b21 +
      a02 * b20 +
      a10 * b12 +
      a11 * b11 +
      a12 * b10 +
      a20 * b02 +
      a21 * b01 +
      a22 * b00 +
      3 * (a30 * b42 + a31 * b41 + a32 * b40 + a40 * b32 + a41 * b31 + a42 * b30);
    columns[13] =
      a01 * b22 +
      a02 * b21 +
      a11 * b12 +
      a12 * b11 +
      a21 * b02 +
      a22 * b01 +
      3 * (a31 * b42 + a32 * b41 + a41 * b32 + a42 * b31);
    columns[14] = a02 * b22 + a12 * b12 + a22 * b02 + 3 * (a32 * b42 + a42 * b32);
    columns[15] = a00 * b30 + a10 * b20 + a20 * b10 + a30 * b00 + 3 * (a40 * b40);
    columns[16] =
      a00 * b31 +
      a01 * b30 +
      a10 * b21 +
      a11 * b20 +
      a20 * b11 +
      a21 * b10 +
      a30 * b01 +
      a31 * b00 +
      3 * (a40 * b41 + a41 * b40);
    columns[17] =
      a00 * b32 +
      a01 * b31 +
      a02 * b30 +
      a10 * b22 +
      a11 * b21 +
      a12 * b20 +
      a20 * b12 +
      a21 * b11 +
      a22 * b10 +
      a30 * b02 +
      a31 * b01 +
      a32 * b00 +
      3 * (a40 * b42 + a41 * b41 + a42 * b40);
    columns[18] =
      a01 * b32 +
      a02 * b31 +
      a11 * b22 +
      a12 * b21 +
      a21 * b12 +
      a22 * b11 +
      a31 * b02 +
      a32 * b01 +
      3 * (a41 * b42 + a42 * b41);
    columns[19] = a02 * b32 + a12 * b22 + a22 * b12 + a32 * b02 + 3 * (a42 * b42);
    columns[20] = a00 * b40 + a10 * b30 + a20 * b20 + a30 * b10 + a40 * b00;
    columns[21] =
      a00 * b41 +
      a01 * b40 +
      a10 * b31 +
      a11 * b30 +
      a20 * b21 +
      a21 * b20 +
      a30 * b11 +
      a31 * b10 +
      a40 * b01 +
      a41 * b00;
    columns[22] =
      a00 * b42 +
      a01 * b41 +
      a02 * b40 +
      a10 * b32 +
      a11 * b31 +
      a12 * b30 +
      a20 * b22 +
      a21 * b21 +
      a22 * b20 +
      a30 * b12 +
      a31 * b11 +
      a32 * b10 +
      a40 * b02 +
      a41 * b01 +
      a42 * b00;
    columns[23] =
      a01 * b42 +
      a02 * b41 +
      a11 * b32 +
      a12 * b31 +
      a21 * b22 +
      a22 * b21 +
      a31 * b12 +
      a32 * b11 +
      a41 * b02 +
      a42 * b01;
    columns[24] = a02 * b42 + a12 * b32 + a22 * b22 + a32 * b12 + a42 * b02;
    this.#reduce(to);
  }

  #reduce(to: number): void {
    for (let index = 0; index < DEGREE; index++)
      reduceColumns(this.#columns, index * COLUMNS, this.memory, to + index * LIMBS);
  }
}

// What happens once per signature or key may be slow: plain integers.

/** Returns the product. */
export function multiplyQuintic(left: Quintic, right: Quintic): Quintic {
  const product = [0n, 0n, 0n, 0n, 0n];
  left.forEach((a, i) => {
    right.forEach((b, j) => {
      const index = (i + j) % DEGREE;
      product[index] = (product[index] ?? 0n) + a * b * (i + j >= DEGREE ? 3n : 1n);
    });
  });
  const [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n, c4 = 0n] = product.map(modulo);
  return [c0, c1, c2, c3, c4];
}

/** Returns value^(p^times). */
function frobenius(value: Quintic, times: number): Quintic {
  const root = power(FROBENIUS_ROOT, BigInt(times));
  const [c0, c1, c2, c3, c4] = value;
  const r2 = modulo(root * root);
  return [c0, modulo(c1 * root), modulo(c2 * r2), modulo(c3 * r2 * root), modulo(c4 * r2 * r2)];
}

/** Returns 1 / value; 0 for 0. By the norm: value^(1 + p + p^2 + p^3 + p^4) lies in GF(p). */
export function inverseQuintic(value: Quintic): Quintic {
  const first = multiplyQuintic(frobenius(value, 1), frobenius(value, 2));
  const conjugates = multiplyQuintic(first, frobenius(first, 2));
  const [norm] = multiplyQuintic(value, conjugates);
  return scaleQuintic(conjugates, inverse(norm));
}

/** Returns a square root, or undefined when there is none. */
export function squareRootQuintic(value: Quintic): Quintic | undefined {
  // value^((p^4 + p^3 + p^2 + p) / 2), from value^((p + 1) / 2); its square times the value is the norm.
  const half = powerQuintic(value, (GOLDILOCKS_PRIME + 1n) / 2n);
  const root = frobenius(multiplyQuintic(half, frobenius(half, 2)), 1);
  const [norm] = multiplyQuintic(multiplyQuintic(root, root), value);
  const normRoot = squareRoot(norm);
  return normRoot === undefined ? undefined : scaleQuintic(inverseQuintic(root), normRoot);
}

function powerQuintic(base: Quintic, exponent: bigint): Quintic {
  let result: Quintic = [1n, 0n, 0n, 0n, 0n];
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiplyQuintic(result, square);
    square = multiplyQuintic(square, square);
  }
  return result;
}

/** Returns the product with an element of GF(p). */
export function scaleQuintic(value: Quintic, factor: bigint): Quintic {
  const [c0, c1, c2, c3, c4] = value;
  return [modulo(c0 * factor), modulo(c1 * factor), modulo(c2 * factor), modulo(c3 * factor), modulo(c4 * factor)];
}

/** Returns left + factor * right. */
export function addScaledQuintic(left: Quintic, factor: bigint, right: Quintic): Quintic {
  const sum = (index: number): bigint => modulo((left[index] ?? 0n) + factor * (right[index] ?? 0n));
  return [sum(0), sum(1), sum(2), sum(3), sum(4)];
}
