import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { CODEC, MessageCodec } from '../../src/runtime/codec.ts';
import {
  FieldReader,
  FieldWriter,
  MessageTemplate,
  type AnyShape,
  type Shape,
} from '../../src/runtime/message-template.ts';
import { MessageTypes } from '../../src/runtime/message-types.ts';
import { connectorEventDelivery } from '../../actors/connector-messages.ts';
import { decodeAll } from './fixtures/plain-msgpack.ts';

interface Quote {
  readonly type: 'quote';
  readonly symbol: string;
  readonly bidTicks: number;
  readonly feeMicro: bigint;
  readonly isFinal: boolean;
  readonly levels: readonly (readonly [number, number])[];
  readonly source: { readonly venue: string; readonly atMs: number };
  readonly note?: string;
}

const quoteShape: Shape<Quote> = (f, quote) =>
  'note' in quote
    ? undefined
    : {
        type: 'quote',
        symbol: f.text(quote.symbol),
        bidTicks: f.number(quote.bidTicks),
        feeMicro: f.bigint(quote.feeMicro),
        isFinal: f.boolean(quote.isFinal),
        levels: f.pairs(quote.levels),
        source: { venue: f.text(quote.source.venue), atMs: f.number(quote.source.atMs) },
      };

const QUOTE: Quote = {
  type: 'quote',
  symbol: 'BTC-PERP',
  bidTicks: 6_543_210,
  feeMicro: -12n,
  isFinal: true,
  levels: [
    [1, 2.5],
    [-3, 4e300],
  ],
  source: { venue: 'extended', atMs: 0.125 },
};

const AT = 37;

/** Returns the bytes of a message by its template, written at an odd place in shared memory; undefined when it has none. */
function encode(shape: AnyShape, message: MessageShape, roomBytes = 4_000): Uint8Array | undefined {
  const memory = new Uint8Array(new SharedArrayBuffer(AT + 4_096));
  const end = new MessageTemplate('quote', shape).write(new FieldWriter(memory), message, AT, AT + roomBytes);
  return end < 0 ? undefined : memory.slice(AT, end);
}

function decode(shape: AnyShape, bytes: Uint8Array): MessageShape | undefined {
  return new MessageTemplate('quote', shape).read(new FieldReader(bytes), 0, bytes.length);
}

const quotes = fc.record({
  type: fc.constant('quote' as const),
  symbol: fc.string({ unit: 'grapheme-ascii', maxLength: 255 }),
  bidTicks: fc.double({ noNaN: true }).map((number) => number + 0),
  feeMicro: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  isFinal: fc.boolean(),
  levels: fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: 64 }),
  source: fc.record({ venue: fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), atMs: fc.integer() }),
});

