/**
 * A simulated Extended venue: the exchange behind the venue's own wire, as a deterministic state machine. Any thread.
 *
 * Faults for `inject`:
 * - `drop-sockets` {kind?}: closes all connections, or those of one kind (account, orderbooks, mark, index, funding, publicTrades)
 * - `seq-gap`, `duplicate-frame`, `unknown-frame` {kind = account}: damages the next frame of that kind
 * - `refuse-next` {code, status = 400}: refuses the next order with this code
 * - `lose-next-answer`: the next order is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next requests
 * - `rate-limit` {durationMs = 5000}: answers 429 to everything for so long
 * - `reject-next-order` {reason = NOT_ENOUGH_FUNDS}: the next order is answered OK and rejected later, on the account stream
 * - `silent-drop-next-order`: the next order is answered OK and never heard of again
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 * - `revoke-key` {isRevoked = true}: no key is known any more, or again all are
 */
import type { Exchange } from '../../simulation/exchange.ts';
import { isFact } from '../../simulation/exchange-facts.ts';
import type {
  LastingVenue,
  VenueInput,
  VenueOracle,
  VenueOutput,
  VenuePast,
} from '../../simulation/simulated-venue.ts';
import { asFields } from '../json.ts';
import type { Fields } from '../json.ts';
import type { Instant } from '../venue.ts';
import { parseJson } from './json.ts';
import { PUBLIC_LIMITS } from './limits.ts';
import { answerInfo, answerUser, isOpen } from './simulated-answers.ts';
import type { Answer, Query } from './simulated-answers.ts';
import { admitOrder, refusalOf } from './simulated-intake.ts';
import type { Refusal } from './simulated-intake.ts';
import { SimulatedRecords } from './simulated-records.ts';
import { SimulatedSockets } from './simulated-sockets.ts';
import type { FrameFault } from './simulated-sockets.ts';
import type { SimulatedAccount } from './simulated-wire.ts';
import { httpDateText, REST_PREFIX, STREAM_PREFIX, wireJson } from './wire.ts';
import type { WireValue } from './wire.ts';

export type { SimulatedAccount } from './simulated-wire.ts';

export interface SimulatedExtendedOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  /** Gives the ids their digits. */
  readonly seed: number;
  /** Signing domain, default SN_MAIN as in the adapter. */
  readonly chainId?: string;
  /** Requests a minute and IP, default 1,000. */
  readonly requestsPerMinute?: number;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
type SocketInput = Extract<VenueInput, { type: 'socket-requested' }>;
/** `lost` answers are never sent. */
type Reply = Answer | Refusal | 'lost';
type OrderFault =
  | { readonly fault: 'refuse-next'; readonly code: number; readonly status: number }
  | { readonly fault: 'lose-next-answer' | 'silent-drop-next-order' }
  | { readonly fault: 'reject-next-order'; readonly reason: string };

const LATE_REJECTION_MS = 50;
const DONE: Answer = { data: {} };
const NO_SUCH_ENDPOINT: Refusal = { status: 404, code: 404, message: 'Not found' };
const NO_SUCH_ORDER: Refusal = { status: 404, code: 1142, message: 'Order not found' };
const BAD_BODY: Refusal = { status: 400, code: 1133, message: 'Invalid order parameters' };
const WRONG_KEY: Refusal = { status: 401, code: 401, message: 'Unauthorized' };
const TOO_MANY: Refusal = { status: 429, code: 429, message: 'Rate limit exceeded' };
const FRAME_KINDS: ReadonlyMap<unknown, FrameFault['kind']> = new Map(
  (['account', 'orderbooks', 'mark', 'index', 'funding', 'publicTrades'] as const).map((kind) => [kind, kind]),
);

/** Makes a simulated venue; the exchange must be its alone. */
export function simulatedExtended(options: SimulatedExtendedOptions): LastingVenue {
  return new SimulatedExtended(options);
}

class SimulatedExtended implements LastingVenue {
  readonly venue = 'extended';
  readonly #exchange: Exchange;
  readonly #records: SimulatedRecords;
  readonly #sockets: SimulatedSockets;
  readonly #chainId: string;
  readonly #requestsMax: number;
  readonly #requestTimes = new Map<string, number[]>();
  readonly #orderFaults: OrderFault[] = [];
  /** Acts that happen by themselves later; few at a time. */
  #later: { readonly dueMs: number; readonly act: (at: Instant) => readonly VenueOutput[] }[] = [];
  /** When all orders of an account end unless it says otherwise, monotonic ms; a restart of the venue forgets them. */
  readonly #deadMen = new Map<string, number>();
  #delayed = { requests: 0, delayMs: 0 };
  #refuseAllForMs = 0;
  #refuseAllUntilMs = Number.NEGATIVE_INFINITY;
  #rateLimitRefusals = 0;
  #started = false;

