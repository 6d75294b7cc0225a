/** Extended's REST operations: what to send, what it costs, how to read the answer. Pure; connector thread. */
import type { HttpAnswered, HttpRequest } from '../../ports/ports.ts';
import { asFields, malformed, reading, sampleOf } from '../json.ts';
import { MalformedPayload, VenueError } from '../venue.ts';
import type {
  FillReport,
  FundingPaymentReport,
  Instant,
  Operation,
  OperationResult,
  OrderReport,
  VenueEvent,
} from '../venue.ts';
import { asList, idField, optionalText, parseJson, textField, timeField } from './json.ts';
import { refusalClassOf } from './limits.ts';
import type { ExtendedMarkets } from './markets.ts';
import {
  parseAppliedRate,
  parseBalance,
  parseFees,
  parseFill,
  parseFundingPayment,
  parseMarket,
  parseMarketStats,
  parseOrder,
  parsePosition,
} from './parse.ts';
import type { ExtendedMarket } from './parse.ts';
import { httpDateMs, USER_AGENT } from './wire.ts';

/** Where requests go and as whom. */
export interface RestAccess {
  readonly restUrl: string;
  readonly apiKey: string;
  readonly chainId: string;
  readonly markets: ExtendedMarkets;
}

interface Envelope {
  readonly data: unknown;
  readonly cursor: string | undefined;
}

interface Ask {
  readonly name: string;
  readonly method: HttpRequest['method'];
  /** Path with query, after the base address. */
  readonly path: string;
  readonly body?: string;
  readonly priority: Operation['priority'];
  /** Reads the envelope's data. */
  readonly read: (envelope: Envelope, at: Instant, answer: HttpAnswered) => OperationResult;
  /** What HTTP 404 means where it is an answer and not a refusal. */
  readonly whenMissing?: OperationResult;
}

const READ_TIMEOUT_MS = 10_000;
/** An order without an answer after this is unknown, and asking about it can begin. */
const MUTATION_TIMEOUT_MS = 3_000;
const PAGE_LIMIT = 100;
/** The venue's most for one answer: more than a year of hours. */
const FUNDING_RATES_LIMIT = 10_000;
/** Beyond this many symbols one request for all markets is shorter than naming them. */
const NAMED_MARKETS_MAX = 40;

/** Venue time from the `date` header: whole seconds rounded down, so half a second is added and the error is up to 500 ms. */
const DATE_HALF_RESOLUTION_MS = 500;

/**
 * There is no time endpoint: the smallest public answer carries a `date` header. The same answer names the signing chain, and a
 * wrong one would make every signature invalid, so it is checked here, before any order.
 */
export function serverTimeOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'info/starknet',
    method: 'GET',
    path: '/info/starknet',
    priority: 5,
    read: ({ data }, _at, answer) => {
      const chainId = textField(asFields(data, 'starknet domain'), 'chainId', 'starknet domain');
      if (chainId !== access.chainId) {
        throw new VenueError(
          'info/starknet',
          'CHAIN_MISMATCH',
          `the venue signs for ${chainId}, this account for ${access.chainId}`,
          'fatal',
        );
      }
      const date = answer.headers['date'] ?? '';
      const dateMs = httpDateMs(date);
      if (dateMs === undefined) throw malformed('date header', 'an HTTP date', date);
      return { events: [{ type: 'server-time', serverMs: dateMs + DATE_HALF_RESOLUTION_MS }] };
    },
  });
}

export function instrumentsOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'info/markets',
    method: 'GET',
    path: '/info/markets',
    priority: 5,
    read: ({ data }) => {
      const markets: ExtendedMarket[] = [];
      const events: VenueEvent[] = [];
      for (const item of asList(data, 'markets')) {
        try {
          const market = reading('market', () => parseMarket(item));
          if (market !== undefined) markets.push(market);
        } catch (error) {
          // One broken listing among hundreds must not hide the others.
          if (!(error instanceof MalformedPayload)) throw error;
          events.push({
            type: 'malformed-frame',
            channel: 'info/markets',
            detail: error.message,
            sample: sampleOf(item),
          });
        }
      }
      access.markets.replace(markets);
      const instruments = markets.filter((market) => market.tradable).map((market) => market.instrument);
      return { events: [{ type: 'instruments', instruments }, ...events] };
    },
  });
}

