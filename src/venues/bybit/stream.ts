/**
 * Bybit's sockets: `public` carries books and tickers of all symbols, `account` the private topics. Owns subscriptions and books.
 * Connector thread only.
 *
 * ```
 *   account: open ──auth──▶ authenticated ──subscribe──▶ ready        any refusal: cut, and again with the connector's pauses
 *   topic:   asked ──ack──▶ confirmed ──snapshot──▶ followed ──gap, crossed──▶ asked again (unsubscribe, subscribe)
 * ```
 */
import type { BookView } from '../../market/book.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { readBookFrame } from '../level-lists.ts';
import type { BookFrame } from '../level-lists.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, OutboundFrame, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import { BOOK_LEVELS, FollowedBook } from './book.ts';
import { asList, integerField, optionalText, textField, timeField } from '../fields.ts';
import type { BybitMarkets } from './markets.ts';
import { parseExecution, parseOrder, parsePosition, parseWallet, tickerEvents, tickerFields } from './parse.ts';
import { eachKnown } from './operation.ts';
import { sessionSignature } from './sign.ts';
import type { BybitKey } from './sign.ts';
import { bookTopic, CATEGORY, PRIVATE_PATH, PUBLIC_PATH, tickerTopic } from './wire.ts';

const ACCOUNT = 'account';
const PUBLIC = 'public';
const ACCOUNT_TOPICS = ['order', 'execution', 'position', 'wallet'] as const;

/** The venue wants a ping every 20 s at least; twice as often notices a dead connection sooner. */
const PING_MS = 10_000;
/** Two pings without an answer. */
const SILENCE_MS = 25_000;
/** How long a signed-in frame may be under way, real ms. */
const AUTH_VALIDITY_MS = 10_000;
/** A subscription without a word, or a book without a snapshot, is asked for again after this. */
const ASK_AGAIN_MS = 5_000;
/** Requests without an answer at once. */
const UNANSWERED_MAX = 100;
/** An unchanged mark is told again this often while its symbol is spoken of. */
const TICKER_TELL_MS = 1_000;

const NOTHING: FrameResult = { events: [], send: [] };

