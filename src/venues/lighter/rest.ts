/** Lighter's REST operations: what to send, what it costs, how to read the answer. Pure; connector thread. */
import type { HttpAnswered } from '../../ports/ports.ts';
import { HOUR_MS } from '../../market/funding-rate.ts';
import { asFields, isFields, malformed, parseLosslessJson, reading, sampleOf } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload, VenueError } from '../venue.ts';
import type { Instant, Operation, OperationResult, VenueEvent } from '../venue.ts';
import type { AuthTokens } from './auth.ts';
import { asList, countField, optionalText, timeField } from './json.ts';
import { refusalClassOf, weightOf } from './limits.ts';
import type { LighterTier } from './limits.ts';
import type { LighterMarket, LighterMarkets } from './markets.ts';
import {
  orderCreatedAtMs,
  parseCollateral,
  parseFeeTier,
  parseFundingPayment,
  parseMarket,
  parseOrder,
  parsePosition,
  parseSettledRate,
  parseTrade,
  rowTimeMs,
} from './parse.ts';
import { ALL_MARKETS } from './wire.ts';

/** Where requests go and as whom. */
export interface RestAccess {
  readonly restUrl: string;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
  readonly tier: LighterTier;
  readonly tokens: AuthTokens;
  readonly markets: LighterMarkets;
}

interface Ask {
  /** Last part of the path; also names the operation. */
  readonly endpoint: string;
  readonly query?: readonly (readonly [string, string | number])[];
  readonly priority: Operation['priority'];
  /** Present for private reads: when the token must be good. */
  readonly privateAt?: Instant;
  /** Reads the body of a success. */
  readonly read: (body: Fields, at: Instant) => OperationResult;
  /** What HTTP 404 means where it is an answer and not a refusal. */
  readonly whenMissing?: OperationResult;
}

const TIMEOUT_MS = 10_000;
const PAGE_LIMIT = 100;
/** Ended orders older than this are not searched for one of ours, calendar ms. */
const SEARCH_MS = 7 * 86_400_000;
/** The status answer has whole seconds, rounded down: half a second is added and the error is up to half a second. */
const HALF_SECOND_MS = 500;
const NOTHING: OperationResult = { events: [] };

/** The status page: the only answer that is nothing but the time. It has no `code`. */
export function serverTimeOperation(access: RestAccess): Operation {
  return {
    name: 'status',
    request: {
      method: 'GET',
      url: `${access.restUrl}/`,
      headers: { accept: 'application/json' },
      timeoutMs: TIMEOUT_MS,
    },
    weight: weightOf('status', access.tier),
    priority: 5,
    mutates: false,
    parse(answer) {
      if (answer.status !== 200) throw refusal('status', answer, {});
      const body = asFields(parseLosslessJson(answer.body, 'status'), 'status');
      return { events: [{ type: 'server-time', serverMs: timeField(body, 'timestamp', 'status') + HALF_SECOND_MS }] };
    },
  };
}

export function instrumentsOperation(access: RestAccess): Operation {
  return operation(access, {
    endpoint: 'orderBookDetails',
    query: [['filter', 'perp']],
    priority: 5,
    read: (body) => {
      const markets: LighterMarket[] = [];
      const events: VenueEvent[] = [];
      for (const item of asList(body['order_book_details'], 'order_book_details')) {
        try {
          const market = reading('market', () => parseMarket(item));
          if (market !== undefined) markets.push(market);
        } catch (error) {
          // One broken listing among hundreds must not hide the others.
          if (!(error instanceof MalformedPayload)) throw error;
          const sample = sampleOf(item);
          events.push({ type: 'malformed-frame', channel: 'orderBookDetails', detail: error.message, sample });
        }
      }
      access.markets.replace(markets);
      return { events: [{ type: 'instruments', instruments: markets.map((market) => market.instrument) }, ...events] };
    },
  });
}

export function feeTierOperation(access: RestAccess, at: Instant): Operation {
  return operation(access, {
    endpoint: 'accountLimits',
    query: [['account_index', access.accountIndex]],
    priority: 4,
    privateAt: at,
    read: (body) => ({ events: [parseFeeTier(body)] }),
  });
}

