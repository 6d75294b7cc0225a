import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { parseJson } from '../../../src/venues/extended/json.ts';
import { httpDateMs, httpDateText, wireJson } from '../../../src/venues/extended/wire.ts';

it('writes and reads HTTP dates like the platform does, to the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const text = httpDateText(ms);
      expect(text).toBe(new Date(ms).toUTCString());
      expect(httpDateMs(text)).toBe(Math.floor(ms / 1000) * 1000);
    }),
  );
});

test.each(['', 'yesterday', '2026-01-01T00:00:00Z', 'Thu, 99 Foo 2026 00:00:00 GMT', 'Thu, 41 Jan 2026 00:00:00 GMT'])(
  'takes %j for no date',
  (text) => {
    expect(httpDateMs(text)).toBeUndefined();
  },
);

it('writes big integers as bare digits and reads them back as text, every digit kept', () => {
  const id = 2_051_479_786_538_188_801n;
  const text = wireJson({
    id,
    list: [id + 1n],
    text: 'say "1234567890123456789", [1234567890123456789]',
    gone: undefined,
  });
  expect(text).toContain('"id":2051479786538188801,');
  expect(parseJson(text, 'test')).toEqual({
    id: '2051479786538188801',
    list: ['2051479786538188802'],
    text: 'say "1234567890123456789", [1234567890123456789]',
  });
});

it('reads everything else exactly like JSON.parse', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const digits = /\d{16}/.test(text);
      fc.pre(!digits);
      expect(parseJson(text, 'test')).toEqual(JSON.parse(text));
    }),
  );
  expect(parseJson('{"a":0.12500000000000000000,"b":-1e21,"c":-1234567890123456789}', 'test')).toEqual({
    a: 0.125,
    b: -1e21,
    c: '-1234567890123456789',
  });
});

it('names where text that is no JSON came from', () => {
  expect(() => parseJson('{"a":', 'account')).toThrow('account must be JSON, was {"a":');
});
