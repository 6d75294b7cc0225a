/** The simulated Hyperliquid's WebSocket side: subscriptions, books on their cadence, best prices per block, account channels. Any thread. */
import type {
  ExchangeEvent,
  ExchangeFundingPayment,
  ExchangeOrderState,
  ExchangeTrade,
} from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import { isFields } from '../json.ts';
import type { Fields } from '../json.ts';
import type { Instant } from '../venue.ts';
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_MINUTE_MAX,
  HYPERLIQUID_LIMITS,
  POSTS_IN_FLIGHT_MAX,
  SUBSCRIPTIONS_MAX,
  USERS_MAX,
} from './limits.ts';
import { accountOf, assetDataJson, bookJson, fillOf, fillsOf } from './simulated-answers.ts';
import { SlidingMinute } from './simulated-limits.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { filledIn, isMarketType, readRequest, readSubscription } from './simulated-subscriptions.ts';
import type { MarketType, Subscription, UserType } from './simulated-subscriptions.ts';
import { contextJson, levelsJson, paymentJson, priceJson, sizeJson } from './simulated-wire.ts';
import type { Json, SimulatedAccount } from './simulated-wire.ts';

const BLOCK_MS = 70;
const FAST_BOOK_MS = 500;
const SLOW_BOOK_MS = 5_000;
const FAST_LEVELS = 5;
const SLOW_LEVELS = 20;
/** The account's picture comes with every change, and this often without one. */
const PICTURE_MS = 5_000;
/** A connection the server has not talked to for so long is closed. */
const QUIET_MS = 60_000;
const FILLS_PICTURE_MAX = 2_000;

interface Connection {
  readonly socketId: number;
  readonly remote: string;
  /** By what the server makes of the request. */
  readonly subscriptions: Map<string, Subscription>;
  lastSentMs: number;
  postsInFlight: number;
}

type AssetSubscription = Extract<Subscription, { readonly type: 'activeAssetData' }>;

/** Frame faults wait for the next frame of the account channels. */
export type FrameFault = 'duplicate-frame' | 'unknown-frame';

export interface PostRequest {
  readonly socketId: number;
  readonly remote: string;
  readonly id: number;
  readonly type: 'info' | 'action';
  readonly payload: unknown;
}

export class SimulatedSockets {
  readonly #records: SimulatedRecords;
  readonly #connections = new Map<number, Connection>();
  readonly #messages = new SlidingMinute();
  readonly #openings = new SlidingMinute();
  readonly #dirtyTouches = new Set<string>();
  readonly #orders = new Map<number, ExchangeOrderState>();
  readonly #fills = new Map<string, Json[]>();
  readonly #dirtyAccounts = new Set<string>();
  readonly #faults: FrameFault[] = [];
  #outputs: VenueOutput[] = [];
  #nextBlockMs = 0;
  #nextFastMs = 0;
  #nextSlowMs = 0;
  #nextPictureMs = 0;

