import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload, encodePayload, PayloadRefused } from '../../src/storage/payload.ts';

const plainValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.constantFrom('$bigint', '$', '$$bigint', '__proto__', '10', '2'),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('record'),
  ),
  record: fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('$bigint', '$', '$$bigint', '__proto__', '10', '2')),
    tie('value'),
    { maxKeys: 5 },
  ),
}));

describe('payload text', () => {
  it('gives back what was written, bigints and dollar keys included', () => {
    fc.assert(
      fc.property(plainValue.record, (payload) => {
        const record = Object.fromEntries(Object.entries(payload as Record<string, unknown>));
        expect(decodePayload(encodePayload(record))).toEqual(record);
      }),
    );
  });

  it('is the same for the same data in another order of keys', () => {
    expect(encodePayload({ b: 1, a: { d: 2n, c: 3 }, 10: 'x', 2: 'y' })).toBe(
      encodePayload({ 2: 'y', 10: 'x', a: { c: 3, d: 2n }, b: 1 }),
    );
  });

  it('is what JSON makes of data without marks and with its keys in order', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u2028', '\ud83d', '\udca9', 'a', 'é') }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true })))),
        (members) => {
          const ordered = members
            .filter(([key]) => !key.startsWith('$'))
            .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
          // An array index comes first in any object, whatever its text: only a list of pairs keeps an order.
          const written = [...new Map(ordered)].map(
            ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
          );
          expect(encodePayload(Object.fromEntries(ordered))).toBe(`{${written.join(',')}}`);
        },
      ),
    );
  });

  it('leaves undefined members out', () => {
    expect(encodePayload({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([
    ['not a number', { a: Number.NaN }, 'payload.a must be a finite number, was NaN'],
    ['a function', { a: [() => 1] }, 'payload.a[0] must be plain data, was a function'],
    ['an instance', { a: new Map() }, 'payload.a must be plain data, was an instance of a class'],
    ['a hole', { a: Array.from({ length: 1 }) }, 'payload.a[0] must be plain data, was a undefined'],
  ])('refuses %s and names its place', (_, payload, message) => {
    expect(() => encodePayload(payload)).toThrow(PayloadRefused);
    expect(() => encodePayload(payload)).toThrow(message);
  });

  it('refuses endless nesting', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(() => encodePayload(loop)).toThrow('must have at most 32 levels');
  });
});