  constructor(options: SimulatedExtendedOptions) {
    this.#exchange = options.exchange;
    this.#records = new SimulatedRecords(options.exchange, options.accounts, options.seed);
    this.#sockets = new SimulatedSockets(this.#records);
    this.#chainId = options.chainId ?? 'SN_MAIN';
    this.#requestsMax = options.requestsPerMinute ?? PUBLIC_LIMITS.rest.max;
    for (const fact of options.past?.facts ?? []) {
      if (fact.type === 'leverage-set') this.#records.leverageKnown(fact.account, fact.symbol, fact.leverage);
      else if (fact.type !== 'accepted') this.#records.observe(fact);
    }
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    this.#advance(at);
    const due = this.#runDue(at);
    const answers = this.#take(input, at);
    this.#sockets.tick(at);
    return [...due, ...answers, ...this.#sockets.take()];
  }

  nextWakeMs(): number {
    const later = this.#later.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
    return Math.min(this.#exchange.nextWakeMs(), this.#sockets.nextWakeMs(), later, ...this.#deadMen.values());
  }

  /** Nothing: this wire has no nonces. */
  keepsake(): Readonly<Record<string, number>> {
    return {};
  }

  oracle(): VenueOracle {
    return {
      accounts: new Map(this.#records.accounts.map((account) => [account.name, this.#records.oracle(account)])),
      rateLimitRefusals: this.#rateLimitRefusals,
    };
  }

  inject(fault: string, options: Readonly<Record<string, number | string | boolean>> = {}): void {
    switch (fault) {
      case 'drop-sockets':
        this.#sockets.drop(options['kind'] === undefined ? undefined : frameKind(options['kind']));
        return;
      case 'seq-gap':
      case 'duplicate-frame':
      case 'unknown-frame':
        this.#sockets.damageNext({ fault, kind: frameKind(options['kind'] ?? 'account') });
        return;
      case 'refuse-next':
        this.#orderFaults.push({ fault, code: Number(options['code']), status: Number(options['status'] ?? 400) });
        return;
      case 'lose-next-answer':
      case 'silent-drop-next-order':
        this.#orderFaults.push({ fault });
        return;
      case 'reject-next-order':
        this.#orderFaults.push({ fault, reason: String(options['reason'] ?? 'NOT_ENOUGH_FUNDS') });
        return;
      case 'revoke-key':
        this.#records.isRevoked = options['isRevoked'] !== false;
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      case 'delay-answers':
        this.#delayed = { requests: Number(options['requests'] ?? 1), delayMs: Number(options['delayMs']) };
        return;
      case 'rate-limit':
        this.#refuseAllForMs = Number(options['durationMs'] ?? 5_000);
        return;
      default:
        throw new RangeError(`extended has no fault named ${JSON.stringify(fault)}`);
    }
  }

  #advance(at: Instant): void {
    const events = this.#exchange.advance(at);
    if (!this.#started) {
      // The first events describe the books that start() reads whole.
      this.#started = true;
      // Settlements and orders of an earlier life's gap are facts all the same.
      for (const event of events) if (isFact(event)) this.#records.observe(event);
      this.#sockets.start(at);
      return;
    }
    for (const event of events) {
      this.#records.observe(event);
      this.#sockets.observe(event, at);
    }
  }

  #runDue(at: Instant): readonly VenueOutput[] {
    for (const [name, dueMs] of this.#deadMen) {
      if (dueMs > at.monotonicMs) continue;
      this.#deadMen.delete(name);
      this.#exchange.cancelAll(name, at);
    }
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
        return this.#connect(input, at);
      case 'socket-closed':
        this.#sockets.closed(input.socketId);
        return [];
      case 'socket-pong':
        this.#sockets.ponged(input.socketId);
        return [];
      case 'socket-ping': // answered by the host
      case 'socket-text': // there is nothing to say to this venue
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  #connect(input: SocketInput, at: Instant): readonly VenueOutput[] {
    const refuse = (status: number, message: string): readonly VenueOutput[] => [
      { type: 'socket-refuse', socketId: input.socketId, status, body: refusalJson({ status, code: status, message }) },
    ];
    if (!hasUserAgent(input.headers)) return refuse(403, 'Forbidden');
    const [path = '', query = ''] = input.path.split('?');
    const segments = segmentsOf(path, STREAM_PREFIX);
    if (segments === undefined) return refuse(404, 'Not found');
    const account = this.#records.accountByKey(input.headers['x-api-key']);
    if (segments[0] === 'account' && account === undefined) return refuse(401, 'Unauthorized');
    const stream = SimulatedSockets.streamOf(segments, new URLSearchParams(query).get('depth') === '1', account);
    const unknownMarket =
      stream !== undefined &&
      stream.kind !== 'account' &&
      stream.symbol !== undefined &&
      this.#records.instrument(stream.symbol) === undefined;
    if (stream === undefined || unknownMarket) return refuse(404, 'Not found');
    this.#sockets.open(input.socketId, stream, at);
    return [];
  }

  #answer(input: HttpInput, at: Instant): readonly VenueOutput[] {
    if (!hasUserAgent(input.headers)) return this.#send(input, 403, 'Forbidden', 'text/plain', at);
    const reply = this.#isOverLimit(input.remote, at.monotonicMs) ? TOO_MANY : this.#reply(input, at);
    if (reply === 'lost') return [];
    if ('code' in reply) return this.#send(input, reply.status, refusalJson(reply), 'application/json', at);
    return this.#send(input, 200, wireJson({ status: 'OK', ...reply }), 'application/json', at);
  }

