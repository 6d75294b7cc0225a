/**
 * Extended's sockets: one stream per connection, chosen by path, nothing to subscribe. Owns the books and the sequence numbers.
 * Connector thread only.
 *
 * Sockets: `account` (private), `marks` and `funding` (all markets each), `book:<symbol>` per symbol. Mark prices come over the
 * one all-markets socket: about 300 small frames a second, cheaper than a connection per symbol, and the set of sockets stays the
 * same whatever is traded. Books cost one socket each because the all-markets form carries three times that many large frames.
 */
import type { BookView } from '../../market/book.ts';
import { OrderBook } from '../../market/order-book.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { parsedList, plainLevels, readBookFrame } from '../level-lists.ts';
import type { BookFrame, LevelForm, LevelList } from '../level-lists.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import { asList, nanoField, optionalText, parseJson, textField, timeField } from './json.ts';
import type { ExtendedMarkets } from './markets.ts';
import { parseAppliedRate, parseBalance, parseFill, parseOrder, parsePosition } from './parse.ts';
import type { ExtendedMarket } from './parse.ts';
import { eachKnown } from './rest.ts';
import { USER_AGENT } from './wire.ts';

const ACCOUNT = 'account';
const MARKS = 'marks';
const FUNDING = 'funding';
const BOOK = 'book:';

/** The server pings every 15 s, also on streams that have nothing to say, and gives up after another 10 s; so do we. */
const SILENCE_MS = 25_000;
/** A book is current when its newest frame is at most this old, real ms. */
const CURRENT_MS = 2_000;
/** The replay after the first snapshot comes at once; frames this long after it are live even if our clock is far off. */
const REPLAY_MS = 3_000;
/** An account without positions or orders may get no picture of them: after this long nothing more is coming. */
const PICTURES_MS = 3_000;
const PICTURES = ['BALANCE', 'POSITION', 'ORDER'];

/** Changes with their new absolute sizes, as the venue writes them. */
const BOOK_CHANGES: LevelForm = {
  bids: 'b',
  asks: 'a',
  texts: ['{"q":"', '","p":"', '","c":"', '"}'],
  values: ['other', 'price', 'size'],
  holderOf: (frame) => frame['data'],
  parse: parseJson,
};

const NOTHING: FrameResult = { events: [], send: [] };

interface BookState {
  readonly orders: OrderBook;
  hasSnapshot: boolean;
  current: boolean;
  firstFrameMonotonicMs: number;
  venueAtMs: number;
  receivedAtMonotonicMs: number;
}

/** What continuity knows of one open connection; a reopened one starts afresh. */
interface Connection {
  readonly openedAtMonotonicMs: number;
  lastSequence: number | undefined;
  /** Set once the connection must be cut: what still arrives on it is ignored. */
  broken: boolean;
  readonly pictures: Set<string>;
  ready: boolean;
}

