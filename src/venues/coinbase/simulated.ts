/**
 * A simulated Coinbase venue: the exchange behind the venue's own wires, as a deterministic state machine. Any thread.
 *
 * `global`: the gateway (JSON-RPC over HTTP and sockets). Faults for `inject`:
 * - `drop-sockets` {kind?}: closes all connections, or those of one kind (market, account)
 * - `book-gap`, `book-duplicate`, `book-crossed`: damages the next change of a book
 * - `lose-trades` {isLosing = true}: the account's channel tells of no trades any more, or again does
 * - `leave-out-channel` {prefix}: the next subscription is not given what begins so, without a word
 * - `refuse-next` {code}: refuses the next order with this code
 * - `lose-next-answer`: the next order is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next HTTP requests
 * - `rate-limit` {durationMs = 5000}: nobody has credits for so long: refused, and sessions end
 * - `reject-next-order` {reason = risk_limit}: the next order is answered as open and rejected later, on the account's channel
 * - `silent-drop-next-order`: the next order is answered as open and never heard of again
 * - `revoke-tokens`: all access tokens end now
 * - `revoke-key` {isRevoked = true, code = 13004}: every key is refused with this code, or again taken
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 */
import type { Exchange, ExchangeEvent, ExchangeOrderState } from '../../simulation/exchange.ts';
import type {
  LastingVenue,
  VenueInput,
  VenueOracle,
  VenueOutput,
  VenuePast,
} from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import { SimulatedAccess, TOO_MANY, UNAUTHORIZED } from './simulated-access.ts';
import type { SimulatedAccount } from './simulated-access.ts';
import { answerPrivate, answerPublic, badParameter, isLive, signedInJson } from './simulated-answers.ts';
import type { Answer } from './simulated-answers.ts';
import { admitOrder, lateRefusalOf, refusalOf } from './simulated-intake.ts';
import { SimulatedRecords } from './simulated-records.ts';
import { costOf, rpcAnswerText, rpcCallOf } from './simulated-rpc.ts';
import type { RpcRequest } from './simulated-rpc.ts';
import { SimulatedSockets } from './simulated-sockets.ts';
import type { Change, SocketKind } from './simulated-sockets.ts';
import type { Json } from './simulated-wire.ts';
import { RPC_PATH } from './wire.ts';

export type { SimulatedAccount } from './simulated-access.ts';

export interface SimulatedCoinbaseOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  /** Gives the ids their digits. */
  readonly seed: number;
  /** Calendar ms per monotonic ms: tokens have calendar times, limits are real ones. */
  readonly calendarScale: number;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
type OrderFault =
  | { readonly fault: 'refuse-next'; readonly code: number }
  | { readonly fault: 'lose-next-answer' | 'silent-drop-next-order' }
  | { readonly fault: 'reject-next-order'; readonly reason: string };

/** An order or a cancel whose answer waits for the matching. */
interface Waiting {
  readonly kind: 'place' | 'cancel';
  readonly reply: (answer: Answer) => void;
  readonly trades: Json[];
  order: ExchangeOrderState | undefined;
}

const LATE_REJECTION_MS = 50;
const METHOD_NOT_FOUND: Answer = { error: { code: -32601, message: 'Method not found' } };
const NOT_FOUND: Answer = { error: { code: 10004, message: 'order_not_found' } };
const NOT_OPEN: Answer = { error: { code: 11044, message: 'not_open_order' } };

/** Makes a simulated gateway; the exchange must be its alone. */
export function simulatedCoinbase(options: SimulatedCoinbaseOptions): LastingVenue {
  return new SimulatedCoinbase(options);
}

class SimulatedCoinbase implements LastingVenue {
  readonly venue = 'coinbase';
  readonly #exchange: Exchange;
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #sockets: SimulatedSockets;
  readonly #orderFaults: OrderFault[] = [];
  readonly #waiting = new Map<number, Waiting[]>();
  /** Acts that happen by themselves later; few at a time. */
  #later: { readonly dueMs: number; readonly act: (at: Instant) => readonly VenueOutput[] }[] = [];
  #delayed = { requests: 0, delayMs: 0 };
  /** Closing happens with the next input: it needs a time. */
  #drops: (SocketKind | undefined)[] = [];

