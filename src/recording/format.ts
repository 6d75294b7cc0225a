/**
 * What a recording of one connector's traffic is made of: JSON lines, a heading first, then what happened in the order it happened.
 * What was sent is not kept: it holds signatures and tokens, and a replay makes its own. Plain data and pure functions; any thread.
 */
import { asFields, malformed, parseLosslessJson } from '../venues/json.ts';
import type { Fields } from '../venues/json.ts';

export const RECORDING_VERSION = 1;

export interface RecordingHeading {
  readonly recording: typeof RECORDING_VERSION;
  readonly venue: string;
  readonly account: string;
  /** Calendar ms at time 0, and calendar ms per ms. */
  readonly startedAtMs: number;
  readonly scale: number;
  /** Base addresses and plain options of the account. */
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Canonical underlyings that were followed. */
  readonly bases: readonly string[];
}

/** Times `t` are ms since the start. `s` numbers connections from 1. */
export type RecordingEntry =
  | { readonly t: number; readonly k: 'opening'; readonly s: number; readonly url: string }
  | { readonly t: number; readonly k: 'opened'; readonly s: number }
  | { readonly t: number; readonly k: 'frame'; readonly s: number; readonly x: string }
  | { readonly t: number; readonly k: 'heartbeat'; readonly s: number }
  | { readonly t: number; readonly k: 'closed'; readonly s: number; readonly code: number; readonly why: string }
  /** An answered request: what was asked (see `questionOf`), how long it took, and the answer. */
  | {
      readonly t: number;
      readonly k: 'answer';
      readonly q: string;
      readonly ms: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** So many entries could not be written. */
  | { readonly t: number; readonly k: 'lost'; readonly n: number };

/** Names of query parameters that hold secrets or differ each time. */
const PASSING: ReadonlySet<string> = new Set(['auth', 'signature', 'timestamp', 'cursor']);
/** Times, in whatever unit. */
const EPOCH = /^\d{10,}$/;
/** Headers of answers that readers look at. */
const KEPT_HEADERS = /^(date|retry-after|content-type|x-bapi-|x-ratelimit|ratelimit)/;
const BODY_TYPE = /^\{"type":"(\w+)"/;
/** Where all questions go to one address: what a JSON-RPC call asks, and of what. */
const RPC_CALL = /"(?:method|instrument_name|currency|kind)":"([^"]{1,80})"/g;

/** Returns what a request asks for, without secrets and times: the same question of two runs has the same text. */
export function questionOf(method: string, url: string, body: string): string {
  const { pathname, searchParams } = new URL(url, 'http://venue');
  const kept = [...searchParams].filter(isKept).map(([name, value]) => `${name}=${value}`);
  const type = body.startsWith('{"jsonrpc"')
    ? [...body.matchAll(RPC_CALL)].map(([, value]) => value).join(' ')
    : (BODY_TYPE.exec(body)?.[1] ?? '');
  return `${method} ${pathname}?${kept.join('&')}${type === '' ? '' : ` ${type}`}`;
}

function isKept([name, value]: readonly [string, string]): boolean {
  return !PASSING.has(name) && !EPOCH.test(value);
}

/** Returns an address without what must not be kept. */
export function addressOf(url: string): string {
  const parsed = new URL(url);
  for (const name of [...parsed.searchParams.keys()]) if (PASSING.has(name)) parsed.searchParams.delete(name);
  return parsed.toString();
}

export function keptHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT_HEADERS.test(name)));
}

/** Reads the lines of a recording, cut-off end included. Throws MalformedPayload when there is no heading or a line is none of ours. */
export function parseRecording(lines: readonly string[]): {
  readonly heading: RecordingHeading;
  readonly entries: readonly RecordingEntry[];
} {
  const [first = '', ...rest] = lines;
  const fields = asFields(parseLosslessJson(first, 'recording heading'), 'recording heading');
  if (fields['recording'] !== RECORDING_VERSION)
    throw malformed('recording heading.recording', String(RECORDING_VERSION), fields['recording']);
  for (const name of ['venue', 'account', 'restUrl', 'streamUrl']) requireText(fields, name);
  const entries = rest.map((line, index) => readEntry(line, index + 2));
  // Written by this program, and each member it rests on was checked.
  return { heading: fields as unknown as RecordingHeading, entries };
}

const KINDS: ReadonlySet<unknown> = new Set(['opening', 'opened', 'frame', 'heartbeat', 'closed', 'answer', 'lost']);

function readEntry(line: string, number: number): RecordingEntry {
  const where = `recording line ${number}`;
  const fields = asFields(parseLosslessJson(line, where), where);
  if (typeof fields['t'] !== 'number' || fields['t'] < 0)
    throw malformed(`${where}.t`, 'ms since the start', fields['t']);
  if (!KINDS.has(fields['k'])) throw malformed(`${where}.k`, [...KINDS].join(', '), fields['k']);
  return fields as unknown as RecordingEntry;
}

function requireText(fields: Fields, name: string): void {
  if (typeof fields[name] !== 'string') throw malformed(`recording heading.${name}`, 'text', fields[name]);
}