/** Mark, index and predicted funding of the watched markets. */
export function marketPollOperation(access: RestAccess): Operation {
  const { watched } = access.markets;
  const query = watched.length > NAMED_MARKETS_MAX ? '' : queryOf(watched.map((symbol) => ['market', symbol]));
  return operation(access, {
    name: 'info/markets',
    method: 'GET',
    path: `/info/markets${query}`,
    priority: 5,
    read: ({ data }, at) => {
      const wanted = new Set(watched);
      const events = asList(data, 'markets').flatMap((item) => {
        const market = asFields(item, 'market');
        const symbol = textField(market, 'name', 'market');
        return wanted.has(symbol) ? parseMarketStats(symbol, market['marketStats'], Math.floor(at.calendarMs)) : [];
      });
      return { events };
    },
  });
}

/** Applied hourly rates, newest last. The venue answers at most 10,000 at once, newest first: older ones are left out. */
export function fundingHistoryOperation(access: RestAccess, symbol: string, sinceMs: number, at: Instant): Operation {
  const query = queryOf([
    ['startTime', Math.floor(sinceMs)],
    ['endTime', Math.ceil(at.calendarMs)],
    ['limit', FUNDING_RATES_LIMIT],
  ]);
  return operation(access, {
    name: 'info/funding',
    method: 'GET',
    path: `/info/${encodeURIComponent(symbol)}/funding${query}`,
    priority: 5,
    read: ({ data }) => ({ events: asList(data, 'applied rates').map(parseAppliedRate).toReversed() }),
  });
}

export function positionsOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'user/positions',
    method: 'GET',
    path: '/user/positions',
    priority: 4,
    read: ({ data }) => {
      const { known, unknown } = eachKnown(data, 'positions', (item) => parsePosition(item, access.markets.find));
      return { events: [{ type: 'positions-snapshot', positions: known }, ...unknown] };
    },
  });
}

export function balanceOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'user/balance',
    method: 'GET',
    path: '/user/balance',
    priority: 4,
    // The venue answers 404 for an account without money.
    whenMissing: { events: [parseBalance({ balance: '0', availableForTrade: '0' })] },
    read: ({ data }) => ({ events: [parseBalance(data)] }),
  });
}

export function openOrdersOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'user/orders',
    method: 'GET',
    path: '/user/orders',
    priority: 4,
    read: ({ data }) => {
      const { known, unknown } = eachKnown(data, 'orders', (item) => readOrder(access, item));
      return { events: [{ type: 'open-orders', orders: known }, ...unknown] };
    },
  });
}

export function feesOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'user/fees',
    method: 'GET',
    path: '/user/fees',
    priority: 4,
    read: ({ data }) => {
      const tiers = asList(data, 'fees').map(parseFees);
      for (const tier of tiers) if (tier.symbol !== undefined) access.markets.learnTakerFee(tier.symbol, tier.takerFee);
      return { events: tiers };
    },
  });
}

export function findOrderOperation(access: RestAccess, clientOrderId: string): Operation {
  return operation(access, {
    name: 'user/orders/external',
    method: 'GET',
    path: `/user/orders/external/${encodeURIComponent(clientOrderId)}`,
    priority: 2,
    whenMissing: { events: [{ type: 'order-lookup', clientOrderId, found: false }] },
    read: ({ data }) => {
      const items = asList(data, 'orders').filter(
        (item) => optionalText(asFields(item, 'order'), 'externalId') === clientOrderId,
      );
      const { known, unknown } = eachKnown(items, 'orders', (item) => readOrder(access, item));
      const updates = known.map((order): VenueEvent => ({ type: 'order-update', order }));
      return { events: [...updates, ...unknown, { type: 'order-lookup', clientOrderId, found: items.length > 0 }] };
    },
  });
}

