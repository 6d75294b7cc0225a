/** The simulated gateway's public channels: books whose changes name the one before, tickers, trades. Any thread. */
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeEvent } from '../../simulation/exchange.ts';
import type { Instant } from '../venue.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { amountNumber, priceNumber, tickerJson } from './simulated-wire.ts';

/** Pause between two notifications of a channel, by its interval's name. */
const INTERVALS_MS: ReadonlyMap<string, number> = new Map([
  ['100ms', 100],
  ['raw', 0],
]);
const FIRST_CHANGE = 133_112_427_000;
const KINDS: ReadonlySet<string> = new Set(['book', 'ticker', 'trades', 'quote']);

type Levels = ReadonlyMap<number, number>;
type Level = readonly [action: 'new' | 'change' | 'delete', ticks: number, lots: number];

interface Feed {
  readonly channel: string;
  readonly kind: string;
  readonly instrument: Instrument;
  readonly intervalMs: number;
  isDirty: boolean;
  /** Earliest next notification, monotonic ms. */
  nextMs: number;
  // Of a book: the change told last, and what subscribers have.
  change: number;
  bids: Levels;
  asks: Levels;
}

export type BookFault = 'book-gap' | 'book-duplicate' | 'book-crossed';

/** Sends a notification's data to whoever follows its channel now. */
export type Publish = (channel: string, data: unknown) => void;

export class SimulatedMarketFeeds {
  readonly #records: SimulatedRecords;
  readonly #publish: Publish;
  readonly #isFollowed: (channel: string) => boolean;
  readonly #feeds = new Map<string, Feed>();
  readonly #faults: BookFault[] = [];

  constructor(records: SimulatedRecords, publish: Publish, isFollowed: (channel: string) => boolean) {
    this.#records = records;
    this.#publish = publish;
    this.#isFollowed = isFollowed;
  }

  /** Whether the venue has such a channel. */
  has(channel: string): boolean {
    const [kind = '', symbol = '', interval = '100ms', ...rest] = channel.split('.');
    if (!KINDS.has(kind) || rest.length > 0 || this.#records.instrument(symbol) === undefined) return false;
    return kind === 'quote' || INTERVALS_MS.has(interval);
  }

  /** The first notification's data of a new subscription; undefined where there is none. What others still lack is sent to them first. */
  snapshot(channel: string, at: Instant): unknown {
    const feed = this.#feed(channel, at);
    if (feed === undefined) return undefined;
    if (feed.kind === 'ticker') return this.#ticker(feed, at);
    if (feed.kind !== 'book') return undefined;
    this.#flush(feed, at);
    const all = (side: Levels): readonly Level[] => [...side].map(([ticks, lots]) => ['new', ticks, lots]);
    return this.#bookData(feed, 'snapshot', null, all(feed.bids), all(feed.asks), at);
  }

  damageNextBook(fault: BookFault): void {
    this.#faults.push(fault);
  }

  observe(event: ExchangeEvent, at: Instant): void {
    if (event.type === 'book') this.#mark(event.symbol, ['book', 'ticker']);
    else if (event.type === 'stats') this.#mark(event.stats.symbol, ['ticker']);
    else if (event.type === 'trade') this.#trade(event.trade, at);
  }

  #mark(symbol: string, kinds: readonly string[]): void {
    for (const feed of this.#feeds.values())
      if (feed.instrument.symbol === symbol && kinds.includes(feed.kind)) feed.isDirty = true;
  }

  /** Sends what is due. */
  tick(at: Instant): void {
    for (const feed of this.#feeds.values()) {
      // Nobody has it: the next subscriber gets it whole.
      if (!this.#isFollowed(feed.channel)) this.#feeds.delete(feed.channel);
      else if (feed.isDirty && at.monotonicMs >= feed.nextMs) this.#flush(feed, at);
    }
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const feed of this.#feeds.values()) if (feed.isDirty) wake = Math.min(wake, feed.nextMs);
    return wake;
  }

  #feed(channel: string, at: Instant): Feed | undefined {
    const known = this.#feeds.get(channel);
    if (known !== undefined) return known;
    const [kind = '', symbol = '', interval = '100ms'] = channel.split('.');
    const instrument = this.#records.instrument(symbol);
    if (instrument === undefined) return undefined;
    const feed: Feed = {
      channel,
      kind,
      instrument,
      intervalMs: INTERVALS_MS.get(interval) ?? 0,
      isDirty: false,
      nextMs: at.monotonicMs,
      change: FIRST_CHANGE + Math.floor(at.monotonicMs),
      ...this.#sides(symbol),
    };
    this.#feeds.set(channel, feed);
    return feed;
  }

  #sides(symbol: string): { readonly bids: Levels; readonly asks: Levels } {
    const book = this.#records.exchange.book(symbol);
    return { bids: new Map(book.bids), asks: new Map(book.asks) };
  }

