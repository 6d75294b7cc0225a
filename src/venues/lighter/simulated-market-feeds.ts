/** The simulated Lighter venue's public channels: books in bursts with chained nonces, tickers, statistics, trades. Any thread. */
import { priceText, quantityText } from '../../money/amounts.ts';
import type { ExchangeEvent, ExchangeTrade } from '../../simulation/exchange.ts';
import type { Instant } from '../venue.ts';
import type { Channel, FrameBody, Publish } from './simulated-channels.ts';
import type { WireValue } from './simulated-json.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { marketStatsJson } from './simulated-market-wire.ts';
import { isForced, micros } from './simulated-wire.ts';
import type { SimulatedMarket } from './simulated-wire.ts';

const BOOK_BURST_MS = 50;
/** Statistics come at least this often, real ms, and at least this often in calendar time: compressed hours keep their detail. */
const STATS_REAL_MS = 1_000;
const STATS_CALENDAR_MS = 5 * 60_000;
const STATS_REAL_MS_MIN = 20;
const SNAPSHOT_TRADES = 50;

type Levels = Map<number, number>;
interface Sides {
  readonly bids: Levels;
  readonly asks: Levels;
}

/** One market as its subscribers have it. */
interface MarketFeed {
  readonly market: SimulatedMarket;
  readonly published: Sides;
  pending: Sides | undefined;
  /** Engine nonce and offset of the latest book frame. */
  nonce: number;
  offset: number;
  bookAt: Instant;
  tickerNonce: number;
  statsDueMs: number;
  trades: ExchangeTrade[];
}

export class MarketFeeds {
  readonly #records: SimulatedRecords;
  readonly #feeds: MarketFeed[] = [];
  readonly #skippedBooks: (number | undefined)[] = [];
  readonly #statsMs: number;
  #burstDueMs = Number.POSITIVE_INFINITY;

  constructor(records: SimulatedRecords, calendarScale: number) {
    this.#records = records;
    this.#statsMs = Math.max(STATS_REAL_MS_MIN, Math.min(STATS_REAL_MS, STATS_CALENDAR_MS / calendarScale));
  }

