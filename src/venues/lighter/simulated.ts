/**
 * A simulated Lighter venue: the exchange behind the venue's own wire, as a deterministic state machine. Any thread.
 *
 * Faults for `inject`:
 * - `drop-sockets`: closes all connections
 * - `skip-book-frame` {marketId?}: swallows the next book update of a market (or of any), which breaks its chain of nonces
 * - `malformed-frame`, `duplicate-frame` {channel = order_book}: cuts off, or doubles, the next update of that channel
 * - `refuse-next` {code}: refuses the next transaction with this code; its nonce stays unused
 * - `lose-next-answer`: the next transaction is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next requests and transactions
 * - `rate-limit` {durationMs = 5000}: answers code 23000 to all requests and transactions for so long
 * - `reject-next-order` {status = canceled-margin-not-allowed}: the next order is answered 200 and canceled later, on the order channels
 * - `silent-drop-next-order`: the next order is answered 200 and never heard of again
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 * - `revoke-key` {isRevoked = true}: no key of any account is known any more, or again all are
 */
import type { Exchange, ExchangeEvent } from '../../simulation/exchange.ts';
import { isFact } from '../../simulation/exchange-facts.ts';
import type {
  AccountOracle,
  LastingVenue,
  VenueInput,
  VenueOracle,
  VenueOutput,
  VenuePast,
} from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import { SimulatedAccess } from './simulated-access.ts';
import { AccountFeeds } from './simulated-account-feeds.ts';
import { answerQuery } from './simulated-answers.ts';
import type { Answer } from './simulated-answers.ts';
import type { Channel, FrameBody } from './simulated-channels.ts';
import { TransactionGateway } from './simulated-gateway.ts';
import type { RawTransaction, SubmitReply } from './simulated-gateway.ts';
import { fieldsOf, integerOf, readJson, wireJson } from './simulated-json.ts';
import type { Fields } from './simulated-json.ts';
import { RequestLimits } from './simulated-limits.ts';
import { MarketFeeds } from './simulated-market-feeds.ts';
import { SimulatedRecords } from './simulated-records.ts';
import type { SimulatedAccount } from './simulated-records.ts';
import { isRefusal, refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';
import { SimulatedSockets } from './simulated-sockets.ts';
import { seconds, tradeIdOf } from './simulated-wire.ts';
import { CHAIN_ID_MAIN } from './wire.ts';

export type { SimulatedAccount } from './simulated-records.ts';

export interface SimulatedLighterOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  /** Calendar ms per monotonic ms: spans a client may state, such as a token's deadline, reach so much further. */
  readonly calendarScale: number;
  /** Sets where the engine's nonces start. */
  readonly seed: number;
  /** Signing domain, default that of main net as in the adapter. */
  readonly chainId?: number;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
/** `lost` answers are never sent. */
type Reply = { readonly body: Answer } | Refusal | 'lost';

const REST_PREFIX = '/api/v1/';
const STREAM_PATH = '/stream';
const NO_SUCH_ENDPOINT = refusal(29404);
const TOO_MANY = refusal(23000);
const SOCKET_BATCH_MAX = 15;
const REST_BATCH_MAX = 50;
const SUBMITTED = '{"ratelimit": "didn\'t use volume quota"}';

/** Makes a simulated venue; the exchange must be its alone. Throws RangeError for markets, fees or keys the wire cannot express. */
export function simulatedLighter(options: SimulatedLighterOptions): LastingVenue {
  return new SimulatedLighter(options);
}

class SimulatedLighter implements LastingVenue {
  readonly venue = 'lighter';
  readonly #exchange: Exchange;
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #limits: RequestLimits;
  readonly #marketFeeds: MarketFeeds;
  readonly #accountFeeds: AccountFeeds;
  readonly #gateway: TransactionGateway;
  readonly #sockets: SimulatedSockets;
  /** Answers held back on command; few at a time. */
  #held: { readonly dueMs: number; readonly outputs: readonly VenueOutput[] }[] = [];
  #delayed = { requests: 0, delayMs: 0 };
  #refuseAllForMs = 0;
  #refuseAllUntilMs = Number.NEGATIVE_INFINITY;
  #rateLimitRefusals = 0;
  #started = false;

  constructor(options: SimulatedLighterOptions) {
    const { exchange, accounts, calendarScale } = options;
    this.#exchange = exchange;
    this.#records = new SimulatedRecords(exchange, accounts, options.seed);
    this.#access = new SimulatedAccess(accounts, calendarScale);
    this.#limits = new RequestLimits(accounts);
    this.#marketFeeds = new MarketFeeds(this.#records, calendarScale);
    this.#accountFeeds = new AccountFeeds(this.#records);
    this.#gateway = new TransactionGateway({
      records: this.#records,
      access: this.#access,
      limits: this.#limits,
      feeds: this.#accountFeeds,
      chainId: options.chainId ?? CHAIN_ID_MAIN,
      calendarScale,
    });
    this.#sockets = new SimulatedSockets(this.#records, this.#access, (channel, at) => this.#snapshot(channel, at));
    if (options.past === undefined) return;
    for (const fact of options.past.facts)
      if (fact.type !== 'accepted' && fact.type !== 'leverage-set') this.#records.observe(fact);
    this.#access.restoreNonces(options.past.keepsake);
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    this.#advance(at);
    this.#gateway.tick(at);
    // Before a subscription is answered, all others hear what its snapshot will contain.
    this.#publish(at);
    const due = this.#takeHeld(at);
    const answers = this.#take(input, at);
    this.#sockets.tick(at);
    this.#publish(at);
    return [...due, ...answers, ...this.#sockets.take()];
  }

  nextWakeMs(): number {
    return this.#held.reduce(
      (wake, { dueMs }) => Math.min(wake, dueMs),
      Math.min(
        this.#exchange.nextWakeMs(),
        this.#gateway.nextWakeMs(),
        this.#marketFeeds.nextWakeMs(),
        this.#accountFeeds.nextWakeMs(),
        this.#sockets.nextWakeMs(),
      ),
    );
  }

  keepsake(): Readonly<Record<string, number>> {
    return this.#access.nonces();
  }

  oracle(): VenueOracle {
    return {
      accounts: new Map(
        this.#records.accounts.map(({ name }) => [name, withWireIds(this.#exchange.oracle(name), this.#records)]),
      ),
      rateLimitRefusals: this.#rateLimitRefusals + this.#sockets.limitRefusals,
    };
  }

  inject(fault: string, options: Readonly<Record<string, number | string | boolean>> = {}): void {
    switch (fault) {
      case 'drop-sockets':
        this.#sockets.drop();
        return;
      case 'skip-book-frame':
        this.#marketFeeds.skipBook(options['marketId'] === undefined ? undefined : Number(options['marketId']));
        return;
      case 'malformed-frame':
      case 'duplicate-frame':
        this.#sockets.damageNext({ fault, channel: String(options['channel'] ?? 'order_book') });
        return;
      case 'refuse-next':
        this.#gateway.failTransaction({ fault, code: Number(options['code']) });
        return;
      case 'lose-next-answer':
        this.#gateway.failTransaction({ fault });
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      case 'revoke-key':
        this.#access.isRevoked = options['isRevoked'] !== false;
        return;
      case 'delay-answers':
        this.#delayed = { requests: Number(options['requests'] ?? 1), delayMs: Number(options['delayMs']) };
        return;
      case 'rate-limit':
        this.#refuseAllForMs = Number(options['durationMs'] ?? 5_000);
        return;
      case 'reject-next-order':
        this.#gateway.failOrder({ fault, status: String(options['status'] ?? 'canceled-margin-not-allowed') });
        return;
      case 'silent-drop-next-order':
        this.#gateway.failOrder({ fault });
        return;
      default:
        throw new RangeError(`lighter has no fault named ${JSON.stringify(fault)}`);
    }
  }

  #advance(at: Instant): void {
    const events = this.#exchange.advance(at);
    if (!this.#started) {
      // The first events describe the books that start() reads whole.
      this.#started = true;
      // Settlements and orders of an earlier life's gap are facts all the same.
      for (const event of events) if (isFact(event)) this.#records.observe(event);
      this.#marketFeeds.start(at);
      return;
    }
    for (const event of events) this.#observe(event, at);
  }

  #observe(event: ExchangeEvent, at: Instant): void {
    if (!this.#records.observe(event)) return;
    this.#marketFeeds.observe(event, at);
    this.#accountFeeds.observe(event);
  }

  #publish(at: Instant): void {
    const publish = (channel: Channel, makeBody: () => FrameBody): void => this.#sockets.publish(channel, makeBody);
    this.#marketFeeds.flush(at, publish);
    this.#accountFeeds.flush(at, publish);
  }

  #snapshot(channel: Channel, at: Instant): FrameBody {
    return 'account' in channel
      ? this.#accountFeeds.snapshot(channel.name, channel.account, at)
      : this.#marketFeeds.snapshot(channel, at);
  }

  #takeHeld(at: Instant): readonly VenueOutput[] {
    const due = this.#held.filter(({ dueMs }) => dueMs <= at.monotonicMs);
    if (due.length === 0) return [];
    this.#held = this.#held.filter(({ dueMs }) => dueMs > at.monotonicMs);
    return due
      .flatMap(({ outputs }) => outputs)
      .filter((output) => output.type !== 'socket-text' || this.#sockets.isOpen(output.socketId));
  }

  #take(input: VenueInput, at: Instant): readonly VenueOutput[] {
    switch (input.type) {
      case 'http-request':
        return this.#answer(input, at);
      case 'socket-requested': {
        const [path = '', query = ''] = input.path.split('?');
        if (path !== STREAM_PATH) {
          const body = wireJson({ ...NO_SUCH_ENDPOINT });
          return [{ type: 'socket-refuse', socketId: input.socketId, status: 404, body }];
        }
        const isReadOnly = new URLSearchParams(query).get('readonly') === 'true';
        this.#sockets.open(input.socketId, input.remote, isReadOnly, at);
        return [];
      }
      case 'socket-closed':
        this.#sockets.closed(input.socketId);
        return [];
      case 'socket-pong':
      case 'socket-ping':
        this.#sockets.heard(input.socketId, at);
        return [];
      case 'socket-text':
        this.#sockets.heard(input.socketId, at);
        return this.#hear(input.socketId, input.text, at);
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  // Sockets.

  #hear(socketId: number, text: string, at: Instant): readonly VenueOutput[] {
    if (!this.#sockets.isOpen(socketId)) return [];
    const message = fieldsOf(readJson(text));
    const type = message?.['type'];
    if (message === undefined) this.#sockets.sendError(socketId, refusal(30000));
    else if (type !== 'jsonapi/sendtx' && type !== 'jsonapi/sendtxbatch') this.#sockets.control(socketId, message, at);
    else if (!this.#sockets.mayTrade(socketId)) this.#sockets.sendError(socketId, refusal(30006));
    else return this.#hearTransactions(socketId, type, fieldsOf(message['data']), at);
    return [];
  }

  #hearTransactions(socketId: number, type: string, data: Fields | undefined, at: Instant): readonly VenueOutput[] {
    const isBatch = type === 'jsonapi/sendtxbatch';
    const raws = isBatch
      ? readBatch(data?.['tx_types'], data?.['tx_infos'])
      : [{ type: data?.['tx_type'], info: data?.['tx_info'] }];
    if (data === undefined || raws === undefined || isRefusal(raws)) {
      this.#sockets.sendError(socketId, raws !== undefined && isRefusal(raws) ? raws : refusal(30007));
      return [];
    }
    const send = (frame: FrameBody): readonly VenueOutput[] =>
      this.#deliver([{ type: 'socket-text', socketId, text: wireJson(frame) }], at);
    if (this.#refusesAll(at)) return send({ type, ...TOO_MANY });
    const reply = this.#submit(raws, isBatch, SOCKET_BATCH_MAX, at);
    if ('refused' in reply) {
      // Without its id, and what could not even be read without type: callers match by hash, else by order.
      return reply.hash === undefined && reply.refused.code === 21501
        ? send({ error: { ...reply.refused } })
        : send({ type, ...reply.refused, tx_hash: reply.hash });
    }
    if (reply.isLost) return [];
    const id = typeof data['id'] === 'string' ? data['id'] : undefined;
    return send({ code: 200, id, ...acceptedJson(reply, isBatch), type });
  }

  #submit(raws: readonly RawTransaction[], isBatch: boolean, batchMax: number, at: Instant): SubmitReply {
    const [single] = raws;
    const reply =
      isBatch || single === undefined
        ? this.#gateway.submitBatch(raws, batchMax, at)
        : this.#gateway.submitOne(single, at);
    if ('refused' in reply && reply.isLimit === true) this.#rateLimitRefusals += 1;
    return reply;
  }

  // REST.

  #answer(input: HttpInput, at: Instant): readonly VenueOutput[] {
    const reply = this.#reply(input, at);
    if (reply === 'lost') return [];
    const { status, body } = isRefusal(reply)
      ? { status: refusalStatus(reply), body: wireJson({ ...reply }) }
      : { status: 200, body: wireJson(reply.body) };
    const headers = { 'content-type': 'application/json' };
    return this.#deliver([{ type: 'http-answer', requestId: input.requestId, status, headers, body }], at);
  }

  #reply(input: HttpInput, at: Instant): Reply {
    const [path = '', query = ''] = input.path.split('?');
    if (this.#refusesAll(at)) return TOO_MANY;
    const endpoint = path === '/' ? '/' : path.startsWith(REST_PREFIX) ? path.slice(REST_PREFIX.length) : undefined;
    if (endpoint === undefined) return NO_SUCH_ENDPOINT;
    if (input.method === 'POST') return this.#post(endpoint, input, at);
    if (input.method !== 'GET') return NO_SUCH_ENDPOINT;

    const parameters = new URLSearchParams(query);
    const token = input.headers['authorization'] ?? parameters.get('auth') ?? undefined;
    const signedIn = token === undefined ? undefined : this.#access.signIn(token, at.calendarMs);
    const refused = signedIn !== undefined && isRefusal(signedIn) ? signedIn : undefined;
    const account = signedIn === undefined || isRefusal(signedIn) ? undefined : signedIn.account;
    if (!this.#limits.admitRequest(endpoint, input.remote, account, at.monotonicMs)) return this.#tooMany();
    if (refused !== undefined) return refused;
    if (endpoint === '/') return { body: { status: 200, network_id: 1, timestamp: seconds(at.calendarMs) } };
    if (endpoint === 'tx') return this.#transaction(parameters);
    const answer = answerQuery(this.#records, this.#access, { endpoint, parameters, signedIn: account });
    if (answer === undefined) return NO_SUCH_ENDPOINT;
    return isRefusal(answer) ? answer : { body: { code: 200, ...answer } };
  }

  #transaction(parameters: URLSearchParams): Reply {
    if (parameters.get('by') !== 'hash') return refusal(20001, 'by');
    const json = this.#gateway.transactionJson(parameters.get('value') ?? '');
    return json === undefined ? refusal(21500) : { body: { code: 200, ...json } };
  }

  #post(endpoint: string, input: HttpInput, at: Instant): Reply {
    if (endpoint !== 'sendTx' && endpoint !== 'sendTxBatch') return NO_SUCH_ENDPOINT;
    const form = new URLSearchParams(input.body);
    const isBatch = endpoint === 'sendTxBatch';
    const raws = isBatch
      ? readBatch(form.get('tx_types'), form.get('tx_infos'))
      : [{ type: form.get('tx_type'), info: readJson(form.get('tx_info') ?? '') }];
    if (raws === undefined) return refusal(21501);
    if (isRefusal(raws)) return raws;
    const sender = this.#senderOf(raws);
    // A standard account's transactions are requests: they are counted once, when they are read.
    const isCountedLater = sender?.tier === 'standard';
    if (!isCountedLater && !this.#limits.admitRequest(endpoint, input.remote, sender, at.monotonicMs))
      return this.#tooMany();
    const reply = this.#submit(raws, isBatch, REST_BATCH_MAX, at);
    if ('refused' in reply) return reply.refused;
    return reply.isLost ? 'lost' : { body: { code: 200, message: SUBMITTED, ...acceptedJson(reply, isBatch) } };
  }

  /** The account a request claims to come from. */
  #senderOf(raws: readonly RawTransaction[]): SimulatedAccount | undefined {
    const accountIndex = integerOf(fieldsOf(raws[0]?.info)?.['AccountIndex']);
    return accountIndex === undefined ? undefined : this.#access.account(Number(accountIndex));
  }

  #tooMany(): Refusal {
    this.#rateLimitRefusals += 1;
    return TOO_MANY;
  }

  #refusesAll(at: Instant): boolean {
    if (this.#refuseAllForMs > 0) {
      this.#refuseAllUntilMs = at.monotonicMs + this.#refuseAllForMs;
      this.#refuseAllForMs = 0;
    }
    if (at.monotonicMs >= this.#refuseAllUntilMs) return false;
    this.#rateLimitRefusals += 1;
    return true;
  }

  #deliver(outputs: readonly VenueOutput[], at: Instant): readonly VenueOutput[] {
    if (this.#delayed.requests <= 0) return outputs;
    this.#delayed = { ...this.#delayed, requests: this.#delayed.requests - 1 };
    this.#held.push({ dueMs: at.monotonicMs + this.#delayed.delayMs, outputs });
    return [];
  }
}

