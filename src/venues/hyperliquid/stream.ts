/**
 * Hyperliquid's two sockets: `market` with books, best prices and contexts, `account` with everything about one address, because order
 * updates do not say whose they are. Connector thread only.
 *
 * Frames carry no sequence: each is a whole state with a time, and older ones are dropped. Books come as five levels twice a second;
 * in between the best prices of every block correct their touch.
 */
import type { BookLevel, BookView } from '../../market/book.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { asFields, isFields, malformed, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { Subscriptions } from '../subscriptions.ts';
import { MalformedPayload } from '../venue.ts';
import type { FrameResult, Instant, OutboundFrame, SocketPlan, VenueEvent, VenueStream } from '../venue.ts';
import { asList, optionalText, textField, timeField } from './json.ts';
import type { HyperliquidMarket, HyperliquidMarkets } from './markets.ts';
import { parseAccount, parseContext, parseFill, parseLevel, parseLeverage, parseOrder, parsePayment } from './parse.ts';
import { SUBSCRIPTIONS_MAX } from './limits.ts';
import { eachKnown } from './rest.ts';
import { channelText, subscriptionText } from './wire.ts';
import type { Subscription } from './wire.ts';

const ACCOUNT = 'account';
const MARKET = 'market';

/** The server only talks when something happens, and closes what it has not talked to for a minute: every ping is answered. */
const PING_MS = 5_000;
const SILENCE_MS = 15_000;
const VIEW_LEVELS = 20;
/** Subscriptions without an answer at once, and after how long one is asked for again. */
const UNANSWERED_MAX = 100;
const ANSWER_MS = 10_000;
/** After damaged account frames facts may be missing: the account is compared with the venue this often at most, monotonic ms. */
const COMPARE_PAUSE_MS = 30_000;

const ACCOUNT_SUBSCRIPTIONS = [
  'orderUpdates',
  'userFills',
  'userFundings',
  'userEvents',
  'clearinghouseState',
] as const;
/** Coins whose leverage is asked for at once; each is given up again as soon as it is known. */
const LEVERAGES_ASKED_MAX = 20;
/** What the account socket still waits for besides the confirmations. */
const FILLS_PICTURE = 'picture of userFills';

const NOTHING: FrameResult = { events: [], send: [] };

interface Book {
  bids: readonly BookLevel[];
  asks: readonly BookLevel[];
  venueAtMs: number;
  receivedAtMonotonicMs: number;
}

/** What continuity knows of one open connection; a reopened one starts afresh. */
interface Connection {
  lastPingMs: number;
}
interface AccountState {
  readonly missing: Set<string>;
  newestFillMs: number;
  damaged: boolean;
  lastReadyMs: number;
}

export interface StreamAccess {
  readonly streamUrl: string;
  readonly user: string;
  readonly markets: HyperliquidMarkets;
  /** Accounts of ours behind this address, each with a stream of its own. Default 1. */
  readonly addressSharedBy?: number;
}

export class HyperliquidStream implements VenueStream {
  readonly #access: StreamAccess;
  readonly #connections = new Map<string, Connection>();
  /** By the text of what is asked for. */
  readonly #subscriptions: Readonly<Record<typeof ACCOUNT | typeof MARKET, Subscriptions>>;
  readonly #books = new Map<string, Book>();
  #symbols: readonly string[] = [];
  #account: AccountState | undefined;

