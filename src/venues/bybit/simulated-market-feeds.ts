/** The simulated Bybit venue's public topics: numbered books of several depths, tickers that name what changed, trades. Any thread. */
import { priceText, quantityText } from '../../money/amounts.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { ExchangeEvent, ExchangeTrade } from '../../simulation/exchange.ts';
import type { Instant } from '../venue.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { tickerJson } from './simulated-wire.ts';

/** Pause between two frames of a book, by depth. */
const BOOK_INTERVAL_MS: ReadonlyMap<number, number> = new Map([
  [1, 10],
  [50, 20],
  [200, 100],
  [1_000, 200],
]);
/** The best prices are repeated after so long without a change. */
const REPEAT_MS = 3_000;
const FIRST_UPDATE = 177_400_000;

type Levels = Map<number, number>;

interface BookFeed {
  readonly topic: string;
  readonly instrument: Instrument;
  readonly depth: number;
  readonly intervalMs: number;
  update: number;
  /** What subscribers have. */
  bids: Levels;
  asks: Levels;
  isDirty: boolean;
  /** Earliest next frame, monotonic ms. */
  nextMs: number;
}

interface TickerFeed {
  readonly instrument: Instrument;
  fields: Readonly<Record<string, string>>;
}

export type BookFault = 'book-gap' | 'book-duplicate' | 'book-crossed' | 'book-restart';

/** Sends a frame to whoever follows its topic now. */
export type Publish = (topic: string, text: string) => void;

export class SimulatedMarketFeeds {
  readonly #records: SimulatedRecords;
  readonly #publish: Publish;
  readonly #isFollowed: (topic: string) => boolean;
  readonly #books = new Map<string, BookFeed>();
  readonly #tickers = new Map<string, TickerFeed>();
  readonly #faults: BookFault[] = [];
  #sequence = 66_544_703_000;
  #tickerSequence = 9_532_239_000;

  constructor(records: SimulatedRecords, publish: Publish, isFollowed: (topic: string) => boolean) {
    this.#records = records;
    this.#publish = publish;
    this.#isFollowed = isFollowed;
  }

  /** Whether the venue has such a topic. */
  has(topic: string): boolean {
    const [kind, ...rest] = topic.split('.');
    const symbol = rest.at(-1) ?? '';
    if (this.#records.instrument(symbol) === undefined) return false;
    if (kind === 'orderbook') return rest.length === 2 && BOOK_INTERVAL_MS.has(Number(rest[0]));
    return (kind === 'tickers' || kind === 'publicTrade') && rest.length === 1;
  }

  /** The first frame of a new subscription; undefined where the topic has none. What others still lack is sent to them first. */
  snapshot(topic: string, at: Instant): string | undefined {
    if (topic.startsWith('tickers.')) {
      const feed = this.#ticker(topic.slice('tickers.'.length));
      return feed === undefined ? undefined : this.#tickerFrame(feed, 'snapshot', feed.fields, at);
    }
    if (!topic.startsWith('orderbook.')) return undefined;
    const feed = this.#book(topic, at);
    if (feed === undefined) return undefined;
    this.#flush(feed, at);
    return this.#bookFrame(feed, 'snapshot', [...feed.bids], [...feed.asks], at);
  }

  damageNextBook(fault: BookFault): void {
    this.#faults.push(fault);
  }

  observe(event: ExchangeEvent, at: Instant): void {
    if (event.type === 'book') {
      for (const feed of this.#books.values()) if (feed.instrument.symbol === event.symbol) feed.isDirty = true;
    } else if (event.type === 'stats') {
      this.#changeTicker(event.stats.symbol, at);
    } else if (event.type === 'trade') {
      this.#trade(event.trade, at);
    }
  }

  /** Sends the books that are due. */
  tick(at: Instant): void {
    for (const feed of this.#books.values()) {
      if (!this.#isFollowed(feed.topic)) {
        // Nobody has it: the next subscriber gets it whole.
        this.#books.delete(feed.topic);
      } else if (at.monotonicMs >= this.#dueMs(feed)) {
        this.#flush(feed, at);
      }
    }
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const feed of this.#books.values()) wake = Math.min(wake, this.#dueMs(feed));
    return wake;
  }

  #dueMs(feed: BookFeed): number {
    if (feed.isDirty) return feed.nextMs;
    return feed.depth === 1 ? feed.nextMs - feed.intervalMs + REPEAT_MS : Number.POSITIVE_INFINITY;
  }

  #book(topic: string, at: Instant): BookFeed | undefined {
    const known = this.#books.get(topic);
    if (known !== undefined) return known;
    const [, depthText, symbol = ''] = topic.split('.');
    const depth = Number(depthText);
    const instrument = this.#records.instrument(symbol);
    const intervalMs = BOOK_INTERVAL_MS.get(depth);
    if (instrument === undefined || intervalMs === undefined) return undefined;
    const { bids, asks } = this.#best(symbol, depth);
    const feed: BookFeed = {
      topic,
      instrument,
      depth,
      intervalMs,
      update: FIRST_UPDATE + (this.#sequence % 1_000_000),
      bids,
      asks,
      isDirty: false,
      nextMs: at.monotonicMs,
    };
    this.#books.set(topic, feed);
    return feed;
  }

  #best(symbol: string, depth: number): { readonly bids: Levels; readonly asks: Levels } {
    const book = this.#records.exchange.book(symbol);
    return { bids: new Map(book.bids.slice(0, depth)), asks: new Map(book.asks.slice(0, depth)) };
  }

