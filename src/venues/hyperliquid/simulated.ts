/**
 * A simulated Hyperliquid: the exchange behind the venue's own wire, as a deterministic state machine. Any thread.
 *
 * Faults for `inject`:
 * - `drop-sockets` {kind?}: closes all connections, or those with `market` or `account` subscriptions
 * - `duplicate-frame`, `unknown-frame`: damages the next frame of an account channel
 * - `refuse-next` {text = Insufficient margin to place order.}: the next order is answered with this error
 * - `lose-next-answer`: the next order is taken, its answer never comes
 * - `delay-answers` {delayMs, requests = 1}: holds the answers of the next requests
 * - `rate-limit` {durationMs = 5000}: answers 429 to everything for so long
 * - `reject-next-order`: the next order is answered as resting and cancelled by the venue later
 * - `silent-drop-next-order`: the next order is answered as resting and never heard of again
 * - `hide-orders` {sinceMs}: questions do not know orders accepted from then on; without a time they do again
 * - `revoke-key` {isRevoked = true}: no signature is known any more, or again all are
 * - `spend-actions` {account, used}: sets how much of an account's budget of actions is used up
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
import { isFields, parseLosslessJson } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import { exchangeWeight, infoWeight } from './limits.ts';
import { answerInfo, volumeOf } from './simulated-answers.ts';
import { readSignedRequest, signedRequestOf, signerOf, SimulatedNonces } from './simulated-intake.ts';
import type { SignedRequest, TakenAction, TakenCancel, TakenOrder } from './simulated-intake.ts';
import { SimulatedLimits } from './simulated-limits.ts';
import { admitOrder, NEVER_PLACED, orderStatus, refusalText, resting } from './simulated-orders.ts';
import { SimulatedRecords } from './simulated-records.ts';
import { SimulatedSockets } from './simulated-sockets.ts';
import type { PostRequest } from './simulated-sockets.ts';
import type { Json, SimulatedAccount } from './simulated-wire.ts';
import type { Network } from './sign.ts';
import { EXCHANGE_PATH, INFO_PATH } from './wire.ts';

export type { SimulatedAccount } from './simulated-wire.ts';

export interface SimulatedHyperliquidOptions {
  readonly exchange: Exchange;
  readonly accounts: readonly SimulatedAccount[];
  /** Gives the ids their digits. */
  readonly seed: number;
  /** Which network's signatures it takes, default mainnet as in the adapter. */
  readonly network?: Network;
  /** What an earlier life kept; the exchange has been given it already. */
  readonly past?: VenuePast | undefined;
}

type HttpInput = Extract<VenueInput, { type: 'http-request' }>;
/** Where an answer goes. */
type Asker =
  { readonly via: 'http'; readonly input: HttpInput } | { readonly via: 'socket'; readonly post: PostRequest };
type OrderFault =
  | { readonly fault: 'refuse-next'; readonly text: string }
  | { readonly fault: 'lose-next-answer' | 'reject-next-order' | 'silent-drop-next-order' };

/** One order or cancel of a batch: decided, or waiting for the block that executes it. */
type Item =
  | { readonly type: 'decided'; readonly status: Json }
  | { readonly type: 'order'; readonly orderNumber: number; readonly asset: number }
  | { readonly type: 'cancel'; readonly orderNumber: number; readonly asset: number };

interface PendingBatch {
  readonly asker: Asker;
  readonly responseType: 'order' | 'cancel';
  readonly items: readonly Item[];
  readonly isLost: boolean;
}

const LATE_REJECTION_MS = 50;
/** A scheduled cancel must lie so far ahead, calendar ms. */
const SCHEDULE_AHEAD_MS = 5_000;
/** A stale action costs this much of the address's weight. */
const STALE_WEIGHT = 5;
/** Before an address: how many actions it has used. */
const ACTIONS = 'actions ';
const UNREADABLE = 'Failed to deserialize the JSON body into the target type';

/** Makes a simulated venue; the exchange must be its alone. */
export function simulatedHyperliquid(options: SimulatedHyperliquidOptions): LastingVenue {
  return new SimulatedHyperliquid(options);
}