  constructor(access: StreamAccess) {
    this.#access = access;
    const { user, addressSharedBy = 1 } = access;
    const max = Math.floor(SUBSCRIPTIONS_MAX / addressSharedBy);
    // All sockets of an address together: what is about the account has its place first.
    const ownMax = ACCOUNT_SUBSCRIPTIONS.length + LEVERAGES_ASKED_MAX;
    this.#subscriptions = {
      [ACCOUNT]: subscriptionsOf(ACCOUNT, ownMax),
      [MARKET]: subscriptionsOf(MARKET, Math.max(0, max - ownMax)),
    };
    this.#subscriptions.account.want(
      ACCOUNT,
      ACCOUNT_SUBSCRIPTIONS.map((type) => channelText({ type, user })),
    );
  }

  plan(symbols: readonly string[]): readonly SocketPlan[] {
    // A coin the venue does not have closes the socket without a word.
    this.#symbols = symbols.filter((symbol) => this.#access.markets.find(symbol) !== undefined);
    const { market: subscriptions } = this.#subscriptions;
    subscriptions.keepOwners(this.#symbols);
    this.#subscriptions.account.keepOwners([ACCOUNT, ...this.#symbols.map(leverageOwner)]);
    for (const coin of this.#symbols) subscriptions.want(coin, marketSubscriptions(coin).map(channelText));
    for (const symbol of this.#books.keys()) if (!this.#symbols.includes(symbol)) this.#books.delete(symbol);
    const socket = (key: string): SocketPlan => ({
      key,
      url: this.#access.streamUrl,
      headers: {},
      silenceMs: SILENCE_MS,
    });
    return [socket(ACCOUNT), socket(MARKET)];
  }

  askLeverage(symbols: readonly string[]): readonly string[] | undefined {
    if (this.#account === undefined) return undefined;
    const { account: subscriptions } = this.#subscriptions;
    // One that is not given up yet would bring no new picture.
    const isUnasked = (coin: string): boolean => subscriptions.status(this.#assetChannel(coin)) === 'none';
    const listed = symbols.filter((coin) => this.#symbols.includes(coin));
    const room = LEVERAGES_ASKED_MAX - (subscriptions.desired.length - ACCOUNT_SUBSCRIPTIONS.length);
    const asked = listed.filter(isUnasked).slice(0, Math.max(0, room));
    for (const coin of asked) subscriptions.want(leverageOwner(coin), [this.#assetChannel(coin)]);
    return asked;
  }

  isPrivate(socketKey: string): boolean {
    return socketKey === ACCOUNT;
  }

  opened(socketKey: string, at: Instant): FrameResult {
    this.#connections.set(socketKey, { lastPingMs: at.monotonicMs });
    this.#subscriptionsOf(socketKey).disconnected();
    if (socketKey === MARKET) {
      this.#books.clear();
    } else {
      this.#account = {
        missing: new Set([...ACCOUNT_SUBSCRIPTIONS, FILLS_PICTURE]),
        newestFillMs: 0,
        damaged: false,
        lastReadyMs: Number.NEGATIVE_INFINITY,
      };
    }
    return { events: [], send: this.#subscribeMissing(socketKey, at) };
  }

  closed(socketKey: string, at: Instant): readonly VenueEvent[] {
    void at;
    this.#connections.delete(socketKey);
    this.#subscriptionsOf(socketKey).disconnected();
    if (socketKey === ACCOUNT) {
      this.#account = undefined;
      return [];
    }
    const lost = [...this.#books.keys()].map((symbol): VenueEvent => ({
      type: 'book-invalid',
      symbol,
      reason: 'closed',
    }));
    this.#books.clear();
    return lost;
  }

  frame(socketKey: string, text: string, at: Instant): FrameResult {
    if (!this.#connections.has(socketKey)) return NOTHING;
    try {
      const frame = asFields(parseLosslessJson(text, socketKey), socketKey);
      const channel = textField(frame, 'channel', socketKey);
      if (channel === 'subscriptionResponse') return this.#confirmed(socketKey, asFields(frame['data'], channel), at);
      const events = this.#common(channel, frame) ?? this.#facts(socketKey, channel, frame['data'], at);
      return { events, send: [] };
    } catch (error) {
      if (!(error instanceof MalformedPayload || error instanceof RangeViolation)) throw error;
      if (socketKey === ACCOUNT && this.#account !== undefined) this.#account.damaged = true;
      const sample = text.slice(0, 200);
      return { events: [{ type: 'malformed-frame', channel: socketKey, detail: error.message, sample }], send: [] };
    }
  }

  tick(at: Instant): FrameResult {
    const send: OutboundFrame[] = [];
    const events: VenueEvent[] = [];
    for (const [socketKey, connection] of this.#connections) {
      const subscriptions = this.#subscriptionsOf(socketKey);
      events.push(...subscriptions.takeExcess());
      send.push(...subscriptions.surplus().map((channel) => subscriptionFrame(socketKey, 'unsubscribe', channel)));
      for (const channel of subscriptions.late(at.monotonicMs)) {
        subscriptions.renewed(channel, at.monotonicMs);
        send.push(
          subscriptionFrame(socketKey, 'unsubscribe', channel),
          subscriptionFrame(socketKey, 'subscribe', channel),
        );
      }
      send.push(...this.#subscribeMissing(socketKey, at));
      if (at.monotonicMs - connection.lastPingMs < PING_MS) continue;
      connection.lastPingMs = at.monotonicMs;
      send.push({ socketKey, text: '{"method":"ping"}', kind: 'control' });
    }
    return { events: [...events, ...this.#comparisonIfDamaged(at)], send };
  }

  book(symbol: string): BookView | undefined {
    const book = this.#books.get(symbol);
    if (book === undefined) return undefined;
    const { bids, asks, venueAtMs, receivedAtMonotonicMs } = book;
    return { venue: 'hyperliquid', symbol, bids, asks, venueAtMs, receivedAtMonotonicMs };
  }

  #subscribeMissing(socketKey: string, at: Instant): readonly OutboundFrame[] {
    if (!this.#connections.has(socketKey)) return [];
    const due = this.#subscriptionsOf(socketKey).due(at.monotonicMs);
    return due.map((channel) => subscriptionFrame(socketKey, 'subscribe', channel));
  }

  #subscriptionsOf(socketKey: string): Subscriptions {
    return socketKey === ACCOUNT ? this.#subscriptions.account : this.#subscriptions.market;
  }

  /** The venue repeats what was asked for, with defaults of its own filled in. Giving up is answered as well, and no news. */
  #confirmed(socketKey: string, data: Fields, at: Instant): FrameResult {
    if (data['method'] === 'unsubscribe') return NOTHING;
    const confirmed = asFields(data['subscription'], 'subscriptionResponse');
    const type = textField(confirmed, 'type', 'subscriptionResponse');
    if (type === 'activeAssetData') {
      const channel = this.#assetChannel(textField(confirmed, 'coin', 'subscriptionResponse'));
      this.#subscriptions.account.answered(channel);
      return { events: [], send: this.#subscribeMissing(socketKey, at) };
    }
    const isOfCoin = socketKey === MARKET;
    const name = isOfCoin ? textField(confirmed, 'coin', 'subscriptionResponse') : this.#access.user;
    const channel = isOfCoin
      ? marketSubscriptions(name).find((subscription) => subscription['type'] === type)
      : { type, user: name };
    if (channel !== undefined) this.#subscriptionsOf(socketKey).answered(channelText(channel));
    return { events: this.#arrived(type, at), send: this.#subscribeMissing(socketKey, at) };
  }

  /** What both sockets have alike; undefined for anything else. */
  #common(channel: string, frame: Fields): readonly VenueEvent[] | undefined {
    switch (channel) {
      case 'pong':
        return [];
      case 'error':
        return [{ type: 'venue-error', code: 'STREAM_ERROR', reason: String(frame['data']).slice(0, 200) }];
      default:
        return undefined;
    }
  }

  #facts(socketKey: string, channel: string, data: unknown, at: Instant): readonly VenueEvent[] {
    if (socketKey === MARKET) {
      switch (channel) {
        case 'l2Book':
          return this.#wholeBook(asFields(data, channel), at);
        case 'bbo':
          return this.#bestPrices(asFields(data, channel), at);
        case 'activeAssetCtx': {
          const named = asFields(data, channel);
          const market = this.#marketOf(named, channel);
          return market === undefined
            ? []
            : parseContext(market.instrument.symbol, named['ctx'], Math.floor(at.calendarMs));
        }
        default:
          // The venue adds channels over time; what we did not ask for we do not need.
          return [];
      }
    }
    return this.#account === undefined ? [] : this.#accountFacts(this.#account, channel, data, at);
  }

  #accountFacts(account: AccountState, channel: string, data: unknown, at: Instant): readonly VenueEvent[] {
    const { find } = this.#access.markets;
    switch (channel) {
      case 'orderUpdates': {
        const { known, unknown } = eachKnown(data, channel, (item) => {
          const update = asFields(item, channel);
          const status = textField(update, 'status', channel);
          return parseOrder(update['order'], status, timeField(update, 'statusTimestamp', channel), find);
        });
        return [...known.map((order): VenueEvent => ({ type: 'order-update', order })), ...unknown];
      }
      case 'userFills': {
        const frame = this.#ours(data, channel);
        // The picture holds months of fills that a question answers better: the comparison that follows reads what is missing.
        if (frame['isSnapshot'] === true) return this.#arrived(FILLS_PICTURE, at);
        const { known, unknown } = eachKnown(frame['fills'], channel, (item) => parseFill(item, find));
        for (const fill of known) account.newestFillMs = Math.max(account.newestFillMs, fill.venueAtMs);
        return [...known.map((fill): VenueEvent => ({ type: 'fill', fill })), ...unknown];
      }
      case 'userFundings': {
        const frame = this.#ours(data, channel);
        if (frame['isSnapshot'] === true) return [];
        const { known, unknown } = eachKnown(frame['fundings'], channel, (item) => parsePayment(item, find));
        return [...known.map((payment): VenueEvent => ({ type: 'funding-payment', payment })), ...unknown];
      }
      case 'clearinghouseState': {
        const picture = parseAccount(this.#ours(data, channel)['clearinghouseState'], find);
        // Made before a fill that was told already: its positions would take the fill back.
        return picture.atMs < account.newestFillMs ? [] : picture.events;
      }
      case 'activeAssetData':
        return this.#leverage(this.#ours(data, channel));
      case 'user':
        return accountEvents(asFields(data, channel));
      default:
        return [];
    }
  }

  /** What is in force now: only the picture that follows the confirmation is sure to be younger than the question. */
  #leverage(frame: Fields): readonly VenueEvent[] {
    const coin = textField(frame, 'coin', 'activeAssetData');
    const { account: subscriptions } = this.#subscriptions;
    if (subscriptions.status(this.#assetChannel(coin)) !== 'confirmed') return [];
    const event = parseLeverage(coin, frame);
    subscriptions.want(leverageOwner(coin), []);
    return [event];
  }

  #assetChannel(coin: string): string {
    return channelText({ type: 'activeAssetData', user: this.#access.user, coin });
  }

  /** Other users' frames cannot come; if they do, they are not ours to book. */
  #ours(data: unknown, channel: string): Fields {
    const frame = asFields(data, channel);
    const user = textField(frame, 'user', channel).toLowerCase();
    if (user !== this.#access.user) throw malformed(`${channel}.user`, this.#access.user, user);
    return frame;
  }

  #arrived(what: string, at: Instant): readonly VenueEvent[] {
    const account = this.#account;
    if (account === undefined || !account.missing.delete(what) || account.missing.size > 0) return [];
    account.lastReadyMs = at.monotonicMs;
    return [{ type: 'private-stream-ready' }];
  }

  #comparisonIfDamaged(at: Instant): readonly VenueEvent[] {
    const account = this.#account;
    if (account === undefined || !account.damaged || account.missing.size > 0) return [];
    if (at.monotonicMs - account.lastReadyMs < COMPARE_PAUSE_MS) return [];
    account.damaged = false;
    account.lastReadyMs = at.monotonicMs;
    return [{ type: 'private-stream-ready' }];
  }

  #marketOf(frame: Fields, channel: string): HyperliquidMarket | undefined {
    const coin = textField(frame, 'coin', channel);
    return this.#symbols.includes(coin) ? this.#access.markets.find(coin) : undefined;
  }

  #wholeBook(frame: Fields, at: Instant): readonly VenueEvent[] {
    const market = this.#marketOf(frame, 'l2Book');
    if (market === undefined) return [];
    const [bids, asks] = asList(frame['levels'], 'l2Book.levels');
    const levels = (side: unknown, name: string): readonly BookLevel[] =>
      asList(side, `l2Book.${name}`).map((level) => parseLevel(level, market));
    return this.#replace(market, timeField(frame, 'time', 'l2Book'), levels(bids, 'bids'), levels(asks, 'asks'), at);
  }

  /** Corrects the touch: what stood at better prices is gone, the levels behind are at most half a second old. */
  #bestPrices(frame: Fields, at: Instant): readonly VenueEvent[] {
    const market = this.#marketOf(frame, 'bbo');
    if (market === undefined) return [];
    const book = this.#books.get(market.instrument.symbol);
    if (book === undefined) return [];
    const [bid, ask] = asList(frame['bbo'], 'bbo.bbo');
    const side = (best: unknown, behind: readonly BookLevel[], isBehind: (ticks: number, of: number) => boolean) => {
      if (best === null) return [];
      const level = parseLevel(best, market);
      return [level, ...behind.filter(([ticks]) => isBehind(ticks, level[0]))];
    };
    const bids = side(bid, book.bids, (ticks, best) => ticks < best);
    const asks = side(ask, book.asks, (ticks, best) => ticks > best);
    return this.#replace(market, timeField(frame, 'time', 'bbo'), bids, asks, at);
  }

  #replace(
    market: HyperliquidMarket,
    venueAtMs: number,
    bids: readonly BookLevel[],
    asks: readonly BookLevel[],
    at: Instant,
  ): readonly VenueEvent[] {
    const { symbol } = market.instrument;
    const known = this.#books.get(symbol);
    if (known !== undefined && venueAtMs < known.venueAtMs) return [];
    if (!isSorted(bids, -1) || !isSorted(asks, 1))
      throw malformed(`book of ${symbol}`, 'sorted best first', [bids, asks]);
    const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]];
    if (bid !== undefined && ask !== undefined && bid >= ask) {
      this.#books.delete(symbol);
      return [{ type: 'book-invalid', symbol, reason: 'crossed' }];
    }
    this.#books.set(symbol, {
      bids: bids.slice(0, VIEW_LEVELS),
      asks: asks.slice(0, VIEW_LEVELS),
      venueAtMs,
      receivedAtMonotonicMs: at.monotonicMs,
    });
    return [{ type: 'book-changed', symbol }];
  }
}