export class ExtendedStream implements VenueStream {
  readonly #streamUrl: string;
  readonly #apiKey: string;
  readonly #markets: ExtendedMarkets;
  readonly #calendarScale: number;
  readonly #connections = new Map<string, Connection>();
  /** Books that are wanted; a connection is a subscription here, and the connector opens and paces it. */
  readonly #followed = new Subscriptions({
    where: 'extended',
    unansweredMax: Number.POSITIVE_INFINITY,
    answerMs: SILENCE_MS,
  });
  readonly #books = new Map<string, BookState>();

  constructor(access: {
    readonly streamUrl: string;
    readonly apiKey: string;
    readonly markets: ExtendedMarkets;
    readonly calendarScale: number;
  }) {
    this.#streamUrl = access.streamUrl;
    this.#apiKey = access.apiKey;
    this.#markets = access.markets;
    this.#calendarScale = access.calendarScale;
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    this.#markets.watch(symbols);
    this.#followed.keepOwners(symbols);
    for (const symbol of symbols) this.#followed.want(symbol, [symbol]);
    const headers = { 'user-agent': USER_AGENT };
    const socket = (key: string, path: string, more: Readonly<Record<string, string>> = {}): SocketPlan => ({
      key,
      url: this.#streamUrl + path,
      headers: { ...headers, ...more },
      silenceMs: SILENCE_MS,
    });
    return [
      socket(ACCOUNT, '/account', { 'x-api-key': this.#apiKey }),
      socket(MARKS, '/prices/mark'),
      socket(FUNDING, '/funding'),
      ...this.#followed.desired.map((symbol) => socket(BOOK + symbol, `/orderbooks/${encodeURIComponent(symbol)}`)),
    ];
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT;
  }

  opened(socketKey: string, at: Instant): FrameResult {
    this.#connections.set(socketKey, {
      openedAtMonotonicMs: at.monotonicMs,
      lastSequence: undefined,
      broken: false,
      pictures: new Set(),
      ready: false,
    });
    if (socketKey.startsWith(BOOK)) this.#books.delete(socketKey.slice(BOOK.length));
    return NOTHING;
  }

  closed(socketKey: string, at: Instant): readonly VenueEvent[] {
    void at;
    this.#connections.delete(socketKey);
    if (!socketKey.startsWith(BOOK)) return [];
    const symbol = socketKey.slice(BOOK.length);
    return this.#books.delete(symbol) ? [{ type: 'book-invalid', symbol, reason: 'closed' }] : [];
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    const connection = this.#connections.get(socketKey);
    if (connection === undefined || connection.broken) return NOTHING;
    try {
      return this.#read(socketKey, connection, readBookFrame(text, socketKey, BOOK_CHANGES), at);
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      const event: VenueEvent = {
        type: 'malformed-frame',
        channel: socketKey,
        detail: error.message,
        sample: text.slice(0, 200),
      };
      // Where frames build on each other, one that could not be read is one that was lost.
      return socketKey === MARKS || socketKey === FUNDING
        ? { events: [event], send: [] }
        : this.#broken(socketKey, connection, 'gap', 'a frame could not be read', [event]);
    }
  }

  tick(at: Instant): FrameResult {
    const account = this.#connections.get(ACCOUNT);
    if (account === undefined || account.ready || account.broken) return NOTHING;
    if (at.monotonicMs - account.openedAtMonotonicMs < PICTURES_MS) return NOTHING;
    account.ready = true;
    return { events: [{ type: 'private-stream-ready' }], send: [] };
  }

  book(symbol: string): BookView | undefined {
    const book = this.#books.get(symbol);
    if (book === undefined || !book.current) return undefined;
    return book.orders.view('extended', symbol, book.venueAtMs, book.receivedAtMonotonicMs);
  }

  #read(socketKey: string, connection: Connection, { fields: frame, lists }: BookFrame, at: Instant): FrameResult {
    if (optionalText(frame, 'status')?.toUpperCase() === 'ERROR') {
      const failure = asFields(frame['error'], 'stream error');
      const reason = `${socketKey}: ${optionalText(failure, 'message') ?? 'no message'}`;
      return { events: [{ type: 'venue-error', code: optionalText(failure, 'code') ?? 'UNKNOWN', reason }], send: [] };
    }
    const sequence = frame['seq'];
    if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence))
      throw malformed(`${socketKey}.seq`, 'an integer', sequence);
    const last = connection.lastSequence;
    // A frame delivered twice changes nothing the second time.
    if (last !== undefined && sequence <= last) return NOTHING;
    connection.lastSequence = sequence;
    const gapped = last !== undefined && sequence !== last + 1;

    if (socketKey === MARKS) return { events: this.#mark(frame), send: [] };
    if (socketKey === FUNDING) return { events: this.#appliedRate(frame), send: [] };
    if (gapped) return this.#broken(socketKey, connection, 'gap', `sequence went from ${last} to ${sequence}`, []);
    if (socketKey === ACCOUNT) return { events: this.#account(connection, frame), send: [] };
    return this.#book(socketKey, connection, { fields: frame, lists }, at);
  }

  #mark(frame: Fields): readonly VenueEvent[] {
    if (frame['type'] !== 'MP') return [];
    const data = asFields(frame['data'], 'mark price');
    const symbol = textField(data, 'm', 'mark price');
    if (!this.#markets.watched.includes(symbol)) return [];
    // The inner time of live frames is 0: the outer one counts.
    const venueAtMs = timeField(frame, ['ts'], 'mark price');
    return [{ type: 'mark', symbol, markTicksScaled: { markNano: nanoField(data, 'p', 'mark price') }, venueAtMs }];
  }

  #appliedRate(frame: Fields): readonly VenueEvent[] {
    const data = asFields(frame['data'], 'applied rate');
    return this.#markets.watched.includes(textField(data, 'm', 'applied rate')) ? [parseAppliedRate(data)] : [];
  }

  #account(connection: Connection, frame: Fields): readonly VenueEvent[] {
    const type = textField(frame, 'type', 'account');
    const events = this.#accountFacts(type, frame);
    if (connection.ready || !PICTURES.includes(type)) return events;
    connection.pictures.add(type);
    if (connection.pictures.size < PICTURES.length) return events;
    connection.ready = true;
    return [...events, { type: 'private-stream-ready' }];
  }

  #accountFacts(type: string, frame: Fields): readonly VenueEvent[] {
    const { find, clientOrderIdOf } = this.#markets;
    switch (type) {
      case 'ORDER': {
        const { known, unknown } = eachKnown(asFields(frame['data'], 'account')['orders'], 'orders', (item) =>
          parseOrder(item, find),
        );
        for (const order of known) this.#markets.learnOrder(order.venueOrderId, order.clientOrderId);
        return [...known.map((order): VenueEvent => ({ type: 'order-update', order })), ...unknown];
      }
      case 'TRADE': {
        const { known, unknown } = eachKnown(asFields(frame['data'], 'account')['trades'], 'fills', (item) =>
          parseFill(item, find, clientOrderIdOf),
        );
        return [...known.map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
      }
      case 'POSITION': {
        const { known, unknown } = eachKnown(asFields(frame['data'], 'account')['positions'], 'positions', (item) =>
          parsePosition(item, find),
        );
        return [...known.map((position): VenueEvent => ({ type: 'position', position })), ...unknown];
      }
      case 'BALANCE': {
        const balance = asFields(frame['data'], 'account')['balance'];
        return balance === undefined || balance === null ? [] : [parseBalance(balance)];
      }
      default:
        // The venue adds message types over time; what we do not know we do not need.
        return [];
    }
  }

  #book(socketKey: string, connection: Connection, { fields: frame, lists }: BookFrame, at: Instant): FrameResult {
    const symbol = socketKey.slice(BOOK.length);
    const data = asFields(frame['data'], socketKey);
    const named = textField(data, 'm', socketKey);
    if (named !== symbol) throw malformed(`${socketKey}.m`, symbol, named);
    const market = this.#markets.find(symbol);
    if (market === undefined) throw malformed(`${socketKey}.m`, 'a listed market', symbol);
    const venueAtMs = timeField(frame, ['ts'], socketKey);
    const book = this.#books.get(symbol) ?? emptyBook(at);
    this.#books.set(symbol, book);

    const type = frame['type'];
    if (type === 'SNAPSHOT') {
      // Its sizes are those of `q`, and it comes once a minute: parsed like any other.
      const whole = (value: unknown, list: LevelList | undefined): unknown =>
        list === undefined ? value : parsedList(list, socketKey);
      const bids = snapshotLevels(whole(data['b'], lists?.bids), market);
      book.orders.replace(bids, snapshotLevels(whole(data['a'], lists?.asks), market));
      book.hasSnapshot = true;
    } else if (type === 'DELTA') {
      if (!book.hasSnapshot)
        return this.#broken(socketKey, connection, 'no-snapshot', 'a change came before the first snapshot', []);
      applyChanges(book.orders, 'bid', data['b'], lists?.bids, market);
      applyChanges(book.orders, 'ask', data['a'], lists?.asks, market);
    } else {
      return NOTHING;
    }
    if (book.orders.crossed()) return this.#broken(socketKey, connection, 'crossed', 'the book is crossed', []);

    book.venueAtMs = venueAtMs;
    book.receivedAtMonotonicMs = at.monotonicMs;
    // The first snapshot is up to a minute old and followed by the changes since then: trusted once it has caught up.
    book.current ||=
      at.calendarMs - venueAtMs <= CURRENT_MS * this.#calendarScale ||
      at.monotonicMs - book.firstFrameMonotonicMs >= REPLAY_MS;
    return book.current ? { events: [{ type: 'book-changed', symbol }], send: [] } : NOTHING;
  }

  #broken(
    socketKey: string,
    connection: Connection,
    reason: 'gap' | 'no-snapshot' | 'crossed',
    detail: string,
    events: readonly VenueEvent[],
  ): FrameResult {
    connection.broken = true;
    if (!socketKey.startsWith(BOOK)) return { events, send: [], reconnect: detail };
    const symbol = socketKey.slice(BOOK.length);
    this.#books.delete(symbol);
    return { events: [...events, { type: 'book-invalid', symbol, reason }], send: [], reconnect: detail };
  }
}

