/**
 * Lighter's two sockets: `market` with books and statistics, `account` with the private channels and the transactions. Apart, so that
 * a flood of book frames never delays an order's answer. Owns books and their continuity. Connector thread only.
 *
 * One book's life on a connection:
 *
 *     subscribing --snapshot--> live --gap, crossed, damaged--> broken --once a second at most--> subscribing again
 */
import type { BookLevel, BookView } from '../../market/book.ts';
import { OrderBook } from '../../market/order-book.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields, isFields, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { parsedList, plainLevels, readBookFrame } from '../level-lists.ts';
import type { BookFrame, LevelForm, LevelList } from '../level-lists.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, OutboundFrame, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import type { AuthToken, AuthTokens } from './auth.ts';
import { countField, optionalText, rowsOf, textField } from './json.ts';
import { ALREADY_SUBSCRIBED, isTransactionCode, refusalClassOf, SUBSCRIPTIONS_MAX } from './limits.ts';
import type { LighterMarket, LighterMarkets } from './markets.ts';
import {
  parseAssets,
  parseCollateral,
  parseLevels,
  parseMarketStats,
  parseOrder,
  parsePosition,
  parseTrade,
} from './parse.ts';
import { eachKnown } from './rest.ts';

export const ACCOUNT_SOCKET = 'account';
const MARKET_SOCKET = 'market';

/** Far below the two minutes after which the venue closes a silent connection; each ping is answered, which proves it alive. */
const PING_MS = 10_000;
const SILENCE_MS = 25_000;
/** A book that keeps breaking asks for a new snapshot this often at most, monotonic ms. */
const RESUBSCRIBE_PAUSE_MS = 1_000;
/** The venue allows 50 unanswered messages on a connection; pings and unsubscribes need some of them. */
const UNANSWERED_MAX = 35;
/** A subscription without its first frame after this is asked for again, monotonic ms. */
const ANSWER_MS = 10_000;
/** After damaged private frames facts may be missing: the account is compared with the venue this often at most, monotonic ms. */
const COMPARE_PAUSE_MS = 30_000;
/** Hex digits of a transaction's hash that name its submission. */
const SUBMISSION_ID_DIGITS = 16;

const PRIVATE_CHANNELS = [
  'account_all_orders',
  'account_all_trades',
  'account_all_positions',
  'account_all_assets',
  'user_stats',
] as const;

const BOOK_LEVELS: LevelForm = {
  bids: 'bids',
  asks: 'asks',
  texts: ['{"price":"', '","size":"', '"}'],
  values: ['price', 'size'],
  holderOf: (frame) => frame['order_book'],
  parse: parseLosslessJson,
};

const NOTHING: FrameResult = { events: [], send: [] };

interface Book {
  readonly orders: OrderBook;
  phase: 'subscribing' | 'live' | 'broken';
  nonce: number;
  venueAtMs: number;
  receivedAtMonotonicMs: number;
  lastSubscribeMs: number;
}

interface Connection {
  lastPingMs: number;
}

/** What continuity knows of one private connection; a reopened one starts afresh. */
interface PrivateState {
  token: AuthToken;
  /** Channels whose first frame is still to come. */
  readonly missing: Set<string>;
  damaged: boolean;
  lastReadyMs: number;
}

export interface StreamAccess {
  readonly streamUrl: string;
  readonly accountIndex: number;
  readonly tokens: AuthTokens;
  readonly markets: LighterMarkets;
}

/** Returns the id that a transaction's answer will carry, in our `id` field or by its hash. */
export function submissionIdOf(txHash: string): string {
  return txHash.slice(0, SUBMISSION_ID_DIGITS);
}