  /** To be called once, after the exchange's first advance. */
  start(at: Instant): void {
    for (const market of this.#records.markets) {
      const book = this.#records.exchange.book(market.instrument.symbol);
      const nonce = this.#records.engineNonce;
      this.#feeds.push({
        market,
        published: { bids: new Map(book.bids), asks: new Map(book.asks) },
        pending: undefined,
        nonce,
        offset: 1_000 * (market.marketId + 1),
        bookAt: at,
        tickerNonce: nonce,
        statsDueMs: at.monotonicMs + this.#statsMs,
        trades: [],
      });
    }
  }

  /** Swallows the next book burst of a market, or of any. */
  skipBook(marketId: number | undefined): void {
    this.#skippedBooks.push(marketId);
  }

  nextWakeMs(): number {
    return this.#feeds.reduce((wake, { statsDueMs }) => Math.min(wake, statsDueMs), this.#burstDueMs);
  }

  observe(event: ExchangeEvent, at: Instant): void {
    switch (event.type) {
      case 'book': {
        const feed = this.#feedOf(event.symbol);
        feed.pending ??= { bids: new Map(), asks: new Map() };
        for (const [ticks, lots] of event.bids) feed.pending.bids.set(ticks, lots);
        for (const [ticks, lots] of event.asks) feed.pending.asks.set(ticks, lots);
        this.#burstDueMs = Math.min(this.#burstDueMs, (Math.floor(at.monotonicMs / BOOK_BURST_MS) + 1) * BOOK_BURST_MS);
        return;
      }
      case 'stats':
        this.#feedOf(event.stats.symbol).statsDueMs = Number.NEGATIVE_INFINITY;
        return;
      case 'trade':
        this.#feedOf(event.trade.symbol).trades.push(event.trade);
        return;
      default:
    }
  }

  /** Publishes what is due at `at`. */
  flush(at: Instant, publish: Publish): void {
    const burst = at.monotonicMs >= this.#burstDueMs;
    if (burst) this.#burstDueMs = Number.POSITIVE_INFINITY;
    const stats: SimulatedMarket[] = [];
    for (const feed of this.#feeds) {
      this.#flushTrades(feed, publish);
      if (feed.pending !== undefined) this.#flushTicker(feed, at, publish);
      if (burst) this.#flushBook(feed, at, publish);
      if (at.monotonicMs < feed.statsDueMs) continue;
      feed.statsDueMs = at.monotonicMs + this.#statsMs;
      stats.push(feed.market);
      const { marketId } = feed.market;
      publish({ name: 'market_stats', marketId }, () => this.#statsFrame(this.#stats(feed.market), at));
    }
    if (stats.length > 0) publish({ name: 'market_stats' }, () => this.#statsFrame(this.#statsById(stats), at));
  }

  #flushTrades(feed: MarketFeed, publish: Publish): void {
    if (feed.trades.length === 0) return;
    const trades = feed.trades;
    feed.trades = [];
    publish({ name: 'trade', marketId: feed.market.marketId }, () => this.#tradesFrame(trades));
  }

  #flushTicker(feed: MarketFeed, at: Instant, publish: Publish): void {
    const { marketId } = feed.market;
    publish({ name: 'ticker', marketId }, () => {
      feed.tickerNonce = this.#records.engineNonce;
      return this.#tickerFrame(feed, at);
    });
  }

  #flushBook(feed: MarketFeed, at: Instant, publish: Publish): void {
    const { pending, market } = feed;
    if (pending === undefined) return;
    feed.pending = undefined;
    const asks = applyChanges(feed.published.asks, pending.asks, market);
    const bids = applyChanges(feed.published.bids, pending.bids, market);
    const beginNonce = feed.nonce;
    feed.nonce = this.#records.engineNonce;
    // Offsets grow, but neither by one nor alike on all servers.
    feed.offset += 1 + asks.length + bids.length;
    feed.bookAt = at;
    const skipped = this.#skippedBooks.findIndex((marketId) => marketId === undefined || marketId === market.marketId);
    if (skipped >= 0) {
      this.#skippedBooks.splice(skipped, 1);
      return;
    }
    publish({ name: 'order_book', marketId: market.marketId }, () => bookFrame(feed, asks, bids, beginNonce, at));
  }

  /** The first frame of a subscription. */
  snapshot(channel: Extract<Channel, { marketId?: number }>, at: Instant): FrameBody {
    const feed = this.#feeds[channel.marketId ?? 0];
    if (feed === undefined) throw new RangeError(`market ${channel.marketId ?? 0} must be listed`);
    switch (channel.name) {
      case 'order_book': {
        const { published, market } = feed;
        const asks = [...published.asks].toSorted(([left], [right]) => left - right);
        const bids = [...published.bids].toSorted(([left], [right]) => right - left);
        const json = (levels: readonly (readonly [number, number])[]): readonly WireValue[] =>
          levels.map(([ticks, lots]) => levelJson(ticks, lots, market));
        return bookFrame(feed, json(asks), json(bids), 0, at);
      }
      case 'ticker':
        return this.#tickerFrame(feed, at);
      case 'trade': {
        const recent = this.#records.exchange.recentTrades(feed.market.instrument.symbol);
        return this.#tradesFrame(recent.slice(-SNAPSHOT_TRADES));
      }
      case 'market_stats':
        return channel.marketId === undefined
          ? this.#statsFrame(this.#statsById(this.#records.markets), at)
          : this.#statsFrame(this.#stats(feed.market), at);
      default:
        throw new Error(`unknown channel ${String(channel.name satisfies never)}`);
    }
  }

  #tradesFrame(oldestFirst: readonly ExchangeTrade[]): FrameBody {
    const newestFirst = oldestFirst.toReversed();
    const json = (forced: boolean): WireValue =>
      newestFirst.filter((trade) => isForced(trade) === forced).map((trade) => this.#records.tradeJson(trade));
    return { nonce: this.#records.engineNonce, trades: json(false), liquidation_trades: json(true) };
  }

  #tickerFrame(feed: MarketFeed, at: Instant): FrameBody {
    const { market, tickerNonce } = feed;
    const { bids, asks } = this.#records.exchange.book(market.instrument.symbol);
    const side = (best: readonly [number, number] | undefined): WireValue =>
      best === undefined ? { price: '', size: '' } : levelJson(best[0], best[1], market);
    return {
      nonce: tickerNonce,
      last_updated_at: micros(at.calendarMs),
      timestamp: Math.floor(at.calendarMs),
      ticker: {
        s: market.instrument.symbol,
        a: side(asks[0]),
        b: side(bids[0]),
        last_updated_at: micros(at.calendarMs),
      },
    };
  }

  #stats(market: SimulatedMarket): WireValue {
    const { exchange } = this.#records;
    const { symbol } = market.instrument;
    return marketStatsJson(market, exchange.stats(symbol), exchange.book(symbol));
  }

  #statsById(markets: readonly SimulatedMarket[]): WireValue {
    return Object.fromEntries(markets.map((market) => [market.marketId, this.#stats(market)]));
  }

  #statsFrame(stats: WireValue, at: Instant): FrameBody {
    return { timestamp: Math.floor(at.calendarMs), market_stats: stats };
  }

  #feedOf(symbol: string): MarketFeed {
    const feed = this.#feeds[this.#records.marketOf(symbol).marketId];
    if (feed === undefined) throw new Error('feeds must be started before events are observed');
    return feed;
  }
}

/** Moves changed levels into what is published; returns those that really changed. */
function applyChanges(published: Levels, pending: Levels, market: SimulatedMarket): readonly WireValue[] {
  const changed: WireValue[] = [];
  for (const [ticks, lots] of pending) {
    if ((published.get(ticks) ?? 0) === lots) continue;
    if (lots === 0) published.delete(ticks);
    else published.set(ticks, lots);
    changed.push(levelJson(ticks, lots, market));
  }
  return changed;
}

function levelJson(ticks: number, lots: number, { instrument }: SimulatedMarket): WireValue {
  return { price: priceText(ticks, instrument), size: quantityText(lots, instrument) };
}

function bookFrame(
  feed: MarketFeed,
  asks: readonly WireValue[],
  bids: readonly WireValue[],
  beginNonce: number,
  at: Instant,
): FrameBody {
  const { offset, nonce } = feed;
  const updatedAt = micros(feed.bookAt.calendarMs);
  return {
    last_updated_at: updatedAt,
    offset,
    timestamp: Math.floor(at.calendarMs),
    order_book: { code: 0, asks, bids, offset, nonce, last_updated_at: updatedAt, begin_nonce: beginNonce },
  };
}