function emptyBook(at: Instant): BookState {
  return {
    orders: new OrderBook(),
    hasSnapshot: false,
    current: false,
    firstFrameMonotonicMs: at.monotonicMs,
    venueAtMs: 0,
    receivedAtMonotonicMs: at.monotonicMs,
  };
}

function snapshotLevels(value: unknown, market: ExtendedMarket): readonly (readonly [number, number])[] {
  return asList(value, 'book side').map((item) => {
    const level = asFields(item, 'book level');
    return [
      priceTicksFromText(textField(level, 'p', 'book level'), market.instrument),
      quantityLotsFromText(textField(level, 'q', 'book level'), market.instrument),
    ];
  });
}

/** `c` is the new absolute size; servers without it send only the change `q`, which then has to be added up. */
function applyChanges(
  orders: OrderBook,
  side: 'bid' | 'ask',
  value: unknown,
  list: LevelList | undefined,
  market: ExtendedMarket,
): void {
  const plain = list === undefined ? undefined : plainLevels(list, market.instrument);
  for (const [ticks, lots] of plain ?? []) orders.set(side, ticks, lots);
  if (plain !== undefined) return;
  for (const item of asList(list === undefined ? value : parsedList(list, 'book side'), 'book side')) {
    const level = asFields(item, 'book level');
    const ticks = priceTicksFromText(textField(level, 'p', 'book level'), market.instrument);
    const absolute = optionalText(level, 'c');
    if (absolute === undefined)
      orders.add(side, ticks, signedLotsFromText(textField(level, 'q', 'book level'), market));
    else orders.set(side, ticks, quantityLotsFromText(absolute, market.instrument));
  }
}

function signedLotsFromText(text: string, market: ExtendedMarket): number {
  return text.startsWith('-')
    ? -quantityLotsFromText(text.slice(1), market.instrument)
    : quantityLotsFromText(text, market.instrument);
}