export function nextNonceOperation(access: RestAccess): Operation {
  return operation(access, {
    endpoint: 'nextNonce',
    query: [
      ['account_index', access.accountIndex],
      ['api_key_index', access.apiKeyIndex],
    ],
    priority: 2,
    read: (body) => ({ events: [{ type: 'nonce', next: BigInt(countField(body, 'nonce', 'nextNonce')) }] }),
  });
}

/** Positions of all markets (flat ones included) and the collateral, in one public answer. */
export function accountOperation(access: RestAccess): Operation {
  return operation(access, {
    endpoint: 'account',
    query: [
      ['by', 'index'],
      ['value', access.accountIndex],
    ],
    priority: 4,
    read: (body) => {
      const [account] = asList(body['accounts'], 'accounts');
      const fields = asFields(account, 'account');
      const rows = asList(fields['positions'], 'positions');
      const { known, unknown } = eachKnown(access.markets, rows, 'market_id', 'position', parsePosition);
      return {
        events: [{ type: 'positions-snapshot', positions: known }, parseCollateral(fields, 'account'), ...unknown],
      };
    },
  });
}

/** Rows exist for markets with a position and for those whose leverage was ever set. */
export function leverageOperation(access: RestAccess): Operation {
  return operation(access, {
    endpoint: 'account',
    query: [
      ['by', 'index'],
      ['value', access.accountIndex],
    ],
    priority: 3,
    read: (body) => {
      const [account] = asList(body['accounts'], 'accounts');
      const rows = asList(asFields(account, 'account')['positions'], 'positions');
      const { known, unknown } = eachKnown(access.markets, rows, 'market_id', 'position', parsePosition);
      const events = known.flatMap(({ symbol, leverage }): VenueEvent[] =>
        leverage === undefined ? [] : [{ type: 'leverage', symbol, leverage }],
      );
      return { events: [...events, ...unknown] };
    },
  });
}

export function openOrdersOperation(access: RestAccess, at: Instant): Operation {
  return operation(access, {
    endpoint: 'accountActiveOrders',
    query: [
      ['account_index', access.accountIndex],
      ['market_id', ALL_MARKETS],
    ],
    priority: 4,
    privateAt: at,
    read: (body, answeredAt) => {
      const rows = asList(body['orders'], 'orders');
      const { known, unknown } = eachKnown(access.markets, rows, 'market_index', 'order', (row, market) =>
        parseOrder(row, market, answeredAt.calendarMs),
      );
      return { events: [{ type: 'open-orders', orders: known }, ...unknown] };
    },
  });
}

/**
 * The venue has no question for one order: open orders first, then ended ones, newest first, as far back as a week. Only the end
 * of that search says "not found".
 */
export function findOrderOperation(access: RestAccess, symbol: string, clientOrderId: string, at: Instant): Operation {
  const market = access.markets.required(symbol);
  const sinceMs = at.calendarMs - SEARCH_MS;
  return operation(access, {
    endpoint: 'accountActiveOrders',
    query: [
      ['account_index', access.accountIndex],
      ['market_id', market.marketId],
    ],
    priority: 2,
    privateAt: at,
    read: (body, answeredAt) => {
      const found = foundIn(body, market, clientOrderId, answeredAt);
      return found === undefined
        ? { events: [], next: endedOrdersOperation(access, market, clientOrderId, sinceMs, undefined, answeredAt) }
        : { events: found };
    },
  });
}

