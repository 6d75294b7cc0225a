import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { MESSAGE_BYTES_MAX, MessageCodec, MessageRefused } from '../../src/runtime/codec.ts';

function roundTrip(message: MessageShape & Record<string, unknown>): unknown {
  const codec = new MessageCodec();
  const bytes = codec.encode(message).slice();
  return codec.decode(bytes, 0, bytes.length);
}

describe('the codec', () => {
  it.each([0n, 1n, -1n, 42n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n])(
    'brings the bigint %s back as a bigint',
    (amount) => {
      expect(roundTrip({ type: 'money', amount })).toEqual({ type: 'money', amount });
    },
  );

  it('brings numbers back as numbers, up to the largest safe integer', () => {
    const numbers = [0, 1.5, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e300, Infinity];
    expect(roundTrip({ type: 'numbers', numbers })).toEqual({ type: 'numbers', numbers });
  });

  it('brings any plain data back unchanged', () => {
    const plain = fc.letrec<{ readonly value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        // Negative zero comes back as zero.
        fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
        fc.integer(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 5, noNullPrototype: true },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(plain, (value) => {
        expect(roundTrip({ type: 'any', value })).toEqual({ type: 'any', value });
      }),
      { numRuns: 300 },
    );
  });

  it('writes MessagePack that any other decoder reads', () => {
    expect(unpack(new MessageCodec().encode({ type: 'price', value: 1.25 } as MessageShape))).toEqual({
      type: 'price',
      value: 1.25,
    });
  });

  it('decodes bytes that lie in the middle of a buffer and copies binary fields out of it', () => {
    const codec = new MessageCodec();
    const bytes = codec.encode({ type: 'binary', blob: Uint8Array.of(1, 2, 3), text: 'x'.repeat(300) } as MessageShape);
    const scratch = new Uint8Array(1_000);
    scratch.set(bytes, 200);
    const message = codec.decode(scratch, 200, 200 + bytes.length);
    scratch.fill(0);
    expect(message).toMatchObject({ blob: Uint8Array.of(1, 2, 3), text: 'x'.repeat(300) });
  });

  it('refuses integers beyond 64 bits, naming the message', () => {
    expect(() => roundTrip({ type: 'money', amount: 2n ** 64n })).toThrow(MessageRefused);
    expect(() => roundTrip({ type: 'money', amount: 2n ** 64n })).toThrow(
      /"money" must be plain data with integers of at most 64 bits/,
    );
  });

  it('refuses messages beyond 16 MiB with both sizes, and works on', () => {
    const codec = new MessageCodec();
    expect(() => codec.encode({ type: 'huge', text: 'x'.repeat(MESSAGE_BYTES_MAX) } as MessageShape)).toThrow(
      /"huge" must have at most 16777216 bytes, has/,
    );
    expect(unpack(codec.encode({ type: 'small' }))).toEqual({ type: 'small' });
  });

  it('refuses bytes that are no message', () => {
    const codec = new MessageCodec();
    for (const bytes of [Uint8Array.of(0xc0), Uint8Array.of(0x81, 0xa1), Uint8Array.of(0x05)]) {
      expect(() => codec.decode(bytes, 0, bytes.length)).toThrow(MessageRefused);
    }
  });

  it('hands over frozen copies when isolation is checked', () => {
    const original = { type: 'list', items: [{ amount: 1n }] };
    const copy = new MessageCodec().isolate(original) as typeof original;
    expect(copy).toEqual(original);
    expect(copy.items).not.toBe(original.items);
    expect(() => copy.items.push({ amount: 2n })).toThrow(TypeError);
  });
});
