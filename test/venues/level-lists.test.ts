/** Book frames read in place say what their JSON says, whatever is in them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceTicksFromText, quantityLotsFromText } from '../../src/money/amounts.ts';
import { asFields, parseLosslessJson } from '../../src/venues/json.ts';
import { parsedList, plainLevels, readBookFrame } from '../../src/venues/level-lists.ts';
import type { LevelForm } from '../../src/venues/level-lists.ts';
import { MalformedPayload } from '../../src/venues/venue.ts';

const STEPS = { priceDecimals: 2, tickUnits: 5, quantityDecimals: 3, lotUnits: 1, multiplier: 1 };

const OBJECTS: LevelForm = {
  bids: 'bids',
  asks: 'asks',
  texts: ['{"price":"', '","size":"', '"}'],
  values: ['price', 'size'],
  holderOf: (frame) => frame['book'],
  parse: parseLosslessJson,
};
const PAIRS: LevelForm = { ...OBJECTS, texts: ['["', '","', '"]'] };
const CHANGES: LevelForm = {
  ...OBJECTS,
  texts: ['{"q":"', '","p":"', '","c":"', '"}'],
  values: ['other', 'price', 'size'],
};

const frameOf = (bids: string, asks: string, more = ''): string =>
  `{"type":"update","book":{"nonce":7,"bids":[${bids}],"asks":[${asks}]${more}},"at":12}`;

function levels(text: string, form: LevelForm): readonly unknown[] | undefined {
  const { lists } = readBookFrame(text, 'frame', form);
  return lists === undefined ? undefined : [plainLevels(lists.bids, STEPS), plainLevels(lists.asks, STEPS)];
}

describe('the lists of a frame', () => {
  it.each([
    ['objects', OBJECTS, '{"price":"100.05","size":"1.5"},{"price":"99","size":"0"}'],
    ['pairs', PAIRS, '["100.05","1.5"],["99","0"]'],
    ['sizes behind their changes', CHANGES, '{"q":"-3.1","p":"100.05","c":"1.5"},{"q":"","p":"99","c":"0"}'],
  ] as const)('are read as %s', (_name, form, list) => {
    const expected = [
      [2_001, 1_500],
      [1_980, 0],
    ];
    expect(levels(frameOf(list, ''), form)).toEqual([expected, []]);
    expect(levels(frameOf('', list), form)).toEqual([[], expected]);
    expect(readBookFrame(frameOf(list, list), 'frame', form).fields).toEqual({
      type: 'update',
      book: { nonce: 7, bids: [], asks: [] },
      at: 12,
    });
  });

  it.each([
    ['a price of nothing', '["0","1"]'],
    ['a price between two ticks', '["100.01","1"]'],
    ['more decimals than the instrument has', '["100.050","1"]'],
    ['a size below a lot', '["100.05","0.0001"]'],
    ['an exponent', '["1e2","1"]'],
    ['a sign', '["-100.05","1"]'],
    ['a zero too many', '["0100.05","1"]'],
    ['no digit before the point', '[".05","1"]'],
    ['no digit behind it', '["100.","1"]'],
    ['two points', '["1.0.0","1"]'],
    ['more digits than a double holds', '["12345678901234.05","1"]'],
    ['a space', '["100.05", "1"]'],
    ['numbers', '[100.05,1]'],
    ['a third value', '["100.05","1","x"]'],
    ['no value', '["100.05"]'],
    ['no comma', '["100.05","1"]["99","1"]'],
    ['an escape', '["100.0\\u0035","1"]'],
  ])('are left to the parser when there is %s', (_name, list) => {
    const { lists } = readBookFrame(frameOf(list, '["101","1"]'), 'frame', PAIRS);
    expect(lists === undefined ? undefined : plainLevels(lists.bids, STEPS)).toBeUndefined();
  });

  it.each([
    ['one of them is missing', '{"book":{"bids":[["100","1"]]}}'],
    ['a key stands twice', frameOf('["100","1"]', '', ',"bids":[]')],
    ['they are somewhere else', '{"book":{"bids":[],"more":{"asks":[["1","1"]]}}}'],
    ['a key only ends like one', '{"book":{"x\\"bids":[["100","1"]],"asks":[],"bids":[]}}'],
  ])('stay in the frame when %s', (_name, text) => {
    const { fields, lists } = readBookFrame(text, 'frame', PAIRS);
    expect(lists).toBeUndefined();
    expect(fields).toEqual(JSON.parse(text));
  });

  it('are told to be no JSON when they are none', () => {
    expect(() => readBookFrame(frameOf('["100","1"', ''), 'frame', PAIRS)).toThrow('frame must be JSON, was {"type"');
  });

  it('mean what their JSON means, whatever stands there', () => {
    const decimal = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 9_999_999 }).map((units) => (units / 100).toFixed(2)) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 99_999 }).map(String) },
      { weight: 2, arbitrary: fc.stringMatching(/^[0-9.]{0,18}$/) },
      { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
    );
    const form = fc.constantFrom(OBJECTS, PAIRS, CHANGES);
    const side = fc.array(fc.tuple(decimal, decimal), { maxLength: 5 });
    fc.assert(
      fc.property(form, side, side, (how, bids, asks) => {
        const text = JSON.stringify({ book: { bids: bids.map(written(how)), asks: asks.map(written(how)) } });
        const { fields, lists } = readBookFrame(text, 'frame', how);
        const whole = asFields(asFields(JSON.parse(text), '')['book'], '');
        if (lists === undefined) {
          expect(fields['book']).toEqual(whole);
          return;
        }
        for (const name of ['bids', 'asks'] as const) {
          expect(parsedList(lists[name], 'list')).toEqual(whole[name]);
          const plain = plainLevels(lists[name], STEPS);
          if (plain !== undefined) expect(plain).toEqual((name === 'bids' ? bids : asks).map(exact));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('never end in anything but a payload that is refused, wherever a frame is cut off or damaged', () => {
    const text = frameOf('["100.05","1.5"],["99","0"]', '["101","2"]');
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), fc.string({ maxLength: 3 }), (from, to, put) => {
        const damaged = text.slice(0, Math.min(from, to)) + put + text.slice(Math.max(from, to));
        const inPlace = meaning(() => {
          const { fields, lists } = readBookFrame(damaged, 'frame', PAIRS);
          if (lists === undefined) return fields;
          const book = { ...asFields(fields['book'], '') };
          book['bids'] = parsedList(lists.bids, 'list');
          book['asks'] = parsedList(lists.asks, 'list');
          return { ...fields, book };
        });
        expect(inPlace).toEqual(meaning(() => asFields(parseLosslessJson(damaged, 'frame'), 'frame')));
      }),
      { numRuns: 5_000 },
    );
  });
});

/** What was read, or that it was refused. */
function meaning(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedPayload) return 'refused';
    throw error;
  }
}

function exact([price, size]: readonly [string, string]): readonly number[] {
  return [priceTicksFromText(price, STEPS), quantityLotsFromText(size, STEPS)];
}

function written(form: LevelForm): (level: readonly [string, string]) => unknown {
  if (form === PAIRS) return (level) => level;
  return ([price, size]) => (form === OBJECTS ? { price, size } : { q: '1', p: price, c: size });
}