/** Fills since then, oldest first within each page; pages go back in time. */
export function fillsOperation(access: RestAccess, sinceMs: number, cursor?: string): Operation {
  return operation(access, {
    name: 'user/trades',
    method: 'GET',
    path: `/user/trades${pageQuery(cursor)}`,
    priority: 2,
    read: (envelope) =>
      page(
        envelope,
        cursor,
        sinceMs,
        'createdTime',
        (next) => fillsOperation(access, sinceMs, next),
        (items) => {
          const { known, unknown } = eachKnown(items, 'fills', (item) => readFill(access, item));
          return [...known.map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
        },
      ),
  });
}

/** Funding payments since then, oldest first within each page; pages go back in time. */
export function fundingPaymentsOperation(access: RestAccess, sinceMs: number, cursor?: string): Operation {
  return operation(access, {
    name: 'user/funding/history',
    method: 'GET',
    path: `/user/funding/history${pageQuery(cursor, [['fromTime', Math.max(0, Math.floor(sinceMs))]])}`,
    priority: 4,
    read: (envelope) =>
      page(
        envelope,
        cursor,
        sinceMs,
        'paidTime',
        (next) => fundingPaymentsOperation(access, sinceMs, next),
        (items) => {
          const { known, unknown } = eachKnown(items, 'funding payments', (item): FundingPaymentReport | undefined =>
            parseFundingPayment(item, access.markets.find),
          );
          return [...known.map((payment): VenueEvent => ({ type: 'funding-payment', payment })), ...unknown];
        },
      ),
  });
}

/** `body` is the finished, signed order. OK means that the gateway took it: matching follows and may still reject. */
export function placeOrderOperation(access: RestAccess, body: string, reduceOnly: boolean): Operation {
  return operation(access, {
    name: 'user/order',
    method: 'POST',
    path: '/user/order',
    body,
    priority: reduceOnly ? 0 : 3,
    read: ({ data }) => {
      const reply = asFields(data, 'order reply');
      const venueOrderId = idField(reply, 'id', 'order reply');
      access.markets.learnOrder(venueOrderId, optionalText(reply, 'externalId') ?? '');
      return { events: [{ type: 'submission-accepted', venueOrderId }] };
    },
  });
}

/** OK means "asked": the order's end arrives on the account stream. */
export function cancelOrderOperation(access: RestAccess, clientOrderId: string): Operation {
  return operation(access, {
    name: 'user/order cancel',
    method: 'DELETE',
    path: `/user/order${queryOf([['externalId', clientOrderId]])}`,
    priority: 0,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** OK means "asked", for every order of the account. */
export function cancelAllOperation(access: RestAccess): Operation {
  return operation(access, {
    name: 'user/order/massCancel',
    method: 'POST',
    path: '/user/order/massCancel',
    body: JSON.stringify({ cancelAll: true }),
    priority: 0,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** All orders are cancelled unless it comes again within so many seconds; 0 ends that. */
export function deadManOperation(access: RestAccess, countdownSeconds: number): Operation {
  return operation(access, {
    name: 'user/deadmanswitch',
    method: 'POST',
    path: `/user/deadmanswitch${queryOf([['countdownTime', countdownSeconds]])}`,
    priority: 2,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

export function leverageOperation(access: RestAccess, symbol: string, leverage: number): Operation {
  return operation(access, {
    name: 'user/leverage',
    method: 'PATCH',
    path: '/user/leverage',
    body: JSON.stringify({ market: symbol, leverage: String(leverage) }),
    priority: 3,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** Markets whose leverage was never set are told with the venue's default. */
export function leverageOfOperation(access: RestAccess, symbols: readonly string[]): Operation {
  return operation(access, {
    name: 'user/leverage read',
    method: 'GET',
    path: `/user/leverage${queryOf(symbols.map((symbol) => ['market', symbol]))}`,
    priority: 3,
    read: ({ data }) => ({
      events: asList(data, 'leverages').map((row) => {
        const fields = asFields(row, 'leverage');
        const text = textField(fields, 'leverage', 'leverage');
        const leverage = Number(text);
        if (!(leverage > 0)) throw malformed('leverage', 'a positive decimal', text);
        return { type: 'leverage', symbol: textField(fields, 'market', 'leverage'), leverage };
      }),
    }),
  });
}

function operation(access: RestAccess, ask: Ask): Operation {
  const mutates = ask.method !== 'GET';
  return {
    name: ask.name,
    weight: 1,
    priority: ask.priority,
    mutates,
    request: {
      method: ask.method,
      url: access.restUrl + ask.path,
      headers: {
        'user-agent': USER_AGENT,
        'x-api-key': access.apiKey,
        accept: 'application/json',
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(ask.body === undefined ? {} : { body: ask.body }),
      timeoutMs: mutates ? MUTATION_TIMEOUT_MS : READ_TIMEOUT_MS,
    },
    parse(answer, at) {
      if (answer.status === 404 && ask.whenMissing !== undefined) return ask.whenMissing;
      return reading(ask.name, () => ask.read(openEnvelope(ask.name, answer), at, answer));
    },
  };
}

/** Returns the data of an OK answer; throws VenueError for a refusal and MalformedPayload for nonsense. */
function openEnvelope(name: string, answer: HttpAnswered): Envelope {
  const refused = (code: string, reason: string, known?: number): VenueError =>
    new VenueError(name, code, reason, refusalClassOf(answer.status, known));
  let body: unknown;
  try {
    body = parseJson(answer.body, name);
  } catch (error) {
    // Gateways in front of the venue answer errors in HTML.
    if (answer.status >= 400) throw refused(`HTTP_${answer.status}`, answer.body.slice(0, 200));
    throw error;
  }
  const envelope = asFields(body, name);
  const status = optionalText(envelope, 'status')?.toUpperCase();
  if (status === 'OK' && answer.status < 400) {
    const pagination = envelope['pagination'];
    const cursor =
      pagination === undefined || pagination === null ? undefined : optionalText(asFields(pagination, name), 'cursor');
    return { data: envelope['data'], cursor };
  }
  if (status !== 'ERROR' && answer.status < 400) throw malformed(`${name}.status`, 'OK or ERROR', envelope['status']);
  const failure = envelope['error'] === undefined ? {} : asFields(envelope['error'], `${name}.error`);
  const code = optionalText(failure, 'code') ?? `HTTP_${answer.status}`;
  const reason = [optionalText(failure, 'message'), optionalText(failure, 'debugInfo')]
    .filter((part) => part !== undefined)
    .join(': ');
  throw refused(
    code,
    reason === '' ? answer.body.slice(0, 200) : reason,
    /^\d+$/.test(code) ? Number(code) : undefined,
  );
}

function readOrder(access: RestAccess, item: unknown): OrderReport | undefined {
  const order = parseOrder(item, access.markets.find);
  if (order !== undefined) access.markets.learnOrder(order.venueOrderId, order.clientOrderId);
  return order;
}

function readFill(access: RestAccess, item: unknown): FillReport | undefined {
  return parseFill(item, access.markets.find, access.markets.clientOrderIdOf);
}

/** Splits what belongs to known markets from what does not; the latter is named, never silently dropped. */
export function eachKnown<Report>(
  data: unknown,
  what: string,
  read: (item: unknown) => Report | undefined,
): { readonly known: readonly Report[]; readonly unknown: readonly VenueEvent[] } {
  const known: Report[] = [];
  const unknown: VenueEvent[] = [];
  for (const item of asList(data, what)) {
    const report = read(item);
    if (report !== undefined) known.push(report);
    else
      unknown.push({
        type: 'venue-error',
        code: 'UNKNOWN_MARKET',
        reason: `${what} name the market ${String(asFields(item, what)['market'])}`,
      });
  }
  return { known, unknown };
}

/** One page of a listing that is newest first: reads what is young enough and goes on until it meets something older. */
function page(
  envelope: Envelope,
  cursor: string | undefined,
  sinceMs: number,
  timeName: string,
  next: (cursor: string) => Operation,
  read: (items: readonly unknown[]) => readonly VenueEvent[],
): OperationResult {
  const items = asList(envelope.data, 'page');
  const young = items.filter((item) => timeField(asFields(item, 'page'), [timeName, 'createdAt'], 'page') >= sinceMs);
  const events = read(young.toReversed());
  // A page shorter than asked for is no proof of the end: the venue may cap pages lower. An empty one is.
  const more =
    items.length > 0 && young.length === items.length && envelope.cursor !== undefined && envelope.cursor !== cursor;
  return more && envelope.cursor !== undefined ? { events, next: next(envelope.cursor) } : { events };
}

function pageQuery(cursor: string | undefined, more: readonly (readonly [string, string | number])[] = []): string {
  return queryOf([...more, ['limit', PAGE_LIMIT], ...(cursor === undefined ? [] : ([['cursor', cursor]] as const))]);
}

function queryOf(pairs: readonly (readonly [string, string | number])[]): string {
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}
