/**
 * Simulated Advanced Trade: US futures behind REST and sockets, with the spot exchange's ticker feed beside it, as a deterministic state
 * machine. Any thread. It lists no funding payments: what was exchanged shows in the cash, twice a day. Faults for `inject`:
 * - `drop-sockets` {kind?}: closes all connections, or those of one kind (market, account)
 * - `book-gap`, `book-duplicate`, `book-crossed`: the next change of a book is lost (its number with it), told twice, or crosses
 * - `spot-malformed`: the next ticker of the spot feed has a price that is none
 * - `refuse-next` {reason}: refuses the next order with this failure reason
 * - `lose-next-answer`: the next order is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next requests
 * - `rate-limit` {durationMs = 5000}: everything is over its limit for so long
 * - `reject-next-order` {reason}: the next order is taken and fails later, on the account's channel
 * - `silent-drop-next-order`: the next order is taken and never heard of again
 * - `revoke-key` {isRevoked = true}: no key is known any more, or all are again
 * - `key-rights` {canTrade = true, canTransfer = false}: what every key may do
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 */
import type { Exchange } from '../../simulation/exchange.ts';
import { LaterActs } from '../../simulation/later-acts.ts';
import type {
  LastingVenue,
  VenueInput,
  VenueOracle,
  VenueOutput,
  VenuePast,
} from '../../simulation/simulated-venue.ts';
import { asFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { AdvancedAccess } from './advanced-simulated-access.ts';
import { answerAccount, answerMarket, fine, wrong } from './advanced-simulated-answers.ts';
import type { Answer } from './advanced-simulated-answers.ts';
import { admitOrder, refusalOf } from './advanced-simulated-intake.ts';
import type { OrderRefusal } from './advanced-simulated-intake.ts';
import { AdvancedRecords } from './advanced-simulated-records.ts';
import type { AdvancedAccount } from './advanced-simulated-records.ts';
import { AdvancedSockets } from './advanced-simulated-sockets.ts';
import type { AdvancedSocketKind } from './advanced-simulated-sockets.ts';
import { bareClientId, isLive } from './advanced-simulated-wire.ts';
import type { Json } from './advanced-simulated-wire.ts';
import { SOCKET_PATHS } from './hosts.ts';
import { SimulatedSpotFeed } from './spot-simulated.ts';
import { BROKERAGE_PATH } from './wire.ts';

export interface SimulatedAdvancedOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly AdvancedAccount[];
  /** Gives the ids their digits. */
  readonly seed: number;
  /** Calendar ms per monotonic ms: tokens have calendar times, limits are real ones. */
  readonly calendarScale: number;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
type Headers = Readonly<Record<string, string>>;
type Reply = Answer | 'lost';
type OrderFault =
  | { readonly fault: 'refuse-next' | 'reject-next-order'; readonly reason: string }
  | { readonly fault: 'lose-next-answer' | 'silent-drop-next-order' };

const LATE_REJECTION_MS = 50;
const CANCELS_MAX = 100;
const MARKET_PREFIX = '/market';
const NOT_FOUND = wrong(404, 'NOT_FOUND', 'no such path');
const UNKNOWN_REASON = 'UNKNOWN_FAILURE_REASON';
const UNKNOWN_PREVIEW_REASON = 'UNKNOWN_PREVIEW_FAILURE_REASON';

/** Makes simulated Advanced Trade; the exchange must be its alone. */
export function simulatedAdvanced(options: SimulatedAdvancedOptions): LastingVenue {
  return new SimulatedAdvanced(options);
}

class SimulatedAdvanced implements LastingVenue {
  readonly venue = 'coinbase';
  readonly #exchange: Exchange;
  readonly #records: AdvancedRecords;
  readonly #access: AdvancedAccess;
  readonly #sockets: AdvancedSockets;
  readonly #spot: SimulatedSpotFeed;
  readonly #later = new LaterActs();
  readonly #orderFaults: OrderFault[] = [];

  constructor(options: SimulatedAdvancedOptions) {
    this.#exchange = options.exchange;
    this.#records = new AdvancedRecords(options.exchange, options.accounts, options.seed);
    this.#access = new AdvancedAccess(options.accounts, options.calendarScale);
    this.#sockets = new AdvancedSockets(this.#records, this.#access);
    this.#spot = new SimulatedSpotFeed(options.exchange);
    for (const fact of options.past?.facts ?? [])
      if (fact.type !== 'accepted' && fact.type !== 'leverage-set') this.#records.observe(fact);
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    for (const event of this.#exchange.advance(at)) {
      this.#records.observe(event);
      this.#sockets.observe(event, at);
    }
    const due = this.#later.run(at);
    const answers = this.#take(input, at);
    this.#sockets.tick(at);
    this.#spot.tick(at);
    return [...due, ...answers, ...this.#sockets.take(), ...this.#spot.take()];
  }

  nextWakeMs(): number {
    return Math.min(
      this.#exchange.nextWakeMs(),
      this.#sockets.nextWakeMs(),
      this.#spot.nextWakeMs(),
      this.#later.nextWakeMs(),
    );
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
      case 'drop-sockets': {
        const kind = socketKind(options['kind']);
        this.#sockets.drop(kind);
        if (kind === undefined) this.#spot.drop();
        return;
      }
      case 'book-gap':
      case 'book-duplicate':
      case 'book-crossed':
        this.#sockets.damageNextBook(fault);
        return;
      case 'spot-malformed':
        this.#spot.malformNext();
        return;
      case 'refuse-next':
      case 'reject-next-order':
        this.#orderFaults.push({ fault, reason: String(options['reason'] ?? 'COMMANDER_REJECTED_NEW_ORDER') });
        return;
      case 'lose-next-answer':
      case 'silent-drop-next-order':
        this.#orderFaults.push({ fault });
        return;
      case 'delay-answers':
        this.#later.holdAnswers(Number(options['requests'] ?? 1), Number(options['delayMs']));
        return;
      case 'rate-limit':
        this.#access.refuseAllFor(Number(options['durationMs'] ?? 5_000));
        return;
      case 'revoke-key':
        this.#access.refuseKeys(options['isRevoked'] !== false);
        return;
      case 'key-rights':
        this.#records.keyRights = {
          canTrade: options['canTrade'] !== false,
          canTransfer: options['canTransfer'] === true,
        };
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      default:
        throw new RangeError(`coinbase has no fault named ${JSON.stringify(fault)}`);
    }
  }

  #take(input: VenueInput, at: Instant): readonly VenueOutput[] {
    switch (input.type) {
      case 'http-request':
        return this.#answer(input, at);
      case 'socket-requested':
        return this.#knock(input, at);
      case 'socket-text':
        if (!this.#sockets.heard(input.socketId, input.text, at)) this.#spot.heard(input.socketId, input.text, at);
        return [];
      case 'socket-closed':
        this.#sockets.closed(input.socketId);
        this.#spot.closed(input.socketId);
        return [];
      case 'socket-ping': // answered by the host
      case 'socket-pong': // this venue does not ping
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  #knock(
    { socketId, remote, path }: Extract<VenueInput, { type: 'socket-requested' }>,
    at: Instant,
  ): readonly VenueOutput[] {
    const bare = path.split('?')[0] ?? '';
    if (bare === SOCKET_PATHS.us.market) this.#sockets.knock(socketId, remote, 'market', at);
    else if (bare === SOCKET_PATHS.us.account) this.#sockets.knock(socketId, remote, 'account', at);
    else if (bare === SOCKET_PATHS.spot.market) this.#spot.knock(socketId, at);
    else return [{ type: 'socket-refuse', socketId, status: 404, body: 'Not Found' }];
    return [];
  }

  // HTTP.

  #answer(input: HttpInput, at: Instant): readonly VenueOutput[] {
    const [full = '', query = ''] = input.path.split('?');
    if (!full.startsWith(`${BROKERAGE_PATH}/`)) return this.#send(input, NOT_FOUND, {}, at);
    const path = full.slice(BROKERAGE_PATH.length);
    const parameters = new URLSearchParams(query);
    const isPublic = path === '/time' || path.startsWith(`${MARKET_PREFIX}/`);
    if (isPublic) {
      const { isAdmitted, headers } = this.#access.admit('public', input.remote, at.monotonicMs);
      if (!isAdmitted) return this.#send(input, TOO_MANY, headers, at);
      const bare = path.startsWith(MARKET_PREFIX) ? path.slice(MARKET_PREFIX.length) : path;
      const asked = { path: bare, parameters, nowMs: at.calendarMs };
      const answer = input.method === 'GET' ? answerMarket(this.#records, asked) : undefined;
      return this.#send(input, answer ?? NOT_FOUND, headers, at);
    }
    // A token is for this method, host and path.
    const uri = `${input.method} ${input.headers['host'] ?? ''}${full}`;
    const token = /^Bearer (.+)$/.exec(input.headers['authorization'] ?? '')?.[1];
    const account = this.#access.accountOf(token, at, uri);
    if (account === undefined) return this.#send(input, UNAUTHORIZED, {}, at);
    const { isAdmitted, headers } = this.#access.admit('private', account.name, at.monotonicMs);
    if (!isAdmitted) return this.#send(input, TOO_MANY, headers, at);
    const reply =
      input.method === 'POST'
        ? this.#change(path, input.body, account, at)
        : answerAccount(this.#records, account, { path, parameters, nowMs: at.calendarMs });
    return this.#send(input, reply ?? NOT_FOUND, headers, at);
  }

  #send({ requestId }: HttpInput, reply: Reply, limits: Headers, at: Instant): readonly VenueOutput[] {
    if (reply === 'lost') return [];
    const { status, json } = reply;
    const isPlain = status === UNAUTHORIZED.status;
    const headers = { 'content-type': isPlain ? 'text/plain' : 'application/json', ...limits };
    const body = isPlain ? 'Unauthorized\n' : JSON.stringify(json);
    return this.#later.answered({ type: 'http-answer', requestId, status, headers, body }, at);
  }

  #change(path: string, body: string, account: AdvancedAccount, at: Instant): Reply | undefined {
    const fields = bodyFields(body);
    if (fields === undefined) return wrong(400, 'INVALID_ARGUMENT', 'the body must be JSON');
    if (!this.#records.keyRights.canTrade) return wrong(403, 'PERMISSION_DENIED', 'Missing required scopes');
    switch (path) {
      case '/orders':
        return this.#place(fields, account, at);
      case '/orders/close_position':
        return this.#close(fields, account, at);
      case '/orders/batch_cancel':
        return this.#cancel(fields, account, at);
      default:
        return undefined;
    }
  }

  #place(body: Fields, account: AdvancedAccount, at: Instant): Reply {
    const fault = this.#orderFaults.shift();
    if (fault?.fault === 'refuse-next') return refused({ reason: fault.reason, message: '', isPreview: false }, body);
    // An id names one order for ever: whoever repeats it hears of that one.
    const bare = bareClientId(String(body['client_order_id'] ?? ''));
    const same = this.#exchange.orders(account.name).find(({ clientOrderId }) => clientOrderId === bare);
    if (bare !== '' && same !== undefined) return this.#placed(same.venueOrderNumber, body);
    const intake = admitOrder(body, account, this.#records, at.calendarMs);
    if ('refused' in intake) return refused(intake.refused, body);
    const order = intake.accepted;
    if (fault?.fault === 'silent-drop-next-order') return this.#placed(this.#records.unusedOrderNumber(), body);
    if (fault?.fault === 'reject-next-order') {
      const number = this.#records.pretend(order, at.calendarMs);
      this.#later.add(at.monotonicMs + LATE_REJECTION_MS, (then) => {
        this.#sockets.sendOrder(this.#records.rejectPretended(number, fault.reason, then.calendarMs), then);
        return [];
      });
      return this.#placed(number, body);
    }
    const outcome = this.#exchange.submit(order, at);
    if (!outcome.accepted) return refused(refusalOf(outcome.reason), body);
    return fault?.fault === 'lose-next-answer' ? 'lost' : this.#placed(outcome.venueOrderNumber, body);
  }

  #placed(orderNumber: number, body: Fields): Answer {
    const { product_id, side, client_order_id, order_configuration } = body;
    const order_id = this.#records.ids.order(orderNumber);
    return fine({
      success: true,
      success_response: { order_id, product_id, side, client_order_id, attached_order_id: '' },
      order_configuration,
    });
  }

  /** A market order against what is held, or a part of it. */
  #close(body: Fields, account: AdvancedAccount, at: Instant): Reply {
    const held = this.#exchange.position(account.name, String(body['product_id']))?.signedLots ?? 0;
    if (held === 0) return refused({ reason: 'INVALID_REQUEST', message: 'no position', isPreview: false }, body);
    const base_size = String(body['size'] ?? Math.abs(held));
    const side = held > 0 ? 'SELL' : 'BUY';
    return this.#place({ ...body, side, order_configuration: { market_market_ioc: { base_size } } }, account, at);
  }

  /** Each by itself; that it is asked for is all an answer says. */
  #cancel(body: Fields, account: AdvancedAccount, at: Instant): Answer {
    const ids = Array.isArray(body['order_ids']) ? body['order_ids'].map(String) : [];
    if (ids.length === 0 || ids.length > CANCELS_MAX)
      return wrong(400, 'INVALID_ARGUMENT', `order_ids must be 1 to ${CANCELS_MAX}`);
    const results = ids.map((order_id): Json => {
      const order = this.#records.order(account, order_id);
      const isAsked =
        order !== undefined &&
        isLive(order) &&
        this.#exchange.cancel(account.name, { venueOrderNumber: order.venueOrderNumber }, at);
      const failure_reason = isAsked ? 'UNKNOWN_CANCEL_FAILURE_REASON' : 'UNKNOWN_CANCEL_ORDER';
      return { success: isAsked, failure_reason, order_id };
    });
    return fine({ results });
  }
}

const UNAUTHORIZED: Answer = { status: 401, json: {} };
const TOO_MANY: Answer = {
  status: 429,
  json: { errors: [{ id: 'rate_limit_exceeded', message: 'Too many requests' }] },
};

/** Refusals come with HTTP 200; most of their fields say that the reason is unknown. */
function refused({ reason, message, isPreview }: OrderRefusal, body: Fields): Answer {
  return fine({
    success: false,
    failure_reason: UNKNOWN_REASON,
    order_id: '',
    error_response: {
      error: isPreview ? UNKNOWN_REASON : reason,
      message,
      error_details: '',
      preview_failure_reason: isPreview ? reason : UNKNOWN_PREVIEW_REASON,
      new_order_failure_reason: isPreview ? UNKNOWN_REASON : reason,
    },
    order_configuration: body['order_configuration'],
  });
}

function bodyFields(body: string): Fields | undefined {
  try {
    return asFields(parseLosslessJson(body, 'body'), 'body');
  } catch (error) {
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}

function socketKind(kind: unknown): AdvancedSocketKind | undefined {
  if (kind === undefined || kind === 'market' || kind === 'account') return kind;
  throw new RangeError(`socket kind must be market or account, was ${String(kind)}`);
}