  constructor(options: SimulatedCoinbaseOptions) {
    this.#exchange = options.exchange;
    this.#records = new SimulatedRecords(options.exchange, options.accounts, options.seed);
    this.#access = new SimulatedAccess(options.accounts, options.calendarScale, options.seed);
    this.#sockets = new SimulatedSockets(this.#records, this.#access, this.#change);
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    this.#advance(at);
    for (const kind of this.#drops.splice(0)) this.#sockets.drop(kind, at);
    const due = this.#runDue(at);
    const answers = this.#take(input, at);
    // What just came in may be due at once.
    this.#advance(at);
    this.#sockets.tick(at);
    return [...due, ...answers, ...this.#answered.splice(0), ...this.#sockets.take()];
  }

  /** HTTP answers that had to wait. */
  readonly #answered: VenueOutput[] = [];

  #advance(at: Instant): void {
    const events = this.#exchange.advance(at);
    for (const event of events) {
      this.#sockets.observe(event, at);
      this.#note(event);
    }
    if (events.length > 0) this.#answerWaiting();
  }

  nextWakeMs(): number {
    const later = this.#later.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
    return Math.min(this.#exchange.nextWakeMs(), this.#sockets.nextWakeMs(), later);
  }

  /** Nothing: this wire has no nonces that outlive their token. */
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
        this.#drops.push(socketKind(options['kind']));
        return;
      case 'book-gap':
      case 'book-duplicate':
      case 'book-crossed':
        this.#sockets.damageNextBook(fault);
        return;
      case 'lose-trades':
        this.#sockets.loseTrades(options['isLosing'] !== false);
        return;
      case 'leave-out-channel':
        this.#sockets.leaveOut(String(options['prefix']));
        return;
      case 'refuse-next':
        this.#orderFaults.push({ fault, code: Number(options['code']) });
        return;
      case 'lose-next-answer':
      case 'silent-drop-next-order':
        this.#orderFaults.push({ fault });
        return;
      case 'reject-next-order':
        this.#orderFaults.push({ fault, reason: String(options['reason'] ?? 'risk_limit') });
        return;
      case 'delay-answers':
        this.#delayed = { requests: Number(options['requests'] ?? 1), delayMs: Number(options['delayMs']) };
        return;
      case 'rate-limit':
        this.#access.refuseAllFor(Number(options['durationMs'] ?? 5_000));
        return;
      case 'revoke-key':
        this.#access.refuseKeys(options['isRevoked'] === false ? undefined : Number(options['code'] ?? 13004));
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      case 'revoke-tokens':
        this.#access.revokeAll();
        return;
      default:
        throw new RangeError(`coinbase has no fault named ${JSON.stringify(fault)}`);
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
        return this.#sockets.knock(input.socketId, input.remote, input.path.split('?')[0] ?? '', at)
          ? []
          : [{ type: 'socket-refuse', socketId: input.socketId, status: 404, body: 'Not Found' }];
      case 'socket-text':
        this.#sockets.heard(input.socketId, input.text, at);
        return [];
      case 'socket-closed':
        this.#sockets.closed(input.socketId, at);
        return [];
      case 'socket-ping': // answered by the host, and no message of the client
      case 'socket-pong': // this venue does not ping
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  // HTTP.

  #answer(input: HttpInput, at: Instant): readonly VenueOutput[] {
    const request = requestOf(input);
    if (request === undefined) return this.#send(input, 404, 'Not Found', at);
    if ('error' in request) return this.#send(input, 400, rpcAnswerText(request, request.id, at), at);
    const { authorization } = input.headers;
    const account = this.#access.bearer(authorization, at.monotonicMs);
    const who = account === undefined ? input.remote : `${account.name} over HTTP`;
    if (!this.#access.admit(who, costOf(request.method), account, at.monotonicMs)) {
      this.#access.end(authorization);
      return this.#reply(input, request, { error: TOO_MANY }, at);
    }
    if (request.method === 'public/auth') return this.#reply(input, request, this.#signIn(request, at), at);
    const query = { ...request, nowMs: at.calendarMs };
    if (request.method.startsWith('public/'))
      return this.#reply(input, request, answerPublic(this.#records, query) ?? METHOD_NOT_FOUND, at);
    const { keyRefusal } = this.#access;
    if (keyRefusal !== undefined) return this.#reply(input, request, { error: keyRefusal }, at);
    if (account === undefined) return this.#reply(input, request, { error: UNAUTHORIZED }, at);
    const reply = (answer: Answer): void => void this.#answered.push(...this.#reply(input, request, answer, at));
    if (this.#change(request, account, at, { reply, placed: () => undefined })) return [];
    return this.#reply(input, request, answerPrivate(this.#records, account, query) ?? METHOD_NOT_FOUND, at);
  }

  #signIn({ params }: RpcRequest, at: Instant): Answer {
    if (params['grant_type'] !== 'coinbase_cdp') return badParameter('grant_type', 'must be coinbase_cdp');
    const signedIn = this.#access.signIn(params['token'], at);
    return 'code' in signedIn ? { error: signedIn } : { result: signedInJson(signedIn.text) };
  }

  #reply(input: HttpInput, request: RpcRequest, answer: Answer, at: Instant): readonly VenueOutput[] {
    return this.#send(input, 'error' in answer ? 400 : 200, rpcAnswerText(answer, request.id, at), at);
  }

