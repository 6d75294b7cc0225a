/** Hyperliquid's questions and actions over HTTP: what to send, what it weighs, how to read the answer. Pure; connector thread. */
import { HOUR_MS } from '../../market/funding-rate.ts';
import type { HttpAnswered } from '../../ports/ports.ts';
import { asFields, malformed, parseLosslessJson, reading, sampleOf } from '../json.ts';
import { MalformedPayload, VenueError } from '../venue.ts';
import type { Instant, Operation, OperationResult, VenueEvent } from '../venue.ts';
import { asList, idField, optionalText, textField, timeField } from './json.ts';
import { exchangeWeight, FILLS_PAGE, infoWeight, RATES_PAGE, refusalClassOf, refusalCodeOf } from './limits.ts';
import type { HyperliquidMarkets } from './markets.ts';
import {
  isSpot,
  parseAccount,
  parseFees,
  parseFill,
  parseLeverage,
  parseMeta,
  parseOrder,
  parsePayment,
  parseSettledRate,
} from './parse.ts';
import type { SignedTerms } from './sign.ts';
import { cloidOf, EXCHANGE_PATH, INFO_PATH, JSON_HEADERS } from './wire.ts';

/** Where questions go and whose account they are about. */
export interface RestAccess {
  readonly restUrl: string;
  /** Lower case: the account's, never that of a key that signs for it, whose answers would be empty. */
  readonly user: string;
  readonly markets: HyperliquidMarkets;
}

const READ_TIMEOUT_MS = 10_000;
/** An order without an answer after this is unknown, and asking about it can begin. */
const MUTATION_TIMEOUT_MS = 3_000;
/** Items that a listing is expected to have when its weight is booked before the answer is known. */
const USUAL_ITEMS = 100;

interface Question {
  readonly type: string;
  readonly [field: string]: string | number;
}

/** There is no time endpoint: the account's picture carries the time of the newest block. */
export function serverTimeOperation(access: RestAccess): Operation {
  return info(access, { type: 'clearinghouseState', user: access.user }, 5, (data) => ({
    events: [{ type: 'server-time', serverMs: timeField(asFields(data, 'account'), 'time', 'account') }],
  }));
}

export function instrumentsOperation(access: RestAccess): Operation {
  return info(access, { type: 'meta' }, 5, (data) => {
    const { markets, damaged } = parseMeta(data);
    access.markets.replace(markets);
    const instruments = markets.filter((market) => !market.isDelisted).map((market) => market.instrument);
    const complaints = damaged.map(({ item, error }): VenueEvent => {
      // One broken listing among hundreds must not hide the others.
      if (!(error instanceof MalformedPayload)) throw error;
      return {
        type: 'malformed-frame',
        channel: 'meta',
        detail: error.message,
        sample: sampleOf(item),
      };
    });
    return { events: [{ type: 'instruments', instruments }, ...complaints] };
  });
}

export function accountOperation(access: RestAccess): Operation {
  return info(access, { type: 'clearinghouseState', user: access.user }, 4, (data) => ({
    events: parseAccount(data, access.markets.find).events,
  }));
}

export function openOrdersOperation(access: RestAccess): Operation {
  return info(access, { type: 'frontendOpenOrders', user: access.user }, 4, (data) => {
    const { known, unknown } = eachKnown(data, 'orders', (item) =>
      parseOrder(item, 'open', undefined, access.markets.find),
    );
    return { events: [{ type: 'open-orders', orders: known }, ...unknown] };
  });
}

/** A wallet that only signs for another can move nothing out; the account's own key can. */
export function keyRightsOperation(access: RestAccess, signer: string): Operation {
  return info(access, { type: 'userRole', user: signer }, 4, (data) => {
    const role = textField(asFields(data, 'role'), 'role', 'role');
    // The words that the first order would be refused with.
    if (role === 'missing') throw refused('userRole', 200, `User or API Wallet ${signer} does not exist.`);
    const isOwn = signer === access.user || role === 'user';
    const rights = { canTrade: true, canWithdraw: isOwn };
    return { events: [{ type: 'key-rights', rights }] };
  });
}

export function feesOperation(access: RestAccess): Operation {
  return info(access, { type: 'userFees', user: access.user }, 4, (data) => ({ events: [parseFees(data)] }));
}

