/**
 * A simulated Bybit venue (v5, linear): the exchange behind the venue's own wire, as a deterministic state machine. Any thread.
 *
 * Faults for `inject`:
 * - `drop-sockets` {kind?}: closes all connections, or those of one kind (public, account)
 * - `book-gap`, `book-duplicate`, `book-crossed`, `book-restart`: damages the next change of a book
 * - `lose-executions` {isLosing = true}: the account stream tells of no executions any more, or again does
 * - `refuse-next` {code}: refuses the next order with this code
 * - `lose-next-answer`: the next order is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next requests
 * - `rate-limit` {durationMs = 5000}: answers 10006 to everything signed for so long
 * - `reject-next-order` {reason = EC_Others}: the next order is acknowledged and rejected later, on the account stream
 * - `silent-drop-next-order`: the next order is acknowledged and never heard of again
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 * - `key-rights` {canWithdraw, isReadOnly}: what every key may do from now on
 * - `revoke-key` {isRevoked = true, code = 10003}: every key is refused with this code, or again taken
 */
import type { Exchange } from '../../simulation/exchange.ts';
import type {
  LastingVenue,
  VenueInput,
  VenueOracle,
  VenueOutput,
  VenuePast,
} from '../../simulation/simulated-venue.ts';
import { asFields, isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { optionalText } from '../fields.ts';
import { SimulatedAccess } from './simulated-access.ts';
import type { Refusal, SimulatedAccount } from './simulated-access.ts';
import { answerAccount, answerMarket, badParameter, isLive } from './simulated-answers.ts';
import type { Answer } from './simulated-answers.ts';
import { admitOrder, refusalOf } from './simulated-intake.ts';
import { SimulatedRecords } from './simulated-records.ts';
import { SimulatedSockets } from './simulated-sockets.ts';
import type { SocketKind } from './simulated-sockets.ts';
import { CATEGORY } from './wire.ts';

export type { SimulatedAccount } from './simulated-access.ts';

export interface SimulatedBybitOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  /** Gives the ids their digits. */
  readonly seed: number;
  /** Calendar ms per monotonic ms: request times are calendar times, limits are real ones. */
  readonly calendarScale: number;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
type Headers = Readonly<Record<string, string>>;
/** `lost` answers are never sent. */
type Reply = Answer | 'lost';
type OrderFault =
  | { readonly fault: 'refuse-next'; readonly code: number }
  | { readonly fault: 'lose-next-answer' | 'silent-drop-next-order' }
  | { readonly fault: 'reject-next-order'; readonly reason: string };

const LATE_REJECTION_MS = 50;
const BATCH_MAX = 20;
const NO_SUCH_PATH: Refusal = { status: 404, body: 'Not Found' };
const GONE: Refusal = { retCode: 110001, retMsg: 'order not exists or too late to cancel' };
const NOTHING: Answer = { result: {} };

/** Makes a simulated venue; the exchange must be its alone. */
export function simulatedBybit(options: SimulatedBybitOptions): LastingVenue {
  return new SimulatedBybit(options);
}

class SimulatedBybit implements LastingVenue {
  readonly venue = 'bybit';
  readonly #exchange: Exchange;
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #sockets: SimulatedSockets;
  readonly #orderFaults: OrderFault[] = [];
  /** Acts that happen by themselves later; few at a time. */
  #later: { readonly dueMs: number; readonly act: (at: Instant) => readonly VenueOutput[] }[] = [];
  #delayed = { requests: 0, delayMs: 0 };

  constructor(options: SimulatedBybitOptions) {
    this.#exchange = options.exchange;
    this.#records = new SimulatedRecords(options.exchange, options.accounts, options.seed);
    this.#access = new SimulatedAccess(options.accounts, options.calendarScale);
    this.#sockets = new SimulatedSockets(this.#records, this.#access);
    for (const fact of options.past?.facts ?? []) {
      if (fact.type === 'leverage-set') this.#records.leverageKnown(fact.account, fact.symbol, fact.leverage);
      else if (fact.type === 'accepted') this.#records.placed(fact.order.clientOrderId, fact.order.venueOrderNumber);
      else this.#records.observe(fact);
    }
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    for (const event of this.#exchange.advance(at)) {
      this.#records.observe(event);
      this.#sockets.observe(event, at);
    }
    const due = this.#runDue(at);
    const answers = this.#take(input, at);
    this.#sockets.tick(at);
    return [...due, ...answers, ...this.#sockets.take()];
  }

  nextWakeMs(): number {
    const later = this.#later.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
    return Math.min(this.#exchange.nextWakeMs(), this.#sockets.nextWakeMs(), later);
  }

  /** Nothing: this wire has no nonces. */
  keepsake(): Readonly<Record<string, number>> {
    return {};
  }

  oracle(): VenueOracle {
    return {
      accounts: new Map(this.#records.accounts.map((account) => [account.name, this.#records.oracle(account)])),
      rateLimitRefusals: this.#access.refusals,
    };
  }

  inject(fault: string, options: Readonly<Record<string, number | string | boolean>> = {}): void {
    switch (fault) {
      case 'drop-sockets':
        this.#sockets.drop(socketKind(options['kind']));
        return;
      case 'book-gap':
      case 'book-duplicate':
      case 'book-crossed':
      case 'book-restart':
        this.#sockets.damageNextBook(fault);
        return;
      case 'lose-executions':
        this.#sockets.loseExecutions(options['isLosing'] !== false);
        return;
      case 'refuse-next':
        this.#orderFaults.push({ fault, code: Number(options['code']) });
        return;
      case 'lose-next-answer':
      case 'silent-drop-next-order':
        this.#orderFaults.push({ fault });
        return;
      case 'reject-next-order':
        this.#orderFaults.push({ fault, reason: String(options['reason'] ?? 'EC_Others') });
        return;
      case 'revoke-key':
        this.#access.refuseKeys(options['isRevoked'] === false ? undefined : Number(options['code'] ?? 10003));
        return;
      case 'key-rights':
        this.#records.keyRights = {
          isReadOnly: options['isReadOnly'] === true,
          wallet: options['canWithdraw'] === true ? ['AccountTransfer', 'Withdraw'] : [],
        };
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      case 'delay-answers':
        this.#delayed = { requests: Number(options['requests'] ?? 1), delayMs: Number(options['delayMs']) };
        return;
      case 'rate-limit':
        this.#access.refuseAllFor(Number(options['durationMs'] ?? 5_000));
        return;
      default:
        throw new RangeError(`bybit has no fault named ${JSON.stringify(fault)}`);
    }
  }

  #runDue(at: Instant): readonly VenueOutput[] {
    const due = this.#later.filter(({ dueMs }) => dueMs <= at.monotonicMs);
    if (due.length === 0) return [];
    this.#later = this.#later.filter(({ dueMs }) => dueMs > at.monotonicMs);
    return due.flatMap(({ act }) => act(at));
  }

  #take(input: VenueInput, at: Instant): readonly VenueOutput[] {
    switch (input.type) {
      case 'http-request':
        return this.#answer(input, at);
      case 'socket-requested':
        this.#sockets.knock(input.socketId, input.remote, input.path, at);
        return [];
      case 'socket-text':
        this.#sockets.heard(input.socketId, input.text, at);
        return [];
      case 'socket-closed':
        this.#sockets.closed(input.socketId);
        return [];
      case 'socket-ping': // answered by the host
      case 'socket-pong': // this venue does not ping
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  #answer(input: HttpInput, at: Instant): readonly VenueOutput[] {
    const banned = this.#access.admitAddress(input.remote, at.monotonicMs);
    if (banned !== undefined) return this.#send(input, banned, {}, at);
    const [path = '', query = ''] = input.path.split('?');
    if (path.startsWith('/v5/market/')) {
      const asked = { path, parameters: new URLSearchParams(query), nowMs: at.calendarMs };
      const answer = input.method === 'GET' ? answerMarket(this.#records, asked) : undefined;
      return this.#send(input, answer ?? NO_SUCH_PATH, {}, at);
    }
    if (input.method === 'GET' && input.body !== '')
      return this.#send(input, { status: 403, body: 'Forbidden' }, {}, at);
    const payload = input.method === 'GET' ? query : input.body;
    const identity = this.#access.authenticate(input.headers, payload, at);
    if ('refused' in identity) return this.#send(input, identity.refused, {}, at);
    return this.#answerAccount(input, path, payload, identity.account, at);
  }

  #answerAccount(
    input: HttpInput,
    path: string,
    payload: string,
    account: SimulatedAccount,
    at: Instant,
  ): readonly VenueOutput[] {
    if (input.method === 'POST' && path.endsWith('-batch')) return this.#answerBatch(input, path, account, at);
    const permission = this.#access.admitEndpoint(account, path, at);
    if (permission.refused !== undefined) return this.#send(input, permission.refused, permission.headers, at);
    const nowMs = at.calendarMs;
    const reply =
      input.method === 'GET'
        ? answerAccount(this.#records, account, { path, parameters: new URLSearchParams(payload), nowMs })
        : this.#change(path, payload, account, at);
    return this.#send(input, reply ?? NO_SUCH_PATH, permission.headers, at);
  }

  #send(input: HttpInput, reply: Reply, limits: Headers, at: Instant): readonly VenueOutput[] {
    if (reply === 'lost') return [];
    const time = Math.floor(at.calendarMs);
    const { requestId } = input;
    const answer: VenueOutput =
      'status' in reply
        ? {
            type: 'http-answer',
            requestId,
            status: reply.status,
            headers: { 'content-type': 'text/html' },
            body: reply.body,
          }
        : {
            type: 'http-answer',
            requestId,
            status: 200,
            headers: { 'content-type': 'application/json', ...limits },
            body: JSON.stringify({ retCode: 0, retMsg: 'OK', result: {}, retExtInfo: {}, ...reply, time }),
          };
    if (this.#delayed.requests <= 0) return [answer];
    this.#delayed = { ...this.#delayed, requests: this.#delayed.requests - 1 };
    this.#later.push({ dueMs: at.monotonicMs + this.#delayed.delayMs, act: () => [answer] });
    return [];
  }

  #change(path: string, payload: string, account: SimulatedAccount, at: Instant): Reply | undefined {
    const body = bodyFields(payload);
    if (body === undefined) return badParameter('body');
    if (body['category'] !== CATEGORY) return badParameter('category invalid');
    switch (path) {
      case '/v5/order/create':
        return this.#place(body, account, at);
      case '/v5/order/cancel':
        return this.#cancel(body, account, at);
      case '/v5/order/cancel-all':
        return this.#cancelAll(body, account, at);
      case '/v5/position/set-leverage':
        return this.#changeLeverage(body, account);
      case '/v5/position/switch-mode':
        return Number(body['mode']) === 0
          ? { retCode: 110025, retMsg: 'Position mode is not modified' }
          : badParameter('this venue only simulates one-way mode');
      default:
        return undefined;
    }
  }

  #place(body: Fields, account: SimulatedAccount, at: Instant): Reply {
    const fault = this.#orderFaults.shift();
    if (fault?.fault === 'refuse-next') return { retCode: fault.code, retMsg: 'Refused on request' };
    const intake = admitOrder(body, account.name, this.#exchange);
    if ('refused' in intake) return intake.refused;
    const order = intake.accepted;
    const linkId = order.clientOrderId;
    const isDuplicate =
      linkId !== '' && this.#records.orders(account).some(({ clientOrderId }) => clientOrderId === linkId);
    if (isDuplicate) return refusalOf('duplicate-client-id');

    if (fault?.fault === 'silent-drop-next-order') return placed(this.#records.unusedOrderId(), linkId);
    if (fault?.fault === 'reject-next-order') {
      const { reason } = fault;
      const orderNumber = this.#records.pretend(order, at.calendarMs);
      this.#later.push({
        dueMs: at.monotonicMs + LATE_REJECTION_MS,
        act: (then) => {
          this.#sockets.sendOrder(this.#records.rejectPretended(orderNumber, reason, then.calendarMs), then);
          return [];
        },
      });
      return placed(this.#records.ids.order(orderNumber), linkId);
    }
    const outcome = this.#exchange.submit(order, at);
    if (!outcome.accepted) return refusalOf(outcome.reason);
    this.#records.placed(linkId, outcome.venueOrderNumber);
    return fault?.fault === 'lose-next-answer'
      ? 'lost'
      : placed(this.#records.ids.order(outcome.venueOrderNumber), linkId);
  }

  /** The venue's own id counts when both are given. OK only means "asked". */
  #cancel(body: Fields, account: SimulatedAccount, at: Instant): Answer {
    const [orderId, linkId] = [optionalText(body, 'orderId'), optionalText(body, 'orderLinkId')];
    if (orderId === undefined && linkId === undefined) return badParameter('orderId or orderLinkId is required');
    const order = this.#records
      .orders(account)
      .find(({ venueOrderNumber, clientOrderId }) =>
        orderId === undefined ? clientOrderId === linkId : this.#records.ids.order(venueOrderNumber) === orderId,
      );
    if (order === undefined || order.symbol !== body['symbol']) return GONE;
    const { venueOrderNumber } = order;
    return this.#exchange.cancel(account.name, { venueOrderNumber }, at)
      ? placed(this.#records.ids.order(venueOrderNumber), order.clientOrderId)
      : GONE;
  }

  #cancelAll(body: Fields, account: SimulatedAccount, at: Instant): Answer {
    const [symbol, coin] = [optionalText(body, 'symbol'), optionalText(body, 'settleCoin')];
    if (symbol === undefined && coin === undefined) return badParameter('symbol or settleCoin is required');
    const chosen = this.#records
      .orders(account)
      .filter((order) => isLive(order) && (symbol === undefined || order.symbol === symbol))
      .slice(0, 500);
    const list = chosen.map(({ venueOrderNumber, clientOrderId }) => {
      this.#exchange.cancel(account.name, { venueOrderNumber }, at);
      return { orderId: this.#records.ids.order(venueOrderNumber), orderLinkId: clientOrderId };
    });
    return { result: { list, success: '1' } };
  }

  /** One unit of the endpoint's limit per order: when it runs out the rest fail, each by itself. */
  #answerBatch(input: HttpInput, path: string, account: SimulatedAccount, at: Instant): readonly VenueOutput[] {
    const single =
      path === '/v5/order/create-batch' ? 'create' : path === '/v5/order/cancel-batch' ? 'cancel' : undefined;
    if (single === undefined) return this.#send(input, NO_SUCH_PATH, {}, at);
    const body = bodyFields(input.body);
    const items = Array.isArray(body?.['request']) ? (body['request'] as readonly unknown[]).filter(isFields) : [];
    if (body?.['category'] !== CATEGORY || items.length === 0 || items.length > BATCH_MAX)
      return this.#send(input, badParameter('request'), {}, at);
    let headers: Headers = {};
    const replies = items.map((item): Reply => {
      const permission = this.#access.admitEndpoint(account, path, at);
      headers = permission.headers;
      if (permission.refused !== undefined) return permission.refused;
      return single === 'create' ? this.#place(item, account, at) : this.#cancel(item, account, at);
    });
    if (replies.includes('lost')) return [];
    const answered = replies.filter((reply): reply is Answer => reply !== 'lost');
    const result = {
      list: answered.map((reply, index) => ({
        category: CATEGORY,
        symbol: items[index]?.['symbol'],
        ...('result' in reply ? reply.result : { orderId: '', orderLinkId: items[index]?.['orderLinkId'] ?? '' }),
      })),
    };
    const retExtInfo = {
      list: answered.map((reply) =>
        'retCode' in reply ? { code: reply.retCode, msg: reply.retMsg } : { code: 0, msg: 'OK' },
      ),
    };
    return this.#send(input, { result, retExtInfo }, headers, at);
  }

  #changeLeverage(body: Fields, account: SimulatedAccount): Answer {
    const symbol = optionalText(body, 'symbol') ?? '';
    const [buy, sell] = [Number(body['buyLeverage']), Number(body['sellLeverage'])];
    if (this.#records.instrument(symbol) === undefined) return badParameter('symbol invalid');
    if (!(buy >= 1) || buy !== sell) return badParameter('leverage invalid');
    if (buy === this.#records.leverageOf(account, symbol))
      return { retCode: 110043, retMsg: 'Set leverage has not been modified.' };
    return this.#records.setLeverage(account, symbol, buy)
      ? NOTHING
      : { retCode: 110013, retMsg: 'Cannot set leverage due to risk limit level.' };
  }
}

function placed(orderId: string, orderLinkId: string): Answer {
  return { result: { orderId, orderLinkId } };
}

function bodyFields(body: string): Fields | undefined {
  try {
    return asFields(parseLosslessJson(body, 'body'), 'body');
  } catch (error) {
    // Whatever it is, it is no request: the caller answers so.
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}

function socketKind(kind: unknown): SocketKind | undefined {
  if (kind === undefined || kind === 'public' || kind === 'account') return kind;
  throw new RangeError(`socket kind must be public or account, was ${String(kind)}`);
}
