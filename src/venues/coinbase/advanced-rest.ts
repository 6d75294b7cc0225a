/** What is asked of Advanced Trade over REST, and what the answers say. Pure; connector thread. */
import type { HttpAnswered, HttpRequest } from '../../ports/ports.ts';
import { asList, optionalText, textField, timeField } from '../fields.ts';
import { epochMsOfIso, isoOfEpochMs } from '../iso-time.ts';
import { asFields, parseLosslessJson, reading } from '../json.ts';
import type { Fields } from '../json.ts';
import type { Instrument } from '../../market/instrument.ts';
import { MalformedPayload, VenueError } from '../venue.ts';
import type { Instant, Operation, OperationResult, OrderReport, VenueEvent } from '../venue.ts';
import {
  parseBalance,
  parseFees,
  parseFill,
  parseOrder,
  parsePosition,
  parseProduct,
  productEvents,
} from './advanced-parse.ts';
import { PUBLIC_WEIGHT, refusalClassOfReason, refusalClassOfStatus } from './limits.ts';
import { eachKnown } from './operation.ts';
import type { CoinbaseAccess } from './operation.ts';
import { withoutTokens } from './sign.ts';
import { BROKERAGE_PATH, queryOf } from './wire.ts';

const READ_TIMEOUT_MS = 10_000;
/** An order without an answer after this is unknown, and asking about it can begin. */
const MUTATION_TIMEOUT_MS = 3_000;
const PAGE = 250;
const DAY_MS = 86_400_000;
/** How far back an order is looked for by an id of ours: the venue cannot be asked by it. */
const LOOK_BACK_MS = 7 * DAY_MS;
/** Orders may have been placed so long before a fill of theirs that is asked for. */
const PLACED_BEFORE_MS = DAY_MS;
const UNNAMED_WAIT_MS = 1_000;
/** Orders read one by one rather than from a listing. */
const LOOKUPS_MAX = 5;

interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly query?: readonly (readonly [string, string | number | undefined])[];
  readonly body?: unknown;
  readonly priority: Operation['priority'];
  /** Calendar ms after which the venue must not take it any more. */
  readonly untilMs?: number;
  /** Market data needs no key. */
  readonly isPublic?: true;
  readonly read: (answer: Fields, at: Instant) => OperationResult;
}

/** A token is for one method and path: it is made when the request leaves. */
function operation(access: CoinbaseAccess, ask: Ask, madeAt: Instant): Operation {
  const { method = 'GET', path, query = [], body, priority, untilMs } = ask;
  const mutates = method === 'POST';
  const url = access.hosts.restUrl + BROKERAGE_PATH + path;
  const uri = `${method} ${url.replace(/^https?:\/\//, '')}`;
  const text = queryOf(query);
  const request = (at: Instant): HttpRequest => ({
    method,
    url: text === '' ? url : `${url}?${text}`,
    headers: {
      ...(ask.isPublic
        ? {}
        : {
            authorization: `Bearer ${access.tokens.platform(at, { uri, ...(untilMs === undefined ? {} : { untilMs }) })}`,
          }),
      ...(mutates ? { 'content-type': 'application/json' } : {}),
    },
    ...(mutates ? { body: JSON.stringify(body) } : {}),
    timeoutMs: mutates ? MUTATION_TIMEOUT_MS : READ_TIMEOUT_MS,
  });
  // By its kind: an order's own id is no name.
  const name = path.slice(1).replace(/[0-9a-f-]{36}$/, 'id');
  return {
    name,
    weight: ask.isPublic ? PUBLIC_WEIGHT : 1,
    ...(ask.isPublic ? { isAnonymous: true as const } : {}),
    priority,
    mutates,
    request: request(madeAt),
    ...(mutates ? {} : { requestAt: request }),
    parse: (answer, at) => reading(name, () => ask.read(openAnswer(name, answer, mutates), at)),
  };
}

