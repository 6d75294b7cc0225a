import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BOOT_MAX,
  COUNTER_MAX,
  SYMBOL_INDEX_MAX,
  decodeClientOrderId,
  encodeClientOrderId,
} from '../../src/execution/client-order-id.ts';

const parts = fc.record({
  boot: fc.integer({ min: 1, max: BOOT_MAX }),
  symbolIndex: fc.integer({ min: 0, max: SYMBOL_INDEX_MAX }),
  counter: fc.integer({ min: 1, max: COUNTER_MAX }),
});

describe('client order ids', () => {
  it('give back the parts they were made of, within 48 bits', () => {
    fc.assert(
      fc.property(parts, (made) => {
        const text = encodeClientOrderId(made);
        expect(BigInt(text)).toBeGreaterThan(0n);
        expect(BigInt(text)).toBeLessThan(1n << 48n);
        expect(decodeClientOrderId(text)).toEqual(made);
      }),
    );
  });

  it('grow with the boot number, so that a later life never repeats an earlier one', () => {
    const last = encodeClientOrderId({ boot: 7, symbolIndex: SYMBOL_INDEX_MAX, counter: COUNTER_MAX });
    const next = encodeClientOrderId({ boot: 8, symbolIndex: 0, counter: 1 });
    expect(BigInt(next)).toBeGreaterThan(BigInt(last));
  });

  it.each([
    { boot: 0, symbolIndex: 0, counter: 1 },
    { boot: BOOT_MAX + 1, symbolIndex: 0, counter: 1 },
    { boot: 1, symbolIndex: SYMBOL_INDEX_MAX + 1, counter: 1 },
    { boot: 1, symbolIndex: 0, counter: 0 },
    { boot: 1, symbolIndex: 0, counter: COUNTER_MAX + 1 },
    { boot: 1.5, symbolIndex: 0, counter: 1 },
  ])('refuse parts that do not fit instead of wrapping round: %j', (made) => {
    expect(() => encodeClientOrderId(made)).toThrow(/must be a whole number/);
  });

  it.each(['', '0', '-1', '1e5', '007', 'abc', '281474976710656', '5', '1048576'])(
    'are not recognised in %j',
    (text) => {
      expect(decodeClientOrderId(text)).toBeUndefined();
    },
  );
});