describe('a message template', () => {
  it('brings any message of its shape back unchanged', () => {
    fc.assert(
      fc.property(quotes, (quote) => {
        const bytes = encode(quoteShape, quote);
        expect(decode(quoteShape, bytes ?? new Uint8Array(0))).toEqual(quote);
      }),
    );
  });

  it('writes one MessagePack array of its values, without keys and constants', () => {
    fc.assert(
      fc.property(quotes, ({ type: _type, source: { venue, atMs }, ...values }) => {
        const bytes = encode(quoteShape, { type: 'quote', source: { venue, atMs }, ...values } as Quote);
        const { symbol, bidTicks, feeMicro, isFinal, levels } = values;
        expect(decodeAll(bytes ?? new Uint8Array(0))).toEqual([
          [symbol, bidTicks, feeMicro, isFinal, levels, [venue, atMs]],
        ]);
      }),
    );
  });

  it('is read by a thread that knows its table only by outline', () => {
    const table = {
      quote: { class: 'must-deliver', priority: 'normal', shape: quoteShape as AnyShape as Shape<MessageShape> },
    } as const;
    const there = new MessageTypes([structuredClone(new MessageTypes([table]).merged)]);
    expect(there.byName('quote')?.template).toBeUndefined();
    const codec = new MessageCodec(there);
    fc.assert(
      fc.property(quotes, (quote) => {
        const bytes = encode(quoteShape, quote) ?? new Uint8Array(0);
        const read = codec.decode(bytes, 0, bytes.length, CODEC.template, there.byName('quote'));
        expect(read).toEqual(quote);
      }),
    );
  });

  it.each([
    ['too few values', [1]],
    ['too many values', [1, 2, 3]],
    ['a map', { a: 1, b: 2 }],
    ['a value where an array must be', [1, 2, [3]]],
  ])('refuses %s where it is read by outline', (_what, values) => {
    const types = new MessageTypes([
      {
        m: {
          class: 'must-deliver',
          priority: 'normal',
          shape: ((f, m: { a: number; b: { c: number } }) => ({
            type: 'm',
            a: f.number(m.a),
            b: { c: f.number(m.b.c) },
          })) as AnyShape as Shape<MessageShape>,
        },
      },
    ]);
    const bytes = pack(values);
    const codec = new MessageCodec(types);
    expect(() => codec.decode(bytes, 0, bytes.length, CODEC.template, types.byName('m'))).toThrow(
      /must be a map with a "type" text, or the values of a known shape/,
    );
  });

  it('reads the same text as the same string again, and different ones apart', () => {
    const symbols = Array.from({ length: 5_000 }, (_, index) => `S${index % 3_000}`);
    const template = new MessageTemplate('quote', quoteShape);
    const memory = new Uint8Array(4_096);
    const [writer, reader] = [new FieldWriter(memory), new FieldReader(memory)];
    for (const symbol of symbols) {
      const end = template.write(writer, { ...QUOTE, symbol } as Quote, 0, memory.length);
      expect(template.read(reader, 0, end)).toMatchObject({ symbol });
    }
  });

  it.each([
    ['a text that is not ASCII', { ...QUOTE, symbol: 'BTC-€' }],
    ['a text of more than 255 characters', { ...QUOTE, symbol: 'x'.repeat(256) }],
    ['a bigint outside 64 bits', { ...QUOTE, feeMicro: 2n ** 63n }],
    ['more than 64 pairs', { ...QUOTE, levels: Array.from({ length: 65 }, () => [1, 2] as const) }],
    ['another type of value', { ...QUOTE, bidTicks: '1' }],
    ['a list of other lists', { ...QUOTE, levels: [[1, 2, 3]] }],
    ['a field that its shape does not name', { ...QUOTE, note: 'late' }],
  ])('leaves a message with %s to the general codec', (_what, message) => {
    expect(encode(quoteShape, message)).toBeUndefined();
  });

  it('writes nothing past its room, whatever the room', () => {
    const whole = encode(quoteShape, QUOTE) ?? new Uint8Array(0);
    for (let room = 0; room < whole.length; room++) expect(encode(quoteShape, QUOTE, room)).toBeUndefined();
    const memory = new Uint8Array(4_096).fill(0xee);
    const template = new MessageTemplate('quote', quoteShape);
    for (let room = 0; room < whole.length + 8; room++) {
      template.write(new FieldWriter(memory), QUOTE, 0, room);
      expect(memory.subarray(room).every((byte) => byte === 0xee)).toBe(true);
    }
  });

  it('refuses bytes cut short, prolonged or of another shape', () => {
    const bytes = encode(quoteShape, QUOTE) ?? new Uint8Array(0);
    for (let length = 0; length < bytes.length; length++)
      expect(decode(quoteShape, bytes.slice(0, length))).toBeUndefined();
    expect(decode(quoteShape, Uint8Array.of(...bytes, 0))).toBeUndefined();
    const otherShape: Shape<Quote> = (f, quote) => ({ ...QUOTE, symbol: f.text(quote.symbol), levels: f.pairs([]) });
    expect(() => new MessageTemplate('quote', otherShape)).toThrow(/must be made of fields, texts and objects of them/);
  });

  it('says what a shape must be', () => {
    const twice: Shape<Quote> = (f, quote) => {
      f.text(quote.symbol);
      return { ...quoteShape(f, quote) } as Quote;
    };
    expect(() => new MessageTemplate('quote', twice)).toThrow(
      'shape of "quote" must name its fields once each, in place',
    );
    expect(() => new MessageTemplate('quote', () => undefined)).toThrow(/must give an object for a whole message/);
  });

  it('has another fingerprint, and its table another hash, when a field, its type or its place differs', () => {
    const shapes: readonly AnyShape[] = [
      (f, m: { a: number; b: number }) => ({ type: 'm', a: f.number(m.a), b: f.number(m.b) }),
      (f, m: { a: number; b: number }) => ({ type: 'm', b: f.number(m.b), a: f.number(m.a) }),
      (f, m: { a: number; b: bigint }) => ({ type: 'm', a: f.number(m.a), b: f.bigint(m.b) }),
      (f, m: { a: number }) => ({ type: 'm', a: f.number(m.a) }),
    ];
    const hashes = shapes.map(
      (shape) =>
        new MessageTypes([{ m: { class: 'must-deliver', priority: 'normal', shape: shape as Shape<MessageShape> } }])
          .hash,
    );
    expect(new Set(hashes).size).toBe(shapes.length);
  });

  it('is compared by what it writes: a table from another thread has fingerprints in place of functions', () => {
    const table = {
      quote: { class: 'must-deliver', priority: 'normal', shape: quoteShape as AnyShape as Shape<MessageShape> },
    } as const;
    const here = new MessageTypes([table]);
    const there = structuredClone(here.merged);
    expect(new MessageTypes([there, table]).hash).toBe(here.hash);
    expect(new MessageTypes([there]).hash).toBe(here.hash);
    expect(() => new MessageTypes([there]).assertContains([table])).not.toThrow();
    expect(() =>
      new MessageTypes([there]).assertContains([{ quote: { class: 'must-deliver', priority: 'normal' } }]),
    ).toThrow(/"quote" must mean the same on every thread/);
  });
});