function openAnswer(name: string, { status, headers, body }: HttpAnswered, mutates: boolean): Fields {
  if (status === 200) return asFields(parseLosslessJson(body, name), name);
  const resetS = Number(headers['retry-after'] ?? headers['x-ratelimit-reset'] ?? Number.NaN);
  // What only reads carries a token made as it left: only its key can be wrong. The token of an order may have ended on its way.
  const refusal = status === 401 && !mutates ? 'fatal' : refusalClassOfStatus(status);
  const waitMs = resetS > 0 && resetS < 3_600 ? resetS * 1_000 : UNNAMED_WAIT_MS;
  const reason = withoutTokens(body).slice(0, 200).trim();
  throw new VenueError(name, `HTTP_${status}`, reason, refusal, refusal === 'rate-limit' ? waitMs : undefined);
}

export function timeOperation(access: CoinbaseAccess, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => ({
    events: [{ type: 'server-time', serverMs: timeField(answer, 'epochMillis', 'time') }],
  });
  return operation(access, { path: '/time', priority: 5, isPublic: true, read }, at);
}

export function productsOperation(access: CoinbaseAccess, at: Instant): Operation {
  const query = [
    ['product_type', 'FUTURE'],
    ['limit', 1_000],
  ] as const;
  const read = (answer: Fields): OperationResult => {
    const instruments: Instrument[] = [];
    const events: VenueEvent[] = [];
    for (const item of asList(answer['products'], 'products')) {
      try {
        const instrument = reading('product', () => parseProduct(item));
        if (instrument !== undefined) instruments.push(instrument);
      } catch (error) {
        // One broken listing among hundreds must not hide the others.
        if (!(error instanceof MalformedPayload)) throw error;
        const sample = JSON.stringify(item).slice(0, 200);
        events.push({ type: 'malformed-frame', channel: 'products', detail: error.message, sample });
      }
    }
    access.markets.replace(instruments.map((instrument) => ({ instrument, priceSteps: [] })));
    return { events: [{ type: 'instruments', instruments }, ...events] };
  };
  return operation(access, { path: '/market/products', query, priority: 5, isPublic: true, read }, at);
}

/** Mark, index and rates of these products: no stream has them. */
export function ratesOperation(access: CoinbaseAccess, symbols: readonly string[], at: Instant): Operation {
  const query = symbols.map((symbol) => ['product_ids', symbol] as const);
  const read = (answer: Fields, then: Instant): OperationResult => ({
    events: asList(answer['products'], 'products').flatMap((item) => {
      const instrument = access.markets.find(textField(asFields(item, 'product'), 'product_id', 'product'));
      return instrument === undefined ? [] : productEvents(item, instrument, Math.floor(then.calendarMs));
    }),
  });
  return operation(access, { path: '/market/products', query, priority: 5, isPublic: true, read }, at);
}

export function positionsOperation(access: CoinbaseAccess, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => {
    const items = asList(answer['positions'] ?? [], 'positions');
    const { known, unknown } = eachKnown(items, 'positions', (item) => {
      const position = parsePosition(item, access.markets.find);
      return position === undefined ? undefined : access.markets.rememberPosition(position);
    });
    return { events: [{ type: 'positions-snapshot', positions: known }, ...unknown] };
  };
  return operation(access, { path: '/cfm/positions', priority: 4, read }, at);
}

export function balanceOperation(access: CoinbaseAccess, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => ({ events: [parseBalance(answer['balance_summary'])] });
  return operation(access, { path: '/cfm/balance_summary', priority: 4, read }, at);
}

export function transactionSummaryOperation(access: CoinbaseAccess, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => ({ events: [parseFees(answer)] });
  const query = [['product_type', 'FUTURE']] as const;
  return operation(access, { path: '/transaction_summary', query, priority: 4, read }, at);
}

export function keyPermissionsOperation(access: CoinbaseAccess, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => ({
    events: [
      {
        type: 'key-rights',
        rights: { canTrade: answer['can_trade'] === true, canWithdraw: answer['can_transfer'] !== false },
      },
    ],
  });
  return operation(access, { path: '/key_permissions', priority: 4, read }, at);
}

