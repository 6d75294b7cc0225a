import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { divideDown, divideHalfEven, divideUp } from '../../src/money/rounding.ts';

const Exact = Decimal.clone({ precision: 200 });
const numerator = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const denominator = fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: 10n ** 15n }));

test.each([
  ['divideDown', divideDown, Decimal.ROUND_FLOOR],
  ['divideUp', divideUp, Decimal.ROUND_CEIL],
  ['divideHalfEven', divideHalfEven, Decimal.ROUND_HALF_EVEN],
] as const)('%s agrees with decimal.js', (_name, divide, rounding) => {
  fc.assert(
    fc.property(numerator, denominator, (above, below) => {
      // Exact value first: 200 digits cannot lose a tie of numbers this size.
      const oracle = new Exact(above.toString()).div(below.toString()).toDecimalPlaces(0, rounding);
      expect(divide(above, below)).toBe(BigInt(oracle.toFixed(0)));
    }),
    { numRuns: 500 },
  );
});

it('rounds ties to the even neighbour on both sides of zero', () => {
  expect([5n, 15n, 25n, -5n, -15n, -25n].map((value) => divideHalfEven(value, 10n))).toEqual([
    0n,
    2n,
    2n,
    0n,
    -2n,
    -2n,
  ]);
});

it('refuses a denominator that is not positive', () => {
  expect(() => divideDown(1n, 0n)).toThrow('a denominator must be positive, was 0');
  expect(() => divideHalfEven(1n, -2n)).toThrow('a denominator must be positive, was -2');
});