export function findOrderOperation(access: RestAccess, clientOrderId: string): Operation {
  const question = { type: 'orderStatus', user: access.user, oid: cloidOf(clientOrderId) };
  return info(access, question, 2, (data) => {
    const answer = asFields(data, 'order status');
    const status = textField(answer, 'status', 'order status');
    if (status === 'unknownOid') return { events: [{ type: 'order-lookup', clientOrderId, found: false }] };
    if (status !== 'order') throw malformed('order status.status', 'order or unknownOid', status);
    const found = asFields(answer['order'], 'order status.order');
    const order = parseOrder(
      found['order'],
      textField(found, 'status', 'order status.order'),
      timeField(found, 'statusTimestamp', 'order status.order'),
      access.markets.find,
    );
    if (order === undefined) throw malformed('order status.order', 'of a listed coin', found['order']);
    return {
      events: [
        { type: 'order-update', order },
        { type: 'order-lookup', clientOrderId, found: true },
      ],
    };
  });
}

/** What is in force for one coin, also where it was never set. */
export function leverageOfOperation(access: RestAccess, symbol: string): Operation {
  return info(access, { type: 'activeAssetData', user: access.user, coin: symbol }, 3, (data) => ({
    events: [parseLeverage(symbol, asFields(data, 'asset data'))],
  }));
}