/** Lists orders page by page, newest first, until `take` has enough (true) or there are no more. */
function ordersListing(
  access: CoinbaseAccess,
  asked: {
    readonly query: readonly (readonly [string, string | number | undefined])[];
    readonly priority: Operation['priority'];
    readonly take: (orders: readonly OrderReport[], unknown: readonly VenueEvent[]) => boolean;
    readonly done: () => OperationResult;
  },
  at: Instant,
  cursor?: string,
): Operation {
  const read = (answer: Fields, then: Instant): OperationResult => {
    const { known, unknown } = eachKnown(asList(answer['orders'], 'orders'), 'orders', (item) =>
      readOrder(access, item, then),
    );
    const next = optionalText(answer, 'cursor');
    const isEnough = asked.take(known, unknown) || answer['has_next'] !== true || next === undefined || next === cursor;
    return isEnough ? asked.done() : { events: [], next: ordersListing(access, asked, at, next) };
  };
  const query = [...asked.query, ['limit', PAGE], ['cursor', cursor]] as const;
  return operation(access, { path: '/orders/historical/batch', query, priority: asked.priority, read }, at);
}

function readOrder(access: CoinbaseAccess, item: unknown, then: Instant): OrderReport | undefined {
  const fields = asFields(item, 'order');
  const order = parseOrder(fields, access.markets.find, { venueAtMs: changedAtMs(fields, then), isStream: false });
  if (order !== undefined) access.markets.rememberOrder(order);
  return order;
}

/** When an order last changed, as far as its listing says. */
function changedAtMs(order: Fields, at: Instant): number {
  const text = optionalText(order, 'last_fill_time') ?? optionalText(order, 'created_time') ?? '';
  return epochMsOfIso(text) ?? Math.floor(at.calendarMs);
}

export function ordersOperation(access: CoinbaseAccess, at: Instant): Operation {
  const orders: OrderReport[] = [];
  const others: VenueEvent[] = [];
  const take = (page: readonly OrderReport[], unknown: readonly VenueEvent[]): boolean => {
    orders.push(...page);
    others.push(...unknown);
    return false;
  };
  const done = (): OperationResult => ({ events: [{ type: 'open-orders', orders }, ...others] });
  return ordersListing(access, { query: [['order_status', 'OPEN']], priority: 4, take, done }, at);
}

export function findByIdOperation(
  access: CoinbaseAccess,
  symbol: string,
  clientOrderId: string,
  at: Instant,
): Operation {
  let found: OrderReport | undefined;
  const query = [
    ['product_ids', symbol],
    ['start_date', isoOfEpochMs(at.calendarMs - LOOK_BACK_MS)],
  ] as const;
  const take = (page: readonly OrderReport[]): boolean => {
    found = page.find((order) => order.clientOrderId === clientOrderId);
    return found !== undefined;
  };
  const done = (): OperationResult => ({
    events: [
      ...(found === undefined ? [] : [{ type: 'order-update', order: found } as const]),
      { type: 'order-lookup', clientOrderId, found: found !== undefined },
    ],
  });
  return ordersListing(access, { query, priority: 2, take, done }, at);
}

/**
 * Fills name their order by the venue's id alone. Whose orders are not known yet are told when they are: a fill that is first said to be
 * nobody's, and then ours, would be two.
 */