function subscriptionsOf(socketKey: string, max: number): Subscriptions {
  return new Subscriptions({
    where: `hyperliquid ${socketKey}`,
    max,
    unansweredMax: UNANSWERED_MAX,
    answerMs: ANSWER_MS,
  });
}

function leverageOwner(coin: string): string {
  return `leverage ${coin}`;
}

function marketSubscriptions(coin: string): readonly Subscription[] {
  return [
    { type: 'l2Book', coin, fast: true },
    { type: 'bbo', coin },
    { type: 'activeAssetCtx', coin },
  ];
}

function subscriptionFrame(socketKey: string, method: 'subscribe' | 'unsubscribe', channel: string): OutboundFrame {
  return { socketKey, text: subscriptionText(method, channel), kind: 'control' };
}

function isSorted(levels: readonly BookLevel[], direction: 1 | -1): boolean {
  return levels.every(([ticks], index) => index === 0 || (ticks - (levels[index - 1]?.[0] ?? 0)) * direction > 0);
}

/** Fills and payments come on their own channels as well; what only comes here is what the venue did to the account by itself. */
function accountEvents(data: Fields): readonly VenueEvent[] {
  const { liquidation } = data;
  if (!isFields(liquidation)) return [];
  const value = optionalText(liquidation, 'liquidated_ntl_pos') ?? 'unknown';
  return [{ type: 'venue-error', code: 'LIQUIDATION', reason: `positions worth ${value} were liquidated` }];
}
