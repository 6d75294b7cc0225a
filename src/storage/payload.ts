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
  return encodeValue(payload, []);
}

/** Returns the data of a text made by `encodePayload`. Throws SyntaxError when it is no such text. */
export function decodePayload(text: string): Readonly<Record<string, unknown>> {
  return decodeMembers(JSON.parse(text), mayHoldMarks(text));
}

/** False when no payload in this text holds a mark: only a text with a `$` at the beginning of a key can, and many hold none. */
export function mayHoldMarks(text: string): boolean {
  return text.includes('"$');
}

/**
 * Returns the data of what was parsed from a text made by `encodePayload` or from one that contains it; changes what it is given.
 * Throws SyntaxError when it is no such data.
 */
export function decodeMembers(parsed: unknown, hasMarks: boolean): Readonly<Record<string, unknown>> {
  const value = hasMarks ? restore(parsed) : parsed;
  if (!isRecord(value)) throw new SyntaxError(`a payload must be an object, was ${JSON.stringify(parsed)}`);
  return value;
}

/** `path` is where the value stands: member names and places in arrays. It is put into words only when something is refused. */
function encodeValue(value: unknown, path: (string | number)[]): string {
  if (path.length > DEPTH_MAX) throw refused(path, `must have at most ${DEPTH_MAX} levels`);
  switch (typeof value) {
    case 'string':
      return encodeText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw refused(path, `must be a finite number, was ${value}`);
      return `${value}`;
    case 'bigint':
      return `{"${BIGINT_MARK}":"${value}"}`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? encodeArray(value, path) : encodeRecord(value, path);
    default:
      throw refused(path, `must be plain data, was a ${typeof value}`);
  }
}

/** Control characters, quote, backslash and halves of a pair: what JSON does not write as it is. */
// oxlint-disable-next-line no-control-regex
const WRITTEN_OTHERWISE = /[\u0000-\u001f"\\\ud800-\udfff]/;

/** As JSON.stringify has it, whose call costs more than most texts. */
function encodeText(text: string): string {
  return WRITTEN_OTHERWISE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function encodeArray(items: readonly unknown[], path: (string | number)[]): string {
  let text = '';
  // Counted, so that holes are visited too: they are refused as undefined instead of vanishing.
  for (let index = 0; index < items.length; index++) {
    path.push(index);
    const written = encodeValue(items[index], path);
    text = index === 0 ? written : `${text},${written}`;
    path.pop();
  }
  return `[${text}]`;
}

function encodeRecord(record: object, path: (string | number)[]): string {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(path, 'must be plain data, was an instance of a class');
  }
  let text = '';
  // Without a comparison of its own, `sort` goes by code units.
  for (const key of Object.keys(record).sort()) {
    const value: unknown = (record as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) continue;
    path.push(key);
    const member = `${encodeText(key.startsWith('$') ? `$${key}` : key)}:${encodeValue(value, path)}`;
    text = text === '' ? member : `${text},${member}`;
    path.pop();
  }
  return `{${text}}`;
}

function refused(path: readonly (string | number)[], rule: string): PayloadRefused {
  return new PayloadRefused(path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join(''), rule);
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
    if (key.startsWith('$')) isEscaped = true;
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