/** Fills since then, oldest first within each page. */
export function fillsOperation(access: RestAccess, sinceMs: number, untilMs?: number): Operation {
  const startTime = Math.max(0, Math.floor(sinceMs));
  const question = {
    type: 'userFillsByTime',
    user: access.user,
    startTime,
    ...(untilMs === undefined ? {} : { endTime: untilMs }),
  };
  return info(
    access,
    question,
    2,
    (data) => {
      const items = asList(data, 'fills');
      const times = items.map((item) => timeField(asFields(item, 'fill'), 'time', 'fill'));
      const isNewestFirst = (times[0] ?? 0) > (times.at(-1) ?? 0);
      const oldestFirst = isNewestFirst ? items.toReversed() : items;
      const { known, unknown } = eachKnown(oldestFirst, 'fills', (item) => parseFill(item, access.markets.find));
      const events = [...known.map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
      if (items.length < FILLS_PAGE) return { events };
      // A full page leaves out the newest or the oldest, depending on its order; the edge is asked for again and recognised.
      const edgeMs = times.at(-1) ?? startTime;
      const next = isNewestFirst
        ? fillsOperation(access, startTime, edgeMs === untilMs ? edgeMs - 1 : edgeMs)
        : fillsOperation(access, edgeMs === startTime ? edgeMs + 1 : edgeMs, untilMs);
      return { events, next };
    },
    USUAL_ITEMS,
  );
}

/** Funding payments since then, oldest first. */
export function paymentsOperation(access: RestAccess, sinceMs: number): Operation {
  const startTime = Math.max(0, Math.floor(sinceMs));
  return info(
    access,
    { type: 'userFunding', user: access.user, startTime },
    4,
    (data) => {
      const { known, unknown } = eachKnown(data, 'funding payments', (item) => parsePayment(item, access.markets.find));
      const events = [...known.map((payment): VenueEvent => ({ type: 'funding-payment', payment })), ...unknown];
      const nextMs = nextPageMs(asList(data, 'funding payments'), startTime);
      return nextMs === undefined ? { events } : { events, next: paymentsOperation(access, nextMs) };
    },
    USUAL_ITEMS,
  );
}

/** Settled hourly rates, newest last. */
export function fundingHistoryOperation(access: RestAccess, symbol: string, sinceMs: number, at: Instant): Operation {
  const startTime = Math.max(0, Math.floor(sinceMs));
  return info(
    access,
    { type: 'fundingHistory', coin: symbol, startTime },
    5,
    (data) => {
      const items = asList(data, 'settled rates');
      const nextMs = nextPageMs(items, startTime);
      const events = items.map(parseSettledRate);
      return nextMs === undefined ? { events } : { events, next: fundingHistoryOperation(access, symbol, nextMs, at) };
    },
    Math.min(RATES_PAGE, Math.ceil(Math.max(0, at.calendarMs - startTime) / HOUR_MS)),
  );
}

/** Full pages end anywhere, also between records of one ms: that ms is asked for again. */
function nextPageMs(items: readonly unknown[], startTime: number): number | undefined {
  if (items.length < RATES_PAGE) return undefined;
  const lastMs = timeField(asFields(items.at(-1), 'page'), 'time', 'page');
  return lastMs === startTime ? lastMs + 1 : lastMs;
}

/** A signed action on its way; `read` takes the first status of the venue's answer, or undefined where it has none. */
export function actionOperation(
  access: RestAccess,
  name: string,
  priority: Operation['priority'],
  terms: SignedTerms,
  signature: unknown,
  read: (status: unknown) => readonly VenueEvent[],
): Operation {
  const signed = asFields(signature, 'signature');
  return {
    name: `exchange/${name}`,
    weight: exchangeWeight(1),
    priority,
    mutates: true,
    request: {
      method: 'POST',
      url: access.restUrl + EXCHANGE_PATH,
      headers: JSON_HEADERS,
      body: JSON.stringify({
        action: terms.action,
        nonce: terms.nonce,
        signature: { r: signed['r'], s: signed['s'], v: signed['v'] },
        vaultAddress: terms.vaultAddress ?? null,
        expiresAfter: terms.expiresAfter ?? null,
      }),
      timeoutMs: MUTATION_TIMEOUT_MS,
    },
    parse: (answer) => reading(name, () => ({ events: read(firstStatus(name, answer)) })),
  };
}

/** The status of an order: resting and filled name the venue's order. */
export function readOrderStatus(status: unknown): readonly VenueEvent[] {
  // A stop waits outside the book, under a number that the streams tell.
  if (status === 'waitingForTrigger') return [{ type: 'submission-accepted' }];
  const held = asFields(status, 'order answer');
  const taken = held['resting'] ?? held['filled'];
  if (taken === undefined) throw malformed('order answer', 'resting, filled or error', status);
  const venueOrderId = idField(asFields(taken, 'order answer'), 'oid', 'order answer');
  return [{ type: 'submission-accepted', venueOrderId }];
}

export function readCancelStatus(status: unknown): readonly VenueEvent[] {
  if (status !== 'success') throw malformed('cancel answer', '"success" or an error', status);
  return [{ type: 'submission-accepted' }];
}

function firstStatus(name: string, answer: HttpAnswered): unknown {
  const envelope = asFields(bodyOf(name, answer), name);
  const status = optionalText(envelope, 'status');
  if (status === 'err') throw refused(name, answer.status, textField(envelope, 'response', name));
  if (status !== 'ok') throw malformed(`${name}.status`, 'ok or err', envelope['status']);
  const response = asFields(envelope['response'], `${name}.response`);
  if (response['data'] === undefined) return undefined;
  const [first] = asList(asFields(response['data'], `${name}.data`)['statuses'], `${name}.statuses`);
  if (first === undefined) throw malformed(`${name}.statuses`, 'one status', response['data']);
  if (typeof first === 'object' && first !== null && 'error' in first) throw refused(name, 200, String(first.error));
  return first;
}

function info(
  access: RestAccess,
  question: Question,
  priority: Operation['priority'],
  read: (data: unknown, at: Instant) => OperationResult,
  items = 0,
): Operation {
  return {
    name: `info/${question.type}`,
    weight: infoWeight(question.type, items),
    priority,
    mutates: false,
    request: {
      method: 'POST',
      url: access.restUrl + INFO_PATH,
      headers: JSON_HEADERS,
      body: JSON.stringify(question),
      timeoutMs: READ_TIMEOUT_MS,
    },
    parse: (answer, at) => reading(question.type, () => read(bodyOf(question.type, answer), at)),
  };
}

function bodyOf(name: string, answer: HttpAnswered): unknown {
  // Refusals by the gateway are plain text, whatever they say.
  if (answer.status !== 200) throw refused(name, answer.status, answer.body.slice(0, 200));
  return parseLosslessJson(answer.body, name);
}

function refused(name: string, status: number, text: string): VenueError {
  return new VenueError(name, refusalCodeOf(status, text), text.slice(0, 200), refusalClassOf(status, text));
}

/** Splits what belongs to known perpetuals from what does not; the latter is named, never silently dropped. Spot is none of ours. */
export function eachKnown<Report>(
  data: unknown,
  what: string,
  read: (item: unknown) => Report | undefined,
): { readonly known: readonly Report[]; readonly unknown: readonly VenueEvent[] } {
  const known: Report[] = [];
  const unknown: VenueEvent[] = [];
  for (const item of asList(data, what)) {
    const coin = coinOf(item, what);
    if (isSpot(coin)) continue;
    const report = read(item);
    if (report !== undefined) known.push(report);
    else unknown.push({ type: 'venue-error', code: 'UNKNOWN_COIN', reason: `${what} name the coin ${coin}` });
  }
  return { known, unknown };
}

/** Payments and order updates wrap what they are about. */
function coinOf(item: unknown, what: string): string {
  const fields = asFields(item, what);
  const wrapped = fields['delta'] ?? fields['order'];
  return textField(wrapped === undefined ? fields : asFields(wrapped, what), 'coin', what);
}
