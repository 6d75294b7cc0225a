/** Simulated Advanced Trade's sockets: channels, a number for every frame of a connection, and the account's own channels. Any thread. */
import { priceText } from '../../money/amounts.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeEvent, ExchangeOrderState } from '../../simulation/exchange.ts';
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import { isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import type { AdvancedAccess } from './advanced-simulated-access.ts';
import { nextAdjustment } from './advanced-simulated-records.ts';
import type { AdvancedAccount, AdvancedRecords } from './advanced-simulated-records.ts';
import { iso, isLive, tradeJson } from './advanced-simulated-wire.ts';
import type { Json } from './advanced-simulated-wire.ts';

export type AdvancedSocketKind = 'market' | 'account';
export type BookFault = 'book-gap' | 'book-duplicate' | 'book-crossed';

interface Connection {
  readonly socketId: number;
  readonly remote: string;
  readonly kind: AdvancedSocketKind;
  /** Products by channel; those that have none are there all the same. */
  readonly channels: Map<string, Set<string>>;
  account: AdvancedAccount | undefined;
  nextSequence: number;
  /** Without a subscription by then it ends; no such time once there was one. Monotonic ms. */
  subscribeByMs: number;
  /** When it last said something. */
  spokeAtMs: number;
  beats: number;
  nextBeatMs: number;
}

const SUBSCRIBE_WITHIN_MS = 5_000;
/** A connection on which nothing happens is closed. */
const SILENT_MS = 60_000;
const BEAT_MS = 1_000;
const SNAPSHOT_BATCH = 50;
const POLICY_VIOLATION = 1008;

/** Channels of products; each frame is about one of them. */
const PRODUCT_CHANNELS: ReadonlySet<string> = new Set(['level2', 'ticker', 'ticker_batch', 'market_trades', 'status']);
const ACCOUNT_CHANNELS: ReadonlySet<string> = new Set(['user', 'futures_balance_summary']);

export class AdvancedSockets {
  readonly #records: AdvancedRecords;
  readonly #access: AdvancedAccess;
  readonly #connections = new Map<number, Connection>();
  readonly #bookFaults: BookFault[] = [];
  #outputs: VenueOutput[] = [];
  #nextAdjustmentMs = 0;

  constructor(records: AdvancedRecords, access: AdvancedAccess) {
    this.#records = records;
    this.#access = access;
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections.values()) {
      const beat = connection.channels.has('heartbeats') ? connection.nextBeatMs : Number.POSITIVE_INFINITY;
      wake = Math.min(wake, connection.subscribeByMs, connection.spokeAtMs + SILENT_MS, beat);
    }
    return wake;
  }

  knock(socketId: number, remote: string, kind: AdvancedSocketKind, at: Instant): void {
    const nowMs = at.monotonicMs;
    if (!this.#access.admit('connect', remote, nowMs).isAdmitted) {
      this.#outputs.push({ type: 'socket-refuse', socketId, status: 429, body: 'Too Many Requests' });
      return;
    }
    this.#connections.set(socketId, {
      socketId,
      remote,
      kind,
      channels: new Map(),
      account: undefined,
      nextSequence: 0,
      subscribeByMs: nowMs + SUBSCRIBE_WITHIN_MS,
      spokeAtMs: nowMs,
      beats: 0,
      nextBeatMs: nowMs + BEAT_MS,
    });
    this.#outputs.push({ type: 'socket-accept', socketId });
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  /** Closes every connection of a kind, or all. */
  drop(kind: AdvancedSocketKind | undefined): void {
    for (const connection of this.#connections.values())
      if (kind === undefined || connection.kind === kind) this.#close(connection, 1001, 'going away');
  }

  damageNextBook(fault: BookFault): void {
    this.#bookFaults.push(fault);
  }

  /** False when the socket is none of these. */
  heard(socketId: number, text: string, at: Instant): boolean {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return false;
    const request = requestOf(text);
    const token = request?.['jwt'];
    const account = token === undefined ? undefined : this.#access.accountOf(token, at);
    // Who signs is not counted; who does not, by address.
    if (account === undefined && !this.#access.admit('message', connection.remote, at.monotonicMs).isAdmitted)
      this.#close(connection, POLICY_VIOLATION, 'rate limit exceeded');
    else if (request === undefined) this.#error(connection, 'unmarshal error', at);
    else if (token !== undefined && account === undefined) this.#error(connection, 'authentication failure', at);
    else this.#request(connection, request, account, at);
    return true;
  }

  #request(connection: Connection, request: Fields, account: AdvancedAccount | undefined, at: Instant): void {
    const { type, channel } = request;
    const products = Array.isArray(request['product_ids']) ? request['product_ids'].map(String) : [];
    const isKnown =
      typeof channel === 'string' &&
      (channel === 'heartbeats' || PRODUCT_CHANNELS.has(channel) || ACCOUNT_CHANNELS.has(channel));
    if (!isKnown || (type !== 'subscribe' && type !== 'unsubscribe'))
      return this.#error(connection, 'failure to subscribe', at);
    if (type === 'unsubscribe') {
      const followed = connection.channels.get(channel);
      for (const product of products) followed?.delete(product);
      if (products.length === 0 || followed?.size === 0) connection.channels.delete(channel);
      return this.#acknowledge(connection, at);
    }
    if (ACCOUNT_CHANNELS.has(channel) && account === undefined)
      return this.#error(connection, 'authentication failure', at);
    connection.subscribeByMs = Number.POSITIVE_INFINITY;
    if (account !== undefined) connection.account = account;
    const all = PRODUCT_CHANNELS.has(channel) && products.length === 0 ? this.#symbols() : products;
    const followed = connection.channels.get(channel) ?? new Set();
    const added = all.filter((product) => !followed.has(product));
    for (const product of added) followed.add(product);
    connection.channels.set(channel, followed);
    if (PRODUCT_CHANNELS.has(channel)) for (const product of added) this.#first(connection, channel, product, at);
    else if (account !== undefined) this.#firstOfAccount(connection, channel, account, at);
    this.#acknowledge(connection, at);
  }

  #symbols(): readonly string[] {
    return this.#records.exchange.markets().map(({ symbol }) => symbol);
  }

  #acknowledge(connection: Connection, at: Instant): void {
    const subscriptions = Object.fromEntries(
      [...connection.channels].map(([channel, products]) => [channel, products.size === 0 ? [channel] : [...products]]),
    );
    this.#send(connection, 'subscriptions', [{ subscriptions }], at);
  }

  // What a new subscription begins with.

  #first(connection: Connection, channel: string, symbol: string, at: Instant): void {
    const instrument = this.#records.instrument(symbol);
    if (instrument === undefined) return;
    const book = this.#records.exchange.book(symbol);
    if (channel === 'level2') {
      const updates = updatesOf(instrument, book.bids, book.asks, at.calendarMs);
      this.#send(connection, 'l2_data', [{ type: 'snapshot', product_id: symbol, updates }], at);
    } else if (channel === 'ticker' || channel === 'ticker_batch') {
      this.#send(connection, channel, [{ type: 'snapshot', tickers: [this.#ticker(instrument)] }], at);
    } else if (channel === 'market_trades') {
      const trades = this.#records.exchange
        .recentTrades(symbol)
        .toReversed()
        .map((trade) => tradeJson(trade, instrument, this.#records.ids));
      this.#send(connection, channel, [{ type: 'snapshot', trades }], at);
    } else {
      const products = [{ product_type: 'FUTURE', id: symbol, quote_currency: 'USD', status: 'online' }];
      this.#send(connection, 'status', [{ type: 'snapshot', products }], at);
    }
  }

  /** Open orders in batches: one that is not full is the last. */
  #firstOfAccount(connection: Connection, channel: string, account: AdvancedAccount, at: Instant): void {
    if (channel === 'futures_balance_summary') {
      const fcm_balance_summary = this.#records.plainBalanceJson(account, at.calendarMs);
      return this.#send(connection, channel, [{ type: 'snapshot', fcm_balance_summary }], at);
    }
    const open = this.#records.orders(account).filter(isLive);
    for (let from = 0; from <= open.length; from += SNAPSHOT_BATCH) {
      const orders = open.slice(from, from + SNAPSHOT_BATCH).map((order) => this.#records.userOrderJson(order));
      const positions = from === 0 ? this.#positionsOf(account) : [];
      this.#send(connection, 'user', [{ type: 'snapshot', orders, positions: positionsJson(positions) }], at);
    }
  }

  #positionsOf(account: AdvancedAccount): readonly Json[] {
    return this.#records.exchange.positions(account.name).map((position) => this.#records.userPositionJson(position));
  }

  #ticker(instrument: Instrument): Json {
    const { symbol } = instrument;
    const book = this.#records.exchange.book(symbol);
    const [bid, ask] = [book.bids[0], book.asks[0]];
    const stats = this.#records.exchange.stats(symbol);
    return {
      type: 'ticker',
      product_id: symbol,
      price: priceText(stats.lastTradeTicks, instrument),
      volume_24_h: String(stats.volume24hBase),
      low_24_h: '0',
      high_24_h: '0',
      low_52_w: '0',
      high_52_w: '0',
      price_percent_chg_24_h: '0',
      best_bid: bid === undefined ? '' : priceText(bid[0], instrument),
      best_bid_quantity: bid === undefined ? '' : String(bid[1]),
      best_ask: ask === undefined ? '' : priceText(ask[0], instrument),
      best_ask_quantity: ask === undefined ? '' : String(ask[1]),
    };
  }

  // News.

  observe(event: ExchangeEvent, at: Instant): void {
    const records = this.#records;
    switch (event.type) {
      case 'book':
        this.#book(event, at);
        return;
      case 'trade': {
        const { trade } = event;
        const instrument = records.known(trade.symbol);
        const trades = [tradeJson(trade, instrument, records.ids)];
        this.#toFollowers('market_trades', trade.symbol, () => [{ type: 'update', trades }], at);
        // A ticker comes with trades, not with quotes.
        this.#toFollowers('ticker', trade.symbol, () => [{ type: 'update', tickers: [this.#ticker(instrument)] }], at);
        return;
      }
      case 'order':
        this.sendOrder(event.order, at);
        return;
      case 'position': {
        const positions = positionsJson([records.userPositionJson(event.position)]);
        this.#toAccount('user', event.account, () => ({ type: 'update', orders: [], positions }), at);
        return;
      }
      case 'wallet':
        this.#sendBalance(event.account, at);
        return;
      case 'funding':
      case 'stats':
        return;
      default:
        throw new Error(`unknown exchange event ${JSON.stringify(event satisfies never)}`);
    }
  }

  sendOrder(order: ExchangeOrderState, at: Instant): void {
    const orders = [this.#records.userOrderJson(order)];
    this.#toAccount('user', order.account, () => ({ type: 'update', orders }), at);
  }

  #sendBalance(name: string, at: Instant): void {
    this.#toAccount(
      'futures_balance_summary',
      name,
      (account) => ({ type: 'update', fcm_balance_summary: this.#records.plainBalanceJson(account, at.calendarMs) }),
      at,
    );
  }

  #book({ symbol, bids, asks }: Extract<ExchangeEvent, { type: 'book' }>, at: Instant): void {
    const followers = this.#followers('level2', symbol);
    if (followers.length === 0) return;
    const instrument = this.#records.known(symbol);
    const fault = this.#bookFaults.shift();
    const bestAsk = this.#records.exchange.book(symbol).asks[0]?.[0];
    const crossing = fault === 'book-crossed' && bestAsk !== undefined ? ([[bestAsk, 1]] as const) : [];
    const updates = updatesOf(instrument, [...bids, ...crossing], asks, at.calendarMs);
    const events = [{ type: 'update', product_id: symbol, updates }];
    for (const connection of followers) {
      // Lost on the way: its number is gone.
      if (fault === 'book-gap') connection.nextSequence += 1;
      else this.#send(connection, 'l2_data', events, at);
      if (fault !== 'book-duplicate') continue;
      connection.nextSequence -= 1;
      this.#send(connection, 'l2_data', events, at);
    }
  }

  /** Beats, and ends what never subscribed or has been silent for too long. */
  tick(at: Instant): void {
    const nowMs = at.monotonicMs;
    if (this.#nextAdjustmentMs !== 0 && at.calendarMs >= this.#nextAdjustmentMs)
      for (const { name } of this.#records.accounts) this.#sendBalance(name, at);
    this.#nextAdjustmentMs = nextAdjustment(at.calendarMs);
    for (const connection of this.#connections.values()) {
      if (nowMs >= connection.subscribeByMs || nowMs >= connection.spokeAtMs + SILENT_MS)
        this.#close(connection, POLICY_VIOLATION, 'no subscription, or nothing to say');
      else if (connection.channels.has('heartbeats') && nowMs >= connection.nextBeatMs) {
        connection.nextBeatMs = nowMs + BEAT_MS;
        connection.beats += 1;
        const beat = { current_time: iso(at.calendarMs), heartbeat_counter: connection.beats };
        this.#send(connection, 'heartbeats', [beat], at);
      }
    }
  }

  #followers(channel: string, symbol: string): readonly Connection[] {
    return [...this.#connections.values()].filter(({ channels }) => channels.get(channel)?.has(symbol) === true);
  }

  #toFollowers(channel: string, symbol: string, events: () => readonly Json[], at: Instant): void {
    for (const connection of this.#followers(channel, symbol)) this.#send(connection, channel, events(), at);
  }

  #toAccount(channel: string, name: string, make: (account: AdvancedAccount) => Json, at: Instant): void {
    for (const connection of this.#connections.values()) {
      const { account } = connection;
      if (account?.name === name && connection.channels.has(channel))
        this.#send(connection, channel, [make(account)], at);
    }
  }

  #send(connection: Connection, channel: string, events: readonly Json[], at: Instant): void {
    const { socketId, nextSequence } = connection;
    connection.nextSequence += 1;
    connection.spokeAtMs = at.monotonicMs;
    const frame = { channel, client_id: '', timestamp: iso(at.calendarMs), sequence_num: nextSequence, events };
    this.#outputs.push({ type: 'socket-text', socketId, text: JSON.stringify(frame) });
  }

  #error(connection: Connection, message: string, at: Instant): void {
    const { socketId } = connection;
    connection.spokeAtMs = at.monotonicMs;
    this.#outputs.push({ type: 'socket-text', socketId, text: JSON.stringify({ type: 'error', message }) });
  }

  #close({ socketId }: Connection, code: number, reason: string): void {
    this.#connections.delete(socketId);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}

function positionsJson(positions: readonly Json[]): Json {
  return { perpetual_futures_positions: [], expiring_futures_positions: positions };
}

/** Absolute sizes; none deletes. */
function updatesOf(
  instrument: Instrument,
  bids: readonly (readonly [number, number])[],
  asks: readonly (readonly [number, number])[],
  nowMs: number,
): readonly Json[] {
  const event_time = iso(nowMs);
  const side = (name: 'bid' | 'offer', levels: typeof bids): readonly Json[] =>
    levels.map(([ticks, lots]) => ({
      side: name,
      event_time,
      price_level: priceText(ticks, instrument),
      new_quantity: String(lots),
    }));
  return [...side('bid', bids), ...side('offer', asks)];
}

function requestOf(text: string): Fields | undefined {
  try {
    const request = parseLosslessJson(text, 'request');
    return isFields(request) ? request : undefined;
  } catch (error) {
    if (error instanceof MalformedPayload) return undefined;
    throw error;
  }
}
