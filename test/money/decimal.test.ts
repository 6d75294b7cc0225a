import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { propertyRuns } from '../property-runs.ts';
import { formatDecimal, parseDecimal, parseShortDecimal, shortDecimalOf } from '../../src/money/decimal.ts';

describe('parseDecimal', () => {
  test.each([
    ['0', 6, 0n],
    ['-0', 6, 0n],
    ['1', 0, 1n],
    ['1.5', 1, 15n],
    ['-1.5', 3, -1_500n],
    ['.5', 1, 5n],
    ['5.', 1, 50n],
    ['007.10', 1, 71n],
    ['0.000', 1, 0n],
    ['123456789012345678901234567890.5', 1, 1_234_567_890_123_456_789_012_345_678_905n],
  ])('reads %j with %i decimals exactly', (text, decimals, units) => {
    expect(parseDecimal(text, decimals)).toBe(units);
  });

  test.each([
    '',
    '-',
    '.',
    '-.',
    '+1',
    ' 1',
    '1 ',
    '1e5',
    '1E5',
    '1,000',
    '0x10',
    '--1',
    '1.2.3',
    'NaN',
    'Infinity',
    '١',
    '1\n',
  ])('refuses %j, which is not plain decimal text', (text) => {
    expect(parseDecimal(text, 2)).toBeUndefined();
  });

  it('refuses digits finer than the scale instead of rounding them away', () => {
    expect(parseDecimal('1.005', 2)).toBeUndefined();
    expect(parseDecimal('1.5', 0)).toBeUndefined();
  });

  it('refuses text longer than 64 characters', () => {
    expect(parseDecimal('1'.repeat(64), 0)).toBe(BigInt('1'.repeat(64)));
    expect(parseDecimal('1'.repeat(65), 0)).toBeUndefined();
  });

  it('agrees with decimal.js on every decimal it accepts', () => {
    const Exact = Decimal.clone({ precision: 200 });
    const text = fc
      .tuple(fc.boolean(), fc.stringMatching(/^\d{1,20}$/), fc.stringMatching(/^\d{0,12}$/))
      .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`);
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 14 }), (value, decimals) => {
        const scaled = new Exact(value).times(new Exact(10).pow(decimals));
        expect(parseDecimal(value, decimals)).toBe(scaled.isInteger() ? BigInt(scaled.toFixed(0)) : undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatDecimal', () => {
  test.each([
    [0n, 0, '0'],
    [0n, 2, '0.00'],
    [5n, 2, '0.05'],
    [-5n, 2, '-0.05'],
    [1_500n, 3, '1.500'],
    [-12n, 0, '-12'],
  ])('writes %i at scale %i as %s', (units, decimals, text) => {
    expect(formatDecimal(units, decimals)).toBe(text);
  });

  it('writes what parseDecimal reads back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: 0, max: 18 }),
        (units, decimals) => {
          expect(parseDecimal(formatDecimal(units, decimals), decimals)).toBe(units);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseShortDecimal', () => {
  const digits = fc.stringMatching(/^[0-9]{0,10}$/);
  const like = fc.oneof(
    fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.tuple(digits, fc.stringMatching(/^0{0,70}$/)).map(([whole, zeros]) => `${whole}.${zeros}`),
    digits,
    fc.string(),
    fc.constantFrom('', '.', '..', '1.2.3', '-1', '+1', '1e5', '0x1', '１', '1 '),
  );

  it('agrees with parseDecimal wherever it answers', () => {
    fc.assert(
      fc.property(like, fc.integer({ min: 0, max: 12 }), (text, decimals) => {
        const short = parseShortDecimal(text, decimals);
        if (short !== undefined) expect(parseDecimal(text, decimals)).toBe(BigInt(short));
      }),
      { numRuns: 5_000 },
    );
  });

  it('answers for every price and size of up to fifteen digits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc.integer({ min: 0, max: 12 }),
        (units, decimals) => {
          expect(parseShortDecimal(formatDecimal(BigInt(units), decimals), decimals)).toBe(
            formatDecimal(BigInt(units), decimals).replace('.', '').length > 15 ? undefined : units,
          );
        },
      ),
    );
  });
});

describe('shortDecimalOf', () => {
  const decimalsOf = fc.integer({ min: 0, max: 10 });

  it('agrees with the text of the number wherever it answers', () => {
    const number = fc.oneof(fc.double({ noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(number, decimalsOf, (value, decimals) => {
        const short = shortDecimalOf(value, decimals);
        if (short === undefined) return;
        const text = new Decimal(value).toFixed();
        expect(parseDecimal(text, decimals), text).toBe(BigInt(short));
      }),
      propertyRuns(),
    );
  });

  it('answers for every price and size of up to fifteen digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 15 - 1 }), decimalsOf, (units, decimals) => {
        expect(shortDecimalOf(Number(formatDecimal(BigInt(units), decimals)), decimals)).toBe(units);
      }),
      propertyRuns(),
    );
  });

  test.each([0.1 + 0.2, 1e15, 2 ** 53, -1, Number.NaN, Infinity])('has no answer for %d', (value) => {
    expect(shortDecimalOf(value, 1)).toBeUndefined();
  });
});