describe('records with shared keys', () => {
  const keys = ['type', 'orderId', 'lots', 'feeMicro', 'detail'];
  const types = new MessageTypes([{ order: { class: 'must-deliver', priority: 'order', keys } }]);
  const order = { type: 'order', orderId: 'o-1', lots: 250, feeMicro: 5n, detail: { reason: 'r', list: [1, 2] } };

  it('travel without their keys, as MessagePack values one after the other', () => {
    const codec = new MessageCodec(types);
    const bytes = codec.encode(order).slice();
    expect(codec.lastCodec).toBe(CODEC.record);
    const [list, ...values] = decodeAll(bytes);
    expect([list, values]).toEqual([0x40, Object.values(order)]);
  });

  it('are read by a codec that never wrote one', () => {
    const bytes = new MessageCodec(types).encode(order).slice();
    expect(new MessageCodec(types).decode(bytes, 0, bytes.length, CODEC.record)).toEqual(order);
  });

  it('take their keys along when they have others, and teach nobody', () => {
    const [writer, reader] = [new MessageCodec(types), new MessageCodec(types)];
    for (let round = 0; round < 100; round++) {
      const odd = { ...order, [`extra${round}`]: round };
      for (const message of [odd, order]) {
        const bytes = writer.encode(message).slice();
        expect(reader.decode(bytes, 0, bytes.length, writer.lastCodec)).toEqual(message);
        expect(new MessageCodec(types).decode(bytes, 0, bytes.length, writer.lastCodec)).toEqual(message);
      }
    }
  });
});

describe('the shapes of market and account news', () => {
  const types = new MessageTypes([connectorEventDelivery]);

  it.each(['book-changed', 'mark-changed', 'funding-rate-changed', 'account-changed'])('%s has one', (name) => {
    expect(types.byName(name)?.template?.fingerprint).toContain(`type:"${name}"`);
  });
});
