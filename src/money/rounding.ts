/** Integer division with a stated rounding, for amounts that may not be rounded by accident. Any thread. */

/** Returns numerator / denominator rounded towards negative infinity. The denominator is positive. */
export function divideDown(numerator: bigint, denominator: bigint): bigint {
  requirePositive(denominator);
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

/** Returns numerator / denominator rounded towards positive infinity. The denominator is positive. */
export function divideUp(numerator: bigint, denominator: bigint): bigint {
  return -divideDown(-numerator, denominator);
}

/** Returns numerator / denominator rounded to the nearest integer, ties to the even one. The denominator is positive. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const floor = divideDown(numerator, denominator);
  const twiceRest = 2n * (numerator - floor * denominator);
  if (twiceRest < denominator) return floor;
  if (twiceRest > denominator) return floor + 1n;
  return floor % 2n === 0n ? floor : floor + 1n;
}

function requirePositive(denominator: bigint): void {
  if (denominator <= 0n) throw new RangeError(`a denominator must be positive, was ${denominator}`);
}
