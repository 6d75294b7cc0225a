/**
 * Writes payloads as text that is the same for the same data, and reads them back. Pure, any thread.
 *
 * JSON with keys in code-unit order. A bigint is `{"$bigint":"123"}`; a key of the data that begins with `$` gets one
 * more `$` in front, so that no data can be mistaken for a mark.
 */

const BIGINT_MARK = '$bigint';
const DEPTH_MAX = 32;

/** Something that cannot be written without loss. The message names the place and the value's kind. */
export class PayloadRefused extends Error {
  readonly place: string;

  constructor(place: string, rule: string) {
    super(`payload${place} ${rule}`);
    this.name = 'PayloadRefused';
    this.place = place;
  }
}

/**
 * Returns the canonical text. Members whose value is `undefined` are left out. Throws PayloadRefused for what is not plain
 * data: numbers that are not finite, functions, symbols, class instances, arrays with holes, more than 32 levels.
 */
export function encodePayload(payload: Readonly<Record<string, unknown>>): string {
  return encodeValue(payload, '', 0);
}

/** Returns the data of a text made by `encodePayload`. Throws SyntaxError when it is no such text. */
export function decodePayload(text: string): Readonly<Record<string, unknown>> {
  return decodeMembers(JSON.parse(text), text);
}

/**
 * Returns the data of what was parsed from a text made by `encodePayload` or from one that contains it; changes what it is given.
 * Throws SyntaxError when it is no such data.
 */
export function decodeMembers(parsed: unknown, text: string): Readonly<Record<string, unknown>> {
  // Only a text with a `$` at the beginning of a key can hold a mark; most hold none, and start-up reads a million of them.
  const value = text.includes('"$') ? restore(parsed) : parsed;
  if (!isRecord(value)) throw new SyntaxError(`a payload must be an object, was ${text.slice(0, 80)}`);
  return value;
}

function encodeValue(value: unknown, place: string, depth: number): string {
  if (depth > DEPTH_MAX) throw new PayloadRefused(place, `must have at most ${DEPTH_MAX} levels`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new PayloadRefused(place, `must be a finite number, was ${value}`);
      return JSON.stringify(value);
    case 'bigint':
      return `{"${BIGINT_MARK}":"${value}"}`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? encodeArray(value, place, depth) : encodeRecord(value, place, depth);
    default:
      throw new PayloadRefused(place, `must be plain data, was a ${typeof value}`);
  }
}

function encodeArray(items: readonly unknown[], place: string, depth: number): string {
  // Array.from visits holes too: they are refused as undefined instead of vanishing.
  return `[${Array.from(items, (item, index) => encodeValue(item, `${place}[${index}]`, depth + 1)).join(',')}]`;
}

function encodeRecord(record: object, place: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new PayloadRefused(place, 'must be plain data, was an instance of a class');
  }
  const members = Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => {
      const written = key.startsWith('$') ? `$${key}` : key;
      return `${JSON.stringify(written)}:${encodeValue(value, `${place}.${key}`, depth + 1)}`;
    });
  return `{${members.join(',')}}`;
}

/** Replaces marks by what they stand for, in place: the value was parsed a moment ago and nobody else has it. */
function restore(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) if (isComposite(item)) value[index] = restore(item);
    return value;
  }
  if (!isRecord(value)) return value;
  const mark = value[BIGINT_MARK];
  if (mark !== undefined) {
    if (typeof mark !== 'string' || !/^-?\d+$/.test(mark)) {
      throw new SyntaxError(`a marked bigint must be an integer text, was ${JSON.stringify(mark)}`);
    }
    return BigInt(mark);
  }
  let isEscaped = false;
  for (const key in value) {
    const member = value[key];
    if (isComposite(member)) value[key] = restore(member);
    isEscaped ||= key.startsWith('$');
  }
  if (!isEscaped) return value;
  // fromEntries defines members, it does not assign them: a key "__proto__" stays an ordinary key.
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.startsWith('$') ? key.slice(1) : key, member]),
  );
}

function isComposite(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