export class LighterStream implements VenueStream {
  readonly #access: StreamAccess;
  readonly #connections = new Map<string, Connection>();
  /** By channel as it is asked for, for example `order_book/1`. */
  readonly #subscriptions = {
    [ACCOUNT_SOCKET]: subscriptionsOf(ACCOUNT_SOCKET),
    [MARKET_SOCKET]: subscriptionsOf(MARKET_SOCKET),
  } as const;
  readonly #books = new Map<string, Book>();
  #private: PrivateState | undefined;

  constructor(access: StreamAccess) {
    this.#access = access;
    this.#subscriptions.account.want(ACCOUNT_SOCKET, this.#privateChannels());
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    this.#wantMarkets(symbols);
    const socket = (key: string): SocketPlan => ({
      key,
      url: this.#access.streamUrl,
      headers: {},
      silenceMs: SILENCE_MS,
    });
    return [socket(ACCOUNT_SOCKET), socket(MARKET_SOCKET)];
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT_SOCKET;
  }

  opened(socketKey: string, at: Instant): FrameResult {
    this.#connections.set(socketKey, { lastPingMs: at.monotonicMs });
    this.#subscriptionsOf(socketKey).disconnected();
    if (socketKey === ACCOUNT_SOCKET) this.#startPrivate(at);
    else this.#books.clear();
    return { events: [], send: this.#subscribeMissing(socketKey, at) };
  }

  closed(socketKey: string, at: Instant): readonly VenueEvent[] {
    void at;
    this.#connections.delete(socketKey);
    this.#subscriptionsOf(socketKey).disconnected();
    if (socketKey === ACCOUNT_SOCKET) {
      this.#private = undefined;
      return [];
    }
    const live = [...this.#books].filter(([, book]) => book.phase === 'live').map(([symbol]) => symbol);
    this.#books.clear();
    return live.map((symbol): VenueEvent => ({ type: 'book-invalid', symbol, reason: 'closed' }));
  }

  book(symbol: string): BookView | undefined {
    const book = this.#books.get(symbol);
    if (book?.phase !== 'live') return undefined;
    return book.orders.view('lighter', symbol, book.venueAtMs, book.receivedAtMonotonicMs);
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    if (!this.#connections.has(socketKey)) return NOTHING;
    let frame: Fields | undefined;
    try {
      const { fields, lists } = readBookFrame(text, 'frame', BOOK_LEVELS);
      frame = fields;
      return this.#read(socketKey, fields, at, lists);
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      const channel = (frame === undefined ? undefined : optionalText(frame, 'channel')) ?? socketKey;
      const events: VenueEvent[] = [
        { type: 'malformed-frame', channel, detail: error.message, sample: text.slice(0, 200) },
      ];
      return this.#damaged(socketKey, channel, at, events);
    }
  }

  tick(at: Instant): FrameResult {
    const send: OutboundFrame[] = [];
    const events: VenueEvent[] = [];
    for (const [socketKey, connection] of this.#connections) {
      if (at.monotonicMs - connection.lastPingMs >= PING_MS) {
        connection.lastPingMs = at.monotonicMs;
        send.push({ socketKey, text: '{"type":"ping"}', kind: 'control', key: 'ping' });
      }
      const subscriptions = this.#subscriptionsOf(socketKey);
      events.push(...subscriptions.takeExcess());
      send.push(...subscriptions.surplus().map((channel) => this.#frame(socketKey, 'unsubscribe', channel)));
      // A refusal does not name its channel, so silence is all there is to see.
      for (const channel of subscriptions.late(at.monotonicMs)) send.push(...this.#renew(socketKey, channel, at));
      send.push(...this.#subscribeMissing(socketKey, at));
    }
    for (const [symbol, book] of this.#books) {
      if (book.phase === 'broken') send.push(...this.#resubscribe(symbol, book, at));
    }
    if (this.#private !== undefined) {
      const { token, damaged, lastReadyMs, missing } = this.#private;
      if (this.#access.tokens.needsRenewal(token, at.calendarMs)) {
        send.push(...this.#renewPrivate(at));
      } else if (damaged && at.monotonicMs - lastReadyMs >= COMPARE_PAUSE_MS) {
        this.#private.damaged = false;
        this.#private.lastReadyMs = at.monotonicMs;
        if (missing.size === 0) events.push({ type: 'private-stream-ready' });
        // A first frame was damaged: without it the account would never be known.
        else send.push(...this.#renewPrivate(at));
      }
    }
    return { events, send };
  }

  // Subscriptions.

  #startPrivate(at: Instant): void {
    this.#private = {
      token: this.#access.tokens.at(at),
      missing: new Set(PRIVATE_CHANNELS),
      damaged: false,
      lastReadyMs: at.monotonicMs,
    };
  }

  /**
   * Private channels fall silent when their token expires: all are subscribed anew with the next one. What happens in between is not
   * replayed, so the account counts as new until every channel has delivered its first frame again.
   */
  #renewPrivate(at: Instant): readonly OutboundFrame[] {
    this.#startPrivate(at);
    return this.#privateChannels().flatMap((channel) => this.#renew(ACCOUNT_SOCKET, channel, at));
  }

  #wantMarkets(symbols: readonly string[]): void {
    const { market: subscriptions } = this.#subscriptions;
    subscriptions.keepOwners(symbols);
    for (const symbol of this.#books.keys()) if (!symbols.includes(symbol)) this.#books.delete(symbol);
    for (const symbol of symbols) {
      const market = this.#access.markets.bySymbol(symbol);
      if (market !== undefined) subscriptions.want(symbol, [bookChannel(market), `market_stats/${market.marketId}`]);
    }
  }

  #subscribeMissing(socketKey: string, at: Instant): readonly OutboundFrame[] {
    if (!this.#connections.has(socketKey)) return [];
    return this.#subscriptionsOf(socketKey)
      .due(at.monotonicMs)
      .map((channel) => {
        const symbol = socketKey === MARKET_SOCKET ? this.#bookOf(channel)?.instrument.symbol : undefined;
        if (symbol !== undefined && !this.#books.has(symbol)) this.#books.set(symbol, emptyBook(at));
        return this.#frame(socketKey, 'subscribe', channel);
      });
  }

  /** Ends a subscription and asks for it again: its first frame will come once more. */
  #renew(socketKey: string, channel: string, at: Instant): readonly OutboundFrame[] {
    this.#subscriptionsOf(socketKey).renewed(channel, at.monotonicMs);
    return [this.#frame(socketKey, 'unsubscribe', channel), this.#frame(socketKey, 'subscribe', channel)];
  }

  #frame(socketKey: string, type: 'subscribe' | 'unsubscribe', channel: string): OutboundFrame {
    const auth = socketKey === ACCOUNT_SOCKET && type === 'subscribe' ? this.#private?.token.text : undefined;
    const text = JSON.stringify({ type, channel, ...(auth === undefined ? {} : { auth }) });
    return { socketKey, text, kind: 'control', key: channel, awaits: `${type} ${channel}` };
  }

  #subscriptionsOf(socketKey: string): Subscriptions {
    return socketKey === ACCOUNT_SOCKET ? this.#subscriptions.account : this.#subscriptions.market;
  }

  #bookOf(channel: string): LighterMarket | undefined {
    const [name, id] = channel.split('/');
    return name === 'order_book' ? this.#access.markets.byId(Number(id)) : undefined;
  }

  #privateChannels(): string[] {
    return PRIVATE_CHANNELS.map((name) => `${name}/${this.#access.accountIndex}`);
  }

  #resubscribe(symbol: string, book: Book, at: Instant): readonly OutboundFrame[] {
    const market = this.#access.markets.bySymbol(symbol);
    if (market === undefined || !this.#connections.has(MARKET_SOCKET)) return [];
    if (at.monotonicMs - book.lastSubscribeMs < RESUBSCRIBE_PAUSE_MS) return [];
    book.phase = 'subscribing';
    book.lastSubscribeMs = at.monotonicMs;
    return this.#renew(MARKET_SOCKET, bookChannel(market), at);
  }

  // Frames.

  #read(socketKey: string, frame: Fields, at: Instant, lists: BookFrame['lists']): FrameResult {
    const type = optionalText(frame, 'type') ?? '';
    if (type === 'ping')
      return { events: [], send: [{ socketKey, text: '{"type":"pong"}', kind: 'control', key: 'pong' }] };
    if (type === 'jsonapi/sendtx') return { events: [this.#answer(frame)], send: [] };
    if (type === 'error' || isFields(frame['error'])) return { events: this.#error(socketKey, frame), send: [] };
    if (type === 'unsubscribed') return { ...NOTHING, answered: `unsubscribe ${channelOf(frame)}` };

    const slash = type.indexOf('/');
    const isFirst = type.startsWith('subscribed/');
    if (!isFirst && !type.startsWith('update/')) return NOTHING;
    const name = type.slice(slash + 1);
    const channel = textField(frame, 'channel', name);
    // The answer frees a place for the next subscription.
    const isAnswer = isFirst && this.#subscriptionsOf(socketKey).answered(channelOf(frame));
    const send = isAnswer ? this.#subscribeMissing(socketKey, at) : [];
    const read =
      socketKey === ACCOUNT_SOCKET
        ? { events: this.#account(name, channel, isFirst, frame, at), send: [] }
        : this.#market(name, channel, isFirst, frame, at, lists);
    if (!isAnswer) return read;
    return { events: read.events, send: [...read.send, ...send], answered: `subscribe ${channelOf(frame)}` };
  }

  #market(
    name: string,
    channel: string,
    isFirst: boolean,
    frame: Fields,
    at: Instant,
    lists: BookFrame['lists'],
  ): FrameResult {
    const suffix = channel.slice(name.length + 1);
    if (name === 'market_stats') return { events: this.#stats(suffix, frame), send: [] };
    if (name !== 'order_book') return NOTHING;
    const market = this.#access.markets.byId(Number(suffix));
    const book = market === undefined ? undefined : this.#books.get(market.instrument.symbol);
    if (market === undefined || book === undefined) return NOTHING;
    return this.#bookFrame(market, book, isFirst, frame, at, lists);
  }

  #bookFrame(
    market: LighterMarket,
    book: Book,
    isFirst: boolean,
    frame: Fields,
    at: Instant,
    lists: BookFrame['lists'],
  ): FrameResult {
    const { symbol } = market.instrument;
    if (!isFirst && book.phase !== 'live') {
      // After asking again, changes still on their way belong to the subscription before.
      if (book.lastSubscribeMs !== Number.NEGATIVE_INFINITY) return NOTHING;
      book.phase = 'broken';
      const events: VenueEvent[] = [{ type: 'book-invalid', symbol, reason: 'no-snapshot' }];
      return { events, send: this.#resubscribe(symbol, book, at) };
    }
    const change = asFields(frame['order_book'], 'order_book');
    const nonce = countField(change, 'nonce', 'order_book');
    if (!isFirst && countField(change, 'begin_nonce', 'order_book') !== book.nonce) {
      return this.#brokenBook(symbol, book, 'gap', at);
    }
    const bids = levelsOf(change['bids'], lists?.bids, market);
    const asks = levelsOf(change['asks'], lists?.asks, market);
    if (isFirst) {
      book.orders.replace(bids, asks);
    } else {
      for (const [ticks, lots] of bids) book.orders.set('bid', ticks, lots);
      for (const [ticks, lots] of asks) book.orders.set('ask', ticks, lots);
    }
    book.nonce = nonce;
    book.venueAtMs = countField(frame, 'timestamp', 'order_book');
    book.receivedAtMonotonicMs = at.monotonicMs;
    if (book.orders.crossed()) return this.#brokenBook(symbol, book, 'crossed', at);
    book.phase = 'live';
    return { events: [{ type: 'book-changed', symbol }], send: [] };
  }

  #brokenBook(symbol: string, book: Book, reason: 'gap' | 'crossed', at: Instant): FrameResult {
    const events: VenueEvent[] = book.phase === 'live' ? [{ type: 'book-invalid', symbol, reason }] : [];
    book.phase = 'broken';
    return { events, send: this.#resubscribe(symbol, book, at) };
  }

  #stats(suffix: string, frame: Fields): VenueEvent[] {
    const venueAtMs = countField(frame, 'timestamp', 'market_stats');
    const stats = frame['market_stats'];
    const rows = suffix === 'all' ? rowsOf(stats, 'market_stats') : [stats];
    return rows.flatMap((row) => {
      const market = this.#access.markets.byId(countField(asFields(row, 'market_stats'), 'market_id', 'market_stats'));
      return market === undefined ? [] : parseMarketStats(row, market, venueAtMs);
    });
  }

  #account(name: string, channel: string, isFirst: boolean, frame: Fields, at: Instant): readonly VenueEvent[] {
    if (channel !== `${name}:${this.#access.accountIndex}`) return [];
    const events = this.#accountFacts(name, isFirst, frame, at);
    const state = this.#private;
    if (!isFirst || state === undefined || !state.missing.delete(name) || state.missing.size > 0) return events;
    state.lastReadyMs = at.monotonicMs;
    return [...events, { type: 'private-stream-ready' }];
  }

  #accountFacts(name: string, isFirst: boolean, frame: Fields, at: Instant): readonly VenueEvent[] {
    const { markets, accountIndex } = this.#access;
    switch (name) {
      case 'account_all_orders': {
        const rows = rowsOf(frame['orders'], 'orders');
        const { known, unknown } = eachKnown(markets, rows, 'market_index', 'order', (row, market) =>
          parseOrder(row, market, at.calendarMs),
        );
        if (isFirst) return [{ type: 'open-orders', orders: known }, ...unknown];
        return [...known.map((order): VenueEvent => ({ type: 'order-update', order })), ...unknown];
      }
      case 'account_all_trades': {
        const rows = rowsOf(frame['trades'], 'trades');
        const { known, unknown } = eachKnown(markets, rows, 'market_id', 'trade', (row, market) =>
          parseTrade(row, market, accountIndex),
        );
        return [...known.flat().map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
      }
      case 'account_all_positions': {
        // The first frame is complete, later ones name changed markets only.
        const rows = rowsOf(frame['positions'], 'positions');
        const { known, unknown } = eachKnown(markets, rows, 'market_id', 'position', parsePosition);
        if (isFirst) return [{ type: 'positions-snapshot', positions: known }, ...unknown];
        return [...known.map((position): VenueEvent => ({ type: 'position', position })), ...unknown];
      }
      case 'account_all_assets': {
        const balance = parseAssets(frame['assets']);
        return balance === undefined ? [] : [balance];
      }
      case 'user_stats':
        return [parseCollateral(frame['stats'], 'user_stats')];
      default:
        // The venue adds channels over time; what we did not subscribe to we do not need.
        return [];
    }
  }

  /** The first answer to a transaction: queued or refused. What the engine makes of it comes on the account channels. */
  #answer(frame: Fields): VenueEvent {
    const code = countField(frame, 'code', 'jsonapi/sendtx');
    const hash = optionalText(frame, 'tx_hash');
    const submissionId = optionalText(frame, 'id') ?? (hash === undefined ? undefined : submissionIdOf(hash));
    const reference = submissionId === undefined ? {} : { submissionId };
    if (code === 200) return { type: 'submission-accepted', ...reference };
    const reason = optionalText(frame, 'message') ?? '';
    return { type: 'submission-refused', ...reference, code: String(code), reason, class: refusalClassOf(code) };
  }

  /** A bare error names no request: codes of transactions on the account socket answer the oldest open one. */
  #error(socketKey: string, frame: Fields): VenueEvent[] {
    const error = isFields(frame['error']) ? frame['error'] : frame;
    const code = countField(error, 'code', 'error');
    const reason = optionalText(error, 'message') ?? '';
    if (code === ALREADY_SUBSCRIBED) return [];
    if (socketKey !== ACCOUNT_SOCKET || !isTransactionCode(code))
      return [{ type: 'venue-error', code: String(code), reason }];
    return [{ type: 'submission-refused', code: String(code), reason, class: refusalClassOf(code) }];
  }

  /** A frame that could not be read is one that was lost: its book is asked for again, its account compared. */
  #damaged(socketKey: string, channel: string, at: Instant, events: readonly VenueEvent[]): FrameResult {
    if (socketKey === ACCOUNT_SOCKET) {
      if (this.#private !== undefined) this.#private.damaged = true;
      return { events, send: [] };
    }
    if (channel.startsWith('market_stats')) return { events, send: [] };
    // A frame that does not even say which book it changed may have changed any.
    const symbol = this.#access.markets.byId(Number(channel.slice('order_book:'.length)))?.instrument.symbol;
    const send: OutboundFrame[] = [];
    const all: VenueEvent[] = [...events];
    for (const [name, book] of this.#books) {
      if ((symbol !== undefined && name !== symbol) || book.phase === 'broken') continue;
      const broken = this.#brokenBook(name, book, 'gap', at);
      all.push(...broken.events);
      send.push(...broken.send);
    }
    return { events: all, send };
  }
}

function levelsOf(value: unknown, list: LevelList | undefined, { instrument }: LighterMarket): readonly BookLevel[] {
  if (list === undefined) return parseLevels(value, instrument);
  return plainLevels(list, instrument) ?? parseLevels(parsedList(list, 'book side'), instrument);
}

/** As channels are asked for: the venue asks `order_book/1` and answers `order_book:1`. */
function channelOf(frame: Fields): string {
  return (optionalText(frame, 'channel') ?? '').replaceAll(':', '/');
}

function bookChannel({ marketId }: LighterMarket): string {
  return `order_book/${marketId}`;
}

function subscriptionsOf(socketKey: string): Subscriptions {
  return new Subscriptions({
    where: `lighter ${socketKey}`,
    max: SUBSCRIPTIONS_MAX,
    unansweredMax: UNANSWERED_MAX,
    answerMs: ANSWER_MS,
  });
}

function emptyBook(at: Instant): Book {
  return {
    orders: new OrderBook(),
    phase: 'subscribing',
    nonce: 0,
    venueAtMs: 0,
    receivedAtMonotonicMs: at.monotonicMs,
    lastSubscribeMs: Number.NEGATIVE_INFINITY,
  };
}
