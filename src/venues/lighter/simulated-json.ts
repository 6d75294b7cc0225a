/** JSON of the simulated Lighter venue: ids beyond 2^53 keep every digit in both directions. Pure; any thread. */

/** A JSON value whose bigints become bare digits, as the venue writes its ids. Undefined fields are left out. */
export type WireValue =
  | string
  | number
  | boolean
  | null
  | bigint
  | readonly WireValue[]
  | { readonly [field: string]: WireValue | undefined };

export type Fields = Readonly<Record<string, unknown>>;

/** Returns JSON text; a bigint is written as a bare number of any length, which JSON.stringify cannot do. */
export function wireJson(value: WireValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => wireJson(item)).join(',')}]`;
  const fields: string[] = [];
  for (const [field, held] of Object.entries(value)) {
    if (held !== undefined) fields.push(`${JSON.stringify(field)}:${wireJson(held)}`);
  }
  return `{${fields.join(',')}}`;
}

function isList(value: object): value is readonly WireValue[] {
  return Array.isArray(value);
}

const MAY_HOLD_BIG_INTEGER = /[:,[]\s*-?\d{16}/;
const STRING_OR_INTEGER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const BIG_INTEGER = /^-?\d{16,}$/;

/** Parses a client's JSON; integers of 16 or more digits become text. Undefined when it is no JSON. */
export function readJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(
      MAY_HOLD_BIG_INTEGER.test(text)
        ? text.replace(STRING_OR_INTEGER, (token) => (BIG_INTEGER.test(token) ? `"${token}"` : token))
        : text,
    );
    return parsed;
  } catch {
    // Whatever it is, the caller refuses it in the venue's words.
    return undefined;
  }
}

/** The fields of a JSON object; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number as readJson leaves it; undefined for anything else. */
export function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
