/**
 * The gateway's sockets: `market` carries books and tickers, `account` everything private, orders and cancels included. Owns
 * subscriptions and books. Connector thread only.
 *
 * ```
 *   account: open ──auth──▶ signed in ──subscribe──▶ ready     refused, or a channel left out: cut, and again with the connector's pauses
 *   channel: asked ──listed──▶ confirmed ──snapshot──▶ followed ──gap, crossed──▶ asked again (unsubscribe, subscribe)
 * ```
 */
import assert from 'node:assert/strict';
import type { BookView } from '../../market/book.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asList, optionalText, textField } from '../fields.ts';
import { asFields, isFields, malformed, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, OutboundFrame, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import { FollowedBook, notificationOf } from './book.ts';
import { eachKnown, refusalOf, signInParams } from './operation.ts';
import type { CoinbaseAccess } from './operation.ts';
import { parseOrder, parsePosition, parseSummary, parseTrade, tickerEvents } from './parse.ts';
import { callId, kindOf } from './rpc.ts';
import { ACCOUNT_CHANNELS, bookChannel, rpcText, tickerChannel } from './wire.ts';

export const ACCOUNT_SOCKET = 'account';
const MARKET_SOCKET = 'market';

/** The venue ends a socket on which the client has said nothing for half a minute. */
const TEST_MS = 15_000;
/** Two calls without an answer. */
const SILENCE_MS = 35_000;
/** The shortest the venue offers; its questions must be answered at once. */
const HEARTBEAT_S = 10;
/** A socket is signed in for about 50 minutes. */
const SIGN_IN_AGAIN_MS = 40 * 60_000;
/** A subscription without a word, or a book without a snapshot, is asked for again after this. */
const ASK_AGAIN_MS = 5_000;
/** Channels named in one subscription: two for each market. */
const CHANNELS_PER_FRAME = 40;
/** Channels without an answer at once. */
const UNANSWERED_MAX = 200;

const NOTHING: FrameResult = { events: [], send: [] };
const SIGN_IN = 'sign in';
const SUBSCRIBE = 'subscribe';

interface Connection {
  nextTestMs: number;
  signInAgainMs: number;
  /** Control calls so far: each connection counts its own, so that a recording of it can be played again. */
  calls: number;
  /** What control calls under way are about, by number: a word of ours, or the channels asked for. */
  readonly asked: Map<number, string | readonly string[]>;
}

export class CoinbaseStream implements VenueStream {
  readonly #access: CoinbaseAccess;
  readonly #cancelsOnDisconnect: boolean;
  readonly #open = new Map<string, Connection>();
  /** Of the market connection. */
  readonly #channels = new Subscriptions({
    where: 'coinbase market',
    unansweredMax: UNANSWERED_MAX,
    answerMs: ASK_AGAIN_MS,
  });
  readonly #books = new Map<string, FollowedBook>();

  constructor(access: CoinbaseAccess, options: { readonly cancelsOnDisconnect: boolean }) {
    this.#access = access;
    this.#cancelsOnDisconnect = options.cancelsOnDisconnect;
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    const { hosts, markets } = this.#access;
    markets.watch(symbols);
    this.#channels.keepOwners(symbols);
    for (const symbol of symbols) this.#channels.want(symbol, [bookChannel(symbol), tickerChannel(symbol)]);
    const socket = (key: string, url: string): SocketPlan => ({ key, url, headers: {}, silenceMs: SILENCE_MS });
    return [socket(ACCOUNT_SOCKET, hosts.accountUrl), socket(MARKET_SOCKET, hosts.marketUrl)];
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT_SOCKET;
  }

  opened(socketKey: string, at: Instant): FrameResult {
    const { monotonicMs } = at;
    this.#open.set(socketKey, {
      nextTestMs: monotonicMs + TEST_MS,
      signInAgainMs: monotonicMs + SIGN_IN_AGAIN_MS,
      calls: 0,
      asked: new Map(),
    });
    if (socketKey === ACCOUNT_SOCKET) return { events: [], send: [this.#signIn(at)] };
    this.#forgetMarket();
    return { events: [], send: this.#subscribeMissing(at) };
  }

  closed(socketKey: string, _at: Instant): readonly VenueEvent[] {
    this.#open.delete(socketKey);
    if (socketKey === ACCOUNT_SOCKET) return [];
    const lost = [...this.#books].filter(([, book]) => book.hasSnapshot).map(([symbol]) => symbol);
    this.#forgetMarket();
    return lost.map((symbol): VenueEvent => ({ type: 'book-invalid', symbol, reason: 'closed' }));
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    if (!this.#open.has(socketKey)) return NOTHING;
    try {
      const frame = asFields(parseLosslessJson(text, socketKey), socketKey);
      if (frame['method'] === 'heartbeat') return this.#heartbeat(socketKey, frame);
      const notification = notificationOf(frame);
      if (notification === undefined) return this.#answer(socketKey, frame, at);
      return socketKey === ACCOUNT_SOCKET
        ? { events: this.#account(notification.channel, notification.data), send: [] }
        : this.#market(notification.channel, notification.data, at);
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      const sample = text.slice(0, 200);
      const event: VenueEvent = { type: 'malformed-frame', channel: socketKey, detail: error.message, sample };
      // Tickers say everything again and again. Anything else that could not be read is lost: a fill, or a change of some book.
      return text.includes('"ticker.')
        ? { events: [event], send: [] }
        : { events: [event], send: [], reconnect: 'a frame could not be read' };
    }
  }

  tick(at: Instant): FrameResult {
    const send: OutboundFrame[] = [];
    for (const [socketKey, connection] of this.#open) {
      if (socketKey === ACCOUNT_SOCKET && at.monotonicMs >= connection.signInAgainMs) {
        connection.signInAgainMs = at.monotonicMs + SIGN_IN_AGAIN_MS;
        send.push(this.#signIn(at));
      }
      if (at.monotonicMs < connection.nextTestMs) continue;
      connection.nextTestMs = at.monotonicMs + TEST_MS;
      send.push(this.#call(socketKey, 'public/test', {}));
    }
    if (this.#open.has(MARKET_SOCKET))
      send.push(...this.#dropSurplus(), ...this.#subscribeMissing(at), ...this.#askAgain(at));
    return { events: [], send };
  }

  book(symbol: string): BookView | undefined {
    return this.#books.get(symbol)?.view();
  }

  // Calls and their answers.

  #call(
    socketKey: string,
    method: string,
    params: Readonly<Record<string, unknown>>,
    about?: string | readonly string[],
  ): OutboundFrame {
    const connection = this.#open.get(socketKey);
    assert.ok(connection !== undefined, 'calls are made on open connections');
    connection.calls += 1;
    const id = callId('control', connection.calls);
    if (about !== undefined) connection.asked.set(id, about);
    return { socketKey, text: rpcText({ id, method, params }), kind: 'control' };
  }

  #signIn(at: Instant): OutboundFrame {
    return this.#call(ACCOUNT_SOCKET, 'public/auth', signInParams(this.#access.tokens, at), SIGN_IN);
  }

  #heartbeat(socketKey: string, frame: Fields): FrameResult {
    const params = asFields(frame['params'], 'heartbeat.params');
    if (params['type'] !== 'test_request') return NOTHING;
    return { events: [], send: [this.#call(socketKey, 'public/test', {})] };
  }

  #answer(socketKey: string, frame: Fields, at: Instant): FrameResult {
    const { id } = frame;
    // A refusal of a frame the venue could not read names none.
    if (id === null || id === undefined) return this.#unmatched(socketKey, frame);
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0)
      throw malformed(`${socketKey}.id`, 'a number of ours', id);
    const kind = kindOf(id);
    if (kind !== 'control') return { events: this.#submission(String(id), kind, frame), send: [] };
    const asked = this.#open.get(socketKey)?.asked;
    const about = asked?.get(id);
    asked?.delete(id);
    if (about === SIGN_IN) return this.#signedIn(frame);
    if (about === SUBSCRIBE) return this.#accountSubscribed(frame);
    if (about !== undefined && typeof about !== 'string') return this.#marketSubscribed(about, frame, at);
    return NOTHING;
  }

  #unmatched(socketKey: string, frame: Fields): FrameResult {
    const error = refusalOf(socketKey, frame);
    if (error === undefined) throw malformed(`${socketKey} frame`, 'a notification or an answer', frame);
    return { events: [{ type: 'venue-error', code: error.code, reason: error.message }], send: [] };
  }

  /** What became of an order or a cancel. Trades that happened at once come with the answer, and again on their channel. */
  #submission(submissionId: string, kind: 'place' | 'cancel' | 'request', frame: Fields): readonly VenueEvent[] {
    const error = refusalOf(kind, frame);
    if (error !== undefined)
      return [
        {
          type: 'submission-refused',
          submissionId,
          code: error.code,
          reason: error.message,
          class: error.class,
        },
      ];
    const { result } = frame;
    if (kind === 'cancel' && result === 0) {
      const reason = 'cancel refused: no order has this label';
      return [{ type: 'submission-refused', submissionId, code: '10004', reason, class: 'state' }];
    }
    if (kind === 'request' || !isFields(result)) return [{ type: 'submission-accepted', submissionId }];
    const { find } = this.#access.markets;
    const order = parseOrder(result['order'] ?? result, find);
    const trades = asList(result['trades'] ?? [], 'trades').flatMap((trade) => parseTrade(trade, find) ?? []);
    const venueOrderId = order?.venueOrderId;
    // That it is open is what the account's channel says, and keeps saying: the answer is but the first word about it.
    const ended = order === undefined || order.status === 'open' ? [] : [{ type: 'order-update', order } as const];
    return [
      { type: 'submission-accepted', submissionId, ...(venueOrderId === undefined ? {} : { venueOrderId }) },
      ...trades,
      ...ended,
    ];
  }

  #signedIn(frame: Fields): FrameResult {
    const error = refusalOf('auth', frame);
    if (error !== undefined) {
      const told: VenueEvent = { type: 'venue-error', code: 'AUTH', reason: error.message };
      return { events: [told], send: [], reconnect: `signing in was refused: ${error.message}` };
    }
    return {
      events: [],
      send: [
        this.#call(ACCOUNT_SOCKET, 'public/set_heartbeat', { interval: HEARTBEAT_S }),
        ...(this.#cancelsOnDisconnect
          ? [this.#call(ACCOUNT_SOCKET, 'private/enable_cancel_on_disconnect', { scope: 'connection' })]
          : []),
        this.#call(ACCOUNT_SOCKET, 'private/subscribe', { channels: ACCOUNT_CHANNELS }, SUBSCRIBE),
      ],
    };
  }

  /** What the venue does not give it leaves out without a word. */
  #accountSubscribed(frame: Fields): FrameResult {
    const error = refusalOf('subscribe', frame);
    const given = error === undefined ? new Set(asList(frame['result'], 'subscribe')) : new Set();
    const missing = ACCOUNT_CHANNELS.filter((channel) => !given.has(channel));
    if (missing.length === 0) return { events: [{ type: 'private-stream-ready' }], send: [] };
    const reason = error?.message ?? `the account's socket was not given ${missing.join(', ')}`;
    return { events: [{ type: 'venue-error', code: 'SUBSCRIBE', reason }], send: [], reconnect: reason };
  }

  #marketSubscribed(names: readonly string[], frame: Fields, at: Instant): FrameResult {
    const error = refusalOf('subscribe', frame);
    const given = error === undefined ? new Set(asList(frame['result'], 'subscribe')) : new Set();
    const missing: string[] = [];
    for (const name of names) {
      if (!this.#channels.isAsked(name)) continue;
      if (given.has(name)) {
        this.#channels.answered(name);
        continue;
      }
      // Asked for again later: the market may come to be listed, or be dropped from our own list.
      this.#channels.refused(name, at.monotonicMs);
      missing.push(name);
    }
    if (missing.length === 0) return { events: [], send: this.#subscribeMissing(at) };
    const reason = error?.message ?? `the market's socket was not given ${missing.join(', ')}`;
    return { events: [{ type: 'venue-error', code: 'SUBSCRIBE', reason }], send: [] };
  }

  // Subscriptions of the market connection.

  #forgetMarket(): void {
    this.#channels.disconnected();
    this.#books.clear();
    this.#access.markets.forgetTickers();
  }

  #subscribeMissing(at: Instant): OutboundFrame[] {
    const due = this.#channels.due(at.monotonicMs);
    const send: OutboundFrame[] = [];
    for (let from = 0; from < due.length; from += CHANNELS_PER_FRAME)
      send.push(this.#subscribe(due.slice(from, from + CHANNELS_PER_FRAME)));
    return send;
  }

  #subscribe(names: readonly string[]): OutboundFrame {
    return this.#call(MARKET_SOCKET, 'public/subscribe', { channels: names }, names);
  }

  #unsubscribe(names: readonly string[]): OutboundFrame {
    return this.#call(MARKET_SOCKET, 'public/unsubscribe', { channels: names });
  }

  #dropSurplus(): OutboundFrame[] {
    const { watched } = this.#access.markets;
    const surplus = this.#channels.surplus();
    for (const symbol of this.#books.keys()) if (!watched.includes(symbol)) this.#books.delete(symbol);
    if (surplus.length === 0) return [];
    return [this.#unsubscribe(surplus)];
  }

  /** Channels nobody confirmed and books that never got their snapshot. */
  #askAgain(at: Instant): OutboundFrame[] {
    const withoutSnapshot = this.#access.markets.watched
      .filter((symbol) => this.#books.get(symbol)?.hasSnapshot !== true)
      .map(bookChannel)
      .filter((name) => this.#channels.isOverdue(name, at.monotonicMs));
    const late = [...new Set([...this.#channels.late(at.monotonicMs), ...withoutSnapshot])];
    return late.length === 0 ? [] : this.#renew(late, at);
  }

  /** A subscription made anew begins with a snapshot. */
  #renew(names: readonly string[], at: Instant): OutboundFrame[] {
    for (const name of names) this.#channels.renewed(name, at.monotonicMs);
    return [this.#unsubscribe(names), this.#subscribe(names)];
  }

  // Market data.

  #market(channel: string, data: unknown, at: Instant): FrameResult {
    // A channel just given up may still speak.
    if (!this.#channels.isAsked(channel)) return NOTHING;
    const symbol = channel.split('.')[1] ?? '';
    const { markets } = this.#access;
    const instrument = markets.find(symbol);
    if (instrument === undefined) throw malformed(`${channel} instrument`, 'a listed one', symbol);
    if (channel.startsWith('ticker.')) {
      markets.tickerHeard(symbol, at.monotonicMs);
      return { events: tickerEvents(data, instrument), send: [] };
    }
    let book = this.#books.get(symbol);
    if (book === undefined) {
      book = new FollowedBook(instrument);
      this.#books.set(symbol, book);
    }
    const outcome = book.apply(asFields(data, channel), at.monotonicMs);
    if (outcome === 'ignored') return NOTHING;
    if (outcome === 'changed') return { events: [{ type: 'book-changed', symbol }], send: [] };
    return { events: [{ type: 'book-invalid', symbol, reason: outcome }], send: this.#renew([channel], at) };
  }

  // The account.

  #account(channel: string, data: unknown): readonly VenueEvent[] {
    const { find } = this.#access.markets;
    if (channel.startsWith('user.portfolio.')) {
      const portfolio = asFields(data, channel);
      return textField(portfolio, 'currency', channel) === 'USDC' ? [parseSummary(portfolio)] : [];
    }
    if (channel.startsWith('user.orders.')) {
      const { known, unknown } = eachKnown(listOf(data), 'orders', (item) => parseOrder(item, find));
      return [...known.map((order): VenueEvent => ({ type: 'order-update', order })), ...unknown];
    }
    if (channel.startsWith('user.trades.')) {
      const { known, unknown } = eachKnown(listOf(data), 'trades', (item) => parseTrade(item, find));
      return [...known.flat(), ...unknown];
    }
    if (channel.startsWith('user.changes.')) {
      const items = asList(asFields(data, channel)['positions'] ?? [], `${channel}.positions`);
      const ours = items.filter(
        (item) => find(optionalText(asFields(item, channel), 'instrument_name') ?? '') !== undefined,
      );
      const positions = ours.flatMap((item) => parsePosition(item, find) ?? []);
      return positions.map((position): VenueEvent => ({ type: 'position', position }));
    }
    // What we did not ask for we do not need.
    return [];
  }
}

/** Some channels tell one thing as it is, others as a list. */
function listOf(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data : [data];
}