class SimulatedHyperliquid implements LastingVenue {
  readonly venue = 'hyperliquid';
  readonly #exchange: Exchange;
  readonly #records: SimulatedRecords;
  readonly #sockets: SimulatedSockets;
  readonly #limits = new SimulatedLimits();
  readonly #nonces = new SimulatedNonces();
  readonly #network: Network;
  readonly #orderFaults: OrderFault[] = [];
  #pending: PendingBatch[] = [];
  /** Acts that happen by themselves later; few at a time. */
  #later: { readonly dueMs: number; readonly act: (at: Instant) => readonly VenueOutput[] }[] = [];
  /** When all orders of an account are cancelled, epoch ms; a restart of the venue forgets it. */
  readonly #scheduledCancels = new Map<string, number>();
  #delayed = { requests: 0, delayMs: 0 };
  #started = false;

  constructor(options: SimulatedHyperliquidOptions) {
    this.#exchange = options.exchange;
    this.#records = new SimulatedRecords(options.exchange, options.accounts, options.seed);
    this.#sockets = new SimulatedSockets(this.#records);
    this.#network = options.network ?? 'mainnet';
    if (options.past === undefined) return;
    for (const fact of options.past.facts) this.#records.recall(fact);
    this.#nonces.restore(options.past.keepsake);
    for (const { address } of options.accounts)
      this.#limits.setActionsUsed(address, options.past.keepsake[ACTIONS + address] ?? 0);
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    this.#advance(at);
    const due = this.#runDue(at);
    const executed = this.#answerExecuted(at);
    const answers = this.#take(input, at);
    this.#sockets.flush(at);
    return [...due, ...executed, ...answers, ...this.#sockets.take()];
  }

  nextWakeMs(): number {
    const later = this.#later.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Number.POSITIVE_INFINITY);
    return Math.min(this.#exchange.nextWakeMs(), this.#sockets.nextWakeMs(), later);
  }

  /** The highest nonce of every signer, and how many actions every account has used. */
  keepsake(): Readonly<Record<string, number>> {
    const used = this.#records.accounts.map(({ address }) => [ACTIONS + address, this.#limits.actionsUsed(address)]);
    return { ...this.#nonces.highest(), ...(Object.fromEntries(used) as Record<string, number>) };
  }

  oracle(): VenueOracle {
    return {
      accounts: new Map(this.#records.accounts.map((account) => [account.name, this.#records.oracle(account)])),
      rateLimitRefusals: this.#limits.refusals,
    };
  }

  inject(fault: string, options: Readonly<Record<string, number | string | boolean>> = {}): void {
    switch (fault) {
      case 'drop-sockets': {
        const { kind } = options;
        if (kind !== undefined && kind !== 'market' && kind !== 'account')
          throw new RangeError(`socket kind must be market or account, was ${String(kind)}`);
        this.#sockets.drop(kind);
        return;
      }
      case 'duplicate-frame':
      case 'unknown-frame':
        this.#sockets.damageNext(fault);
        return;
      case 'refuse-next':
        this.#orderFaults.push({ fault, text: String(options['text'] ?? 'Insufficient margin to place order.') });
        return;
      case 'lose-next-answer':
      case 'reject-next-order':
      case 'silent-drop-next-order':
        this.#orderFaults.push({ fault });
        return;
      case 'hide-orders':
        this.#records.hiddenSinceMs = options['sinceMs'] === undefined ? undefined : Number(options['sinceMs']);
        return;
      case 'revoke-key':
        this.#records.isRevoked = options['isRevoked'] !== false;
        return;
      case 'delay-answers':
        this.#delayed = { requests: Number(options['requests'] ?? 1), delayMs: Number(options['delayMs']) };
        return;
      case 'rate-limit':
        this.#limits.refuseAll(Number(options['durationMs'] ?? 5_000));
        return;
      case 'spend-actions': {
        const account = this.#records.accountByName(String(options['account']));
        if (account === undefined)
          throw new RangeError(`account must be a simulated one, was ${String(options['account'])}`);
        this.#limits.setActionsUsed(account.address, Number(options['used']));
        return;
      }
      default:
        throw new RangeError(`hyperliquid has no fault named ${JSON.stringify(fault)}`);
    }
  }

  #advance(at: Instant): void {
    const events = this.#exchange.advance(at);
    // The first events describe the books that every subscriber reads whole.
    const isFirst = !this.#started;
    this.#started = true;
    for (const event of events) {
      // Settlements and orders of an earlier life's gap are facts all the same.
      if (!isFirst || isFact(event)) this.#records.observe(event);
      if (!isFirst) this.#sockets.observe(event, at);
    }
  }

  #runDue(at: Instant): readonly VenueOutput[] {
    // The markets move often enough: no wake of its own.
    for (const [name, dueMs] of this.#scheduledCancels) {
      if (dueMs > at.calendarMs) continue;
      this.#scheduledCancels.delete(name);
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
        return this.#http(input, at);
      case 'socket-requested': {
        const [path] = input.path.split('?');
        const refuse = (status: number, body: string): readonly VenueOutput[] => [
          { type: 'socket-refuse', socketId: input.socketId, status, body },
        ];
        if (path !== '/ws') return refuse(404, 'Not found');
        if (this.#sockets.open(input.socketId, input.remote, at)) return [];
        this.#limits.refusals += 1;
        return refuse(429, 'Too many connections');
      }
      case 'socket-text': {
        const post = this.#sockets.text(input.socketId, input.text, at);
        return post === undefined ? [] : this.#post(post, at);
      }
      case 'socket-closed':
        this.#sockets.closed(input.socketId);
        return [];
      case 'socket-ping': // answered by the host
      case 'socket-pong':
      case 'tick':
        return [];
      default:
        throw new Error(`unknown input ${JSON.stringify(input satisfies never)}`);
    }
  }

  #http(input: HttpInput, at: Instant): readonly VenueOutput[] {
    const asker: Asker = { via: 'http', input };
    const [path] = input.path.split('?');
    if (path !== INFO_PATH && path !== EXCHANGE_PATH) return this.#send(input, 404, 'Not found', at);
    if (input.method !== 'POST') return this.#send(input, 405, '', at);
    if (path === INFO_PATH) return this.#question(asker, input.remote, bodyOf(input.body), at);
    const request = readSignedRequest(input.body);
    if (!this.#limits.admit(input.remote, weightOf(request), at.monotonicMs)) return this.#throttled(asker, at);
    return request === undefined ? this.#unreadable(asker, at) : this.#action(asker, input.remote, request, at);
  }

  #post(post: PostRequest, at: Instant): readonly VenueOutput[] {
    const asker: Asker = { via: 'socket', post };
    if (post.type === 'info') return this.#question(asker, post.remote, post.payload, at);
    const request = isFields(post.payload) ? signedRequestOf(post.payload) : undefined;
    return request === undefined ? this.#unreadable(asker, at) : this.#action(asker, post.remote, request, at);
  }

  #question(asker: Asker, remote: string, question: unknown, at: Instant): readonly VenueOutput[] {
    if (!isFields(question)) return this.#unreadable(asker, at);
    const type = String(question['type']);
    const weight = infoWeight(type);
    if (!this.#limits.admit(remote, weight, at.monotonicMs)) return this.#throttled(asker, at);
    const answer = answerInfo({ records: this.#records, limits: this.#limits, nowMs: at.calendarMs }, question);
    if (answer === undefined) return this.#unreadable(asker, at);
    this.#limits.charge(remote, infoWeight(type, answer.items) - weight, at.monotonicMs);
    if (asker.via === 'http') return this.#send(asker.input, 200, JSON.stringify(answer.data), at);
    this.#sockets.answerPost(asker.post, { type: 'info', payload: { type, data: answer.data } }, at);
    return [];
  }

  #action(asker: Asker, remote: string, request: SignedRequest, at: Instant): readonly VenueOutput[] {
    const { action, terms } = request;
    const refuse = (text: string): readonly VenueOutput[] => this.#answer(asker, { status: 'err', response: text }, at);
    const signer = signerOf(request, this.#network);
    const account =
      terms.vaultAddress === undefined
        ? this.#records.accounts.find(({ signers }) => signers.includes(signer))
        : this.#records.accountByAddress(terms.vaultAddress);
    // Also what a wrong hash gets: it recovers somebody else.
    if (account === undefined || !account.signers.includes(signer) || this.#records.isRevoked)
      return refuse(`User or API Wallet ${signer} does not exist.`);
    const misused = this.#nonces.use(signer, terms.nonce, at.calendarMs);
    if (misused !== undefined) return refuse(misused);
    if (terms.expiresAfter !== undefined && at.calendarMs > terms.expiresAfter) {
      this.#limits.charge(remote, STALE_WEIGHT - 1, at.monotonicMs);
      return refuse(`Action expired at ${terms.expiresAfter}.`);
    }
    const batch = {
      actions: batchOf(action),
      areCancels: action.type === 'cancel' || action.type === 'cancelByCloid',
      volumeQuote: volumeOf(this.#records, account),
    };
    const spent = this.#limits.spendActions(account.address, batch, at.monotonicMs);
    if (spent !== undefined) return refuse(spent);
    switch (action.type) {
      case 'order':
        return this.#place(asker, action.orders, account, at);
      case 'cancel':
      case 'cancelByCloid':
        return this.#cancel(asker, action.cancels, account, at);
      case 'updateLeverage':
        return this.#changeLeverage(asker, action, account, at);
      case 'scheduleCancel': {
        if (action.time === undefined) this.#scheduledCancels.delete(account.name);
        else if (action.time < at.calendarMs + SCHEDULE_AHEAD_MS) return refuse('Scheduled cancel time too early.');
        else this.#scheduledCancels.set(account.name, action.time);
        return this.#answer(asker, { status: 'ok', response: { type: 'default' } }, at);
      }
      case 'noop':
        return this.#answer(asker, { status: 'ok', response: { type: 'default' } }, at);
      default:
        throw new Error(`unknown action ${JSON.stringify(action satisfies never)}`);
    }
  }

  #place(asker: Asker, orders: readonly TakenOrder[], account: SimulatedAccount, at: Instant): readonly VenueOutput[] {
    const fault = this.#orderFaults.shift();
    const items = orders.map((order, index) => this.#placeOne(order, account, index === 0 ? fault : undefined, at));
    this.#pending.push({ asker, responseType: 'order', items, isLost: fault?.fault === 'lose-next-answer' });
    return this.#answerExecuted(at);
  }

  #placeOne(order: TakenOrder, account: SimulatedAccount, fault: OrderFault | undefined, at: Instant): Item {
    const { asset, cloid } = order;
    const failed = (text: string): Item => decided({ error: `${text} asset=${asset}` });
    if (fault?.fault === 'refuse-next') return failed(fault.text);
    const taken = admitOrder(this.#records, order, account);
    if (typeof taken === 'string') return failed(taken);
    if (fault?.fault === 'silent-drop-next-order')
      return decided(resting(this.#records, this.#records.unusedOrderNumber()));
    if (fault?.fault === 'reject-next-order') {
      const orderNumber = this.#records.pretend(taken, account, cloid, at.calendarMs);
      this.#later.push({
        dueMs: at.monotonicMs + LATE_REJECTION_MS,
        act: (then) => {
          this.#sockets.sendOrder(this.#records.dropPretended(orderNumber, then.calendarMs), then);
          return [];
        },
      });
      return decided(resting(this.#records, orderNumber));
    }
    const outcome = this.#records.submit(taken, account, cloid, at);
    if (!outcome.accepted) return failed(refusalText(outcome.reason));
    return { type: 'order', orderNumber: outcome.venueOrderNumber, asset };
  }

  #cancel(
    asker: Asker,
    cancels: readonly TakenCancel[],
    account: SimulatedAccount,
    at: Instant,
  ): readonly VenueOutput[] {
    const items = cancels.map(({ asset, order: asked }): Item => {
      const order = this.#records.find(account, asked);
      const isRight = order?.status === 'open' && order.symbol === this.#records.markets[asset]?.symbol;
      const isQueued = isRight && this.#exchange.cancel(account.name, { venueOrderNumber: order.venueOrderNumber }, at);
      return isQueued
        ? { type: 'cancel', orderNumber: order.venueOrderNumber, asset }
        : decided({ error: `${NEVER_PLACED} asset=${asset}` });
    });
    this.#pending.push({ asker, responseType: 'cancel', items, isLost: false });
    return this.#answerExecuted(at);
  }

  #changeLeverage(
    asker: Asker,
    action: Extract<TakenAction, { type: 'updateLeverage' }>,
    account: SimulatedAccount,
    at: Instant,
  ): readonly VenueOutput[] {
    const instrument = this.#records.markets[action.asset];
    const refuse = (text: string): readonly VenueOutput[] => this.#answer(asker, { status: 'err', response: text }, at);
    if (instrument === undefined) return refuse('Invalid asset.');
    if (action.leverage < 1 || action.leverage > instrument.maxLeverage) return refuse('Invalid leverage value');
    if (!this.#records.setLeverage(account, instrument.symbol, action.leverage))
      return refuse('Cannot decrease leverage with open positions.');
    return this.#answer(asker, { status: 'ok', response: { type: 'default' } }, at);
  }

  /** Answers every batch whose last order or cancel went through its block. */
  #answerExecuted(at: Instant): readonly VenueOutput[] {
    if (this.#pending.length === 0) return [];
    const waiting: PendingBatch[] = [];
    const outputs: VenueOutput[] = [];
    for (const batch of this.#pending) {
      const statuses = batch.items.flatMap((item) => this.#statusOf(item) ?? []);
      if (statuses.length < batch.items.length) {
        waiting.push(batch);
      } else if (!batch.isLost) {
        const response = { type: batch.responseType, data: { statuses } };
        outputs.push(...this.#answer(batch.asker, { status: 'ok', response }, at));
      }
    }
    this.#pending = waiting;
    return outputs;
  }

  /** Undefined while the block is still to come. */
  #statusOf(item: Item): Json | undefined {
    if (item.type === 'decided') return item.status;
    const order = this.#records.state(item.orderNumber);
    if (order === undefined || order.status === 'queued') return undefined;
    if (item.type === 'order') return orderStatus(this.#records, order, item.asset);
    if (order.status === 'open') return undefined;
    return order.status === 'cancelled' && order.reason === 'asked'
      ? 'success'
      : { error: `${NEVER_PLACED} asset=${item.asset}` };
  }

  #throttled(asker: Asker, at: Instant): readonly VenueOutput[] {
    if (asker.via === 'http') return this.#send(asker.input, 429, 'null', at);
    this.#sockets.answerPost(asker.post, { type: 'error', payload: 'Too many requests' }, at);
    return [];
  }

  #unreadable(asker: Asker, at: Instant): readonly VenueOutput[] {
    if (asker.via === 'http') return this.#send(asker.input, 422, UNREADABLE, at);
    this.#sockets.answerPost(asker.post, { type: 'error', payload: UNREADABLE }, at);
    return [];
  }

  #answer(asker: Asker, body: Json, at: Instant): readonly VenueOutput[] {
    if (asker.via === 'http') return this.#send(asker.input, 200, JSON.stringify(body), at);
    this.#sockets.answerPost(asker.post, { type: 'action', payload: body }, at);
    return [];
  }

  #send(input: HttpInput, status: number, body: string, at: Instant): readonly VenueOutput[] {
    const answer: readonly VenueOutput[] = [
      {
        type: 'http-answer',
        requestId: input.requestId,
        status,
        headers: { 'content-type': status === 200 ? 'application/json' : 'text/plain' },
        body,
      },
    ];
    if (this.#delayed.requests <= 0) return answer;
    this.#delayed = { ...this.#delayed, requests: this.#delayed.requests - 1 };
    this.#later.push({ dueMs: at.monotonicMs + this.#delayed.delayMs, act: () => answer });
    return [];
  }
}

function decided(status: Json): Item {
  return { type: 'decided', status };
}

function batchOf(action: TakenAction): number {
  if (action.type === 'order') return action.orders.length;
  return 'cancels' in action ? action.cancels.length : 1;
}

function weightOf(request: SignedRequest | undefined): number {
  return exchangeWeight(request === undefined ? 1 : batchOf(request.action));
}

function bodyOf(body: string): unknown {
  try {
    return parseLosslessJson(body, 'question');
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return undefined;
  }
}