function refusalStatus({ code }: Refusal): number {
  if (code === 29404) return 404;
  return code >= 23000 && code <= 23003 ? 429 : 400;
}

function acceptedJson(reply: Exclude<SubmitReply, { refused: Refusal }>, isBatch: boolean): Answer {
  return {
    tx_hash: isBatch ? reply.hashes : reply.hashes[0],
    predicted_execution_time_ms: reply.predictedMs,
  };
}

/** Both lists are JSON texts, and the second one's elements are JSON texts again. Undefined when they are not. */
function readBatch(types: unknown, infos: unknown): readonly RawTransaction[] | Refusal | undefined {
  if (typeof types !== 'string' || typeof infos !== 'string') return undefined;
  const [typeList, infoList] = [readJson(types), readJson(infos)];
  if (!Array.isArray(typeList) || !Array.isArray(infoList)) return undefined;
  if (typeList.length !== infoList.length) return refusal(21513);
  return infoList.map((info: unknown, index) => ({
    type: typeList[index] as unknown,
    info: typeof info === 'string' ? readJson(info) : undefined,
  }));
}

/** The exchange's own truth, with the ids the wire shows: a payment is known by its market and its number. */
function withWireIds(truth: AccountOracle, records: SimulatedRecords): AccountOracle {
  return {
    openingWalletMicro: truth.openingWalletMicro,
    walletMicro: truth.walletMicro,
    positions: truth.positions,
    get fills() {
      return truth.fills.map((fill) => ({ ...fill, fillId: String(tradeIdOf(Number(fill.fillId))) }));
    },
    get fundingPayments() {
      return truth.fundingPayments.map((payment) => ({
        ...payment,
        paymentId: `${records.marketOf(payment.symbol).marketId}:${payment.paymentId}`,
      }));
    },
    get orders() {
      return truth.orders;
    },
  };
}