  #send(input: HttpInput, status: number, body: string, type: string, at: Instant): readonly VenueOutput[] {
    const answer = (sentAt: Instant): readonly VenueOutput[] => [
      {
        type: 'http-answer',
        requestId: input.requestId,
        status,
        headers: { 'content-type': type, date: httpDateText(sentAt.calendarMs) },
        body,
      },
    ];
    if (this.#delayed.requests <= 0) return answer(at);
    this.#delayed = { ...this.#delayed, requests: this.#delayed.requests - 1 };
    this.#later.push({ dueMs: at.monotonicMs + this.#delayed.delayMs, act: answer });
    return [];
  }

  /** A rolling minute per IP address. */
  #isOverLimit(remote: string, nowMs: number): boolean {
    if (this.#refuseAllForMs > 0) {
      this.#refuseAllUntilMs = nowMs + this.#refuseAllForMs;
      this.#refuseAllForMs = 0;
    }
    const times = (this.#requestTimes.get(remote) ?? []).filter((time) => nowMs - time < PUBLIC_LIMITS.rest.windowMs);
    this.#requestTimes.set(remote, times);
    if (times.length >= this.#requestsMax || nowMs < this.#refuseAllUntilMs) {
      this.#rateLimitRefusals += 1;
      return true;
    }
    times.push(nowMs);
    return false;
  }

  #reply(input: HttpInput, at: Instant): Reply {
    const [path = '', query = ''] = input.path.split('?');
    const segments = segmentsOf(path, REST_PREFIX);
    if (segments === undefined) return NO_SUCH_ENDPOINT;
    const asked: Query = { path: segments, parameters: new URLSearchParams(query), nowMs: Math.floor(at.calendarMs) };
    if (segments[0] === 'info' && input.method === 'GET')
      return answerInfo(this.#records, this.#chainId, asked) ?? NO_SUCH_ENDPOINT;
    if (segments[0] !== 'user') return NO_SUCH_ENDPOINT;
    const account = this.#records.accountByKey(input.headers['x-api-key']);
    if (account === undefined) return WRONG_KEY;
    if (input.method === 'GET') return answerUser(this.#records, account, asked) ?? NO_SUCH_ENDPOINT;
    return this.#change(input, account, asked, at) ?? NO_SUCH_ENDPOINT;
  }

  #change(input: HttpInput, account: SimulatedAccount, asked: Query, at: Instant): Reply | undefined {
    const [, what, third] = asked.path;
    const route = `${input.method} ${asked.path.slice(1).join('/')}`;
    if (route === 'POST order') return this.#place(input.body, account, at);
    if (route === 'POST order/massCancel') return this.#massCancel(input.body, account, at);
    if (route === 'POST deadmanswitch') return this.#armDeadMan(asked.parameters.get('countdownTime'), account, at);
    if (route === 'PATCH leverage') return this.#changeLeverage(input.body, account);
    if (input.method !== 'DELETE' || what !== 'order' || asked.path.length > 3) return undefined;
    const externalId = asked.parameters.get('externalId');
    const order = this.#records
      .orders(account)
      .find(({ clientOrderId, venueOrderNumber }) =>
        third === undefined
          ? clientOrderId === externalId
          : this.#records.ids.order(venueOrderNumber).toString() === third,
      );
    if (order === undefined) return NO_SUCH_ORDER;
    // OK only means "asked": cancelling what is over already does nothing.
    this.#exchange.cancel(account.name, { venueOrderNumber: order.venueOrderNumber }, at);
    return DONE;
  }

