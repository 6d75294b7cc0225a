/** The one door for everything that is shown or written down: takes secrets out by key name and by value. Pure, any thread. */
import { Buffer } from 'node:buffer';

export const REDACTED = '[redacted]';

/** Longest text of a payload shown to a person, bytes. */
export const DISPLAY_BYTES_MAX = 4_096;

export interface Redactor {
  /** Returns the text without any known secret, JWT or bearer token in it. */
  text(text: string): string;
  /**
   * Returns a plain copy that JSON can carry: secrets out, members with telling names hidden, bigints as decimal text, errors
   * as name, message and code, what is nested deeper than 16 levels as a word.
   */
  value(value: unknown): unknown;
  /** The same, and cut to 4 KiB: a longer value becomes `{ truncated: true, bytes, text }` with the beginning of its JSON. */
  display(value: unknown): unknown;
}

/** Names of members whose values are never shown, whatever they are. */
const SECRET_NAME =
  /secret|passw|passphrase|private[-_]?key|api[-_]?key|signature|^sig$|authorization|cookie|jwt|mnemonic|(?:^|[-_a-z])token$|^bearer$/i;
/** A signed token: three base64url parts, the first a JSON object. */
const JWT = String.raw`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*`;
const BEARER = String.raw`Bearer\s+[A-Za-z0-9._~+/=-]{8,}`;

/** Shorter values (an account number, a key index) would blank out ordinary text; they are hidden by name only. */
const SECRET_CHARACTERS_MIN = 8;
const DEPTH_MAX = 16;

/** Returns the door for these secrets: all their hex, base64, URL and JSON forms count as the secret itself. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = new Set(secrets.filter((secret) => secret.length >= SECRET_CHARACTERS_MIN).flatMap(formsOf));
  // Longest first: a form that contains another is taken out whole.
  const alternatives = [...forms].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).map(escapeForPattern);
  const pattern = new RegExp([...alternatives, BEARER, JWT].join('|'), 'gi');
  const text = (input: string): string => input.replace(pattern, REDACTED);
  const value = (input: unknown): unknown => redactValue(input, text, 0);
  return { text, value, display: (input) => cut(value(input)) };
}

function formsOf(secret: string): readonly string[] {
  const bytes = [Buffer.from(secret, 'utf8'), ...hexBytesOf(secret)];
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...bytes.flatMap((form) => [form.toString('hex'), ...base64Forms(form)]),
  ].filter((form) => form.length >= SECRET_CHARACTERS_MIN);
}

/** A key written in hexadecimal is known to others as its bytes. */
function hexBytesOf(secret: string): readonly Buffer[] {
  const digits = /^(?:0x)?((?:[0-9a-f]{2})+)$/i.exec(secret)?.[1];
  return digits === undefined ? [] : [Buffer.from(digits, 'hex')];
}

/**
 * Base64 of text with the secret in it depends on where the secret begins: in each of the three cases some characters
 * in the middle are the secret's alone, and these are looked for.
 */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const own = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

function redactValue(value: unknown, text: (input: string) => string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'bigint':
      return text(value.toString());
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : redactObject(value, text, depth);
    default:
      return `[${typeof value}]`;
  }
}

function redactObject(value: object, text: (input: string) => string, depth: number): unknown {
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, text, depth + 1));
  if (value instanceof Error) {
    const code = 'code' in value && typeof value.code === 'string' ? { code: text(value.code) } : {};
    return { name: text(value.name), message: text(value.message), ...code };
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Set) return redactObject([...value], text, depth);
  const entries: (readonly [string, unknown])[] =
    value instanceof Map ? [...value].map(([key, member]) => [String(key), member]) : Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, member]) => [
      text(key),
      SECRET_NAME.test(key) && member !== undefined && member !== null
        ? REDACTED
        : redactValue(member, text, depth + 1),
    ]),
  );
}

function cut(value: unknown): unknown {
  const json = JSON.stringify(value);
  if (json === undefined) return value;
  const bytes = Buffer.byteLength(json);
  if (bytes <= DISPLAY_BYTES_MAX) return value;
  // The last character may be cut in half; decoding puts a mark there.
  return { truncated: true, bytes, text: Buffer.from(json).subarray(0, DISPLAY_BYTES_MAX).toString('utf8') };
}
