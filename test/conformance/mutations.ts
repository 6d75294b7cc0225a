/** Damages texts the ways that venues and networks do, and some that only an enemy would. Deterministic by its stream. Tests only. */
import type { RandomStream } from '../../src/runtime/actor.ts';

/** What a value may turn into: nothing, near-numbers, other kinds, too much. */
const VALUES = [
  'null',
  'true',
  '""',
  '" "',
  '"-"',
  '"NaN"',
  '"Infinity"',
  '"1,000"',
  '"1e5"',
  '"0x10"',
  '"0.123456789012345678"',
  '"-1"',
  '-1',
  '0',
  '1e400',
  '-0',
  '1.5',
  '9007199254740993',
  '123456789012345678901234567890',
  '"99999999999999999999999999999999999999.99999999"',
  '[]',
  '{}',
  '[[]]',
  '{"__proto__":{"polluted":true}}',
  '[null]',
  '"\\ud800"',
  '"ACTIVE"',
] as const;
const VALUE = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;
const DEPTH = 20_000;
const LONG = 50_000;

/** Returns the text, damaged once or a few times. */
export function mutated(text: string, random: RandomStream): string {
  const draw = (below: number): number => Math.floor(random.nextFraction() * Math.max(1, below));
  // Rare, because each costs as much as hundreds of others.
  if (random.nextFraction() < 0.002) return monstrous(text, draw);
  let result = text;
  for (let edits = 1 + draw(3); edits > 0; edits--) result = once(result, draw);
  return result;
}

type Draw = (below: number) => number;

function once(text: string, draw: Draw): string {
  const at = draw(text.length);
  const end = Math.min(text.length, at + 1 + draw(30));
  switch (draw(9)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(at);
    case 2:
      return text.slice(0, at) + String.fromCharCode(draw(256)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at);
    case 4:
      return draw(2) === 0 ? `\ufeff${text}` : text + text;
    default:
      return withValue(text, draw);
  }
}

/** Swaps one value, or a name, for something else: the damage that gets furthest. */
function withValue(text: string, draw: Draw): string {
  const places = [...text.matchAll(VALUE)];
  const place = places[draw(places.length)];
  if (place === undefined) return text;
  const other = draw(4) === 0 ? places[draw(places.length)]?.[0] : undefined;
  const value = other ?? VALUES[draw(VALUES.length)] ?? 'null';
  return text.slice(0, place.index) + value + text.slice(place.index + place[0].length);
}

function monstrous(text: string, draw: Draw): string {
  const place = [...text.matchAll(VALUE)][draw(20)];
  const [start, end] = place === undefined ? [0, 0] : [place.index, place.index + place[0].length];
  const monster = [
    '['.repeat(DEPTH) + ']'.repeat(DEPTH),
    '{"a":'.repeat(DEPTH) + '1' + '}'.repeat(DEPTH),
    `"${'9'.repeat(LONG)}"`,
    '9'.repeat(LONG),
    `"${'\\u0000'.repeat(LONG / 10)}"`,
    `[${'0,'.repeat(LONG)}0]`,
  ][draw(6)];
  return text.slice(0, start) + monster + text.slice(end);
}