  #flush(feed: Feed, at: Instant): void {
    if (!feed.isDirty) return;
    feed.isDirty = false;
    feed.nextMs = at.monotonicMs + feed.intervalMs;
    if (feed.kind === 'ticker') {
      this.#publish(feed.channel, this.#ticker(feed, at));
      return;
    }
    const { bids, asks } = this.#sides(feed.instrument.symbol);
    const [bidChanges, askChanges] = [changes(feed.bids, bids), changes(feed.asks, asks)];
    feed.bids = bids;
    feed.asks = asks;
    if (bidChanges.length + askChanges.length > 0) this.#sendChange(feed, bidChanges, askChanges, at);
  }

  #sendChange(feed: Feed, bids: readonly Level[], asks: readonly Level[], at: Instant): void {
    const fault = this.#faults.shift();
    if (fault === 'book-gap') feed.change += 2;
    const before = feed.change;
    feed.change += 1;
    const bestAsk = [...feed.asks.keys()][0];
    const crossing: readonly Level[] = fault === 'book-crossed' && bestAsk !== undefined ? [['new', bestAsk, 1]] : [];
    const data = this.#bookData(feed, 'change', before, [...bids, ...crossing], asks, at);
    this.#publish(feed.channel, data);
    if (fault === 'book-duplicate') this.#publish(feed.channel, data);
  }

  #bookData(
    feed: Feed,
    type: 'snapshot' | 'change',
    before: number | null,
    bids: readonly Level[],
    asks: readonly Level[],
    at: Instant,
  ): unknown {
    const { instrument, change } = feed;
    const levels = (side: readonly Level[]): unknown =>
      side.map(([action, ticks, lots]) => [action, priceNumber(ticks, instrument), amountNumber(lots, instrument)]);
    return {
      type,
      instrument_name: instrument.symbol,
      timestamp: Math.floor(at.calendarMs),
      change_id: change,
      prev_change_id: before,
      bids: levels(bids),
      asks: levels(asks),
    };
  }

  #ticker({ instrument }: Feed, at: Instant): unknown {
    const { exchange } = this.#records;
    return tickerJson(instrument, exchange.stats(instrument.symbol), exchange.book(instrument.symbol), at.calendarMs);
  }

  #trade(trade: Extract<ExchangeEvent, { type: 'trade' }>['trade'], at: Instant): void {
    const channel = `trades.${trade.symbol}.100ms`;
    const instrument = this.#records.instrument(trade.symbol);
    if (instrument === undefined || !this.#isFollowed(channel)) return;
    this.#publish(channel, [
      {
        trade_id: this.#records.ids.trade(trade.tradeNumber),
        trade_seq: trade.tradeNumber,
        instrument_name: trade.symbol,
        price: priceNumber(trade.priceTicks, instrument),
        amount: amountNumber(trade.lots, instrument),
        contracts: trade.lots,
        direction: trade.takerSide,
        timestamp: Math.floor(at.calendarMs),
        tick_direction: 0,
      },
    ]);
  }
}

/** What makes one side of a book the other. */
function changes(before: Levels, after: Levels): readonly Level[] {
  const gone = [...before.keys()].filter((ticks) => !after.has(ticks)).map((ticks): Level => ['delete', ticks, 0]);
  const set = [...after]
    .filter(([ticks, lots]) => before.get(ticks) !== lots)
    .map(([ticks, lots]): Level => [before.has(ticks) ? 'change' : 'new', ticks, lots]);
  return [...gone, ...set];
}