export function fillsOperation(access: CoinbaseAccess, sinceMs: number, at: Instant, cursor?: string): Operation {
  const { markets } = access;
  const read = (answer: Fields): OperationResult => {
    const fills = asList(answer['fills'], 'fills').toReversed();
    const cursorNext = optionalText(answer, 'cursor');
    const isLast = cursorNext === undefined || cursorNext === cursor || fills.length === 0;
    const done = (): OperationResult => ({
      events: fills.flatMap((item) => parseFill(item, markets.find, (id) => markets.clientOrderIdOf(id)) ?? []),
      ...(isLast ? {} : { next: fillsOperation(access, sinceMs, at, cursorNext) }),
    });
    const unknown = new Set(
      fills
        .map((item) => asFields(item, 'fill'))
        // A product that is none of ours cannot be booked, whoever ordered it.
        .filter((fill) => markets.find(textField(fill, 'product_id', 'fill')) !== undefined)
        .map((fill) => textField(fill, 'order_id', 'fill'))
        .filter((id) => !markets.knowsOrder(id)),
    );
    if (unknown.size <= LOOKUPS_MAX) return knowOrders(access, [...unknown], done, at);
    const query = [['start_date', isoOfEpochMs(Math.max(0, sinceMs - PLACED_BEFORE_MS))]] as const;
    const rest = (): OperationResult =>
      knowOrders(
        access,
        [...unknown].filter((id) => !markets.knowsOrder(id)),
        done,
        at,
      );
    return { events: [], next: ordersListing(access, { query, priority: 2, take: () => false, done: rest }, at) };
  };
  const query = [
    ['start_sequence_timestamp', isoOfEpochMs(Math.max(0, sinceMs))],
    ['limit', PAGE],
    ['cursor', cursor],
  ] as const;
  return operation(access, { path: '/orders/historical/fills', query, priority: 2, read }, at);
}

/** Reads these orders one by one, then goes on. An order that is not listed yet fails all of it: it is asked for again. */
function knowOrders(
  access: CoinbaseAccess,
  [venueOrderId, ...more]: readonly string[],
  done: () => OperationResult,
  at: Instant,
): OperationResult {
  if (venueOrderId === undefined) return done();
  const read = (answer: Fields, then: Instant): OperationResult => {
    readOrder(access, answer['order'], then);
    return knowOrders(access, more, done, at);
  };
  const path = `/orders/historical/${venueOrderId}`;
  return { events: [], next: operation(access, { path, priority: 2, read }, at) };
}

export interface CreateOrder {
  readonly body: Readonly<Record<string, unknown>>;
  readonly untilMs: number;
  readonly isReducing: boolean;
}

/** A refusal comes with HTTP 200 as well. */
export function createOrderOperation(access: CoinbaseAccess, order: CreateOrder, at: Instant): Operation {
  const read = (answer: Fields): OperationResult => {
    if (answer['success'] !== true) throw refusalOf('orders', asFields(answer['error_response'] ?? {}, 'error'));
    const success = asFields(answer['success_response'], 'orders.success_response');
    return { events: [{ type: 'submission-accepted', venueOrderId: textField(success, 'order_id', 'orders') }] };
  };
  const { body, untilMs, isReducing } = order;
  return operation(access, { method: 'POST', path: '/orders', body, untilMs, priority: isReducing ? 0 : 3, read }, at);
}

const NO_REASON = /^$|^UNKNOWN_(?:PREVIEW_|CANCEL_)?FAILURE_REASON$/;

/** Several fields name the reason, most of them that it is unknown. */
function refusalOf(name: string, error: Fields): VenueError {
  const code =
    ['new_order_failure_reason', 'preview_failure_reason', 'error', 'failure_reason']
      .map((field) => optionalText(error, field) ?? '')
      .find((text) => !NO_REASON.test(text)) ?? 'UNKNOWN_FAILURE_REASON';
  const words = ['message', 'error_details']
    .map((field) => optionalText(error, field))
    .filter((text) => text !== undefined);
  return new VenueError(name, code, withoutTokens(words.join(': ')) || 'no reason given', refusalClassOfReason(code));
}

/** At most a hundred at once; each is answered by itself, and the first that failed is told. */
export function cancelOperation(
  access: CoinbaseAccess,
  venueOrderIds: readonly string[],
  untilMs: number,
  at: Instant,
): Operation {
  const read = (answer: Fields): OperationResult => {
    const results = asList(answer['results'], 'cancel.results').map((item) => asFields(item, 'cancel.results'));
    const failed = results.find((result) => result['success'] !== true);
    if (failed !== undefined && venueOrderIds.length === 1) throw refusalOf('orders/batch_cancel', failed);
    return { events: [{ type: 'submission-accepted' }] };
  };
  const body = { order_ids: venueOrderIds };
  return operation(access, { method: 'POST', path: '/orders/batch_cancel', body, untilMs, priority: 0, read }, at);
}
