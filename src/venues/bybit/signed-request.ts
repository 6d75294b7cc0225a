/** One HTTP request to Bybit with its signature, and its answer's envelope. Pure; connector thread. */
import type { HttpAnswered, HttpRequest } from '../../ports/ports.ts';
import { asFields, malformed, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { VenueError } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { optionalText } from '../fields.ts';
import { ADDRESS_BAN_MS, isAddressBan, refusalClassOf, refusalClassOfStatus } from './limits.ts';
import { requestSignature } from './sign.ts';
import type { BybitKey, RequestTimes } from './sign.ts';
import { KEY_HEADER, RESET_HEADER, SIGN_HEADER, TIMESTAMP_HEADER, WINDOW_HEADER } from './wire.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Query text or body, exactly as sent. */
  readonly payload: string;
  readonly timeoutMs: number;
}

/**
 * Requests are stamped this much before they leave, real ms, and their window is as much longer: the venue refuses stamps a second
 * ahead of its clock, and ours may run up to two ahead. The last instant of acceptance does not move by this.
 */
const STAMPED_BACK_MS = 1_000;

/** Times of a request that the venue takes until `untilMs` (calendar ms) and not later. */
export function timesUntil(untilMs: number, at: Instant, scale: number): RequestTimes {
  const timestamp = Math.floor(at.calendarMs - STAMPED_BACK_MS * scale);
  return { timestamp, recvWindow: Math.max(1, Math.floor(untilMs) - timestamp) };
}

export function publicRequest(restUrl: string, call: Call): HttpRequest {
  return { ...bare(restUrl, call), headers: contentHeaders(call) };
}

export function signedRequest(restUrl: string, key: BybitKey, call: Call, times: RequestTimes): HttpRequest {
  return {
    ...bare(restUrl, call),
    headers: {
      ...contentHeaders(call),
      [KEY_HEADER]: key.apiKey,
      [TIMESTAMP_HEADER]: String(times.timestamp),
      [WINDOW_HEADER]: String(times.recvWindow),
      [SIGN_HEADER]: requestSignature(key, times, call.payload),
    },
  };
}

function bare(restUrl: string, { method, path, payload, timeoutMs }: Call): Omit<HttpRequest, 'headers'> {
  const query = method === 'GET' && payload !== '' ? `?${payload}` : '';
  return { method, url: restUrl + path + query, timeoutMs, ...(method === 'POST' ? { body: payload } : {}) };
}

function contentHeaders({ method }: Call): Record<string, string> {
  return method === 'POST' ? { 'content-type': 'application/json' } : {};
}

export interface Envelope {
  readonly result: Fields;
  /** When the venue answered, calendar ms. */
  readonly timeMs: number;
}

/** Wait after a refusal for a limit that names no reset, and on top of one that does, monotonic ms. */
const UNNAMED_WAIT_MS = 1_000;
const RESET_MARGIN_MS = 50;
const RESET_WAIT_MAX_MS = 60_000;

/**
 * Returns the result of an answer whose code is 0 or one of `alsoFine`. Throws VenueError for a refusal and MalformedPayload for
 * nonsense. `scale`: calendar ms per monotonic ms.
 */
export function openEnvelope(
  name: string,
  answer: HttpAnswered,
  scale: number,
  alsoFine: readonly number[] = [],
): Envelope {
  if (answer.status !== 200) throw refusedByStatus(name, answer);
  const envelope = asFields(parseLosslessJson(answer.body, name), name);
  const code = envelope['retCode'];
  if (typeof code !== 'number' || !Number.isSafeInteger(code)) throw malformed(`${name}.retCode`, 'an integer', code);
  const timeMs = Number(envelope['time'] ?? 0);
  if (code === 0 || alsoFine.includes(code)) {
    const { result } = envelope;
    return { result: result === undefined || result === null ? {} : asFields(result, `${name}.result`), timeMs };
  }
  const refusal = refusalClassOf(code);
  const retryAfterMs = refusal === 'rate-limit' ? waitOf(answer, timeMs, scale) : undefined;
  throw new VenueError(
    name,
    String(code),
    optionalText(envelope, 'retMsg') ?? 'no reason given',
    refusal,
    retryAfterMs,
  );
}

function refusedByStatus(name: string, { status, body }: HttpAnswered): VenueError {
  const reason = body.slice(0, 200).trim();
  const hint = status === 403 ? ' (the address is banned for a while, or its region is not served)' : '';
  const retryAfterMs = isAddressBan(status, body) ? ADDRESS_BAN_MS : undefined;
  return new VenueError(name, `HTTP_${status}`, reason + hint, refusalClassOfStatus(status, body), retryAfterMs);
}

/** Both times are the venue's own, so no clock of ours matters. */
function waitOf(answer: HttpAnswered, timeMs: number, scale: number): number {
  const resetMs = Number(answer.headers[RESET_HEADER]);
  if (!(resetMs > timeMs) || timeMs <= 0) return UNNAMED_WAIT_MS;
  return Math.min(RESET_WAIT_MAX_MS, Math.ceil((resetMs - timeMs) / scale) + RESET_MARGIN_MS);
}
