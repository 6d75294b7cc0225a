/** How one REST operation is put together: signed or public, one page or a whole listing, and how its answer is opened. Pure; connector thread. */
import type { HttpAnswered } from '../../ports/ports.ts';
import { asFields, reading } from '../json.ts';
import type { Fields } from '../json.ts';
import type { Instant, Operation, OperationResult, VenueEvent } from '../venue.ts';
import { asList, optionalText } from '../fields.ts';
import { weightOf } from './limits.ts';
import type { BybitMarkets } from './markets.ts';
import type { BybitKey, RequestTimes } from './sign.ts';
import { openEnvelope, publicRequest, signedRequest, timesUntil } from './signed-request.ts';
import type { Call, Envelope } from './signed-request.ts';
import { queryOf } from './wire.ts';

/** Where requests go and as whom. */
export interface RestAccess {
  readonly restUrl: string;
  readonly key: BybitKey;
  readonly markets: BybitMarkets;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
}

const READ_TIMEOUT_MS = 10_000;
/** An order without an answer after this is unknown, and asking about it can begin. */
const MUTATION_TIMEOUT_MS = 3_000;
/** How long a signed read may be under way, real ms. */
const READ_VALIDITY_MS = 5_000;

export interface Ask {
  readonly path: string;
  readonly method?: Call['method'];
  readonly payload: string;
  readonly priority: Operation['priority'];
  /** Times of a signed request that changes something; they are its validity and never made anew. */
  readonly times?: RequestTimes;
  /** Signed reads get their times when they leave; `at` is when they were made. */
  readonly signedAt?: Instant;
  readonly alsoFine?: readonly number[];
  readonly read: (envelope: Envelope, at: Instant) => OperationResult;
}

export function operation(access: RestAccess, ask: Ask): Operation {
  const { restUrl, key, calendarScale } = access;
  const { path, method = 'GET', payload, times, signedAt } = ask;
  const name = path.slice('/v5/'.length);
  const mutates = method === 'POST';
  const call: Call = { method, path, payload, timeoutMs: mutates ? MUTATION_TIMEOUT_MS : READ_TIMEOUT_MS };
  const signedNow = (at: Instant): ReturnType<typeof signedRequest> =>
    signedRequest(restUrl, key, call, timesUntil(at.calendarMs + READ_VALIDITY_MS * calendarScale, at, calendarScale));
  const request = (): ReturnType<typeof signedRequest> => {
    if (times !== undefined) return signedRequest(restUrl, key, call, times);
    return signedAt === undefined ? publicRequest(restUrl, call) : signedNow(signedAt);
  };
  return {
    name,
    weight: weightOf(path),
    priority: ask.priority,
    mutates,
    request: request(),
    ...(signedAt === undefined ? {} : { requestAt: signedNow }),
    parse: (answer: HttpAnswered, at: Instant) =>
      reading(name, () => ask.read(openEnvelope(name, answer, calendarScale, ask.alsoFine), at)),
  };
}

/** One page of a listing. */
export interface Page {
  readonly items: readonly unknown[];
  /** Percent-encoded as it must be sent back; undefined on the last page. */
  readonly cursor: string | undefined;
}

export function pageOf(result: Fields, where: string, cursorBefore: string | undefined): Page {
  const cursor = optionalText(result, 'nextPageCursor');
  return { items: asList(result['list'], `${where}.list`), cursor: cursor === cursorBefore ? undefined : cursor };
}

/** Reads a whole listing, page by page, and hands it over at the end: half a list would look like the truth. */
export function listing(
  access: RestAccess,
  ask: Omit<Ask, 'read' | 'payload'> & {
    readonly query: readonly (readonly [string, string | number])[];
    readonly read: (items: readonly unknown[], envelope: Envelope, at: Instant) => readonly VenueEvent[];
  },
  before: { readonly items: readonly unknown[]; readonly cursor: string | undefined } = {
    items: [],
    cursor: undefined,
  },
): Operation {
  return operation(access, {
    ...ask,
    payload: withCursor(queryOf(ask.query), before.cursor),
    read: (envelope, at) => {
      const { items, cursor } = pageOf(envelope.result, ask.path, before.cursor);
      const all = [...before.items, ...items];
      if (cursor === undefined) return { events: ask.read(all, envelope, at) };
      return { events: [], next: listing(access, ask, { items: all, cursor }) };
    },
  });
}

/** The venue hands cursors out encoded and wants them signed and sent just so. */
export function withCursor(query: string, cursor: string | undefined): string {
  return cursor === undefined ? query : `${query}&cursor=${cursor}`;
}

/** Splits what belongs to known symbols from what does not; the latter is named, never silently dropped. */
export function eachKnown<Report>(
  items: readonly unknown[],
  what: string,
  read: (item: unknown) => Report | undefined,
): { readonly known: readonly Report[]; readonly unknown: readonly VenueEvent[] } {
  const known: Report[] = [];
  const unknown: VenueEvent[] = [];
  for (const item of items) {
    const report = read(item);
    if (report !== undefined) known.push(report);
    else
      unknown.push({
        type: 'venue-error',
        code: 'UNKNOWN_SYMBOL',
        reason: `${what} name the symbol ${String(asFields(item, what)['symbol'])}`,
      });
  }
  return { known, unknown };
}