export class BybitStream implements VenueStream {
  readonly #streamUrl: string;
  readonly #key: BybitKey;
  readonly #markets: BybitMarkets;
  readonly #calendarScale: number;
  readonly #open = new Map<string, { nextPingMonotonicMs: number }>();
  /** Of the public connection. */
  readonly #topics = new Subscriptions({
    where: 'bybit public',
    unansweredMax: UNANSWERED_MAX,
    answerMs: ASK_AGAIN_MS,
  });
  readonly #books = new Map<string, FollowedBook>();
  readonly #tickerToldAtMs = new Map<string, number>();
  #requests = 0;
  /** Topics of each subscription under way, by request id. */
  readonly #asked = new Map<string, readonly string[]>();

  constructor(access: {
    readonly streamUrl: string;
    readonly key: BybitKey;
    readonly markets: BybitMarkets;
    readonly calendarScale: number;
  }) {
    this.#streamUrl = access.streamUrl;
    this.#key = access.key;
    this.#markets = access.markets;
    this.#calendarScale = access.calendarScale;
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    this.#markets.watch(symbols);
    this.#topics.keepOwners(symbols);
    for (const symbol of symbols) this.#topics.want(symbol, [bookTopic(symbol), tickerTopic(symbol)]);
    const socket = (key: string, path: string): SocketPlan => ({
      key,
      url: this.#streamUrl + path,
      headers: {},
      silenceMs: SILENCE_MS,
    });
    return [socket(ACCOUNT, PRIVATE_PATH), socket(PUBLIC, PUBLIC_PATH)];
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT;
  }

  opened(socketKey: string, at: Instant): FrameResult {
    this.#open.set(socketKey, { nextPingMonotonicMs: at.monotonicMs + PING_MS });
    if (socketKey === ACCOUNT) return { events: [], send: [this.#authFrame(at)] };
    this.#forgetPublic();
    return { events: [], send: this.#subscribeMissing(at) };
  }

  closed(socketKey: string, _at: Instant): readonly VenueEvent[] {
    this.#open.delete(socketKey);
    if (socketKey === ACCOUNT) return [];
    const lost = [...this.#books].filter(([, book]) => book.hasSnapshot).map(([symbol]) => symbol);
    this.#forgetPublic();
    return lost.map((symbol): VenueEvent => ({ type: 'book-invalid', symbol, reason: 'closed' }));
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    if (!this.#open.has(socketKey)) return NOTHING;
    try {
      const read = readBookFrame(text, socketKey, BOOK_LEVELS);
      const { fields: frame } = read;
      if (typeof frame['topic'] !== 'string') return this.#control(socketKey, frame, at);
      return socketKey === ACCOUNT
        ? { events: this.#account(frame['topic'], frame), send: [] }
        : this.#public(frame['topic'], read, at);
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      const sample = text.slice(0, 200);
      const event: VenueEvent = { type: 'malformed-frame', channel: socketKey, detail: error.message, sample };
      // Tickers say everything again and again. Anything else that could not be read is lost: a fill, or a change of some book.
      return text.includes('"tickers.')
        ? { events: [event], send: [] }
        : { events: [event], send: [], reconnect: 'a frame could not be read' };
    }
  }

  tick(at: Instant): FrameResult {
    const send: OutboundFrame[] = [];
    for (const [socketKey, connection] of this.#open) {
      if (at.monotonicMs < connection.nextPingMonotonicMs) continue;
      connection.nextPingMonotonicMs = at.monotonicMs + PING_MS;
      send.push(this.#outbound(socketKey, { op: 'ping' }));
    }
    if (this.#open.has(PUBLIC)) send.push(...this.#dropSurplus(), ...this.#subscribeMissing(at), ...this.#askAgain(at));
    return { events: [], send };
  }

  book(symbol: string): BookView | undefined {
    return this.#books.get(symbol)?.view();
  }

  // Control frames.

  #control(socketKey: string, frame: Fields, at: Instant): FrameResult {
    const op = textField(frame, 'op', socketKey);
    const isRefused = frame['success'] === false;
    const reason = optionalText(frame, 'ret_msg') ?? 'no reason given';
    if (op === 'ping' || op === 'pong' || op === 'unsubscribe') return NOTHING;
    if (op === 'auth' || (op === 'subscribe' && socketKey === ACCOUNT)) {
      if (isRefused) {
        const error: VenueEvent = { type: 'venue-error', code: op.toUpperCase(), reason };
        return { events: [error], send: [], reconnect: `${op} was refused: ${reason}` };
      }
      if (op === 'subscribe') return { events: [{ type: 'private-stream-ready' }], send: [] };
      return { events: [], send: [this.#outbound(ACCOUNT, { op: 'subscribe', args: ACCOUNT_TOPICS })] };
    }
    if (op !== 'subscribe') throw malformed(`${socketKey}.op`, 'a known operation', op);
    const id = optionalText(frame, 'req_id') ?? '';
    const topics = this.#asked.get(id) ?? [];
    this.#asked.delete(id);
    if (!isRefused) {
      for (const name of topics) this.#topics.answered(name);
      return { events: [], send: this.#subscribeMissing(at) };
    }
    // Asked for again later: the symbol may come to be listed, or be dropped from our own list.
    for (const name of topics) this.#topics.refused(name, at.monotonicMs);
    return { events: [{ type: 'venue-error', code: 'SUBSCRIBE', reason }], send: [] };
  }

  #authFrame(at: Instant): OutboundFrame {
    const expiresMs = Math.ceil(at.calendarMs + AUTH_VALIDITY_MS * this.#calendarScale);
    const args = [this.#key.apiKey, expiresMs, sessionSignature(this.#key, expiresMs)];
    return this.#outbound(ACCOUNT, { op: 'auth', args });
  }

  #outbound(socketKey: string, body: { readonly op: string; readonly args?: readonly unknown[] }): OutboundFrame {
    this.#requests += 1;
    return { socketKey, text: JSON.stringify({ req_id: String(this.#requests), ...body }), kind: 'control' };
  }

  // Subscriptions of the public connection.

  #forgetPublic(): void {
    this.#topics.disconnected();
    this.#asked.clear();
    this.#books.clear();
    this.#markets.forgetTickerOrder();
  }

  /** One request per symbol: what becomes of the good topics beside a bad one is not documented. */
  #subscribeMissing(at: Instant): OutboundFrame[] {
    const bySymbol = Map.groupBy(this.#topics.due(at.monotonicMs), symbolOf);
    return [...bySymbol.values()].map((names) => this.#subscribe(names));
  }

  #subscribe(names: readonly string[]): OutboundFrame {
    const frame = this.#outbound(PUBLIC, { op: 'subscribe', args: names });
    this.#asked.set(String(this.#requests), names);
    return frame;
  }

  #dropSurplus(): OutboundFrame[] {
    const surplus = this.#topics.surplus();
    for (const symbol of this.#books.keys()) if (!this.#markets.watched.includes(symbol)) this.#books.delete(symbol);
    if (surplus.length === 0) return [];
    return [this.#outbound(PUBLIC, { op: 'unsubscribe', args: surplus })];
  }

  /** Topics nobody confirmed and books that never got their snapshot. */
  #askAgain(at: Instant): OutboundFrame[] {
    const withoutSnapshot = this.#markets.watched
      .filter((symbol) => this.#books.get(symbol)?.hasSnapshot !== true)
      .map(bookTopic)
      .filter((topic) => this.#topics.isOverdue(topic, at.monotonicMs));
    return [...new Set([...this.#topics.late(at.monotonicMs), ...withoutSnapshot])].flatMap((name) =>
      this.#renew(name, at),
    );
  }

  /** A subscription made anew begins with a snapshot. */
  #renew(name: string, at: Instant): OutboundFrame[] {
    this.#topics.renewed(name, at.monotonicMs);
    return [this.#outbound(PUBLIC, { op: 'unsubscribe', args: [name] }), this.#subscribe([name])];
  }

  // Market data.

  #public(topic: string, frame: BookFrame, at: Instant): FrameResult {
    // A topic just given up may still speak.
    if (!this.#topics.isAsked(topic)) return NOTHING;
    const symbol = symbolOf(topic);
    const instrument = this.#markets.find(symbol);
    if (instrument === undefined) throw malformed(`${topic} symbol`, 'a listed instrument', symbol);
    if (topic.startsWith('tickers.')) return { events: this.#ticker(symbol, frame.fields, at), send: [] };
    let book = this.#books.get(symbol);
    if (book === undefined) {
      book = new FollowedBook(instrument);
      this.#books.set(symbol, book);
    }
    const outcome = book.apply(frame, at.monotonicMs);
    if (outcome === 'ignored') return NOTHING;
    if (outcome === 'changed') return { events: [{ type: 'book-changed', symbol }], send: [] };
    return { events: [{ type: 'book-invalid', symbol, reason: outcome }], send: this.#renew(topic, at) };
  }

  #ticker(symbol: string, frame: Fields, at: Instant): readonly VenueEvent[] {
    const instrument = this.#markets.find(symbol);
    const where = `ticker ${symbol}`;
    const fields = tickerFields(asFields(frame['data'], where));
    const merged = this.#markets.mergeTicker(symbol, fields, {
      crossSequence: integerField(frame, 'cs', where),
      isSnapshot: frame['type'] === 'snapshot',
      nowMonotonicMs: at.monotonicMs,
    });
    if (merged === undefined || instrument === undefined) return [];
    const isNews = Object.keys(fields).length > 0;
    const toldAtMs = this.#tickerToldAtMs.get(symbol) ?? Number.NEGATIVE_INFINITY;
    if (!isNews && at.monotonicMs - toldAtMs < TICKER_TELL_MS) return [];
    this.#tickerToldAtMs.set(symbol, at.monotonicMs);
    return tickerEvents(instrument, merged, timeField(frame, 'ts', where));
  }

  // The account.

  #account(topic: string, frame: Fields): readonly VenueEvent[] {
    const { find, settleCoin } = this.#markets;
    const items = asList(frame['data'], topic).map((item) => asFields(item, topic));
    if (topic === 'wallet') return items.map((item) => parseWallet(item, settleCoin));
    // One topic serves all products of the account; the others are none of ours.
    const ours = items.filter((item) => (item['category'] ?? CATEGORY) === CATEGORY);
    switch (topic) {
      case 'order': {
        const { known, unknown } = eachKnown(ours, 'orders', (item) => parseOrder(item, find));
        return [...known.map((order): VenueEvent => ({ type: 'order-update', order })), ...unknown];
      }
      case 'execution': {
        const { known, unknown } = eachKnown(ours, 'executions', (item) => parseExecution(item, find));
        return [...known.flat(), ...unknown];
      }
      case 'position': {
        const { known, unknown } = eachKnown(ours, 'positions', (item) => parsePosition(item, find));
        return [...known.map((position): VenueEvent => ({ type: 'position', position })), ...unknown];
      }
      default:
        // The venue adds topics over time; what we did not ask for we do not need.
        return [];
    }
  }
}

function symbolOf(topic: string): string {
  return topic.slice(topic.lastIndexOf('.') + 1);
}