  #place(body: string, account: SimulatedAccount, at: Instant): Reply {
    const fault = this.#orderFaults.shift();
    if (fault?.fault === 'refuse-next')
      return { status: fault.status, code: fault.code, message: 'Refused on request' };
    const intake = admitOrder(body, account, this.#exchange, this.#chainId, at.calendarMs);
    if ('refused' in intake) return intake.refused;
    const order = intake.accepted;
    const isDuplicate = this.#records
      .orders(account)
      .some(({ clientOrderId }) => clientOrderId === order.clientOrderId);
    if (isDuplicate) return refusalOf('duplicate-client-id');

    if (fault?.fault === 'silent-drop-next-order') return placed(this.#records.unusedOrderId(), order.clientOrderId);
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
      return placed(this.#records.ids.order(orderNumber), order.clientOrderId);
    }
    const outcome = this.#exchange.submit(order, at);
    if (!outcome.accepted) return refusalOf(outcome.reason);
    return fault?.fault === 'lose-next-answer'
      ? 'lost'
      : placed(this.#records.ids.order(outcome.venueOrderNumber), order.clientOrderId);
  }

  #massCancel(body: string, account: SimulatedAccount, at: Instant): Reply {
    const asked = bodyFields(body);
    if (asked === undefined) return BAD_BODY;
    const listed = (name: string): readonly string[] => (Array.isArray(asked[name]) ? asked[name].map(String) : []);
    const [orderIds, externalIds, markets] = [listed('orderIds'), listed('externalOrderIds'), listed('markets')];
    const all = asked['cancelAll'] === true;
    if (!all && orderIds.length + externalIds.length + markets.length === 0) return BAD_BODY;
    for (const order of this.#records.orders(account).filter(isOpen)) {
      const chosen =
        all ||
        markets.includes(order.symbol) ||
        externalIds.includes(order.clientOrderId) ||
        orderIds.includes(this.#records.ids.order(order.venueOrderNumber).toString());
      if (chosen) this.#exchange.cancel(account.name, { venueOrderNumber: order.venueOrderNumber }, at);
    }
    return DONE;
  }

  /** Real seconds, whatever the calendar does. */
  #armDeadMan(countdown: string | null, account: SimulatedAccount, at: Instant): Reply {
    if (countdown === null || !/^\d{1,7}$/.test(countdown)) return BAD_BODY;
    if (Number(countdown) === 0) this.#deadMen.delete(account.name);
    else this.#deadMen.set(account.name, at.monotonicMs + Number(countdown) * 1_000);
    return DONE;
  }

  #changeLeverage(body: string, account: SimulatedAccount): Reply {
    const asked = bodyFields(body);
    const symbol = String(asked?.['market']);
    const leverage = Number(asked?.['leverage']);
    const instrument = this.#records.instrument(symbol);
    if (instrument === undefined) return { status: 400, code: 1001, message: 'Market not found' };
    if (!Number.isInteger(leverage)) return { status: 400, code: 1053, message: 'Invalid leverage value precision' };
    if (leverage < 1) return { status: 400, code: 1049, message: 'Leverage below min leverage' };
    if (leverage > instrument.maxLeverage) return { status: 400, code: 1050, message: 'Leverage exceeds max leverage' };
    if (!this.#records.setLeverage(account, symbol, leverage))
      return { status: 400, code: 1052, message: 'Insufficient margin for leverage' };
    return { data: { market: symbol, leverage: String(leverage) } };
  }
}

function placed(id: bigint, externalId: string): Answer {
  return { data: { id, externalId } };
}

function refusalJson({ code, message, debugInfo }: Refusal): string {
  const error: WireValue = { code, message, debugInfo };
  return wireJson({ status: 'ERROR', error });
}

function bodyFields(body: string): Fields | undefined {
  try {
    return asFields(parseJson(body, 'body'), 'body');
  } catch {
    // Whatever it is, it is no request: the caller answers so.
    return undefined;
  }
}

function hasUserAgent(headers: Readonly<Record<string, string>>): boolean {
  return (headers['user-agent'] ?? '') !== '';
}

/** Decoded path segments behind the prefix (a base address without the prefix works too); undefined when they cannot be decoded. */
function segmentsOf(path: string, prefix: string): readonly string[] | undefined {
  const bare = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  try {
    return bare
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    // A percent sign without two hex digits.
    return undefined;
  }
}

function frameKind(kind: unknown): FrameFault['kind'] {
  const known = FRAME_KINDS.get(kind);
  if (known === undefined)
    throw new RangeError(`socket kind must be one of ${[...FRAME_KINDS.values()].join(', ')}, was ${String(kind)}`);
  return known;
}