  #send({ requestId }: HttpInput, status: number, body: string, at: Instant): readonly VenueOutput[] {
    const headers = { 'content-type': status === 404 ? 'text/plain' : 'application/json' };
    const answer: VenueOutput = { type: 'http-answer', requestId, status, headers, body };
    if (this.#delayed.requests <= 0) return [answer];
    this.#delayed = { ...this.#delayed, requests: this.#delayed.requests - 1 };
    this.#later.push({ dueMs: at.monotonicMs + this.#delayed.delayMs, act: () => [answer] });
    return [];
  }

  // Orders and cancels, over either way.

  readonly #change: Change = (request, account, at, how) => {
    const { method, params } = request;
    switch (method) {
      case 'private/buy':
      case 'private/sell':
        this.#place(method === 'private/buy' ? 'buy' : 'sell', params, account, at, how);
        return true;
      case 'private/cancel':
        this.#cancel(params, account, at, how.reply);
        return true;
      case 'private/cancel_by_label': {
        const orders = this.#records.labelled(account, params['label']);
        how.reply({ result: this.#cancelEach(account, orders, at) });
        return true;
      }
      case 'private/cancel_all':
      case 'private/cancel_all_by_currency':
      case 'private/cancel_all_by_kind_or_type':
      case 'private/cancel_all_by_instrument': {
        const symbol = params['instrument_name'];
        const orders = this.#records.orders(account).filter((order) => symbol === undefined || order.symbol === symbol);
        how.reply({ result: this.#cancelEach(account, orders, at) });
        return true;
      }
      default:
        return false;
    }
  };

  #place(
    side: 'buy' | 'sell',
    params: RpcRequest['params'],
    account: SimulatedAccount,
    at: Instant,
    how: Parameters<Change>[3],
  ): void {
    const fault = this.#orderFaults.shift();
    if (fault?.fault === 'refuse-next')
      return how.reply({ error: { code: fault.code, message: 'refused_on_request' } });
    const intake = admitOrder(side, params, account, this.#records, at.calendarMs);
    if ('refused' in intake) return how.reply({ error: intake.refused });
    const order = intake.accepted;
    if (fault?.fault === 'silent-drop-next-order' || fault?.fault === 'reject-next-order') {
      const times = { createdAtMs: at.calendarMs, updatedAtMs: at.calendarMs };
      const shown = { ...order, ...times, status: 'open', filledLots: 0, filledQuoteMicro: 0n } as const;
      const isDropped = fault.fault === 'silent-drop-next-order';
      const venueOrderNumber = isDropped ? UNUSED_ORDER_NUMBER : this.#records.pretend(order, at.calendarMs);
      how.reply({ result: { order: this.#records.orderJson({ ...shown, venueOrderNumber }), trades: [] } });
      if (fault.fault === 'reject-next-order') this.#rejectLater(venueOrderNumber, fault.reason, at);
      return;
    }
    const outcome = this.#exchange.submit(order, at);
    if (!outcome.accepted) return how.reply({ error: refusalOf(outcome.reason) });
    how.placed(outcome.venueOrderNumber);
    const reply = fault?.fault === 'lose-next-answer' ? (): void => undefined : how.reply;
    this.#wait(outcome.venueOrderNumber, { kind: 'place', reply, trades: [], order: undefined });
  }

  #rejectLater(orderNumber: number, reason: string, at: Instant): void {
    this.#later.push({
      dueMs: at.monotonicMs + LATE_REJECTION_MS,
      act: (then) => {
        this.#sockets.sendOrder(this.#records.rejectPretended(orderNumber, reason, then.calendarMs));
        return [];
      },
    });
  }

  #cancel(params: RpcRequest['params'], account: SimulatedAccount, at: Instant, reply: (answer: Answer) => void): void {
    const order = this.#records.order(account, params['order_id']);
    if (order === undefined) return reply(NOT_FOUND);
    const { venueOrderNumber } = order;
    if (!this.#exchange.cancel(account.name, { venueOrderNumber }, at)) return reply(NOT_OPEN);
    this.#wait(venueOrderNumber, { kind: 'cancel', reply, trades: [], order: undefined });
  }

  #cancelEach(account: SimulatedAccount, orders: readonly ExchangeOrderState[], at: Instant): number {
    return orders.filter(
      (order) => isLive(order) && this.#exchange.cancel(account.name, { venueOrderNumber: order.venueOrderNumber }, at),
    ).length;
  }

  #wait(orderNumber: number, waiting: Waiting): void {
    this.#waiting.set(orderNumber, [...(this.#waiting.get(orderNumber) ?? []), waiting]);
  }

  #note(event: ExchangeEvent): void {
    if (this.#waiting.size === 0) return;
    if (event.type === 'order') {
      for (const waiting of this.#waiting.get(event.order.venueOrderNumber) ?? []) waiting.order = event.order;
    } else if (event.type === 'trade') {
      const { trade } = event;
      for (const party of [trade.taker, trade.maker]) {
        if (party === undefined) continue;
        for (const waiting of this.#waiting.get(party.venueOrderNumber) ?? [])
          waiting.trades.push(this.#records.tradeJson(trade, party));
      }
    }
  }

  /** Notifications of the same moment are on their way already: the venue promises no order between them and the answer. */
  #answerWaiting(): void {
    for (const [orderNumber, all] of this.#waiting) {
      const left = all.filter((waiting) => !this.#answerOne(waiting));
      if (left.length === 0) this.#waiting.delete(orderNumber);
      else if (left.length < all.length) this.#waiting.set(orderNumber, left);
    }
  }

  #answerOne({ kind, order, reply, trades }: Waiting): boolean {
    if (order === undefined || order.status === 'queued') return false;
    if (kind === 'place') {
      const refused = lateRefusalOf(order);
      reply(refused === undefined ? { result: { order: this.#records.orderJson(order), trades } } : { error: refused });
      return true;
    }
    if (isLive(order)) return false;
    reply(order.status === 'cancelled' ? { result: this.#records.orderJson(order) } : NOT_OPEN);
    return true;
  }
}

/** Of an order that is dropped at once and can never be found. */
const UNUSED_ORDER_NUMBER = 99_999_999;

/** The call of an HTTP request: a posted envelope, or for public methods a path and a query. Undefined for any other place. */
function requestOf({ method, path, body }: HttpInput): ReturnType<typeof rpcCallOf> | undefined {
  const [bare = '', query = ''] = path.split('?');
  if (method === 'POST' && bare === RPC_PATH) return rpcCallOf(body);
  if (method !== 'GET' || !bare.startsWith(`${RPC_PATH}/public/`)) return undefined;
  const params = Object.fromEntries(
    [...new URLSearchParams(query)].map(([name, value]) => [name, /^\d{1,15}$/.test(value) ? Number(value) : value]),
  );
  return { id: null, method: bare.slice(RPC_PATH.length + 1), params };
}

function socketKind(kind: unknown): SocketKind | undefined {
  if (kind === undefined || kind === 'market' || kind === 'account') return kind;
  throw new RangeError(`socket kind must be market or account, was ${String(kind)}`);
}