  #flush(feed: BookFeed, at: Instant): void {
    const isDue = feed.isDirty || (feed.depth === 1 && at.monotonicMs >= this.#dueMs(feed));
    if (!isDue) return;
    feed.isDirty = false;
    const { bids, asks } = this.#best(feed.instrument.symbol, feed.depth);
    const [bidChanges, askChanges] = [changes(feed.bids, bids), changes(feed.asks, asks)];
    feed.bids = bids;
    feed.asks = asks;
    const isChanged = bidChanges.length + askChanges.length > 0;
    if (!isChanged && feed.depth !== 1) return;
    feed.nextMs = at.monotonicMs + feed.intervalMs;
    if (isChanged) feed.update += 1;
    if (feed.depth === 1) this.#publish(feed.topic, this.#bookFrame(feed, 'snapshot', [...bids], [...asks], at));
    else this.#sendChange(feed, bidChanges, askChanges, at);
  }

  #sendChange(feed: BookFeed, bids: readonly Level[], asks: readonly Level[], at: Instant): void {
    const fault = this.#faults.shift();
    if (fault === 'book-gap') feed.update += 1;
    if (fault === 'book-restart') {
      feed.update = 1;
      this.#publish(feed.topic, this.#bookFrame(feed, 'delta', [...feed.bids], [...feed.asks], at));
      return;
    }
    const bestAsk = [...feed.asks.keys()][0];
    const crossing: readonly Level[] = fault === 'book-crossed' && bestAsk !== undefined ? [[bestAsk, 1]] : [];
    const text = this.#bookFrame(feed, 'delta', [...bids, ...crossing], asks, at);
    this.#publish(feed.topic, text);
    if (fault === 'book-duplicate') this.#publish(feed.topic, text);
  }

  #bookFrame(feed: BookFeed, type: string, bids: readonly Level[], asks: readonly Level[], at: Instant): string {
    const { topic, instrument, update } = feed;
    this.#sequence += 1;
    const levels = (side: readonly Level[]): readonly (readonly string[])[] =>
      side.map(([ticks, lots]) => [priceText(ticks, instrument), lots === 0 ? '0' : quantityText(lots, instrument)]);
    const nowMs = Math.floor(at.calendarMs);
    const data = { s: instrument.symbol, b: levels(bids), a: levels(asks), u: update, seq: this.#sequence };
    return JSON.stringify({ topic, type, ts: nowMs, data, cts: nowMs });
  }

  #ticker(symbol: string): TickerFeed | undefined {
    const known = this.#tickers.get(symbol);
    if (known !== undefined) return known;
    const instrument = this.#records.instrument(symbol);
    if (instrument === undefined) return undefined;
    const feed = { instrument, fields: this.#fieldsOf(instrument) };
    this.#tickers.set(symbol, feed);
    return feed;
  }

  #fieldsOf(instrument: Instrument): Readonly<Record<string, string>> {
    const { exchange } = this.#records;
    return tickerJson(instrument, exchange.stats(instrument.symbol), exchange.book(instrument.symbol));
  }

  #changeTicker(symbol: string, at: Instant): void {
    const feed = this.#tickers.get(symbol);
    if (feed === undefined) return;
    const before = feed.fields;
    feed.fields = this.#fieldsOf(feed.instrument);
    const changed = Object.entries(feed.fields).filter(([name, value]) => before[name] !== value);
    if (changed.length === 0) return;
    const fields = { symbol, ...Object.fromEntries(changed) };
    this.#publish(`tickers.${symbol}`, this.#tickerFrame(feed, 'delta', fields, at));
  }

  #tickerFrame(feed: TickerFeed, type: string, fields: Readonly<Record<string, string>>, at: Instant): string {
    this.#tickerSequence += 1;
    const topic = `tickers.${feed.instrument.symbol}`;
    return JSON.stringify({ topic, type, data: fields, cs: this.#tickerSequence, ts: Math.floor(at.calendarMs) });
  }

  #trade(trade: ExchangeTrade, at: Instant): void {
    const topic = `publicTrade.${trade.symbol}`;
    const instrument = this.#records.instrument(trade.symbol);
    if (instrument === undefined || !this.#isFollowed(topic)) return;
    const data = {
      T: Math.floor(trade.atMs),
      s: trade.symbol,
      S: trade.takerSide === 'buy' ? 'Buy' : 'Sell',
      v: quantityText(trade.lots, instrument),
      p: priceText(trade.priceTicks, instrument),
      L: 'ZeroPlusTick',
      i: this.#records.ids.trade(trade.tradeNumber),
      BT: false,
      seq: trade.tradeNumber,
    };
    this.#publish(topic, JSON.stringify({ topic, type: 'snapshot', ts: Math.floor(at.calendarMs), data: [data] }));
  }
}

type Level = readonly [ticks: number, lots: number];

/** What makes one side of a book the other; levels that left have no lots. */
function changes(before: Levels, after: Levels): readonly Level[] {
  const gone = [...before.keys()].filter((ticks) => !after.has(ticks)).map((ticks): Level => [ticks, 0]);
  return [...gone, ...[...after].filter(([ticks, lots]) => before.get(ticks) !== lots)];
}