function endedOrdersOperation(
  access: RestAccess,
  market: LighterMarket,
  clientOrderId: string,
  sinceMs: number,
  cursor: string | undefined,
  at: Instant,
): Operation {
  return operation(access, {
    endpoint: 'accountInactiveOrders',
    query: [
      ['account_index', access.accountIndex],
      ['market_id', market.marketId],
      ['limit', PAGE_LIMIT],
      ...(cursor === undefined ? [] : ([['cursor', cursor]] as const)),
    ],
    priority: 2,
    privateAt: at,
    read: (body, answeredAt) => {
      const found = foundIn(body, market, clientOrderId, answeredAt);
      if (found !== undefined) return { events: found };
      const rows = asList(body['orders'], 'orders');
      const oldest = rows.at(-1);
      const oldestAtMs = oldest === undefined ? undefined : orderCreatedAtMs(oldest);
      const next = optionalText(body, 'next_cursor');
      const isEnd = rows.length === 0 || next === undefined || next === '' || next === cursor;
      if (isEnd || (oldestAtMs !== undefined && oldestAtMs < sinceMs)) {
        return { events: [{ type: 'order-lookup', clientOrderId, found: false }] };
      }
      return { events: [], next: endedOrdersOperation(access, market, clientOrderId, sinceMs, next, answeredAt) };
    },
  });
}

function foundIn(
  body: Fields,
  market: LighterMarket,
  clientOrderId: string,
  at: Instant,
): readonly VenueEvent[] | undefined {
  for (const row of asList(body['orders'], 'orders')) {
    if (asFields(row, 'order')['market_index'] !== market.marketId) continue;
    const order = parseOrder(row, market, at.calendarMs);
    if (order.clientOrderId === clientOrderId) {
      return [
        { type: 'order-update', order },
        { type: 'order-lookup', clientOrderId, found: true },
      ];
    }
  }
  return undefined;
}

