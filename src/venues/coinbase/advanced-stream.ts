/**
 * Advanced Trade's sockets: `market` carries books, `account` orders, positions and the balance, `spot` the spot exchange's tickers, from
 * which the index is known between two readings. Owns subscriptions and books. Connector thread only.
 *
 * Every frame of a connection has the next number; after a hole nothing on it can be trusted, and it is opened anew.
 */
import type { BookView } from '../../market/book.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asList, optionalText, textField } from '../fields.ts';
import { asFields, malformed, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, OutboundFrame, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import { AdvancedBook } from './advanced-book.ts';
import { parseBalance, parseOrder, parsePosition } from './advanced-parse.ts';
import { isoTimeField } from './json.ts';
import type { CoinbaseAccess } from './operation.ts';
import { parseSpotFrame } from './spot-parse.ts';

const ACCOUNT = 'account';
const MARKET = 'market';
const SPOT = 'spot';
/** Heartbeats come every second on each socket. */
const SILENCE_MS = 10_000;
/** The account's first word comes in batches; one that is not full is the last. */
const SNAPSHOT_BATCH = 50;
/** A book without a snapshot is asked for again after this. */
const ASK_AGAIN_MS = 10_000;
/** Products without a first word at once. */
const UNANSWERED_MAX = 100;
/** An unchanged mark is told again this often. */
const MARK_MS = 1_000;
/** A spot price counts as the index for so long. */
const SPOT_MAX_AGE_MS = 10_000;

const NOTHING: FrameResult = { events: [], send: [] };

interface Connection {
  nextSequence: number | undefined;
}

export class AdvancedStream implements VenueStream {
  readonly #access: CoinbaseAccess;
  readonly #open = new Map<string, Connection>();
  readonly #books = new Map<string, AdvancedBook>();
  /** Products whose books are asked for; a book that comes is the answer. */
  readonly #followed = new Subscriptions({
    where: 'coinbase market',
    unansweredMax: UNANSWERED_MAX,
    answerMs: ASK_AGAIN_MS,
  });
  readonly #spot = new Map<string, { readonly indexNano: bigint; readonly atMs: number; readonly sequence: number }>();
  #nextMarkMs = 0;
  #isReady = false;

  constructor(access: CoinbaseAccess) {
    this.#access = access;
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    const { hosts, markets } = this.#access;
    markets.watch(symbols);
    this.#followed.keepOwners(symbols);
    for (const symbol of symbols) this.#followed.want(symbol, [symbol]);
    const socket = (key: string, url: string): SocketPlan => ({ key, url, headers: {}, silenceMs: SILENCE_MS });
    return [socket(ACCOUNT, hosts.accountUrl), socket(MARKET, hosts.marketUrl), socket(SPOT, hosts.spotUrl)];
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT;
  }

  /** A socket that asks for nothing within five seconds is closed, and one without heartbeats when nothing happens. */
  opened(socketKey: string, at: Instant): FrameResult {
    this.#open.set(socketKey, { nextSequence: undefined });
    if (socketKey === SPOT) return { events: [], send: [this.#spotSubscription()] };
    if (socketKey === ACCOUNT) {
      this.#isReady = false;
      const channels = ['heartbeats', 'user', 'futures_balance_summary'];
      return { events: [], send: channels.map((channel) => this.#subscribe(ACCOUNT, channel, [], at)) };
    }
    this.#books.clear();
    this.#followed.disconnected();
    return { events: [], send: [this.#subscribe(MARKET, 'heartbeats', [], at), ...this.#followMissing(at)] };
  }

  closed(socketKey: string, _at: Instant): readonly VenueEvent[] {
    this.#open.delete(socketKey);
    if (socketKey !== MARKET) return [];
    const lost = [...this.#books].filter(([, book]) => book.hasSnapshot).map(([symbol]) => symbol);
    this.#books.clear();
    this.#followed.disconnected();
    return lost.map((symbol): VenueEvent => ({ type: 'book-invalid', symbol, reason: 'closed' }));
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    const connection = this.#open.get(socketKey);
    if (connection === undefined) return NOTHING;
    try {
      const frame = asFields(parseLosslessJson(text, socketKey), socketKey);
      if (socketKey === SPOT) return this.#spotFrame(frame, at);
      if (frame['type'] === 'error') return refused(frame);
      const broken = continuity(connection, frame);
      return broken === undefined ? this.#channel(socketKey, frame, at) : { ...NOTHING, reconnect: broken };
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      const sample = text.slice(0, 200);
      const event: VenueEvent = { type: 'malformed-frame', channel: socketKey, detail: error.message, sample };
      // Spot prices are said again and again. Anything else that could not be read is lost: an order's end, or a change of some book.
      return socketKey === SPOT
        ? { events: [event], send: [] }
        : { events: [event], send: [], reconnect: 'a frame could not be read' };
    }
  }

  tick(at: Instant): FrameResult {
    const send = this.#open.has(MARKET)
      ? [...this.#dropSurplus(at), ...this.#followMissing(at), ...this.#askAgain(at)]
      : [];
    return { events: this.#marks(at), send };
  }

  book(symbol: string): BookView | undefined {
    return this.#books.get(symbol)?.view();
  }

  // Subscriptions: one channel a frame, a token of its own in each that the account is asked with.

  #subscribe(
    socketKey: string,
    channel: string,
    symbols: readonly string[],
    at: Instant,
    type = 'subscribe',
  ): OutboundFrame {
    const frame = {
      type,
      channel,
      ...(symbols.length === 0 ? {} : { product_ids: symbols }),
      ...(socketKey === ACCOUNT ? { jwt: this.#access.tokens.platform(at) } : {}),
    };
    return { socketKey, text: JSON.stringify(frame), kind: 'control' };
  }

  #spotSubscription(): OutboundFrame {
    const { markets } = this.#access;
    const products = markets.watched.flatMap((symbol) => spotProductOf(markets.find(symbol)?.base) ?? []);
    const frame = { type: 'subscribe', product_ids: [...new Set(products)], channels: ['ticker', 'heartbeat'] };
    return { socketKey: SPOT, text: JSON.stringify(frame), kind: 'control' };
  }

  #followMissing(at: Instant): OutboundFrame[] {
    return this.#level2('subscribe', this.#followed.due(at.monotonicMs), at);
  }

  #level2(type: 'subscribe' | 'unsubscribe', symbols: readonly string[], at: Instant): OutboundFrame[] {
    return symbols.length === 0 ? [] : [this.#subscribe(MARKET, 'level2', symbols, at, type)];
  }

  #dropSurplus(at: Instant): OutboundFrame[] {
    const surplus = this.#followed.surplus();
    for (const symbol of surplus) this.#books.delete(symbol);
    return this.#level2('unsubscribe', surplus, at);
  }

  #askAgain(at: Instant): OutboundFrame[] {
    return this.#renew(this.#followed.late(at.monotonicMs), at);
  }

  /** A subscription made anew begins with a snapshot. */
  #renew(symbols: readonly string[], at: Instant): OutboundFrame[] {
    for (const symbol of symbols) this.#followed.renewed(symbol, at.monotonicMs);
    return [...this.#level2('unsubscribe', symbols, at), ...this.#level2('subscribe', symbols, at)];
  }

  // Channels.

  #channel(socketKey: string, frame: Fields, at: Instant): FrameResult {
    const channel = textField(frame, 'channel', socketKey);
    const events = asList(frame['events'] ?? [], `${channel}.events`).map((event) => asFields(event, channel));
    switch (channel) {
      case 'l2_data':
        return this.#bookEvents(events, at);
      case 'user':
        return {
          events: events.flatMap((event) => this.#userEvent(event, isoTimeField(frame, 'timestamp', channel))),
          send: [],
        };
      case 'futures_balance_summary':
        return { events: events.map((event) => parseBalance(event['fcm_balance_summary'])), send: [] };
      default:
        // Heartbeats, confirmations, and what we did not ask for.
        return NOTHING;
    }
  }

  #bookEvents(events: readonly Fields[], at: Instant): FrameResult {
    const told: VenueEvent[] = [];
    const send: OutboundFrame[] = [];
    for (const event of events) {
      const symbol = textField(event, 'product_id', 'l2_data');
      const instrument = this.#access.markets.find(symbol);
      // A product just given up may still speak.
      if (instrument === undefined || !this.#followed.isAsked(symbol)) continue;
      const book = this.#books.get(symbol) ?? new AdvancedBook(instrument);
      this.#books.set(symbol, book);
      const outcome = book.apply(event, at.monotonicMs);
      if (book.hasSnapshot) this.#followed.answered(symbol);
      if (outcome === 'changed') told.push({ type: 'book-changed', symbol });
      if (outcome !== 'crossed') continue;
      told.push({ type: 'book-invalid', symbol, reason: 'crossed' });
      send.push(...this.#renew([symbol], at));
    }
    return { events: told, send: [...send, ...this.#followMissing(at)] };
  }

  /** States of orders add up what was filled; the fills themselves are only told when asked for. */
  #userEvent(event: Fields, venueAtMs: number): readonly VenueEvent[] {
    const { markets } = this.#access;
    const items = asList(event['orders'] ?? [], 'user.orders');
    const orders = items.flatMap((item): readonly VenueEvent[] => {
      const order = parseOrder(item, markets.find, { venueAtMs, isStream: true });
      return order === undefined ? [] : [{ type: 'order-update', order: markets.rememberOrder(order) }];
    });
    const positions = positionsOf(event).flatMap((item): readonly VenueEvent[] => {
      const position = parsePosition(item, markets.find);
      return position === undefined ? [] : [{ type: 'position', position }];
    });
    const isLast = event['type'] === 'snapshot' && items.length < SNAPSHOT_BATCH && !this.#isReady;
    if (isLast) this.#isReady = true;
    return [...orders, ...positions, ...(isLast ? [{ type: 'private-stream-ready' } as const] : [])];
  }

  // Prices.

  #spotFrame(frame: Fields, at: Instant): FrameResult {
    const read = parseSpotFrame(frame);
    if (read.type === 'error')
      return { events: [{ type: 'venue-error', code: 'SPOT', reason: read.reason }], send: [] };
    if (read.type !== 'ticker') return NOTHING;
    const { productId, sequence, bidNano, askNano } = read.ticker;
    const known = this.#spot.get(productId);
    if (known === undefined || sequence > known.sequence)
      this.#spot.set(productId, { indexNano: (bidNano + askNano) / 2n, atMs: at.monotonicMs, sequence });
    return NOTHING;
  }

  /** The middle of each book, and the spot price of what it is a future of. */
  #marks(at: Instant): readonly VenueEvent[] {
    if (at.monotonicMs < this.#nextMarkMs) return [];
    this.#nextMarkMs = at.monotonicMs + MARK_MS;
    return [...this.#books].flatMap(([symbol, book]): readonly VenueEvent[] => {
      const markNano = book.midNano();
      if (markNano === undefined) return [];
      const spot = this.#spot.get(spotProductOf(this.#access.markets.find(symbol)?.base) ?? '');
      const isFresh = spot !== undefined && at.monotonicMs - spot.atMs <= SPOT_MAX_AGE_MS;
      const markTicksScaled = { markNano, ...(isFresh ? { indexNano: spot.indexNano } : {}) };
      return [{ type: 'mark', symbol, markTicksScaled, venueAtMs: book.venueAtMs }];
    });
  }
}

function spotProductOf(base: string | undefined): string | undefined {
  return base === undefined ? undefined : `${base}-USD`;
}

/** Says why the connection cannot be trusted any more, if so. */
function continuity(connection: Connection, frame: Fields): string | undefined {
  const sequence = Number(optionalText(frame, 'sequence_num') ?? Number.NaN);
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw malformed('frame.sequence_num', 'a whole number', frame['sequence_num']);
  const expected = connection.nextSequence;
  connection.nextSequence = sequence + 1;
  return expected === undefined || sequence === expected
    ? undefined
    : `frame ${sequence} came where ${expected} was due`;
}

function refused(frame: Fields): FrameResult {
  const reason = optionalText(frame, 'message') ?? 'no reason given';
  const code = /auth/i.test(reason) ? 'AUTH' : 'SUBSCRIBE';
  return { events: [{ type: 'venue-error', code, reason }], send: [], reconnect: `the venue refused: ${reason}` };
}

/** Both kinds of positions; documents and deployments differ about their names. */
function positionsOf(event: Fields): readonly unknown[] {
  const positions = event['positions'];
  if (positions === undefined || positions === null) return [];
  return asList(asFields(positions, 'user.positions')['expiring_futures_positions'] ?? [], 'user.positions');
}