  constructor(records: SimulatedRecords) {
    this.#records = records;
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    if (this.#connections.size === 0) return Number.POSITIVE_INFINITY;
    let wake = Math.min(this.#nextFastMs, this.#nextSlowMs, this.#nextPictureMs);
    if (this.#dirtyTouches.size > 0) wake = Math.min(wake, this.#nextBlockMs);
    for (const { lastSentMs } of this.#connections.values()) wake = Math.min(wake, lastSentMs + QUIET_MS);
    return wake;
  }

  /** False when the address has too many connections, or opens them too fast. */
  open(socketId: number, remote: string, at: Instant): boolean {
    const open = [...this.#connections.values()].filter((connection) => connection.remote === remote).length;
    if (open >= CONNECTIONS_MAX || this.#openings.used(remote, at.monotonicMs) >= CONNECTIONS_PER_MINUTE_MAX)
      return false;
    this.#openings.spend(remote, 1, at.monotonicMs);
    this.#connections.set(socketId, {
      socketId,
      remote,
      subscriptions: new Map(),
      lastSentMs: at.monotonicMs,
      postsInFlight: 0,
    });
    this.#outputs.push({ type: 'socket-accept', socketId });
    return true;
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  /** Closes every connection, or those that have a market's or an account's subscriptions. */
  drop(kind: 'market' | 'account' | undefined): void {
    for (const { socketId, subscriptions } of this.#connections.values()) {
      const kinds = [...subscriptions.values()].map(({ type }) => (isMarketType(type) ? 'market' : 'account'));
      if (kind === undefined || kinds.includes(kind)) this.#close(socketId, 1001, 'going away');
    }
  }

  damageNext(fault: FrameFault): void {
    this.#faults.push(fault);
  }

  /** Takes a client's frame; returns the question or action it posts, if it does. */
  text(socketId: number, text: string, at: Instant): PostRequest | undefined {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return undefined;
    const messagesMax = HYPERLIQUID_LIMITS.socketMessages?.max ?? 0;
    if (this.#messages.used(connection.remote, at.monotonicMs) >= messagesMax) {
      this.#close(socketId, 1008, 'too many messages');
      return undefined;
    }
    this.#messages.spend(connection.remote, 1, at.monotonicMs);
    const request = readRequest(text);
    switch (request?.['method']) {
      case 'ping':
        this.#send(connection, 'pong', undefined, at);
        return undefined;
      case 'subscribe':
      case 'unsubscribe':
        this.#subscribe(connection, request['method'], request['subscription'], text, at);
        return undefined;
      case 'post':
        return this.#post(connection, request, at);
      default:
        this.#error(connection, `Error parsing JSON into valid websocket request: ${text}`, at);
        return undefined;
    }
  }

  /** Answers what was posted; `response` is `{type, payload}`. */
  answerPost(post: PostRequest, response: Json, at: Instant): void {
    const connection = this.#connections.get(post.socketId);
    if (connection === undefined) return;
    connection.postsInFlight -= 1;
    this.#send(connection, 'post', { id: post.id, response }, at);
  }

  /** Collects the facts of one block; `flush` makes frames of them. */
  observe(event: ExchangeEvent, at: Instant): void {
    switch (event.type) {
      case 'book':
        this.#dirtyTouches.add(event.symbol);
        return;
      case 'trade':
        this.#trade(event.trade, at);
        return;
      case 'order':
        // Several steps within a block are one report.
        this.#orders.set(event.order.venueOrderNumber, event.order);
        return;
      case 'position':
      case 'wallet':
        this.#dirtyAccounts.add(event.account);
        return;
      case 'stats': {
        const instrument = this.#records.known(event.stats.symbol);
        const ctx = contextJson(instrument, event.stats, this.#records.exchange.book(event.stats.symbol));
        this.#toMarket('activeAssetCtx', event.stats.symbol, () => ({ coin: event.stats.symbol, ctx }), at);
        return;
      }
      case 'funding':
        for (const payment of event.payments) this.#payment(payment, at);
        return;
      default:
        throw new Error(`unknown exchange event ${JSON.stringify(event satisfies never)}`);
    }
  }

  /** Sends what the block brought and what is due by the clock; closes what it has not talked to. */
  flush(at: Instant): void {
    for (const [name, fills] of this.#fills) {
      this.#toUser('userFills', name, (account) => ({ user: account.address, fills }), at);
      this.#toUser('userEvents', name, () => ({ fills }), at);
    }
    this.#fills.clear();
    for (const order of this.#orders.values()) this.sendOrder(order, at);
    this.#orders.clear();
    if (at.monotonicMs >= this.#nextPictureMs) {
      this.#nextPictureMs = at.monotonicMs + PICTURE_MS;
      for (const { name } of this.#records.accounts) this.#dirtyAccounts.add(name);
    }
    for (const name of this.#dirtyAccounts) {
      this.#toUser('clearinghouseState', name, (account) => this.#picture(account, at), at);
      this.#assetPictures(name, at);
    }
    this.#dirtyAccounts.clear();
    if (at.monotonicMs >= this.#nextBlockMs && this.#dirtyTouches.size > 0) {
      this.#nextBlockMs = at.monotonicMs + BLOCK_MS;
      for (const coin of this.#dirtyTouches) this.#toMarket('bbo', coin, () => this.#touch(coin, at), at);
      this.#dirtyTouches.clear();
    }
    if (at.monotonicMs >= this.#nextFastMs) {
      this.#nextFastMs = at.monotonicMs + FAST_BOOK_MS;
      this.#books(true, at);
    }
    if (at.monotonicMs >= this.#nextSlowMs) {
      this.#nextSlowMs = at.monotonicMs + SLOW_BOOK_MS;
      this.#books(false, at);
    }
    for (const { socketId, lastSentMs } of this.#connections.values())
      if (at.monotonicMs - lastSentMs >= QUIET_MS) this.#close(socketId, 1000, 'Inactive');
  }

  sendOrder(order: ExchangeOrderState, at: Instant): void {
    const update: Json = {
      order: this.#records.orderJson(order),
      status: this.#records.statusText(order),
      statusTimestamp: Math.floor(order.updatedAtMs),
    };
    this.#toUser('orderUpdates', order.account, () => [update], at);
  }

  #post(connection: Connection, request: Fields, at: Instant): PostRequest | undefined {
    const { id, request: asked } = request;
    const type = isFields(asked) ? asked['type'] : undefined;
    if (typeof id !== 'number' || !isFields(asked) || (type !== 'info' && type !== 'action')) {
      this.#error(connection, 'Error parsing JSON into valid websocket request: post', at);
      return undefined;
    }
    if (connection.postsInFlight >= POSTS_IN_FLIGHT_MAX) {
      this.#error(connection, `too many pending post requests id=${id}`, at);
      return undefined;
    }
    connection.postsInFlight += 1;
    return { socketId: connection.socketId, remote: connection.remote, id, type, payload: asked['payload'] };
  }

  #subscribe(connection: Connection, method: string, asked: unknown, text: string, at: Instant): void {
    const subscription = readSubscription(this.#records, asked);
    if (subscription === 'unknown-coin') {
      // Without a word: the client has to know its coins.
      this.#close(connection.socketId, 1006, '');
      return;
    }
    if (subscription === undefined) {
      this.#error(connection, `Error parsing JSON into valid websocket request: ${text}`, at);
      return;
    }
    const filled = filledIn(subscription);
    const key = JSON.stringify(filled);
    if (method === 'unsubscribe') {
      if (!connection.subscriptions.delete(key)) this.#error(connection, `Already unsubscribed: ${key}`, at);
      else this.#send(connection, 'subscriptionResponse', { method, subscription: filled }, at);
      return;
    }
    if (connection.subscriptions.has(key)) {
      this.#error(connection, `Already subscribed: ${key}`, at);
      return;
    }
    if (this.#isOverLimit(connection, subscription)) {
      this.#error(
        connection,
        `Cannot track more than ${SUBSCRIPTIONS_MAX} subscriptions or ${USERS_MAX} total users.`,
        at,
      );
      return;
    }
    connection.subscriptions.set(key, subscription);
    this.#send(connection, 'subscriptionResponse', { method, subscription: filled }, at);
    this.#first(connection, subscription, at);
  }

  #isOverLimit(connection: Connection, wanted: Subscription): boolean {
    const all = [...this.#connections.values()]
      .filter(({ remote }) => remote === connection.remote)
      .flatMap(({ subscriptions }) => [...subscriptions.values()]);
    const users = new Set([...all, wanted].flatMap((one) => ('user' in one ? [one.user] : [])));
    return all.length >= SUBSCRIPTIONS_MAX || users.size > USERS_MAX;
  }

  /** What a new subscriber is told at once. */
  #first(connection: Connection, subscription: Subscription, at: Instant): void {
    if ('coin' in subscription) {
      const { coin, type, fast } = subscription;
      const instrument = this.#records.known(coin);
      const book = this.#records.exchange.book(coin);
      if (type === 'l2Book')
        this.#send(
          connection,
          type,
          bookJson(this.#records, coin, fast ? FAST_LEVELS : SLOW_LEVELS, at.calendarMs),
          at,
        );
      else if (type === 'bbo') this.#send(connection, type, this.#touch(coin, at), at);
      else if (type === 'activeAssetCtx')
        this.#send(
          connection,
          type,
          { coin, ctx: contextJson(instrument, this.#records.exchange.stats(coin), book) },
          at,
        );
      return;
    }
    if ('asset' in subscription) {
      this.#assetData(connection, subscription, at);
      return;
    }
    const { type, user, account } = subscription;
    if (type === 'userFills') {
      const fills = account === undefined ? [] : fillsOf(this.#records, account).slice(-FILLS_PICTURE_MAX).toReversed();
      this.#send(connection, type, { isSnapshot: true, user, fills }, at);
    } else if (type === 'userFundings') {
      const payments =
        account === undefined ? [] : this.#records.exchange.fundingPayments(account.name).slice(-FILLS_PICTURE_MAX);
      this.#send(
        connection,
        type,
        { isSnapshot: true, user, fundings: payments.map((payment) => this.#paymentJson(payment)) },
        at,
      );
    } else if (type === 'clearinghouseState' && account !== undefined) {
      this.#send(connection, type, this.#picture(account, at), at);
    }
  }

  #picture(account: SimulatedAccount, at: Instant): Json {
    return { dex: '', user: account.address, clearinghouseState: accountOf(this.#records, account, at.calendarMs) };
  }

  #assetPictures(name: string, at: Instant): void {
    for (const connection of this.#connections.values()) {
      for (const one of connection.subscriptions.values())
        if ('asset' in one && one.account?.name === name) this.#assetData(connection, one, at);
    }
  }

  #assetData(connection: Connection, { type, account, asset }: AssetSubscription, at: Instant): void {
    if (account === undefined) return;
    this.#send(connection, type, assetDataJson(this.#records, account, this.#records.known(asset)), at);
  }

  #touch(coin: string, at: Instant): Json {
    const [bids, asks] = levelsJson(this.#records.exchange.book(coin), this.#records.known(coin), 1) as [
      Json[],
      Json[],
    ];
    return { coin, time: Math.floor(at.calendarMs), bbo: [bids[0] ?? null, asks[0] ?? null] };
  }

  #books(fast: boolean, at: Instant): void {
    for (const { symbol } of this.#records.markets) {
      this.#toMarket(
        'l2Book',
        symbol,
        () => bookJson(this.#records, symbol, fast ? FAST_LEVELS : SLOW_LEVELS, at.calendarMs),
        at,
        fast,
      );
    }
  }

  #trade(trade: ExchangeTrade, at: Instant): void {
    const instrument = this.#records.known(trade.symbol);
    this.#toMarket(
      'trades',
      trade.symbol,
      () => [
        {
          coin: trade.symbol,
          side: trade.takerSide === 'buy' ? 'B' : 'A',
          px: priceJson(trade.priceTicks, instrument),
          sz: sizeJson(trade.lots, instrument),
          time: Math.floor(trade.atMs),
          tid: this.#records.ids.trade(trade.tradeNumber),
        },
      ],
      at,
    );
    for (const party of [trade.taker, trade.maker]) {
      const account = party === undefined ? undefined : this.#records.accountByName(party.account);
      if (party === undefined || account === undefined) continue;
      const fills = this.#fills.get(account.name) ?? [];
      fills.push(fillOf(this.#records, account, trade, party));
      this.#fills.set(account.name, fills);
    }
  }

  #payment(payment: ExchangeFundingPayment, at: Instant): void {
    const fundings = [this.#paymentJson(payment)];
    this.#toUser('userFundings', payment.account, (account) => ({ user: account.address, fundings }), at);
    this.#toUser('userEvents', payment.account, () => ({ funding: fundings[0] }), at);
  }

  #paymentJson(payment: ExchangeFundingPayment): Json {
    return { time: Math.floor(payment.settledAtMs), ...paymentJson(payment, this.#records.known(payment.symbol)) };
  }

  #toMarket(type: MarketType, coin: string, data: () => Json, at: Instant, fast?: boolean): void {
    for (const connection of this.#connections.values()) {
      for (const one of connection.subscriptions.values()) {
        if (!('coin' in one) || one.type !== type || one.coin !== coin) continue;
        if (fast === undefined || one.fast === fast) this.#send(connection, type, data(), at);
      }
    }
  }

  #toUser(type: UserType, name: string, data: (account: SimulatedAccount) => Json, at: Instant): void {
    for (const connection of this.#connections.values()) {
      for (const one of connection.subscriptions.values()) {
        if (!('account' in one) || 'asset' in one || one.type !== type || one.account?.name !== name) continue;
        // The one channel that is not called what it was subscribed as.
        const channel = type === 'userEvents' ? 'user' : type;
        const fault = this.#faults.shift();
        this.#send(connection, channel, data(one.account), at);
        if (fault === 'duplicate-frame') this.#send(connection, channel, data(one.account), at);
        if (fault === 'unknown-frame') this.#send(connection, 'somethingNew', { user: name }, at);
      }
    }
  }

  #error(connection: Connection, text: string, at: Instant): void {
    this.#send(connection, 'error', text, at);
  }

  #send(connection: Connection, channel: string, data: Json | undefined, at: Instant): void {
    connection.lastSentMs = at.monotonicMs;
    this.#outputs.push({
      type: 'socket-text',
      socketId: connection.socketId,
      text: JSON.stringify(data === undefined ? { channel } : { channel, data }),
    });
  }

  #close(socketId: number, code: number, reason: string): void {
    if (this.#connections.delete(socketId)) this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}