/** Pages run from the newest trade back; within a page events are oldest first. */
export function fillsOperation(access: RestAccess, sinceMs: number, at: Instant, cursor?: string): Operation {
  return operation(access, {
    endpoint: 'trades',
    query: [
      ['account_index', access.accountIndex],
      ['sort_by', 'timestamp'],
      ['sort_dir', 'desc'],
      ['limit', PAGE_LIMIT],
      ...(cursor === undefined ? [] : ([['cursor', cursor]] as const)),
    ],
    priority: 2,
    privateAt: at,
    whenMissing: NOTHING,
    read: (body, answeredAt) =>
      page(asList(body['trades'], 'trades'), body, cursor, sinceMs, {
        next: (more) => fillsOperation(access, sinceMs, answeredAt, more),
        read: (rows) => {
          const { known, unknown } = eachKnown(access.markets, rows, 'market_id', 'trade', (row, market) =>
            parseTrade(row, market, access.accountIndex),
          );
          return [...known.flat().map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
        },
      }),
  });
}

export function fundingPaymentsOperation(access: RestAccess, sinceMs: number, at: Instant, cursor?: string): Operation {
  return operation(access, {
    endpoint: 'positionFunding',
    query: [
      ['account_index', access.accountIndex],
      ['limit', PAGE_LIMIT],
      ...(cursor === undefined ? [] : ([['cursor', cursor]] as const)),
    ],
    priority: 4,
    privateAt: at,
    whenMissing: NOTHING,
    read: (body, answeredAt) =>
      page(asList(body['position_fundings'], 'position_fundings'), body, cursor, sinceMs, {
        next: (more) => fundingPaymentsOperation(access, sinceMs, answeredAt, more),
        read: (rows) => {
          const { known, unknown } = eachKnown(
            access.markets,
            rows,
            'market_id',
            'position funding',
            parseFundingPayment,
          );
          return [...known.map((payment): VenueEvent => ({ type: 'funding-payment', payment })), ...unknown];
        },
      }),
  });
}

/** Settled hours of one market, oldest first within an answer; answers that were cut off go on before their oldest hour. */
export function fundingHistoryOperation(
  access: RestAccess,
  symbol: string,
  sinceMs: number,
  untilMs: number,
): Operation {
  const market = access.markets.required(symbol);
  const hours = Math.max(1, Math.ceil((untilMs - sinceMs) / HOUR_MS));
  return operation(access, {
    endpoint: 'fundings',
    query: [
      ['market_id', market.marketId],
      ['resolution', '1h'],
      ['start_timestamp', Math.floor(sinceMs)],
      ['end_timestamp', Math.ceil(untilMs)],
      ['count_back', hours],
    ],
    priority: 5,
    read: (body) => {
      const rows = asList(body['fundings'], 'fundings').map((row) => parseSettledRate(row, symbol));
      const settled = rows.filter((row) => row.atMs >= sinceMs).toSorted((left, right) => left.atMs - right.atMs);
      const events = settled.map((row) => row.event);
      const [oldest] = settled;
      const isCut = oldest !== undefined && rows.length >= PAGE_LIMIT && oldest.atMs - HOUR_MS >= sinceMs;
      return isCut ? { events, next: fundingHistoryOperation(access, symbol, sinceMs, oldest.atMs - 1) } : { events };
    },
  });
}

function operation(access: RestAccess, ask: Ask): Operation {
  const query = (ask.query ?? []).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return {
    name: ask.endpoint,
    request: {
      method: 'GET',
      url: `${access.restUrl}/api/v1/${ask.endpoint}${query === '' ? '' : `?${query}`}`,
      headers: {
        accept: 'application/json',
        ...(ask.privateAt === undefined ? {} : { authorization: access.tokens.at(ask.privateAt).text }),
      },
      timeoutMs: TIMEOUT_MS,
    },
    weight: weightOf(ask.endpoint, access.tier),
    priority: ask.priority,
    mutates: false,
    parse(answer, at) {
      if (answer.status === 404 && ask.whenMissing !== undefined) return ask.whenMissing;
      return reading(ask.endpoint, () => ask.read(openBody(ask.endpoint, answer), at));
    },
  };
}

/** Returns the body of a success: the HTTP status and the body's own code both say so. */
function openBody(name: string, answer: HttpAnswered): Fields {
  let body: unknown;
  try {
    body = parseLosslessJson(answer.body, name);
  } catch (error) {
    // Gateways in front of the venue answer errors in HTML.
    if (answer.status >= 400) throw refusal(name, answer, {});
    throw error;
  }
  if (answer.status >= 400) throw refusal(name, answer, isFields(body) ? body : {});
  const fields = asFields(body, name);
  const { code } = fields;
  if (typeof code !== 'number') throw malformed(`${name}.code`, 'a number', code);
  if (code !== 200) throw refusal(name, answer, fields);
  return fields;
}

function refusal(name: string, answer: HttpAnswered, body: Fields): VenueError {
  const code = typeof body['code'] === 'number' ? body['code'] : undefined;
  const reason = optionalText(body, 'message') ?? answer.body.slice(0, 200);
  return new VenueError(name, String(code ?? `HTTP_${answer.status}`), reason, refusalClassOf(code, answer.status));
}

/** Splits rows of known markets from others; the latter are named, never silently dropped. */
export function eachKnown<Report>(
  markets: LighterMarkets,
  rows: readonly unknown[],
  marketField: string,
  what: string,
  read: (row: unknown, market: LighterMarket) => Report,
): { readonly known: readonly Report[]; readonly unknown: readonly VenueEvent[] } {
  const known: Report[] = [];
  const unknown: VenueEvent[] = [];
  for (const row of rows) {
    const marketId = countField(asFields(row, what), marketField, what);
    const market = markets.byId(marketId);
    if (market !== undefined) known.push(read(row, market));
    else unknown.push({ type: 'venue-error', code: 'UNKNOWN_MARKET', reason: `a ${what} names market ${marketId}` });
  }
  return { known, unknown };
}

/** One page of a listing that is newest first: reads what is young enough and goes on until it meets something older. */
function page(
  rows: readonly unknown[],
  body: Fields,
  cursor: string | undefined,
  sinceMs: number,
  how: {
    readonly next: (cursor: string) => Operation;
    readonly read: (rows: readonly unknown[]) => readonly VenueEvent[];
  },
): OperationResult {
  const young = rows.filter((row) => rowTimeMs(row, 'row') >= sinceMs);
  const events = how.read(young.toReversed());
  const next = optionalText(body, 'next_cursor');
  const goesOn =
    next !== undefined && next !== '' && next !== cursor && rows.length > 0 && young.length === rows.length;
  return goesOn ? { events, next: how.next(next) } : { events };
}
